//! The body of a record as an event: its text is checked, nothing is copied.

use std::fmt;

use foundation_logic::event::EventKeys;
use foundation_types::{
    CorrelationId, Data, Event, EventId, EventType, Position, Recorded, StreamName, Tag, Timestamp,
    Version,
};

use super::fields::{Fields, IdBytes};
use super::uuid::uuid_of;

/// The fields of a stored event, read in place.
#[derive(Clone, Debug, PartialEq)]
pub struct EventView<'a> {
    /// Version of the stream that it made.
    pub version: Version,
    /// Stream.
    pub stream: &'a str,
    /// Type.
    pub kind: &'a str,
    /// Id.
    pub id: IdView<'a>,
    /// Time as given; absent if the source gave none.
    pub time: Option<Timestamp>,
    /// Source.
    pub source: Option<&'a str>,
    /// Subject.
    pub subject: Option<&'a str>,
    /// Correlation id.
    pub correlation: Option<&'a str>,
    /// Id of the event that caused it.
    pub parent: Option<&'a str>,
    /// What else it is found by.
    pub tags: Vec<&'a str>,
    /// Schema of the data.
    pub schema: u16,
    /// What was done to it on its way in, as JSON text.
    pub altered: Option<&'a str>,
    /// Data as JSON text.
    pub data: &'a str,
}

/// The id of a stored event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum IdView<'a> {
    /// Any text.
    Text(&'a str),
    /// A UUID.
    Uuid(u128),
}

impl IdView<'_> {
    /// The id with this text.
    #[must_use]
    pub fn of(text: &str) -> IdView<'_> {
        uuid_of(text).map_or(IdView::Text(text), IdView::Uuid)
    }

    fn to_owned(self) -> EventId {
        match self {
            Self::Text(text) => text.into(),
            Self::Uuid(bits) => EventId::of_uuid(bits),
        }
    }
}

impl fmt::Display for IdView<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Uuid(bits) => {
                let (a, b, c) = (bits >> 96, (bits >> 80) & 0xffff, (bits >> 64) & 0xffff);
                let (d, e) = ((bits >> 48) & 0xffff, bits & 0xffff_ffff_ffff);
                write!(out, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
            }
        }
    }
}

impl fmt::Debug for IdView<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl<'a> EventView<'a> {
    /// The time that the event is found by: as given, else when it was recorded.
    #[must_use]
    pub fn time_or(&self, recorded: Timestamp) -> Timestamp {
        self.time.unwrap_or(recorded)
    }

    /// What a query looks at in it.
    pub(crate) fn keys(self, position: Position, recorded: Timestamp) -> EventKeys<'a> {
        EventKeys {
            position,
            stream: self.stream,
            kind: self.kind,
            correlation: self.correlation,
            parent: self.parent,
            source: self.source,
            subject: self.subject,
            time: self.time_or(recorded),
            tags: self.tags,
            data: self.data,
        }
    }

    pub(crate) fn read(body: &'a [u8]) -> Result<Self, &'static str> {
        let fields = Fields::read(body).ok_or("a field is cut short")?;
        Self::of(&fields).ok_or("a field is not text")
    }

    fn of(fields: &Fields<'a>) -> Option<Self> {
        let text = |bytes: Option<&'a [u8]>| bytes.map(str::from_utf8).transpose().ok();
        Some(Self {
            version: fields.version,
            stream: str::from_utf8(fields.stream).ok()?,
            kind: str::from_utf8(fields.kind).ok()?,
            id: match fields.id {
                IdBytes::Text(bytes) => IdView::Text(str::from_utf8(bytes).ok()?),
                IdBytes::Uuid(bits) => IdView::Uuid(bits),
            },
            time: fields.time,
            source: text(fields.source)?,
            subject: text(fields.subject)?,
            correlation: text(fields.correlation)?,
            parent: text(fields.parent)?,
            tags: fields.tags.iter().map(str::from_utf8).collect::<Result<_, _>>().ok()?,
            schema: fields.schema,
            altered: text(fields.altered)?,
            data: str::from_utf8(fields.data).ok()?,
        })
    }

    pub(super) fn into_recorded(self, position: Position, recorded: Timestamp) -> Recorded {
        Recorded {
            position,
            stream: StreamName::from(self.stream),
            version: self.version,
            recorded,
            event: Event {
                kind: EventType::from(self.kind),
                id: Some(self.id.to_owned()),
                time: Some(self.time_or(recorded)),
                source: self.source.map(str::to_owned),
                subject: self.subject.map(str::to_owned),
                correlation_id: self.correlation.map(CorrelationId::from),
                parent_id: self.parent.map(EventId::from),
                tags: self.tags.into_iter().map(Tag::from).collect(),
                schema: self.schema,
                altered: self.altered.and_then(|text| serde_json::from_str(text).ok()),
                data: Data::from_checked(self.data),
            },
        }
    }
}
