//! Live services of Foundation on tokio: config, events, telemetry, control socket.

pub mod config;
pub mod event;
pub mod telemetry;

pub use event::{EventStore, Receipt, Start, Subscription};
pub use telemetry::TelemetryService;
