//! Reading back what an export wrote: lines of recorded events, and `CloudEvents` 1.0.

use foundation_types::event::Altered;
use foundation_types::event::CloudEvent;
use foundation_types::limits::{CLOUD_EVENTS_MAX, EVENT_BYTES_MAX};
use foundation_types::{
    CorrelationId, Data, Error, ErrorKind, Event, EventId, EventType, Problem, Result, StreamName,
    Tag, Timestamp,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{event_line, located, reason};

/// Room for the attributes around the largest event.
const FRAME_BYTES_MAX: usize = 16 * 1024;
/// The largest message of several events.
const BATCH_BYTES_MAX: usize = 16 * EVENT_BYTES_MAX;

/// The event that a line says: one as [`event_line`] reads it, or one as an export wrote it, whose
/// place in its store is left behind.
///
/// ```
/// use foundation_validate::parse;
/// let line = br#"{"dedup_id":"1/events/3","position":7,"stream":"events","version":3,
///     "recorded":"2026-11-25T09:00:00Z","type":"order.placed","id":"a"}"#;
/// assert_eq!(parse::exported_line(line)?.kind.as_str(), "order.placed");
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// As [`event_line`].
pub fn exported_line(line: &[u8]) -> Result<Event> {
    let refused = match event_line(line) {
        Ok(event) => return Ok(event),
        Err(refused) => refused,
    };
    if line.len() > EVENT_BYTES_MAX + FRAME_BYTES_MAX {
        return Err(refused);
    }
    let Ok(one) = serde_json::from_slice::<Exported>(line) else { return Err(refused) };
    Ok(Event {
        kind: one.kind,
        id: one.id,
        time: one.time,
        source: one.source,
        subject: one.subject,
        correlation_id: one.correlation_id,
        parent_id: one.parent_id,
        tags: one.tags,
        schema: one.schema.unwrap_or(Event::FIRST_SCHEMA),
        altered: one.altered,
        data: one.data,
    })
}

/// The fields of a recorded event. Without its place in the log it is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    #[serde(rename = "dedup_id", default)]
    _dedup_id: IgnoredAny,
    #[serde(rename = "position")]
    _position: u64,
    #[serde(rename = "stream")]
    _stream: StreamName,
    #[serde(rename = "version")]
    _version: u64,
    #[serde(rename = "recorded")]
    _recorded: Timestamp,
    #[serde(rename = "type")]
    kind: EventType,
    id: Option<EventId>,
    time: Option<Timestamp>,
    source: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    altered: Option<Box<Altered>>,
    correlation_id: Option<CorrelationId>,
    parent_id: Option<EventId>,
    #[serde(default)]
    tags: Vec<Tag>,
    schema: Option<u16>,
    #[serde(default)]
    data: Data,
}

/// The attributes of a `CloudEvent` that an event has a field for; others are left behind.
#[derive(Deserialize)]
struct Attributes<'a> {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    time: Option<Timestamp>,
    dataschema: Option<String>,
    dedupid: Option<String>,
    correlationid: Option<String>,
    causationid: Option<String>,
    tags: Option<String>,
    data_base64: Option<IgnoredAny>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The events of a message in the JSON format of `CloudEvents` 1.0: one object, or a batch of them.
