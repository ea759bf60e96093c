//! Live services of Foundation on tokio: they wait, spawn, schedule and send.
//!
//! What is remembered lives in `foundation-store`, what is computed in `foundation-logic`. A
//! service is a cheap handle: clones are the same service, and none of them is global.
//!
//! In reading order: the services ([`config`], [`event`], [`export`], [`projection`], [`table`], [`telemetry`]), all of them together as
//! a [`node`], the [`control`] socket on it, the [`dump`]s and [`backup`]s that it takes, its [`archive`], and what they are started with ([`opening`],
//! [`repair`], [`fold`], [`tasks`]).

#![forbid(unsafe_code)]

pub mod archive;
pub mod backup;
pub mod config;
pub mod control;
pub mod dump;
pub mod event;
pub mod export;
pub mod fold;
#[cfg(test)]
mod moody_disk;
pub mod node;
pub mod opening;
pub mod projection;
pub mod repair;
pub mod table;
pub mod tasks;
pub mod telemetry;

pub use config::ConfigServer;
pub use event::EventStore;
pub use table::Table;
pub use telemetry::TelemetryService;
