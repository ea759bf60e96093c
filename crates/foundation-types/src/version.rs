//! Versions of streams, positions in the journal, and what a writer may expect of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Version of one stream: 0 before its first record, then up by one with each record.
///
/// For a configuration document it counts changes; the defaults alone are version 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a stream that has no record yet.
    pub const NONE: Self = Self(0);

    /// The version with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of records that led to this version.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version that the next record of the stream gets.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version before this one; [`Version::NONE`] stays as it is.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// What a writer expects the version of a stream to be: optimistic locking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedVersion {
    /// Whatever it is.
    #[default]
    Any,
    /// The stream has no record yet.
    Absent,
    /// Exactly this version.
    Exactly(Version),
}

impl ExpectedVersion {
    /// Whether a stream at `actual` meets the expectation.
    #[must_use]
    pub fn admits(self, actual: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => actual == Version::NONE,
            Self::Exactly(expected) => actual == expected,
        }
    }

    /// The version that is expected, where one is.
    #[must_use]
    pub fn version(self) -> Option<Version> {
        match self {
            Self::Any => None,
            Self::Absent => Some(Version::NONE),
            Self::Exactly(expected) => Some(expected),
        }
    }
}

/// Place of a record in the journal: opaque and totally ordered.
///
/// Two positions can be compared and a position can be kept as a cursor; nothing else may be
/// read out of one, least of all that the next record has the next number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first record of any journal.
    pub const START: Self = Self(0);
    /// After the last record that any journal can hold.
    pub const END: Self = Self(u64::MAX);

    /// The position that an engine gave this number: for engines, not for applications.
    #[must_use]
    pub const fn from_engine(number: u64) -> Self {
        Self(number)
    }

    /// The number an engine gave: for engines, not for applications.
    #[must_use]
    pub const fn to_engine(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self).map_err(|_| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("{text:?} is not a position: use one that an earlier answer gave"),
            )
        })
    }
}
