//! Telemetry without state: the buckets of a histogram, what they say, and roll-ups by namespace.

mod buckets;
mod distribution;
mod roll_up;

pub use buckets::{
    BUCKETS, BUCKETS_PER_OCTAVE, LARGEST, RELATIVE_ERROR, SIGN_BUCKETS, SMALLEST, ZERO_BUCKET,
    bounds, bucket_of, midpoint,
};
pub use distribution::{Extent, distribution, distribution_from, merge};
pub use roll_up::{NamespaceTotals, roll_up};
