//! What an append answers.

use foundation_store::journal::Appended;
use foundation_store::record::Record;
use foundation_types::{Durability, EventId, Position, Result, StreamName, Timestamp, Version};
use serde::{Deserialize, Serialize};

/// Where an event is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Id of the event, as given or as drawn.
    pub id: EventId,
    /// The stream that it is in: of a repeat, the one that it was stored in.
    #[serde(default = "usual")]
    pub stream: StreamName,
    /// Place in the journal.
    pub position: Position,
    /// Version of the stream that it made.
    pub version: Version,
    /// When it was recorded; of several recorded together, when the last one was.
    pub recorded: Timestamp,
    /// What this answer means.
    pub durability: Durability,
    /// Whether it was stored before this append, which then stored nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl Receipt {
    /// The receipt of an event that is stored already.
    pub(super) fn of_repeat(id: EventId, record: &Record, durability: Durability) -> Result<Self> {
        let event = record.event()?;
        let (stream, version) = (StreamName::from(event.stream), event.version);
        let (position, recorded) = (record.position(), record.recorded());
        Ok(Self { id, stream, position, version, recorded, durability, repeated: true })
    }

    /// This receipt for one more event with the same id and body.
    pub(super) fn again(&self) -> Self {
        Self { repeated: true, ..self.clone() }
    }

    /// The receipt of the event with this id, which was appended alone.
    pub(super) fn of_one(
        id: EventId,
        stream: StreamName,
        appended: &Appended,
        durability: Durability,
    ) -> Self {
        let Appended { version, recorded, .. } = *appended;
        let position = appended.last();
        Self { id, stream, position, version, recorded, durability, repeated: false }
    }

    /// The receipts of the events with these ids, which were appended together.
    pub(super) fn of_new(
        ids: Vec<EventId>,
        stream: StreamName,
        appended: &Appended,
        durability: Durability,
    ) -> impl Iterator<Item = Self> {
        let Appended { version, recorded, .. } = *appended;
        let before = version.number().saturating_sub(appended.records() as u64);
        ids.into_iter().zip(appended.positions()).zip(1..).map(move |((id, position), nth)| Self {
            id,
            stream: stream.clone(),
            position,
            version: Version::new(before.saturating_add(nth)),
            recorded,
            durability,
            repeated: false,
        })
    }
}

/// Where events are that nobody named a stream for: what a receipt meant that did not say.
fn usual() -> StreamName {
    StreamName::from(StreamName::EVENTS)
}
