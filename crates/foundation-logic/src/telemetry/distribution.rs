//! What the buckets of a histogram say: true mean, percentiles, and how two of them merge.

use std::ops::Range;

use foundation_types::telemetry::Distribution;

use super::buckets::midpoint;

/// What a histogram keeps beside its buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Sum of the values.
    pub sum: f64,
    /// Smallest value, infinity if there is none.
    pub min: f64,
    /// Largest value, minus infinity if there is none.
    pub max: f64,
}

impl Extent {
    /// The extent of no values.
    pub const EMPTY: Self = Self { sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    /// This extent with one value more.
    #[must_use]
    pub fn with(self, value: f64) -> Self {
        self.and(Self { sum: value, min: value, max: value })
    }

    /// The extent of the values of both. Its sum stays finite: it stops at the largest number.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sum: finite(finite(self.sum) + finite(other.sum)),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// What all buckets of a histogram say.
///
/// The count is the sum of the buckets, so that the two always agree. The mean is the true one.
/// A percentile is the nearest rank (the smallest value with at least that share of the values at
/// or below it), off by at most [`super::RELATIVE_ERROR`] for magnitudes that have buckets of
/// their own, and never outside of `min` and `max`.
///
/// ```
/// use foundation_logic::telemetry::{BUCKETS, Extent, bucket_of, distribution};
/// let mut counts = vec![0; BUCKETS];
/// let mut extent = Extent::EMPTY;
/// for value in [10.0, 20.0, 30.0, 40.0] {
///     counts[bucket_of(value)] += 1;
///     extent = extent.with(value);
/// }
/// let said = distribution(&counts, extent);
/// assert_eq!((said.count, said.mean, said.p99), (4, 25.0, 40.0));
/// ```
#[must_use]
pub fn distribution(counts: &[u64], extent: Extent) -> Distribution {
    distribution_from(0, counts, extent)
}

/// The same of a histogram whose non-empty buckets all lie in `counts`, the first of which is the
/// bucket `first`: it spares reading the empty ones.
#[must_use]
pub fn distribution_from(first: usize, counts: &[u64], extent: Extent) -> Distribution {
    let count = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    if count == 0 || extent.min > extent.max {
        return Distribution::default();
    }
    let Extent { min, max, .. } = extent;
    let sum = finite(extent.sum);
    let ranks = [rank(count, 50), rank(count, 95), rank(count, 99)];
    let [p50, p95, p99] = buckets_at(counts, ranks).map(|at| midpoint(first + at).clamp(min, max));
    Distribution { count, sum, min, max, mean: (sum / count as f64).clamp(min, max), p50, p95, p99 }
}

/// Adds the counts of one histogram to those of another.
///
/// Both must be counts of the same buckets; what the longer one has beyond the other is ignored.
pub fn merge(into: &mut [u64], from: &[u64]) {
    for (ours, theirs) in into.iter_mut().zip(from) {
        *ours = ours.saturating_add(*theirs);
    }
}

fn finite(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

/// The rank, counted from 1, of a percentile among `count` values.
fn rank(count: u64, percent: u64) -> u64 {
    let rank = (u128::from(count) * u128::from(percent)).div_ceil(100);
    u64::try_from(rank).unwrap_or(count).max(1)
}

/// Where the values of these ranks are, which must not decrease.
fn buckets_at<const N: usize>(counts: &[u64], ranks: [u64; N]) -> [usize; N] {
    let mut found = [counts.len().saturating_sub(1); N];
    let mut open: Range<usize> = 0..N;
    let mut passed = 0_u64;
    for (at, count) in counts.iter().enumerate() {
        passed = passed.saturating_add(*count);
        while open.start < open.end && ranks[open.start] <= passed {
            found[open.start] = at;
            open.start += 1;
        }
        if open.is_empty() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{BUCKETS, LARGEST, RELATIVE_ERROR, SMALLEST, bucket_of};
    use proptest::prelude::*;

    fn recorded(values: &[f64]) -> (Vec<u64>, Extent) {
        let mut counts = vec![0; BUCKETS];
        let mut extent = Extent::EMPTY;
        for value in values {
            counts[bucket_of(*value)] += 1;
            extent = extent.with(*value);
        }
        (counts, extent)
    }

    fn said_of(values: &[f64]) -> Distribution {
        let (counts, extent) = recorded(values);
        distribution(&counts, extent)
    }

    #[test]
    fn nothing_recorded_is_all_zeros() {
        assert_eq!(said_of(&[]), Distribution::default());
        assert_eq!(distribution(&[], Extent::EMPTY), Distribution::default());
    }

    #[test]
    fn one_value_is_every_percentile_exactly() {
        for value in [0.0, 1.0, -7.25, 1e-300, 1e300, -1e300, f64::MAX] {
            let said = said_of(&[value]);
            let all = [said.min, said.max, said.mean, said.p50, said.p95, said.p99, said.sum];
            assert_eq!(all, [value; 7]);
        }
    }

    #[test]
    fn the_mean_is_true_and_one_outlier_does_not_move_the_median() {
        let mut values = vec![1.0; 999];
        values.push(1000.0);
        let said = said_of(&values);
        assert_eq!((said.mean, said.max), (1.999, 1000.0));
        assert!((said.p50 - 1.0).abs() <= RELATIVE_ERROR);
        assert!((said.p99 - 1.0).abs() <= RELATIVE_ERROR);
    }

    #[test]
    fn a_sum_that_overflows_stops_at_the_largest_number() {
        let said = said_of(&[f64::MAX, f64::MAX]);
        assert_eq!((said.sum, said.mean), (f64::MAX, f64::MAX));
        let above = Extent { sum: f64::INFINITY, ..Extent::EMPTY.with(1.0) };
        let below = Extent { sum: f64::NEG_INFINITY, ..Extent::EMPTY.with(-1.0) };
        assert_eq!(above.and(below).sum, 0.0);
    }

    #[test]
    fn full_counters_do_not_overflow() {
        let said = distribution(&[u64::MAX, u64::MAX, 1], Extent::EMPTY.with(1.0));
        assert_eq!(said.count, u64::MAX);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let magnitude = prop_oneof![
            4 => (-30.0..41.9_f64).prop_map(f64::exp2),
            2 => (-7.0..3.0_f64).prop_map(f64::exp2),
            1 => Just(0.0),
        ];
        let value =
            (magnitude, 0..4_u8).prop_map(|(size, sign)| if sign == 0 { -size } else { size });
        proptest::collection::vec(value, 1..400)
    }

    fn nearest_rank(sorted: &[f64], percent: usize) -> f64 {
        sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
    }

    proptest! {
        #[test]
        fn percentiles_are_as_near_to_a_full_sort_as_stated(mut values in values()) {
            let said = said_of(&values);
            values.sort_by(f64::total_cmp);
            for (percent, told) in [(50, said.p50), (95, said.p95), (99, said.p99)] {
                let exact = nearest_rank(&values, percent);
                prop_assert!(exact.abs() < LARGEST);
                let allowed = if exact.abs() < SMALLEST { SMALLEST } else { exact.abs() * RELATIVE_ERROR };
                prop_assert!(
                    (told - exact).abs() <= allowed * (1.0 + 1e-9),
                    "p{percent}: {told} for {exact}"
                );
            }
            prop_assert_eq!(said.count, values.len() as u64);
            prop_assert_eq!((said.min, said.max), (values[0], values[values.len() - 1]));
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let scale = values.iter().fold(1e-9, |most: f64, value| most.max(value.abs()));
            prop_assert!((said.mean - mean).abs() <= 1e-9 * scale);
        }

        #[test]
        fn merging_two_is_recording_all_in_one(one in values(), two in values()) {
            let (mut counts, extent) = recorded(&one);
            let (more, other) = recorded(&two);
            merge(&mut counts, &more);
            let all: Vec<f64> = one.iter().chain(&two).copied().collect();
            let (expected, whole) = recorded(&all);
            prop_assert_eq!(&counts, &expected);
            let (merged, direct) = (distribution(&counts, extent.and(other)), distribution(&expected, whole));
            prop_assert_eq!(
                (merged.count, merged.min, merged.max, merged.p50, merged.p95, merged.p99),
                (direct.count, direct.min, direct.max, direct.p50, direct.p95, direct.p99)
            );
            prop_assert_eq!(merged.count, counts.iter().sum::<u64>());
        }

        #[test]
        fn a_part_that_holds_all_values_says_what_the_whole_says(values in values()) {
            let (counts, extent) = recorded(&values);
            let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
            let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
            prop_assert_eq!(
                distribution_from(first, &counts[first..=last], extent),
                distribution(&counts, extent)
            );
        }
    }
}
