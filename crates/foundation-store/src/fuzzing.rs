//! What a fuzzer calls and nobody else: parsers that are otherwise reached through files alone.

use std::sync::Arc;

use foundation_types::{CorrelationId, Event, EventId, Version};

use crate::record::frame::{FRAME_HEADER_BYTES, GroupMark, read_frame};
use crate::record::{EventView, Record, event_length, fits, write_event};

/// Reads `bytes` as a frame under `seed` and asks the record in it everything that there is.
///
/// # Panics
/// If two ways of reading the same body disagree.
pub fn frame(bytes: &[u8], seed: u32) {
    let Ok(header) = read_frame(bytes, seed) else { return };
    let chunk: Arc<[u8]> = bytes.into();
    let body = bytes.get(FRAME_HEADER_BYTES..header.frame_bytes()).expect("was verified");
    let _ = GroupMark::read(body);
    let record = Record::of_frame(chunk, 0, header).expect("is small");
    assert_eq!(record.bytes(), header.frame_bytes());
    let _ = (record.position(), record.stamp(), record.recorded(), record.kind());
    let _ = format!("{record:?}");
    let names = record.names();
    let readable = record.readable_names().is_some();
    let decoded = record.decode();
    assert_eq!(record.event().is_ok(), decoded.is_ok());
    assert_eq!(readable, decoded.is_ok(), "an index has what can be decoded and nothing else");
    let Ok(recorded) = decoded else { return };
    let names = names.expect("what can be decoded has names");
    assert_eq!(names.stream, recorded.stream.as_str().as_bytes());
    assert_eq!(names.kind, recorded.event.kind.as_str().as_bytes());
    assert_eq!(Some(names.time), recorded.event.time.or(Some(recorded.recorded)));
    written_again(recorded.stream.as_str(), recorded.version, &recorded.event);
}

/// What was read is written and read again: nothing is lost on the way.
fn written_again(stream: &str, version: Version, event: &Event) {
    assert!(fits(stream, event), "what was read fits");
    let mut body = Vec::new();
    write_event(&mut body, stream, version, event);
    assert_eq!(body.len(), event_length(stream, event));
    let view = EventView::read(&body).expect("what was written is read");
    assert_eq!((view.stream, view.version), (stream, version));
    assert_eq!((view.kind, view.data), (event.kind.as_str(), event.data.as_json()));
    assert_eq!(Some(view.id.to_string().as_str()), event.id.as_ref().map(EventId::as_str));
    assert_eq!((view.time, view.source), (event.time, event.source.as_deref()));
    assert_eq!(view.subject, event.subject.as_deref());
    assert_eq!(view.correlation, event.correlation_id.as_ref().map(CorrelationId::as_str));
    assert_eq!(view.parent, event.parent_id.as_ref().map(EventId::as_str));
}
