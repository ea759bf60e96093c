//! Writing the body of a record.

use foundation_types::event::Altered;
use foundation_types::{CorrelationId, Event, EventId, Tag, Version};

use super::fields::{
    HAS_ALTERED, HAS_CORRELATION, HAS_PARENT, HAS_SCHEMA, HAS_SOURCE, HAS_SUBJECT, HAS_TAGS,
    HAS_TIME, ID_IS_UUID,
};
use super::uuid::{is_uuid, uuid_of};

/// Bytes that the body of `event` takes; an id that is still to be drawn counts as a UUID.
pub(crate) fn event_length(stream: &str, event: &Event) -> usize {
    let id = event.id.as_ref().map_or(16, |id| match is_uuid(id.as_str()) {
        true => 16,
        false => 1 + id.as_str().len(),
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
        + if event.schema == Event::FIRST_SCHEMA { 0 } else { 2 }
        + if event.tags.is_empty() { 0 } else { 1 }
        + event.tags.iter().map(|tag| 1 + tag.as_str().len()).sum::<usize>()
        + event.altered.as_ref().map_or(0, |altered| 2 + altered_text(altered).len())
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
        && event.tags.len() <= usize::from(u8::MAX)
        && event.tags.iter().all(|tag| is_short(tag.as_str()))
        && event.source.iter().chain(&event.subject).all(is_long)
        && event.altered.iter().all(|altered| is_long(&altered_text(altered)))
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
    mark(event.schema != Event::FIRST_SCHEMA, HAS_SCHEMA);
    mark(!event.tags.is_empty(), HAS_TAGS);
    mark(event.altered.is_some(), HAS_ALTERED);
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
    if event.schema != Event::FIRST_SCHEMA {
        out.extend_from_slice(&event.schema.to_le_bytes());
    }
    if !event.tags.is_empty() {
        debug_assert!(event.tags.len() <= usize::from(u8::MAX), "a batch holds what fits");
        out.push(u8::try_from(event.tags.len()).unwrap_or(u8::MAX));
        event.tags.iter().map(Tag::as_str).for_each(|tag| write_short(out, tag));
    }
    event.altered.iter().for_each(|altered| write_long(out, &altered_text(altered)));
    out.extend_from_slice(event.data.as_json().as_bytes());
}

/// As it stands in the record. Few events have it.
fn altered_text(altered: &Altered) -> String {
    // Text and numbers under names: it can be written.
    serde_json::to_string(altered).unwrap_or_default()
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
