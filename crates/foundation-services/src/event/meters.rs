//! What the event store tells of itself as metrics.

use std::time::Duration;

use foundation_logic::event::refused_at;
use foundation_store::event::Settled;
use foundation_store::telemetry::{Counter, Histogram};
use foundation_types::ErrorKind;
use foundation_types::lifecycle::Stage;

use super::stats::StageCounts;
use crate::telemetry::TelemetryService;

/// Handles bound once: the append path looks up no name.
pub(super) struct Meters {
    stored: Counter,
    repeated: Counter,
    rejected: Counter,
    dropped: Counter,
    invalid: Counter,
    failed: Counter,
    storage_failed: Counter,
    accessed: Counter,
    expired: Counter,
    append_seconds: Histogram,
    query_seconds: Histogram,
}

impl Meters {
    pub(super) fn new(telemetry: &TelemetryService) -> Self {
        let ended = |stage: Stage| {
            telemetry.counter_with("foundation.events.ended", &[("stage", stage.name())])
        };
        Self {
            stored: telemetry.counter("foundation.events.stored"),
            repeated: telemetry.counter("foundation.events.repeated"),
            rejected: telemetry.counter("foundation.events.rejected"),
            dropped: telemetry.counter("foundation.events.dropped"),
            invalid: ended(Stage::Invalid),
            failed: ended(Stage::Failed),
            storage_failed: ended(Stage::StorageFailed),
            accessed: telemetry.counter("foundation.events.accessed"),
            expired: telemetry.counter("foundation.events.ttl_expired"),
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

    /// Counts events that were refused with an error of this kind, by the stage at which they ended.
    pub(super) fn refuse(&self, events: u64, kind: ErrorKind) {
        let counter = match refused_at(kind) {
            Stage::Invalid => &self.invalid,
            Stage::Failed => &self.failed,
            _ => &self.storage_failed,
        };
        counter.add(events);
    }

    /// Counts events that were read, about.
    pub(super) fn access(&self, events: u64) {
        self.accessed.add(events);
    }

    /// Counts events whose place was freed since their time to live was over.
    pub(super) fn expire(&self, events: u64) {
        self.expired.add(events);
    }

    /// What ended at each stage since the process began.
    pub(super) fn ends(&self) -> StageCounts {
        StageCounts {
            invalid: self.invalid.sum(),
            failed: self.failed.sum(),
            storage_failed: self.storage_failed.sum(),
            accessed: self.accessed.sum(),
            expired: self.expired.sum(),
            ..StageCounts::default()
        }
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
