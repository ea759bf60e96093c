//! The buckets of a histogram: log-linear, fixed in number, the same for every histogram.
//!
//! Every power of two between [`SMALLEST`] and [`LARGEST`] is cut into sixteen buckets of equal
//! width, for positive and for negative values, and one bucket holds what is nearer to zero. The
//! index of a bucket grows with the values in it, so that a rank found by counting buckets is the
//! rank of a value. Because the layout is fixed, two histograms merge by adding their counts.

/// Buckets that each power of two is cut into.
pub const BUCKETS_PER_OCTAVE: usize = 1 << OCTAVE_BITS;
/// Smallest magnitude with a bucket of its own, 2⁻³⁰ (0.93 ns if the unit is a second).
pub const SMALLEST: f64 = 1.0 / 1_073_741_824.0;
/// Magnitudes from here on, 2⁴² (4.4 · 10¹²), share the outermost bucket of their sign.
pub const LARGEST: f64 = 4_398_046_511_104.0;
/// Largest distance of a bucket's [`midpoint`] from a value in it, relative to the value, for
/// magnitudes from [`SMALLEST`] up to [`LARGEST`].
pub const RELATIVE_ERROR: f64 = 1.0 / 33.0;
/// Buckets of one sign.
pub const SIGN_BUCKETS: usize = OCTAVES * BUCKETS_PER_OCTAVE;
/// The bucket of values nearer to zero than [`SMALLEST`].
pub const ZERO_BUCKET: usize = SIGN_BUCKETS;
/// Buckets in all.
pub const BUCKETS: usize = 2 * SIGN_BUCKETS + 1;

const OCTAVE_BITS: u32 = 4;
const OCTAVES: usize = 72;
/// What is cut off a number's bits to leave its exponent and the four bits after it.
const CUT_BITS: u32 = f64::MANTISSA_DIGITS - 1 - OCTAVE_BITS;
/// Those bits of [`SMALLEST`].
const FIRST: u64 = SMALLEST.to_bits() >> CUT_BITS;
const SIGN_BIT: u64 = 1 << 63;

/// The bucket of a value. `NaN` has none; it is put where its sign bit points.
///
/// ```
/// use foundation_logic::telemetry::{bounds, bucket_of};
/// let (low, high) = bounds(bucket_of(0.042));
/// assert!(low <= 0.042 && 0.042 < high && high - low < 0.042 / 16.0);
/// ```
#[inline]
#[must_use]
pub fn bucket_of(value: f64) -> usize {
    let bits = value.to_bits();
    let magnitude = (bits & !SIGN_BIT) >> CUT_BITS;
    if magnitude < FIRST {
        return ZERO_BUCKET;
    }
    let distance = usize::try_from(magnitude - FIRST).unwrap_or(usize::MAX).min(SIGN_BUCKETS - 1);
    if bits & SIGN_BIT == 0 { ZERO_BUCKET + 1 + distance } else { ZERO_BUCKET - 1 - distance }
}

/// The lower and upper bound of a bucket.
///
/// The bound nearer to zero belongs to the bucket, the other one does not; neither belongs to the
/// zero bucket. The outermost buckets reach to infinity. An index past the last bucket is taken
/// for the last one.
#[must_use]
pub fn bounds(bucket: usize) -> (f64, f64) {
    if bucket > ZERO_BUCKET {
        return magnitudes(bucket - ZERO_BUCKET - 1);
    }
    if bucket == ZERO_BUCKET {
        return (-SMALLEST, SMALLEST);
    }
    let (near, far) = magnitudes(ZERO_BUCKET - 1 - bucket);
    (-far, -near)
}

/// The value that stands for a bucket: no value in it is further off than [`RELATIVE_ERROR`].
///
/// It is the harmonic mean of the bounds, which makes the relative error the same at both. The
/// zero bucket answers zero, the outermost ones their finite bound.
#[must_use]
pub fn midpoint(bucket: usize) -> f64 {
    let (low, high) = bounds(bucket);
    if bucket == ZERO_BUCKET {
        0.0
    } else if low.is_infinite() {
        high
    } else if high.is_infinite() {
        low
    } else {
        2.0 * low * high / (low + high)
    }
}

fn magnitudes(distance: usize) -> (f64, f64) {
    let distance = distance.min(SIGN_BUCKETS - 1);
    let far = if distance == SIGN_BUCKETS - 1 { f64::INFINITY } else { edge(distance + 1) };
    (edge(distance), far)
}

fn edge(distance: usize) -> f64 {
    f64::from_bits((FIRST + distance as u64) << CUT_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_touch_each_other_from_end_to_end() {
        for bucket in 1..BUCKETS {
            assert_eq!(bounds(bucket - 1).1, bounds(bucket).0, "bucket {bucket}");
        }
        assert_eq!(bounds(0).0, f64::NEG_INFINITY);
        assert_eq!(bounds(BUCKETS - 1).1, f64::INFINITY);
        assert_eq!(bounds(ZERO_BUCKET + 1).0, SMALLEST);
        let width = LARGEST / 2.0 / BUCKETS_PER_OCTAVE as f64;
        assert_eq!(bounds(BUCKETS - 1).0, LARGEST - width);
    }

    #[test]
    fn edges_fall_where_the_documentation_says() {
        for (value, bucket) in [
            (0.0, ZERO_BUCKET),
            (-0.0, ZERO_BUCKET),
            (SMALLEST, ZERO_BUCKET + 1),
            (-SMALLEST, ZERO_BUCKET - 1),
            (SMALLEST / 2.0, ZERO_BUCKET),
            (f64::MIN_POSITIVE, ZERO_BUCKET),
            (LARGEST, BUCKETS - 1),
            (-LARGEST, 0),
            (f64::MAX, BUCKETS - 1),
            (f64::MIN, 0),
            (f64::INFINITY, BUCKETS - 1),
        ] {
            assert_eq!(bucket_of(value), bucket, "{value}");
        }
    }

    fn measured() -> impl Strategy<Value = f64> {
        (-30.0..42.0_f64, any::<bool>())
            .prop_map(|(power, negative)| if negative { -power.exp2() } else { power.exp2() })
    }

    proptest! {
        #[test]
        fn a_value_lies_within_the_bounds_and_near_the_midpoint(value in measured()) {
            let bucket = bucket_of(value);
            let (low, high) = bounds(bucket);
            prop_assert!(low <= value && value <= high);
            if bucket != 0 && bucket != BUCKETS - 1 {
                let error = (midpoint(bucket) - value).abs() / value.abs();
                prop_assert!(error <= RELATIVE_ERROR * (1.0 + 1e-12), "{error}");
            }
        }

        #[test]
        fn a_larger_value_never_has_a_smaller_bucket(one in any::<f64>(), two in any::<f64>()) {
            prop_assume!(one <= two);
            prop_assert!(bucket_of(one) <= bucket_of(two));
        }
    }
}
