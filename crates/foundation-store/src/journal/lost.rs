//! Records that damage has cost, and that a repair has given up: they are gone for good, and what
//! stands before and behind them is whole.

use std::fmt;

use foundation_types::{Error, ErrorKind};

/// That it is this and no damage of now.
#[derive(Clone, Copy, Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a repair went on behind it")
    }
}

impl std::error::Error for Lost {}

/// The error of what was lost.
pub(crate) fn lost(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corruption, message).caused_by(Lost)
}

/// Whether an error says that a record was lost to damage and given up by a repair, so that whoever
/// reads on may go on behind it.
#[must_use]
pub fn is_lost(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<Lost>())
}
