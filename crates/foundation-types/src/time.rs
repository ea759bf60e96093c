//! Times as data: no clock is read here.
//!
//! A [`Timestamp`] is shown to people and searched by. Order is never taken from it: that is the
//! business of versions, positions and the causal [`Stamp`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// A moment in UTC with nanosecond precision, from the year -9999 to 9999-12-30T22:00:00Z.
///
/// ```
/// use foundation_types::Timestamp;
/// let time: Timestamp = "2017-05-16T02:00:00.008+02:00".parse()?;
/// assert_eq!(time.to_string(), "2017-05-16T00:00:00.008Z");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The moment this many microseconds after 1970; clamped to the range of years.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Self {
        let bound = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_microsecond(micros).unwrap_or(bound))
    }

    /// Microseconds since 1970, rounded down.
    #[must_use]
    pub fn as_unix_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since 1970 and the nanoseconds that remain, both with the same sign.
    #[must_use]
    pub fn to_parts(self) -> (i64, i32) {
        (self.0.as_second(), self.0.subsec_nanosecond())
    }

    /// The moment with these parts, `None` outside the range of years.
    #[must_use]
    pub fn from_parts(seconds: i64, nanoseconds: i32) -> Option<Self> {
        jiff::Timestamp::new(seconds, nanoseconds).ok().map(Self)
    }

    /// The moment `later` by that much; clamped to the range of years.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.checked_add(later).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Time from `earlier` to this moment; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or(Duration::ZERO)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self).map_err(|cause: jiff::Error| {
            let shown: String = text.chars().take(64).collect();
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{shown:?} is not an RFC 3339 time such as 2026-11-24T09:00:00Z, at most \
                     9999-12-30T22:00:00Z"
                ),
            )
            .caused_by(cause)
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A causal stamp (hybrid logical clock): strictly increasing along a journal.
///
/// The upper 52 bits are microseconds since 1970, the lower 12 count stamps within one of them.
/// A wall clock that steps back changes nothing here: the stamp only ever goes on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Stamp(u64);

impl Stamp {
    const COUNTER_BITS: u32 = 12;

    /// The stamp with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits of the stamp.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The stamp of something that happens at `now`, after this one.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        let micros = u64::try_from(now.as_unix_micros()).unwrap_or(0);
        let physical = micros.checked_shl(Self::COUNTER_BITS).unwrap_or(0);
        Self(physical.max(self.0.saturating_add(1)))
    }

    /// The wall-clock part: when it was recorded, never going back along a journal.
    #[must_use]
    pub fn recorded(self) -> Timestamp {
        let micros = i64::try_from(self.0 >> Self::COUNTER_BITS).unwrap_or(i64::MAX);
        Timestamp::from_unix_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_goes_on_when_the_clock_steps_back() {
        let noon = Timestamp::from_unix_micros(1_000_000);
        let first = Stamp::default().next(noon);
        let second = first.next(Timestamp::UNIX_EPOCH);
        assert!(second > first);
        assert_eq!(second.recorded(), noon);
    }

    #[test]
    fn a_time_before_1970_still_gives_an_increasing_stamp() {
        let past: Timestamp = "0001-01-01T00:00:00Z".parse().expect("a valid time");
        let stamp = Stamp::default().next(past);
        assert!(stamp > Stamp::default());
    }
}
