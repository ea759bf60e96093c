//! How much of a log is kept, and who keeps it from being let go of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_types::Position;

use super::prune::{Held, Holder};

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

/// Positions from which on somebody still has to read, with how many holds of theirs are there.
#[derive(Debug, Default)]
pub(super) struct Holds(Mutex<BTreeMap<(u64, Holder), u64>>);

/// Keeps the records after a position from being let go of, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    holds: Arc<Holds>,
    position: Position,
    holder: Holder,
}

impl Holds {
    /// Who holds something up to this record, oldest position first.
    pub(super) fn before(&self, last: u64) -> Vec<Held> {
        let all = self.all();
        let before = all.keys().take_while(|(position, _)| *position < last);
        let held = before.map(|(position, holder)| Held {
            holder: holder.clone(),
            position: Position::from_engine(*position),
        });
        held.collect()
    }

    pub(super) fn hold(self: &Arc<Self>, position: Position, holder: Holder) -> Hold {
        *self.all().entry((position.to_engine(), holder.clone())).or_default() += 1;
        Hold { holds: Arc::clone(self), position, holder }
    }

    fn release(&self, position: Position, holder: &Holder) {
        let mut all = self.all();
        let key = (position.to_engine(), holder.clone());
        if let Some(count) = all.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&key);
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(u64, Holder), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// One that nobody asks for.
    pub(super) fn alone(position: Position, holder: Holder) -> Self {
        Arc::<Holds>::default().hold(position, holder)
    }

    /// Nothing after this position is let go of.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Holds from a later position on.
    pub fn advance(&mut self, position: Position) {
        if position > self.position {
            let held = std::mem::replace(self, self.holds.hold(position, self.holder.clone()));
            drop(held);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.release(self.position, &self.holder);
    }
}