///
/// What an export of Foundation wrote comes back as it was: an absent source, and what a URI may not
/// have. Of others the source is taken as it stands, and a schema only if it is a number of ours.
/// Attributes that an event has no field for are left behind.
///
/// ```
/// use foundation_validate::parse;
/// let text = br#"{"specversion":"1.0","id":"a","source":"/shop","type":"order.placed","data":[1]}"#;
/// let events = parse::cloud_events(text)?;
/// assert_eq!(events[0].source.as_deref(), Some("/shop"));
/// assert_eq!(events[0].data.as_json(), "[1]");
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// `TooLarge` beyond 10,000 events or 16 MiB; `Malformed` for what is not JSON or lacks an attribute
/// that each event has; `Invalid`, with every problem, for another version than 1.0, for an empty id
/// or source, and for binary data.
pub fn cloud_events(text: &[u8]) -> Result<Vec<Event>> {
    if text.len() > BATCH_BYTES_MAX {
        let message =
            format!("the message has {} bytes, the limit is {BATCH_BYTES_MAX}", text.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let text = std::str::from_utf8(text).map_err(|cause| {
        let message = format!("the message is not UTF-8 from byte {} on", cause.valid_up_to());
        Error::new(ErrorKind::Malformed, message)
    })?;
    let malformed = |cause: serde_json::Error| {
        let message = format!("the message is no CloudEvent: {}", reason(&cause));
        located(Error::new(ErrorKind::Malformed, message), &cause)
    };
    if text.trim_ascii_start().starts_with('{') {
        return Ok(vec![event(serde_json::from_str(text).map_err(malformed)?, "")?]);
    }
    let all: Vec<&RawValue> = serde_json::from_str(text).map_err(malformed)?;
    if all.len() > CLOUD_EVENTS_MAX {
        let message = format!("the message has {} events, at most {CLOUD_EVENTS_MAX}", all.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let one = |(place, raw): (usize, &&RawValue)| {
        if !raw.get().starts_with('{') {
            let message = format!("[{place}] is no CloudEvent: it is not an object");
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        let attributes = serde_json::from_str(raw.get()).map_err(|cause| {
            let message = format!("[{place}] is no CloudEvent: {}", reason(&cause));
            Error::new(ErrorKind::Malformed, message)
        })?;
        event(attributes, &format!("[{place}]."))
    };
    all.iter().enumerate().map(one).collect()
}

fn event(one: Attributes<'_>, at: &str) -> Result<Event> {
    let problem = |name: &str, message: &str| {
        Problem::new(ErrorKind::Invalid, format!("{at}{name}"), message)
    };
    let mut problems = Vec::new();
    if one.specversion != "1.0" {
        problems.push(problem("specversion", "is another version").expected("1.0"));
    }
    for (name, text) in [("id", &one.id), ("source", &one.source)] {
        if text.is_empty() {
            problems.push(problem(name, "is empty").expected("text"));
        }
    }
    if one.data_base64.is_some() {
        problems.push(problem("data_base64", "is binary").expected("data that is JSON"));
    }
    let is_ours = one.dedupid.is_some();
    let tags = one.tags.as_deref().filter(|_| is_ours).map(serde_json::from_str::<Vec<Tag>>);
    let tags = tags.transpose().unwrap_or_else(|_| {
        problems.push(problem("tags", "is not a list of texts, as JSON text"));
        None
    });
    let data = one.data.map(|raw| Data::from_json(raw.get())).transpose();
    let data = data.unwrap_or_else(|error| {
        problems.push(Problem::new(error.kind(), format!("{at}data"), error.message()));
        None
    });
    if !problems.is_empty() {
        return Err(Error::of_problems(problems));
    }
    Ok(Event {
        kind: one.kind.as_str().into(),
        id: Some(one.id.as_str().into()),
        time: one.time,
        source: source(one.source, is_ours),
        subject: one.subject,
        correlation_id: one.correlationid.as_deref().map(Into::into),
        parent_id: one.causationid.as_deref().map(Into::into),
        tags: tags.unwrap_or_default(),
        schema: schema(one.dataschema.as_deref()).unwrap_or(Event::FIRST_SCHEMA),
        altered: None,
        data: data.unwrap_or_default(),
    })
}

fn source(uri: String, is_ours: bool) -> Option<String> {
    if !is_ours {
        return Some(uri);
    }
    if uri.starts_with(CloudEvent::STORE_SOURCE) {
        return None;
    }
    Some(unescaped(&uri).unwrap_or(uri))
}

/// The text without escapes; nothing if they are not those of text.
fn unescaped(uri: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The number of a schema of ours; 0 is none.
fn schema(uri: Option<&str>) -> Option<u16> {
    let (_, number) = uri?.strip_prefix(CloudEvent::SCHEMA)?.rsplit_once(':')?;
    number.parse().ok().filter(|number| *number > 0)
}
