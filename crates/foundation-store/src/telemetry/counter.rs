//! Counters: sums that never go back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cells::{Cell, Cells};
use super::metric::Fate;
use super::word::{Alone, Together, Writer};

/// Adds to one counter. Cheap to clone, and all clones add to the same series.
///
/// A sum that reaches `u64::MAX` stays there.
#[derive(Clone)]
pub struct Counter(Arc<CounterSeries>);

impl Counter {
    pub(super) fn of(series: Arc<CounterSeries>) -> Self {
        Self(series)
    }

    /// Adds `more`. Never waits and never fails.
    #[inline]
    pub fn add(&self, more: u64) {
        self.0.add(more);
    }

    /// Adds one.
    #[inline]
    pub fn increment(&self) {
        self.0.add(1);
    }

    /// The sum of everything added before this call, by all threads.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.sum()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Counter").field(&self.sum()).finish()
    }
}

/// The cells of one counter.
pub(super) struct CounterSeries {
    cells: Cells<CounterCell>,
    fate: Fate,
}

/// Two cache lines, since processors fetch them in pairs: no other cell shares them.
#[derive(Default)]
#[repr(align(128))]
struct CounterCell(AtomicU64);

impl Cell for CounterCell {}

impl CounterSeries {
    pub(super) fn new(fate: Fate) -> Self {
        Self { cells: Cells::new(), fate }
    }

    #[inline]
    pub(super) fn add(&self, more: u64) {
        match self.cells.existing() {
            Some(cell) => Alone::add(&cell.0, more),
            None => self.add_first(more),
        }
    }

    #[cold]
    fn add_first(&self, more: u64) {
        if self.fate.is_dropped() {
            return self.fate.count_drop();
        }
        self.cells.with(|cell| Alone::add(&cell.0, more), |cell| Together::add(&cell.0, more));
    }

    pub(super) fn sum(&self) -> u64 {
        let mut sum = 0_u64;
        self.cells.for_each(|cell| sum = sum.saturating_add(cell.0.load(Ordering::Acquire)));
        sum
    }
}
