//! What the event store holds and has been given.

use std::collections::BTreeMap;

use foundation_store::event::{EventStats, IntakeCounts};
use foundation_types::{EventType, Position, StreamName, Timestamp};
use serde::{Deserialize, Serialize};

use super::EventStore;

/// What an event store holds and has been given, at one moment.
///
/// `offered` is the sum of `stored`, `repeated`, `rejected`, `dropped` and `in_flight`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStoreStats {
    /// Events handed to the store since the process began.
    pub offered: u64,
    /// Of them: recorded.
    pub stored: u64,
    /// Of them: recognised by their id as stored before.
    pub repeated: u64,
    /// Of them: refused with an error.
    pub rejected: u64,
    /// Of them: dropped, as the policy of a full buffer says.
    pub dropped: u64,
    /// Of them: not decided yet.
    pub in_flight: u64,
    /// Records that the log kept when it was opened, and all since then, changes of configuration
    /// included.
    pub recorded: u64,
    /// Events in the buffer.
    pub buffered_events: u64,
    /// Bytes of the buffer, indices included.
    pub buffered_bytes: u64,
    /// Events that left the buffer.
    pub evicted: u64,
    /// Records whose body cannot be decoded.
    pub unreadable: u64,
    /// Position of the last record that readers see.
    pub published: Position,
    /// When the first record was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_recorded: Option<Timestamp>,
    /// When the last record was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_recorded: Option<Timestamp>,
    /// Of those recorded: how many of each type.
    pub by_type: BTreeMap<EventType, u64>,
    /// Of those recorded: events of types beyond the 10,000 that have a row of their own.
    pub other_types: u64,
    /// What became of those offered, by the stream that they were for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_stream: BTreeMap<StreamName, IntakeCounts>,
    /// What became of those for streams beyond the 1,000 that have a row of their own.
    #[serde(default)]
    pub other_streams: IntakeCounts,
    /// At which stages of their lives events are, or ended.
    #[serde(default)]
    pub stages: StageCounts,
    /// How often events of each stream were read since the process began, about: one in
    /// `events.access_sampling` is noted. Who reads an event twice reads two.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accessed: BTreeMap<StreamName, u64>,
    /// The same of streams beyond the 1,000 that have a row of their own.
    #[serde(default)]
    pub accessed_others: u64,
}

/// Events by stages of their lives: those that are at one now, and those that came to one since the process
/// began.
///
/// What is `Expiring` is among `available`: nothing is done to an event when its time is over, readers are
/// only told of it no more, so that to count those each would have to be looked at.
/// [`EventStore::stage_of`] tells it of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCounts {
    /// Refused since they may not enter.
    pub invalid: u64,
    /// Refused since what is stored, or a part of the application's, speaks against them.
    pub failed: u64,
    /// Refused since the store or its journal could not take them. With `invalid` and `failed` that is
    /// what was `rejected`.
    pub storage_failed: u64,
    /// On their way by now.
    pub storing: u64,
    /// Kept by now, Foundation's own among them.
    pub available: u64,
    /// Read, about; 0 if none is noted.
    pub accessed: u64,
    /// Freed since their time to live was over.
    pub expired: u64,
}

impl EventStore {
    /// What the store holds and has been given.
    #[must_use]
    pub fn stats(&self) -> EventStoreStats {
        self.0.sweep();
        let intake = self.0.intake.counts();
        let (by_stream, other_streams) = self.0.intake.by_stream();
        let (accessed, accessed_others) = self.0.accesses.by_stream();
        let log: EventStats = self.0.log.stats();
        let stages = StageCounts {
            storing: intake.in_flight(),
            available: self.0.journal.extent().records,
            ..self.0.meters.ends()
        };
        EventStoreStats {
            offered: intake.offered,
            stored: intake.stored,
            repeated: intake.repeated,
            rejected: intake.rejected,
            dropped: intake.dropped,
            in_flight: intake.in_flight(),
            recorded: log.by_type.values().sum::<u64>() + log.other_types,
            buffered_events: log.buffered_events,
            buffered_bytes: log.buffered_bytes,
            evicted: log.evicted,
            unreadable: log.unreadable,
            published: log.published,
            first_recorded: log.first_recorded,
            last_recorded: log.last_recorded,
            by_type: log.by_type,
            other_types: log.other_types,
            by_stream,
            other_streams,
            stages,
            accessed,
            accessed_others,
        }
    }
}
