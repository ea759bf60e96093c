//! Telemetry as its callers see it: names, timers, observers, the host.

mod catalogue;
mod host;
mod measured;
mod observed;
mod sample;
