//! How long something takes, whatever way it ends.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::telemetry::Histogram;

use super::TelemetryService;

/// Records the seconds from its making to its end into a histogram, also when what it times
/// panics, returns early, or is cancelled.
#[must_use = "it records when it is dropped"]
pub struct Timer {
    histogram: Histogram,
    clock: Arc<dyn Clock>,
    started: Duration,
}

impl TelemetryService {
    /// Starts timing into this histogram.
    pub fn timer(&self, histogram: &Histogram) -> Timer {
        let clock = Arc::clone(&self.0.clock);
        Timer { histogram: histogram.clone(), started: clock.monotonic(), clock }
    }

    /// Runs `work` and records the seconds that it took into the histogram `name`.
    pub fn measure<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        let _timer = self.timer(&self.histogram(name));
        work()
    }

    /// Awaits `work` and records the seconds that it took into the histogram `name`: from the
    /// first time that it is polled until it is ready or dropped.
    pub async fn measure_async<T>(&self, name: &str, work: impl Future<Output = T>) -> T {
        let _timer = self.timer(&self.histogram(name));
        work.await
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let taken = self.clock.monotonic().saturating_sub(self.started);
        self.histogram.record(taken.as_secs_f64());
    }
}
