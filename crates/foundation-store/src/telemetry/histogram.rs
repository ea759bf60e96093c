//! Histograms: how values are distributed, in memory that does not grow with their number.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use foundation_logic::telemetry::{
    BUCKETS, Extent, SIGN_BUCKETS, ZERO_BUCKET, bucket_of, distribution_from,
};
use foundation_types::telemetry::Distribution;

use super::cells::{Cell, Cells};
use super::metric::Fate;
use super::word::{Alone, Together, Writer};

/// Records into one histogram. Cheap to clone, and all clones record into the same series.
#[derive(Clone)]
pub struct Histogram(Arc<HistogramSeries>);

impl Histogram {
    pub(super) fn of(series: Arc<HistogramSeries>) -> Self {
        Self(series)
    }

    /// Records a value. Never waits and never fails: infinities and `NaN` are counted as dropped
    /// and change nothing else.
    #[inline]
    pub fn record(&self, value: f64) {
        self.0.record(value);
    }

    /// The distribution of everything recorded before this call, by all threads.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        self.0.distribution(&mut Tally::new())
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Histogram").field(&self.distribution()).finish()
    }
}

/// The cells of one histogram.
pub(super) struct HistogramSeries {
    cells: Cells<HistogramCell>,
    fate: Fate,
}

impl HistogramSeries {
    pub(super) fn new(fate: Fate) -> Self {
        Self { cells: Cells::new(), fate }
    }

    #[inline]
    pub(super) fn record(&self, value: f64) {
        match self.cells.existing() {
            Some(cell) if value.is_finite() => cell.record::<Alone>(value),
            _ => self.record_first(value),
        }
    }

    #[cold]
    fn record_first(&self, value: f64) {
        if self.fate.is_dropped() || !value.is_finite() {
            return self.fate.count_drop();
        }
        self.cells.with(|cell| cell.record::<Alone>(value), |cell| cell.record::<Together>(value));
    }

    /// What the cells say together; `tally` is empty before and after.
    pub(super) fn distribution(&self, tally: &mut Tally) -> Distribution {
        let mut extent = Extent::EMPTY;
        self.cells.for_each(|cell| {
            cell.count_into(tally);
            // After the buckets: every value counted above is within this extent.
            extent = extent.and(cell.extent());
        });
        tally.take(extent)
    }
}

/// What one slot recorded into one histogram.
#[repr(align(128))]
struct HistogramCell {
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    zero: AtomicU64,
    positive: Half,
    /// Made by the first negative value, which most histograms never see.
    negative: OnceLock<Box<Half>>,
}

impl Default for HistogramCell {
    fn default() -> Self {
        let Extent { sum, min, max } = Extent::EMPTY;
        Self {
            sum: AtomicU64::new(sum.to_bits()),
            min: AtomicU64::new(min.to_bits()),
            max: AtomicU64::new(max.to_bits()),
            zero: AtomicU64::new(0),
            positive: Half::default(),
            negative: OnceLock::new(),
        }
    }
}

impl Cell for HistogramCell {
    fn to_share() -> Self {
        Self { negative: OnceLock::from(Box::default()), ..Self::default() }
    }
}

impl HistogramCell {
    /// Extent first, bucket last: a reader that sees the value counted sees it within the extent.
    #[inline]
    fn record<W: Writer>(&self, value: f64) {
        if value < number(&self.min) {
            W::change(&self.min, |bits| f64::from_bits(bits).min(value).to_bits());
        }
        if value > number(&self.max) {
            W::change(&self.max, |bits| f64::from_bits(bits).max(value).to_bits());
        }
        W::change(&self.sum, |bits| (f64::from_bits(bits) + value).to_bits());
        let bucket = bucket_of(value);
        if bucket > ZERO_BUCKET {
            self.positive.count::<W>(bucket - ZERO_BUCKET - 1);
        } else if bucket == ZERO_BUCKET {
            W::add(&self.zero, 1);
        } else {
            self.negative.get_or_init(Box::default).count::<W>(ZERO_BUCKET - 1 - bucket);
        }
    }

    fn extent(&self) -> Extent {
        Extent { sum: number(&self.sum), min: number(&self.min), max: number(&self.max) }
    }

    fn count_into(&self, tally: &mut Tally) {
        tally.add(ZERO_BUCKET, self.zero.load(Ordering::Acquire));
        self.positive.for_each(|distance, count| tally.add(ZERO_BUCKET + 1 + distance, count));
        if let Some(negative) = self.negative.get() {
            negative.for_each(|distance, count| tally.add(ZERO_BUCKET - 1 - distance, count));
        }
    }
}

/// The buckets of one sign, by their distance from the one next to zero.
struct Half {
    /// One bit for each group of buckets, set before anything is counted in the group: a reader
    /// skips the others.
    touched: AtomicU64,
    counts: [AtomicU64; SIGN_BUCKETS],
}

/// Buckets in a group.
const GROUP: usize = 32;
const _: () = assert!(SIGN_BUCKETS.is_multiple_of(GROUP) && SIGN_BUCKETS / GROUP <= 64);

impl Default for Half {
    fn default() -> Self {
        Self { touched: AtomicU64::new(0), counts: [const { AtomicU64::new(0) }; SIGN_BUCKETS] }
    }
}

impl Half {
    #[inline]
    fn count<W: Writer>(&self, distance: usize) {
        let bit = 1 << (distance / GROUP);
        if self.touched.load(Ordering::Relaxed) & bit == 0 {
            W::change(&self.touched, |bits| bits | bit);
        }
        W::add(&self.counts[distance], 1);
    }

    fn for_each(&self, mut read: impl FnMut(usize, u64)) {
        let mut touched = self.touched.load(Ordering::Acquire);
        while touched != 0 {
            let start = touched.trailing_zeros() as usize * GROUP;
            for (at, count) in self.counts[start..start + GROUP].iter().enumerate() {
                read(start + at, count.load(Ordering::Acquire));
            }
            touched &= touched - 1;
        }
    }
}

fn number(word: &AtomicU64) -> f64 {
    f64::from_bits(word.load(Ordering::Relaxed))
}

/// Buckets that are being summed over the cells of a histogram; one serves many in turn.
pub(super) struct Tally {
    counts: Vec<u64>,
    /// Every bucket that is not zero lies between these two.
    first: usize,
    last: usize,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], first: BUCKETS, last: 0 }
    }

    #[inline]
    fn add(&mut self, bucket: usize, count: u64) {
        if count > 0 {
            self.counts[bucket] = self.counts[bucket].saturating_add(count);
            self.first = self.first.min(bucket);
            self.last = self.last.max(bucket);
        }
    }

    fn take(&mut self, extent: Extent) -> Distribution {
        if self.first > self.last {
            return Distribution::default();
        }
        let counts = &mut self.counts[self.first..=self.last];
        let said = distribution_from(self.first, counts, extent);
        counts.fill(0);
        (self.first, self.last) = (BUCKETS, 0);
        said
    }
}
