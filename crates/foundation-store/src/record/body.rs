//! The body of a record: an event with its stream, field by field.

use std::fmt;

use foundation_types::{
    CorrelationId, Data, Event, EventId, EventType, Position, Recorded, StreamName, Timestamp,
    Version,
};

use super::reader::Reader;

const HAS_TIME: u16 = 1;
const HAS_SOURCE: u16 = 1 << 1;
const HAS_SUBJECT: u16 = 1 << 2;
const HAS_CORRELATION: u16 = 1 << 3;
const HAS_PARENT: u16 = 1 << 4;
/// The id is a UUID in its usual text form and is kept as its 16 bytes.
const ID_IS_UUID: u16 = 1 << 5;

/// The fields of a stored event, read in place.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// The bits of a UUID in lower-case hyphenated form: the form that it is printed in again.
fn uuid_of(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bits = 0_u128;
    for (at, byte) in bytes.iter().enumerate() {
        let digit = match (at, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => byte - b'0',
            (_, b'a'..=b'f') => byte - b'a' + 10,
            _ => return None,
        };
        bits = bits << 4 | u128::from(digit);
    }
    Some(bits)
}

impl<'a> EventView<'a> {
    /// The time that the event is found by: as given, else when it was recorded.
    #[must_use]
    pub fn time_or(&self, recorded: Timestamp) -> Timestamp {
        self.time.unwrap_or(recorded)
    }

    pub(crate) fn read(body: &'a [u8]) -> Result<Self, &'static str> {
        Self::read_fields(&mut Reader(body)).ok_or("a field is cut short or is not text")
    }

    fn read_fields(reader: &mut Reader<'a>) -> Option<Self> {
        let flags = reader.u16()?;
        let has = |flag| flags & flag != 0;
        let version = Version::new(reader.u64()?);
        let stream = reader.short_text()?;
        let kind = reader.short_text()?;
        let id = if has(ID_IS_UUID) {
            IdView::Uuid(u128::from_be_bytes(reader.array()?))
        } else {
            IdView::Text(reader.short_text()?)
        };
        let time = if has(HAS_TIME) { Some(read_time(reader)?) } else { None };
        let source = if has(HAS_SOURCE) { Some(reader.long_text()?) } else { None };
        let subject = if has(HAS_SUBJECT) { Some(reader.long_text()?) } else { None };
        let correlation = if has(HAS_CORRELATION) { Some(reader.short_text()?) } else { None };
        let parent = if has(HAS_PARENT) { Some(reader.short_text()?) } else { None };
        let data = std::str::from_utf8(reader.0).ok()?;
        Some(Self { version, stream, kind, id, time, source, subject, correlation, parent, data })
    }

    pub(super) fn to_recorded(self, position: Position, recorded: Timestamp) -> Recorded {
        Recorded {
            position,
            stream: StreamName::from(self.stream),
            version: self.version,
            recorded,
            event: Event {
                kind: EventType::from(self.kind),
                id: Some(EventId::from(self.id.to_string())),
                time: Some(self.time_or(recorded)),
                source: self.source.map(str::to_owned),
                subject: self.subject.map(str::to_owned),
                correlation_id: self.correlation.map(CorrelationId::from),
                parent_id: self.parent.map(EventId::from),
                data: Data::from_checked(self.data),
            },
        }
    }
}

fn read_time(reader: &mut Reader<'_>) -> Option<Timestamp> {
    let seconds = i64::from_le_bytes(reader.array()?);
    let nanoseconds = i32::from_le_bytes(reader.array()?);
    Timestamp::from_parts(seconds, nanoseconds)
}

/// Bytes that the body of `event` takes; an id that is still to be drawn counts as a UUID.
pub(crate) fn event_length(stream: &str, event: &Event) -> usize {
    let id = event.id.as_ref().map_or(16, |id| match uuid_of(id.as_str()) {
        Some(_) => 16,
        None => 1 + id.as_str().len(),
    });
    let short = |text: Option<&str>| text.map_or(0, |text| 1 + text.len());
    let long = |text: Option<&str>| text.map_or(0, |text| 2 + text.len());
    10 + short(Some(stream))
        + short(Some(event.kind.as_str()))
        + id
        + event.time.map_or(0, |_| 12)
        + long(event.source.as_deref())
        + long(event.subject.as_deref())
        + short(event.correlation_id.as_ref().map(CorrelationId::as_str))
        + short(event.parent_id.as_ref().map(EventId::as_str))
        + event.data.as_json().len()
}

/// Whether every text is short enough for the length in front of it. Validation allows less.
pub(crate) fn fits(stream: &str, event: &Event) -> bool {
    let is_short = |text: &str| text.len() <= usize::from(u8::MAX);
    let is_long = |text: &String| text.len() <= usize::from(u16::MAX);
    is_short(stream)
        && is_short(event.kind.as_str())
        && event.id.iter().chain(&event.parent_id).all(|id| is_short(id.as_str()))
        && event.correlation_id.iter().all(|id| is_short(id.as_str()))
        && event.source.iter().chain(&event.subject).all(is_long)
}

/// Appends the body of `event`, which [`fits`], to `out`.
pub(crate) fn write_event(out: &mut Vec<u8>, stream: &str, version: Version, event: &Event) {
    let id = event.id.as_ref().map_or("", EventId::as_str);
    let uuid = uuid_of(id);
    let mut flags = 0;
    let mut mark = |present: bool, flag: u16| flags |= if present { flag } else { 0 };
    mark(event.time.is_some(), HAS_TIME);
    mark(event.source.is_some(), HAS_SOURCE);
    mark(event.subject.is_some(), HAS_SUBJECT);
    mark(event.correlation_id.is_some(), HAS_CORRELATION);
    mark(event.parent_id.is_some(), HAS_PARENT);
    mark(uuid.is_some(), ID_IS_UUID);
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&version.number().to_le_bytes());
    write_short(out, stream);
    write_short(out, event.kind.as_str());
    match uuid {
        Some(bits) => out.extend_from_slice(&bits.to_be_bytes()),
        None => write_short(out, id),
    }
    if let Some(time) = event.time {
        let (seconds, nanoseconds) = time.to_parts();
        out.extend_from_slice(&seconds.to_le_bytes());
        out.extend_from_slice(&nanoseconds.to_le_bytes());
    }
    event.source.iter().chain(&event.subject).for_each(|text| write_long(out, text));
    event.correlation_id.iter().for_each(|id| write_short(out, id.as_str()));
    event.parent_id.iter().for_each(|id| write_short(out, id.as_str()));
    out.extend_from_slice(event.data.as_json().as_bytes());
}

fn write_short(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u8::MAX), "a batch holds what fits");
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(&text.as_bytes()[..text.len().min(u8::MAX.into())]);
}

fn write_long(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u16::MAX), "a batch holds what fits");
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..text.len().min(u16::MAX.into())]);
}
