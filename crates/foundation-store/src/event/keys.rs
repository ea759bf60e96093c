//! What a record is found by.

use foundation_logic::event::EventKeys;
use foundation_types::Result;

use super::hash::{Fingerprint, Hashing};
use crate::record::{Names, Record};

/// The keys of one record in the indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) kind: u64,
    pub(super) stream: u64,
    pub(super) correlation: Option<u64>,
    /// Microseconds since 1970: coarser than the event's time, and ordered as it is.
    pub(super) time: i64,
}

/// What the event log takes from a record before it takes a lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Digest {
    Read {
        id: Fingerprint,
        keys: Keys,
    },
    /// The body does not follow the format.
    Unreadable,
}

impl Digest {
    pub(super) fn of(record: &Record, hashing: &Hashing) -> Self {
        match record.readable_names() {
            Some(names) => {
                Self::Read { id: hashing.fingerprint(names.id), keys: Keys::of(&names, hashing) }
            }
            None => Self::Unreadable,
        }
    }
}

impl Keys {
    pub(super) fn of(names: &Names<'_>, hashing: &Hashing) -> Self {
        Self {
            kind: hashing.name(names.kind),
            stream: hashing.name(names.stream),
            correlation: names.correlation.map(|id| hashing.name(id)),
            time: names.time.as_unix_micros(),
        }
    }
}

/// The fields of a record that a query looks at.
///
/// # Errors
/// As [`Record::event`].
pub(super) fn event_keys(record: &Record) -> Result<EventKeys<'_>> {
    let keys = || {
        let names = record.readable_names()?;
        Some(EventKeys {
            position: record.position(),
            stream: str::from_utf8(names.stream).ok()?,
            kind: str::from_utf8(names.kind).ok()?,
            correlation: names.correlation.map(str::from_utf8).transpose().ok()?,
            time: names.time,
        })
    };
    match keys() {
        Some(keys) => Ok(keys),
        None => Err(record.undecoded("its fields cannot be told apart or are not text")),
    }
}
