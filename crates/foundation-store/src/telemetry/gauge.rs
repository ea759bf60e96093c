//! Gauges: the last value set.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::metric::Fate;

/// Sets one gauge. Cheap to clone, and all clones set the same series.
#[derive(Clone)]
pub struct Gauge(Arc<GaugeSeries>);

impl Gauge {
    pub(super) fn of(series: Arc<GaugeSeries>) -> Self {
        Self(series)
    }

    /// Sets the value. Never waits and never fails: infinities and `NaN` are counted as dropped
    /// and leave the gauge as it was.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// The value last set, `None` before the first.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.0.value()
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Gauge").field(&self.value()).finish()
    }
}

/// The one cell of a gauge: which value is the last is decided by the order of stores into it.
#[repr(align(128))]
pub(super) struct GaugeSeries {
    bits: AtomicU64,
    fate: Fate,
}

impl GaugeSeries {
    pub(super) fn new(fate: Fate) -> Self {
        Self { bits: AtomicU64::new(f64::NAN.to_bits()), fate }
    }

    #[inline]
    pub(super) fn set(&self, value: f64) {
        if value.is_finite() && !self.fate.is_dropped() {
            self.bits.store(value.to_bits(), Ordering::Release);
        } else {
            self.fate.count_drop();
        }
    }

    pub(super) fn value(&self) -> Option<f64> {
        Some(f64::from_bits(self.bits.load(Ordering::Acquire))).filter(|value| value.is_finite())
    }
}
