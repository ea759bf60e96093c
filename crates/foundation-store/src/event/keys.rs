//! What a record is found by.

use foundation_logic::event::EventKeys;
use foundation_types::{Result, Timestamp};

use super::hash::{Fingerprint, Hashing};
use crate::record::{EventView, Record};

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
        match record.event() {
            Ok(event) => Self::Read {
                id: hashing.fingerprint(event.id),
                keys: Keys::of(&event, record.recorded(), hashing),
            },
            Err(_) => Self::Unreadable,
        }
    }
}

impl Keys {
    pub(super) fn of(event: &EventView<'_>, recorded: Timestamp, hashing: &Hashing) -> Self {
        Self {
            kind: hashing.name(event.kind),
            stream: hashing.name(event.stream),
            correlation: event.correlation.map(|id| hashing.name(id)),
            time: event.time_or(recorded).as_unix_micros(),
        }
    }
}

/// The fields of a record that a query looks at.
pub(super) fn event_keys(record: &Record) -> Result<EventKeys<'_>> {
    let event = record.event()?;
    Ok(EventKeys {
        position: record.position(),
        stream: event.stream,
        kind: event.kind,
        correlation: event.correlation,
        time: event.time_or(record.recorded()),
    })
}
