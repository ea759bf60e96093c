//! The program as a person or a script runs it: the built binary, real directories, real pipes.

#[path = "all/aggregate.rs"]
mod aggregate;
#[path = "all/archive.rs"]
mod archive;
#[path = "all/bad_events.rs"]
mod bad_events;
#[path = "all/bad_input.rs"]
mod bad_input;
#[path = "all/checked.rs"]
mod checked;
#[path = "all/config.rs"]
mod config;
#[path = "all/config_sources.rs"]
mod config_sources;
#[path = "all/conflicts.rs"]
mod conflicts;
#[path = "all/consumers.rs"]
mod consumers;
#[path = "all/dump.rs"]
mod dump;
#[path = "all/events.rs"]
mod events;
#[path = "all/exporting.rs"]
mod exporting;
#[path = "all/follow.rs"]
mod follow;
#[path = "all/forgotten.rs"]
mod forgotten;
#[path = "all/irregular.rs"]
mod irregular;
#[path = "all/keeping.rs"]
mod keeping;
#[path = "all/ownership.rs"]
mod ownership;
#[path = "all/pruned.rs"]
mod pruned;
#[path = "all/real_input.rs"]
mod real_input;
#[path = "all/running.rs"]
mod running;
#[path = "all/secrets.rs"]
mod secrets;
#[path = "all/serving.rs"]
mod serving;
#[path = "all/table.rs"]
mod table;
#[path = "all/watch.rs"]
mod watch;
