//! A hash table that is read without waiting and only ever grows.
//!
//! A reader follows one level, found through one atomic, and stops at the first empty place. When
//! a level is half full the next one, twice as large, takes its entries over; the old levels stay
//! for readers that are still in them, which doubles the memory of the table, not of its values.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Places of the first level.
const FIRST_LEVEL: usize = 64;
const LEVELS: usize = 40;

type Level<T> = Box<[OnceLock<Entry<T>>]>;

struct Entry<T> {
    hash: u64,
    value: Arc<T>,
}

/// Values by hash. Inserting is for one thread at a time: the caller holds a lock.
pub(super) struct Directory<T> {
    levels: [OnceLock<Level<T>>; LEVELS],
    current: AtomicUsize,
    filled: AtomicUsize,
}

impl<T> Directory<T> {
    pub(super) fn new() -> Self {
        Self {
            levels: [const { OnceLock::new() }; LEVELS],
            current: AtomicUsize::new(0),
            filled: AtomicUsize::new(0),
        }
    }

    /// The value with this hash that `is_it` says yes to.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&Arc<T>> {
        let level = self.levels.get(self.current.load(Ordering::Acquire))?.get()?;
        let mut at = place(hash, level.len());
        while let Some(entry) = level[at].get() {
            if entry.hash == hash && is_it(&entry.value) {
                return Some(&entry.value);
            }
            at = (at + 1) & (level.len() - 1);
        }
        None
    }

    /// Values in it.
    pub(super) fn len(&self) -> usize {
        self.filled.load(Ordering::Acquire)
    }

    /// Puts in a value that is not there yet. Two threads must not do this at once.
    pub(super) fn insert(&self, hash: u64, value: Arc<T>) {
        let mut number = self.current.load(Ordering::Relaxed);
        let filled = self.filled.load(Ordering::Relaxed);
        if (filled + 1) * 2 > self.level(number).len() {
            let larger = self.level(number + 1);
            for entry in self.level(number).iter().filter_map(OnceLock::get) {
                put(larger, entry.hash, Arc::clone(&entry.value));
            }
            number += 1;
            self.current.store(number, Ordering::Release);
        }
        put(self.level(number), hash, value);
        self.filled.store(filled + 1, Ordering::Release);
    }

    fn level(&self, number: usize) -> &Level<T> {
        self.levels[number]
            .get_or_init(|| (0..FIRST_LEVEL << number).map(|_| OnceLock::new()).collect())
    }
}

/// Puts an entry into a level that is at most half full.
fn put<T>(level: &Level<T>, hash: u64, value: Arc<T>) {
    let mut at = place(hash, level.len());
    let mut entry = Entry { hash, value };
    while let Err(refused) = level[at].set(entry) {
        entry = refused;
        at = (at + 1) & (level.len() - 1);
    }
}

fn place(hash: u64, places: usize) -> usize {
    (hash ^ (hash >> 32)) as usize & (places - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_found_while_it_grows_even_with_colliding_hashes() {
        let directory = Directory::new();
        for number in 0..1000_u64 {
            directory.insert(number % 7, Arc::new(number));
            assert_eq!(directory.len() as u64, number + 1);
            for known in [0, number / 2, number] {
                let found = directory.find(known % 7, |value| *value == known);
                assert_eq!(found.map(|value| **value), Some(known));
            }
            assert!(directory.find(number % 7, |value| *value == number + 1).is_none());
        }
    }

    #[test]
    fn readers_find_what_was_put_in_before_while_it_grows() {
        let directory = Directory::new();
        let done = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..20_000_usize {
                    directory.insert(number as u64 * 0x9E37_79B9, Arc::new(number));
                    done.store(number + 1, Ordering::Release);
                }
            });
            scope.spawn(|| {
                let mut at = 0;
                while at < 20_000 {
                    at = done.load(Ordering::Acquire);
                    for number in [at / 3, at.saturating_sub(1)] {
                        let hash = number as u64 * 0x9E37_79B9;
                        let found = directory.find(hash, |value| *value == number).is_some();
                        assert!(found || at == 0, "{number} of {at}");
                    }
                }
            });
        });
    }
}
