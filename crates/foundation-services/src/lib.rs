//! Live services on a runtime: they wait, schedule and send; what they decide is below them.
//!
//! In reading order: the store of [`event`]s and [`telemetry`].

pub mod event;
pub mod telemetry;

pub use event::{EventStore, Receipt, Start, Subscription};
pub use telemetry::TelemetryService;
