//! What the event store tells of itself as metrics.

use std::time::Duration;

use foundation_store::event::Settled;
use foundation_store::telemetry::{Counter, Histogram};

use crate::telemetry::TelemetryService;

/// Handles bound once: the append path looks up no name.
pub(super) struct Meters {
    stored: Counter,
    repeated: Counter,
    rejected: Counter,
    dropped: Counter,
    append_seconds: Histogram,
    query_seconds: Histogram,
}

impl Meters {
    pub(super) fn new(telemetry: &TelemetryService) -> Self {
        Self {
            stored: telemetry.counter("foundation.events.stored"),
            repeated: telemetry.counter("foundation.events.repeated"),
            rejected: telemetry.counter("foundation.events.rejected"),
            dropped: telemetry.counter("foundation.events.dropped"),
            append_seconds: telemetry.histogram("foundation.events.append_seconds"),
            query_seconds: telemetry.histogram("foundation.events.query_seconds"),
        }
    }

    pub(super) fn settle(&self, events: u64, how: Settled) {
        let counter = match how {
            Settled::Stored => &self.stored,
            Settled::Repeated => &self.repeated,
            Settled::Rejected => &self.rejected,
            Settled::Dropped => &self.dropped,
        };
        counter.add(events);
    }

    /// Records how long an append took, from its call to its ack.
    pub(super) fn took(&self, time: Duration) {
        self.append_seconds.record(time.as_secs_f64());
    }

    /// Records how long a query took.
    pub(super) fn answered(&self, time: Duration) {
        self.query_seconds.record(time.as_secs_f64());
    }
}
