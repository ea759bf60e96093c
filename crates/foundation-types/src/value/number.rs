//! A finite number that keeps whole numbers whole.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

/// A whole number from `i64::MIN` to `u64::MAX`, or a finite float.
///
/// `1` and `1.0` are different numbers, as they are in JSON text.
#[derive(Clone, Copy, PartialEq)]
pub struct Number(Kind);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Signed(i64),
    /// Only above `i64::MAX`, so that equal numbers are equal values.
    Unsigned(u64),
    Float(f64),
}

impl Number {
    /// The number with this value, `None` if it is infinite or not a number.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(Kind::Float(value)))
    }

    /// Whether it was given as a whole number.
    #[must_use]
    pub fn is_integer(self) -> bool {
        !matches!(self.0, Kind::Float(_))
    }

    /// The value, if it is whole and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Kind::Signed(value) => Some(value),
            Kind::Unsigned(_) | Kind::Float(_) => None,
        }
    }

    /// The value, if it is whole and fits.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Kind::Signed(value) => u64::try_from(value).ok(),
            Kind::Unsigned(value) => Some(value),
            Kind::Float(_) => None,
        }
    }

    /// Whether the two are worth the same, `1` and `1.0` too, to the last digit.
    #[must_use]
    pub fn is_worth(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Kind::Float(one), Kind::Float(other)) => one == other,
            // Beyond what 128 bits hold the conversion saturates, far from any whole number here.
            (Kind::Float(float), _) => float.fract() == 0.0 && float as i128 == other.whole(),
            (_, Kind::Float(_)) => other.is_worth(self),
            _ => self == other,
        }
    }

    /// Which of the two is worth more, to the last digit.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self.0, other.0) {
            (Kind::Float(one), Kind::Float(other)) => one.partial_cmp(&other),
            // The part before the point decides, and what is behind it only if that is the same.
            (Kind::Float(float), _) => {
                let behind = || float.fract().partial_cmp(&0.0);
                match (float.trunc() as i128).cmp(&other.whole()) {
                    Ordering::Equal => behind(),
                    decided => Some(decided),
                }
            }
            (_, Kind::Float(_)) => other.compare(self).map(Ordering::reverse),
            _ => Some(self.whole().cmp(&other.whole())),
        }
    }

    fn whole(self) -> i128 {
        match self.0 {
            Kind::Signed(value) => value.into(),
            Kind::Unsigned(value) => value.into(),
            Kind::Float(value) => value as i128,
        }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Kind::Signed(value) => value as f64,
            Kind::Unsigned(value) => value as f64,
            Kind::Float(value) => value,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Kind::Signed(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).map_or(Kind::Unsigned(value), Kind::Signed))
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Signed(value) => out.serialize_i64(value),
            Kind::Unsigned(value) => out.serialize_u64(value),
            Kind::Float(value) => out.serialize_f64(value),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Signed(value) => value.fmt(out),
            Kind::Unsigned(value) => value.fmt(out),
            Kind::Float(value) => value.fmt(out),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
