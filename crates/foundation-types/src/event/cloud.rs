//! Events as other systems read them: a line of JSON with an id to tell repeats by, and
//! `CloudEvents` 1.0.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Event, Recorded};
use crate::id::StoreId;

/// What an exported event is told by if it comes again: `store/stream/version`.
///
/// A version of a stream is never given out twice, so that this is the same for ever and of no
/// other event.
#[must_use]
pub fn dedup_id(store: StoreId, event: &Recorded) -> String {
    format!("{store}/{}/{}", event.stream, event.version)
}

/// An exported event as a line of JSON.
#[derive(Debug, Serialize)]
pub struct ExportedLine<'a> {
    /// What it is told by if it comes again.
    pub dedup_id: &'a str,
    /// The event.
    #[serde(flatten)]
    pub event: &'a Recorded,
}

/// An event in the JSON format of `CloudEvents` 1.0.
///
/// `id` is the id of the event, which is its identity here too; `source` is its source with what a
/// URI may not have escaped, or the name of its store. Tags are JSON text in one attribute, since an
/// attribute has no lists. `dataschema` names type and schema; it is absent for the first one.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    /// `1.0`.
    pub specversion: &'a str,
    /// Id of the event.
    pub id: String,
    /// Who says so, as a URI reference.
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `application/json`, if there is data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<&'a str>,
    /// The schema of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// What it is told by if it comes again.
    pub dedupid: String,
    /// Its stream.
    pub stream: &'a str,
    /// Version of the stream that it made, as text: it may be larger than an attribute's number.
    pub streamversion: String,
    /// When it was recorded.
    pub recordedtime: String,
    /// The story that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<&'a str>,
    /// The event that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causationid: Option<&'a str>,
    /// What else it is found by, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Whatever else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
}

impl<'a> CloudEvent<'a> {
    /// What the source of an event without one begins with.
    pub const STORE_SOURCE: &'static str = "urn:foundation:store:";
    /// What the name of a schema begins with; the type and the number follow.
    pub const SCHEMA: &'static str = "urn:foundation:schema:";
    /// The type of data.
    pub const JSON: &'static str = "application/json";

    /// An event of this store.
    ///
    /// ```
    /// use foundation_types::event::CloudEvent;
    /// use foundation_types::{Event, Position, Recorded, StoreId, Timestamp, Version};
    /// let event = Recorded {
    ///     position: Position::from_engine(7),
    ///     stream: "orders".into(),
    ///     version: Version::new(3),
    ///     recorded: Timestamp::UNIX_EPOCH,
    ///     event: Event::new("order.placed").id("a1").source("the shop").data(&[1])?,
    /// };
    /// let text = serde_json::to_string(&CloudEvent::of(StoreId::from_bits(1), &event))?;
    /// assert!(text.starts_with(r#"{"specversion":"1.0","id":"a1","source":"the%20shop","#));
    /// assert!(text.ends_with(r#""data":[1]}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(store: StoreId, recorded: &'a Recorded) -> Self {
        let event = &recorded.event;
        let data = (!event.data.is_null()).then(|| event.data.as_json());
        let data = data.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
        let dedupid = dedup_id(store, recorded);
        Self {
            specversion: "1.0",
            id: event.id.as_ref().map_or_else(|| dedupid.clone(), ToString::to_string),
            source: match &event.source {
                Some(source) => source_of(source),
                None => format!("{}{store}", Self::STORE_SOURCE),
            },
            kind: event.kind.as_str(),
            subject: event.subject.as_deref(),
            time: event.time.map(|time| time.to_string()),
            datacontenttype: data.map(|_| Self::JSON),
            dataschema: (event.schema != Event::FIRST_SCHEMA).then(|| {
                format!("{}{}:{}", Self::SCHEMA, escaped(event.kind.as_str()), event.schema)
            }),
            dedupid,
            stream: recorded.stream.as_str(),
            streamversion: recorded.version.to_string(),
            recordedtime: recorded.recorded.to_string(),
            correlationid: event.correlation_id.as_ref().map(|id| id.as_str()),
            causationid: event.parent_id.as_ref().map(|id| id.as_str()),
            tags: (!event.tags.is_empty()).then(|| tags_of(event)),
            data,
        }
    }
}

fn tags_of(event: &Event) -> String {
    serde_json::Value::from_iter(event.tags.iter().map(|tag| tag.as_str())).to_string()
}

/// A source that looks like the name of a store is told from one by its first letter.
fn source_of(source: &str) -> String {
    match source.strip_prefix('u') {
        Some(rest) if source.starts_with(CloudEvent::STORE_SOURCE) => {
            format!("%75{}", escaped(rest))
        }
        _ => escaped(source),
    }
}

/// The text with everything escaped that a URI reference may not have, and `%` itself.
fn escaped(text: &str) -> String {
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte);
        if is_plain {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for digit in [byte >> 4, byte & 15] {
                uri.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    uri
}
