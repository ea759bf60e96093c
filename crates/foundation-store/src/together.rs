//! Followers that are told together, so that a look at all of them is a look at one position.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_types::Position;

use crate::journal::{Before, Follower, State};
use crate::record::Record;

/// Tells several followers one after the other, and lets nobody look in between who asks here.
pub struct Together {
    followers: Vec<Arc<dyn Follower>>,
    /// The last record that all of them were told of.
    told: Mutex<Position>,
}

impl Together {
    /// These followers, told in this order.
    #[must_use]
    pub fn new(followers: Vec<Arc<dyn Follower>>) -> Self {
        Self { followers, told: Mutex::new(Position::START) }
    }

    /// Looks at what follows while nothing new is told; the position is the last that was.
    ///
    /// The journal waits meanwhile: what takes time is to be done with what was taken.
    pub fn look<T>(&self, look: impl FnOnce(Position) -> T) -> T {
        let told = self.told();
        look(*told)
    }

    fn told(&self) -> MutexGuard<'_, Position> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower for Together {
    fn follow(&self, records: &[Record]) {
        let mut told = self.told();
        self.followers.follow(records);
        if let Some(last) = records.last() {
            *told = last.position();
        }
    }

    fn begin(&self, before: &Before) {
        self.followers.begin(before);
        *self.told() = before.last;
    }

    fn indexed(&self, last: Position) {
        self.followers.indexed(last);
    }

    fn let_go(&self, last: Position) {
        self.followers.let_go(last);
    }

    fn done_with(&self) -> Option<Position> {
        self.followers.done_with()
    }

    fn resumes(&self) -> bool {
        self.followers.resumes()
    }

    fn states(&self) -> Vec<&dyn State> {
        self.followers.states()
    }
}

impl std::fmt::Debug for Together {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Together").field("told", &*self.told()).finish_non_exhaustive()
    }
}
