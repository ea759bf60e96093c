//! A service whose clock is set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_types::Timestamp;

use crate::telemetry::TelemetryService;

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(super) struct HandClock(AtomicU64);

impl HandClock {
    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(super) fn service() -> (TelemetryService, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    (TelemetryService::new(2_000, clock.clone()), clock)
}
