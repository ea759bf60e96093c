//! Live services of Foundation on tokio: config, events, telemetry, control socket.

pub mod config;
