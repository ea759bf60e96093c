//! What a record is found by.

use foundation_logic::event::EventKeys;
use foundation_types::Result;

use super::hash::{Fingerprint, Hashing};
use crate::record::{Names, Record};

/// The keys of one record in the indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) kind: u64,
    pub(super) stream: u64,
    pub(super) correlation: Option<u64>,
    pub(super) parent: Option<u64>,
    /// Each once: a record is in a list at most once.
    pub(super) tags: Vec<u64>,
    /// Microseconds since 1970: coarser than the event's time, and ordered as it is.
    pub(super) time: i64,
}

/// What the event log takes from a record before it takes a lock.
#[derive(Clone, Debug)]
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
        let mut tags: Vec<u64> = names.tags.iter().map(|tag| hashing.name(tag)).collect();
        tags.sort_unstable();
        tags.dedup();
        Self {
            kind: hashing.name(names.kind),
            stream: hashing.name(names.stream),
            correlation: names.correlation.map(|id| hashing.name(id)),
            parent: names.parent.map(|id| hashing.name(id)),
            tags,
            time: names.time.as_unix_micros(),
        }
    }

    /// Entries in indices that not every record is in.
    pub(super) fn postings(&self) -> u64 {
        u64::from(self.parent.is_some()) + self.tags.len() as u64
    }
}

/// The fields of a record that a query looks at.
///
/// # Errors
/// As [`Record::event`].
pub(super) fn event_keys(record: &Record) -> Result<EventKeys<'_>> {
    Ok(record.event()?.keys(record.position(), record.recorded()))
}
