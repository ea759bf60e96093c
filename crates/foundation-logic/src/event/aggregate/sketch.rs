//! Percentiles of any number of numbers: exact while they are few, then within a stated error.
//!
//! What a sketch says depends only on the numbers in it, not on their order or on how they were
//! put together.

use std::collections::BTreeMap;

use foundation_types::event::Percent;
use foundation_types::limits::AGGREGATE_EXACT_MAX;

use crate::telemetry::BUCKETS_PER_OCTAVE;

/// Numbers, or how many of them are in each bucket.
///
/// The buckets are those of histograms ([`crate::telemetry::bounds`]), each power of two cut into
/// sixteen of equal width, but over the whole range of numbers and only those that are not empty.
/// So the largest relative error is the same, [`crate::telemetry::RELATIVE_ERROR`], for all
/// magnitudes from 2.2 · 10⁻³⁰⁸.
#[derive(Clone, Debug)]
pub(super) enum Sketch {
    Exact(Vec<f64>),
    Buckets(BTreeMap<i32, u64>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Sketch {
    /// Adds a finite number.
    pub(super) fn add(&mut self, number: f64) {
        match self {
            Self::Exact(numbers) => {
                numbers.push(number);
                self.fold_up();
            }
            Self::Buckets(buckets) => *buckets.entry(bucket_of(number)).or_insert(0) += 1,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Exact(ours), Self::Exact(theirs)) => {
                ours.extend(theirs);
                self.fold_up();
            }
            (Self::Exact(ours), Self::Buckets(_)) => {
                let ours = std::mem::take(ours);
                *self = other.clone();
                ours.into_iter().for_each(|number| self.add(number));
            }
            (Self::Buckets(_), Self::Exact(theirs)) => {
                theirs.iter().for_each(|number| self.add(*number));
            }
            (Self::Buckets(ours), Self::Buckets(theirs)) => {
                for (bucket, count) in theirs {
                    *ours.entry(*bucket).or_insert(0) += count;
                }
            }
        }
    }

    /// Numbers or buckets.
    pub(super) fn kept(&self) -> usize {
        match self {
            Self::Exact(numbers) => numbers.len(),
            Self::Buckets(buckets) => buckets.len(),
        }
    }

    /// The number at the rank of this share; `None` if there are none.
    pub(super) fn at(&self, share: Percent) -> Option<f64> {
        match self {
            Self::Exact(numbers) => {
                let mut sorted = numbers.clone();
                sorted.sort_by(f64::total_cmp);
                let rank = share.rank_of(sorted.len() as u64);
                sorted.get(usize::try_from(rank - 1).ok()?).copied()
            }
            Self::Buckets(buckets) => {
                let rank = share.rank_of(buckets.values().sum());
                let mut passed = 0;
                let reached = buckets.iter().find(|(_, count)| {
                    passed += **count;
                    passed >= rank
                });
                reached.map(|(bucket, _)| midpoint(*bucket))
            }
        }
    }

    /// Puts numbers into buckets once they are too many.
    fn fold_up(&mut self) {
        let Self::Exact(numbers) = self else { return };
        if numbers.len() <= AGGREGATE_EXACT_MAX {
            return;
        }
        let mut buckets = BTreeMap::new();
        for number in numbers {
            *buckets.entry(bucket_of(*number)).or_insert(0) += 1;
        }
        *self = Self::Buckets(buckets);
    }
}

/// What is cut off a number's bits to leave its exponent and the bits that tell its bucket.
const CUT_BITS: u32 = f64::MANTISSA_DIGITS - 1 - BUCKETS_PER_OCTAVE.trailing_zeros();

/// The bucket of a finite number: grows with it, from negative to positive.
fn bucket_of(number: f64) -> i32 {
    let magnitude = i32::try_from(number.abs().to_bits() >> CUT_BITS).unwrap_or(i32::MAX);
    if number < 0.0 { -1 - magnitude } else { magnitude }
}

/// The harmonic mean of the bounds, whose relative error is the same at both.
fn midpoint(bucket: i32) -> f64 {
    let (magnitude, sign) = if bucket < 0 { (-1 - bucket, -1.0) } else { (bucket, 1.0) };
    let magnitude = u64::from(magnitude.unsigned_abs());
    let near = f64::from_bits(magnitude << CUT_BITS);
    let far = f64::from_bits((magnitude + 1) << CUT_BITS).min(f64::MAX);
    sign * near * (2.0 / (1.0 + near / far))
}
