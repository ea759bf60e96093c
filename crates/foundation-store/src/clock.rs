//! The clock as a seam: wall time to show, monotonic time to wait by.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use foundation_types::Timestamp;

/// Where times come from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock. It may step in any direction; nothing is ordered by it.
    fn wall(&self) -> Timestamp;

    /// Time since some moment before; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The clocks of this host.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
            }
        };
        Timestamp::from_unix_micros(micros)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
