//! The cells of one series: one for each slot that recorded into it, one for all further threads.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;

use super::slot::{self, SLOTS};

/// The cells, each made by the first recording into it.
pub(super) struct Cells<T> {
    owned: [OnceLock<Box<T>>; SLOTS],
    /// Not a `OnceLock`: of many threads that come first, none may wait for another.
    shared: ArcSwapOption<T>,
}

/// What one slot keeps of one series.
pub(super) trait Cell: Default {
    /// A cell that many threads write: nothing in it is left for one of them to make.
    fn to_share() -> Self {
        Self::default()
    }
}

impl<T: Cell> Cells<T> {
    pub(super) fn new() -> Self {
        Self { owned: [const { OnceLock::new() }; SLOTS], shared: ArcSwapOption::empty() }
    }

    /// The cell that only this thread writes, if it exists.
    #[inline]
    pub(super) fn existing(&self) -> Option<&T> {
        self.owned.get(slot::current())?.get().map(Box::as_ref)
    }

    /// Runs one of the two on this thread's cell, which is made if it does not exist: `alone` if
    /// only this thread writes the cell, `together` if others do too.
    #[cold]
    pub(super) fn with(&self, alone: impl FnOnce(&T), together: impl FnOnce(&T)) {
        if let Some(slot) = slot::owned() {
            // Only the owner of the slot gets here, so nobody waits for anybody.
            return alone(self.owned[slot].get_or_init(Box::default));
        }
        if self.shared.load().is_none() {
            self.shared.compare_and_swap(&None::<Arc<T>>, Some(Arc::new(T::to_share())));
        }
        if let Some(cell) = self.shared.load().as_deref() {
            together(cell);
        }
    }

    /// Runs `read` on every cell there is.
    pub(super) fn for_each(&self, mut read: impl FnMut(&T)) {
        for cell in self.owned[..slot::ever_taken()].iter().filter_map(OnceLock::get) {
            read(cell);
        }
        if let Some(cell) = self.shared.load().as_deref() {
            read(cell);
        }
    }
}
