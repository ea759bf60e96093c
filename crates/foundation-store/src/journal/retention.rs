//! How much of a log is kept, and who keeps it from being let go of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_types::Position;

/// How much of the log is kept. The oldest segment goes, as a whole, as soon as one bound is
/// exceeded, whatever the others say; without bounds everything stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A segment goes once this many records come after it: by this bound no fewer are kept, and
    /// as many more as are in one segment.
    pub records: Option<u64>,
    /// A segment goes while the files of sealed segments take more than this many bytes.
    pub bytes: Option<u64>,
    /// A segment goes once its newest record was recorded longer ago than this.
    pub age: Option<Duration>,
    /// The only bound that counts for a segment in the archive: it goes from there once its newest
    /// record was recorded longer ago than this. As long as it stays, so do all that come after it.
    pub archived_age: Option<Duration>,
}

/// What was let go of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Records.
    pub records: u64,
    /// Files of the log.
    pub segments: u64,
    /// Bytes of these files.
    pub bytes: u64,
}

/// Positions from which on somebody still has to read.
#[derive(Debug, Default)]
pub(super) struct Holds(Mutex<BTreeMap<u64, u64>>);

/// Keeps the records after a position from being let go of, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    holds: Arc<Holds>,
    position: Position,
}

impl Holds {
    /// The first position that somebody holds.
    pub(super) fn first(&self) -> Option<u64> {
        self.all().keys().next().copied()
    }

    pub(super) fn hold(self: &Arc<Self>, position: Position) -> Hold {
        *self.all().entry(position.to_engine()).or_default() += 1;
        Hold { holds: Arc::clone(self), position }
    }

    fn release(&self, position: Position) {
        let mut all = self.all();
        if let Some(count) = all.get_mut(&position.to_engine()) {
            *count -= 1;
            if *count == 0 {
                all.remove(&position.to_engine());
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// One that nobody asks for.
    pub(super) fn alone(position: Position) -> Self {
        Arc::<Holds>::default().hold(position)
    }

    /// Nothing after this position is let go of.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Holds from a later position on.
    pub fn advance(&mut self, position: Position) {
        if position > self.position {
            let held = std::mem::replace(self, self.holds.hold(position));
            drop(held);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.release(self.position);
    }
}
