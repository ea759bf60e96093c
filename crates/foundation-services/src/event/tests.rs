//! The event store against a model, against many callers at once, and against a slow disk.

mod aggregated;
mod appended;
mod cancelled;
mod catalogue;
mod conditional;
mod figures;
mod laws;
mod lived;
mod overflow;
mod queried;
mod real_input;
mod repeated;
mod sample;
mod staged;
mod subscribed;
