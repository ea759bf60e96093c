//! Events: what happened, as given by its source and as recorded by the store.

mod aggregation;
mod altered;
mod at;
mod cloud;
mod consumer;
mod data;
mod edit;
mod export;
mod field;
mod leaf;
mod newer;
mod pattern;
mod personal;
mod personal_fields;
mod projection;
mod query;
mod rewrite;
mod typed;

pub use aggregation::{Aggregation, By, Fold, Late, Lateness, Measure, Percent, Window};
pub use altered::{Alteration, Altered, Did, HIDDEN_VALUE};
pub use at::field_at;
pub use cloud::{CloudEvent, ExportedLine, dedup_id};
pub use consumer::{ConsumerPlace, FailedEvent, Halt, ParkedEvent, Poison, cause_text};
pub use data::Data;
pub use edit::TextEdit;
pub use export::ExportKept;
pub use field::{Comparison, FieldFilter};
pub use leaf::Leaf;
pub use newer::NewerSchema;
pub use pattern::{TypePattern, pattern_admits};
pub use personal::{FORGOTTEN_MARK, Personal, SEALED_MARK};
pub use personal_fields::{PersonalField, PersonalFields, PersonalPart};
pub use projection::{KeyedKept, KeyedPlace, ProjectionKept};
pub use query::{EventQuery, Order};
pub use rewrite::Replace;
pub use typed::EventData;

pub use foundation_macros::{EventData, PersonalFields};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::id::{CorrelationId, EventId, EventType, StreamName, Tag};
use crate::time::Timestamp;
use crate::version::{Position, Version};

/// Something that happened, before it is recorded.
///
/// Any value can be written here; the pipeline in `foundation-validate` decides whether it may
/// enter. What was not given is left out, and id and time are filled in when it is recorded.
///
/// ```
/// use foundation_types::Event;
/// let event = Event::new("order.placed").correlation("req-7").data(&[1, 2])?;
/// assert_eq!(event.data.as_json(), "[1,2]");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Identity and idempotency key; drawn by the store if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// When it happened, as given; the time of recording if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The story that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<EventId>,
    /// What else it is found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// The schema that its data follows: a number that its source counts up when the shape of
    /// the data changes.
    #[serde(default = "first_schema", skip_serializing_if = "is_first_schema")]
    pub schema: u16,
    /// What was done to it on its way in; absent if it is what was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altered: Option<Box<Altered>>,
    /// Whatever else there is to say, as JSON.
    #[serde(default, skip_serializing_if = "Data::is_null")]
    pub data: Data,
}

impl Event {
    /// The schema of data that says none.
    pub const FIRST_SCHEMA: u16 = 1;

    /// An event of this type with nothing else.
    pub fn new(kind: impl Into<EventType>) -> Self {
        Self {
            kind: kind.into(),
            id: None,
            time: None,
            source: None,
            subject: None,
            correlation_id: None,
            parent_id: None,
            tags: Vec::new(),
            schema: Self::FIRST_SCHEMA,
            altered: None,
            data: Data::null(),
        }
    }

    /// This event with an id of the caller's, which is its idempotency key.
    #[must_use]
    pub fn id(mut self, id: impl Into<EventId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// This event with the time at which it happened.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// This event with its source.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// This event with its subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// This event as part of a story.
    #[must_use]
    pub fn correlation(mut self, id: impl Into<CorrelationId>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// This event as caused by another.
    #[must_use]
    pub fn parent(mut self, id: impl Into<EventId>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// This event found by one more tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// This event with data that follows this schema.
    #[must_use]
    pub fn schema(mut self, schema: u16) -> Self {
        self.schema = schema;
        self
    }

    /// This event with data that serialises to JSON.
    ///
    /// # Errors
    /// As [`Data::of`].
    pub fn data<T: Serialize + ?Sized>(mut self, data: &T) -> Result<Self> {
        self.data = Data::of(data)?;
        Ok(self)
    }
}

fn first_schema() -> u16 {
    Event::FIRST_SCHEMA
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_first_schema(schema: &u16) -> bool {
    *schema == Event::FIRST_SCHEMA
}

/// An event as the store holds it: immutable, with its place and time of recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "FlatRecorded")]
pub struct Recorded {
    /// Place in the journal.
    pub position: Position,
    /// Stream that it was appended to.
    pub stream: StreamName,
    /// Version of the stream that it made.
    pub version: Version,
    /// When it was recorded; never goes back along positions.
    pub recorded: Timestamp,
    /// The event itself, with id and time filled in.
    #[serde(flatten)]
    pub event: Event,
}

/// The fields of [`Recorded`] side by side: raw JSON cannot be read through `flatten`.
#[derive(Deserialize)]
struct FlatRecorded {
    position: Position,
    stream: StreamName,
    version: Version,
    recorded: Timestamp,
    #[serde(rename = "type")]
    kind: EventType,
    id: Option<EventId>,
    time: Option<Timestamp>,
    source: Option<String>,
    subject: Option<String>,
    correlation_id: Option<CorrelationId>,
    parent_id: Option<EventId>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default = "first_schema")]
    schema: u16,
    altered: Option<Box<Altered>>,
    #[serde(default)]
    data: Data,
}

impl From<FlatRecorded> for Recorded {
    fn from(flat: FlatRecorded) -> Self {
        Self {
            position: flat.position,
            stream: flat.stream,
            version: flat.version,
            recorded: flat.recorded,
            event: Event {
                kind: flat.kind,
                id: flat.id,
                time: flat.time,
                source: flat.source,
                subject: flat.subject,
                correlation_id: flat.correlation_id,
                parent_id: flat.parent_id,
                tags: flat.tags,
                schema: flat.schema,
                altered: flat.altered,
                data: flat.data,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_event_reads_back_from_its_json() {
        let recorded = Recorded {
            position: Position::from_engine(7),
            stream: StreamName::from(StreamName::EVENTS),
            version: Version::new(3),
            recorded: Timestamp::UNIX_EPOCH,
            event: Event::new("order.placed")
                .id("a")
                .correlation("r")
                .data(&serde_json::json!({"n": [1, 2.5]}))
                .expect("plain data"),
        };
        let text = serde_json::to_string(&recorded).expect("writes");
        insta::assert_snapshot!(text, @r#"{"position":7,"stream":"events","version":3,"recorded":"1970-01-01T00:00:00Z","type":"order.placed","id":"a","correlation_id":"r","data":{"n":[1,2.5]}}"#);
        assert_eq!(serde_json::from_str::<Recorded>(&text).expect("reads"), recorded);
    }
}
