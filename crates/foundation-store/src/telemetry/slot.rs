//! Slot numbers: each thread that records owns one, as long as it lives and there are enough.
//!
//! A number is handed over from a thread that ended to one that begins. What the old owner wrote
//! must be what the new one adds to, although both write without read-modify-write operations:
//! giving a number back releases, taking it acquires. Both are changes of the one word of the
//! pool, so the order holds across any number of owners in between.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::word::Word;

/// Threads that own a slot at one time; all further ones share one that they change by
/// read-modify-write operations, which is right but slower.
pub(super) const SLOTS: usize = 32;

/// No slot was asked for yet.
const UNKNOWN: usize = usize::MAX;
/// There was none, or the thread is ending.
const SHARED: usize = usize::MAX - 1;

static POOL: Pool<AtomicU64> = Pool::new(AtomicU64::new(0), SLOTS);
static EVER_TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Read on every recording, so it has nothing to drop and nothing to initialise.
    static CURRENT: Cell<usize> = const { Cell::new(UNKNOWN) };
    static OWNED: OwnedSlot = OwnedSlot::take();
}

/// The slot that this thread owns, or a number beyond all slots if it is not known to own one.
#[inline]
pub(super) fn current() -> usize {
    CURRENT.get()
}

/// The slot that this thread owns after asking for one, `None` if it has to share.
#[cold]
pub(super) fn owned() -> Option<usize> {
    if CURRENT.get() == UNKNOWN {
        let slot = OWNED.try_with(|owned| owned.0).ok().flatten();
        CURRENT.set(slot.unwrap_or(SHARED));
    }
    Some(CURRENT.get()).filter(|slot| *slot < SLOTS)
}

/// One more than the highest slot that any thread owned so far.
pub(super) fn ever_taken() -> usize {
    EVER_TAKEN.load(Ordering::Acquire)
}

/// A thread's slot; goes back to the pool when the thread ends.
struct OwnedSlot(Option<usize>);

impl OwnedSlot {
    fn take() -> Self {
        let slot = POOL.take();
        if let Some(slot) = slot {
            EVER_TAKEN.fetch_max(slot + 1, Ordering::AcqRel);
        }
        Self(slot)
    }
}

impl Drop for OwnedSlot {
    fn drop(&mut self) {
        // Whatever still records while the thread ends, for example from another destructor,
        // must not write as an owner any more.
        CURRENT.set(SHARED);
        if let Some(slot) = self.0 {
            POOL.give_back(slot);
        }
    }
}

/// Numbers of which each has at most one owner.
pub(super) struct Pool<W> {
    /// One bit for each number that is owned.
    taken: W,
    size: usize,
}

impl<W: Word> Pool<W> {
    /// A pool of the numbers below `size`, which is at most 64; `taken` is zero.
    pub(super) const fn new(taken: W, size: usize) -> Self {
        Self { taken, size }
    }

    /// The lowest free number; what its last owner wrote is visible to the caller.
    pub(super) fn take(&self) -> Option<usize> {
        let mut taken = self.taken.load(Ordering::Relaxed);
        loop {
            let slot = taken.trailing_ones();
            let index = usize::try_from(slot).ok().filter(|index| *index < self.size)?;
            let with = taken | (1 << slot);
            match self.taken.compare_exchange(taken, with, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(index),
                Err(seen) => taken = seen,
            }
        }
    }

    /// Frees a number; what its owner wrote becomes visible to the next one.
    pub(super) fn give_back(&self, slot: usize) {
        self.taken.fetch_and(!(1 << slot), Ordering::Release);
    }
}
