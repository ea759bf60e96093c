//! A 64-bit word that threads share: the standard library's atomic, or a model checker's.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the slots need of an atomic, so that a model checker can run the same code.
pub(super) trait Word {
    /// Reads it.
    fn load(&self, order: Ordering) -> u64;
    /// Writes it.
    fn store(&self, value: u64, order: Ordering);
    /// Adds to it, around at the end, and answers what was there.
    fn fetch_add(&self, more: u64, order: Ordering) -> u64;
    /// Keeps only these bits.
    fn fetch_and(&self, bits: u64, order: Ordering) -> u64;
    /// Writes `new` if `current` is there; answers what was there.
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;
}

impl Word for AtomicU64 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }

    fn fetch_add(&self, more: u64, order: Ordering) -> u64 {
        self.fetch_add(more, order)
    }

    fn fetch_and(&self, bits: u64, order: Ordering) -> u64 {
        self.fetch_and(bits, order)
    }

    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }
}

/// How a thread writes words: as their only writer, or together with others.
pub(super) trait Writer {
    /// Adds to a word; stops at the end of the range.
    fn add<W: Word>(word: &W, more: u64);
    /// Changes a word; `change` may be called more than once.
    fn change<W: Word>(word: &W, change: impl Fn(u64) -> u64);
}

/// Writes words that no other thread writes meanwhile: a load and a store.
pub(super) struct Alone;

/// Writes words that other threads write too: read-modify-write operations, which never wait for
/// a thread that was suspended.
pub(super) struct Together;

impl Writer for Alone {
    #[inline]
    fn add<W: Word>(word: &W, more: u64) {
        Self::change(word, |sum| sum.saturating_add(more));
    }

    #[inline]
    fn change<W: Word>(word: &W, change: impl Fn(u64) -> u64) {
        word.store(change(word.load(Ordering::Relaxed)), Ordering::Release);
    }
}

impl Writer for Together {
    fn add<W: Word>(word: &W, more: u64) {
        /// Below both, it takes eight million threads adding at once to reach the end.
        const SAFE_SUM: u64 = 1 << 63;
        const SAFE_STEP: u64 = 1 << 40;
        if more < SAFE_STEP && word.load(Ordering::Relaxed) < SAFE_SUM {
            word.fetch_add(more, Ordering::Release);
        } else {
            Self::change(word, |sum| sum.saturating_add(more));
        }
    }

    fn change<W: Word>(word: &W, change: impl Fn(u64) -> u64) {
        let mut current = word.load(Ordering::Relaxed);
        while let Err(seen) =
            word.compare_exchange(current, change(current), Ordering::Release, Ordering::Relaxed)
        {
            current = seen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stop_at_the_end_of_the_range() {
        for (start, more) in [(u64::MAX - 1, 1), (u64::MAX, 1), (1, u64::MAX), (1 << 63, 1 << 63)] {
            let (alone, together) = (AtomicU64::new(start), AtomicU64::new(start));
            Alone::add(&alone, more);
            Together::add(&together, more);
            assert_eq!((alone.into_inner(), together.into_inner()), (u64::MAX, u64::MAX));
        }
    }
}
