//! What became of every event that was offered.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts that always add up: what was offered is stored, repeated, rejected, dropped, or still
/// on its way.
#[derive(Debug, Default)]
pub struct Intake {
    counts: Mutex<IntakeCounts>,
}

/// Events that came in, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakeCounts {
    /// Handed to the store.
    pub offered: u64,
    /// Recorded.
    pub stored: u64,
    /// Recognised by their id as stored before.
    pub repeated: u64,
    /// Refused with an error.
    pub rejected: u64,
    /// Not stored because a buffer was full and its policy says so.
    pub dropped: u64,
}

impl IntakeCounts {
    /// Events offered whose outcome is still open.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let settled = self.stored + self.repeated + self.rejected + self.dropped;
        self.offered.saturating_sub(settled)
    }
}

impl Intake {
    /// Counts events that come in; each is to be settled by one of the other calls.
    pub fn offered(&self, events: u64) {
        self.counts_mut().offered += events;
    }

    /// Settles events as recorded.
    pub fn stored(&self, events: u64) {
        self.counts_mut().stored += events;
    }

    /// Settles events as stored before.
    pub fn repeated(&self, events: u64) {
        self.counts_mut().repeated += events;
    }

    /// Settles events as refused.
    pub fn rejected(&self, events: u64) {
        self.counts_mut().rejected += events;
    }

    /// Settles events as dropped.
    pub fn dropped(&self, events: u64) {
        self.counts_mut().dropped += events;
    }

    /// All counts at one moment.
    #[must_use]
    pub fn counts(&self) -> IntakeCounts {
        *self.counts_mut()
    }

    fn counts_mut(&self) -> MutexGuard<'_, IntakeCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
