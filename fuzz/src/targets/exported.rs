//! What an export wrote, or somebody else: lines of events and `CloudEvents`.

use foundation_types::event::{CloudEvent, ExportedLine};
use foundation_types::{Event, Position, Recorded, StoreId, Timestamp, Version};
use foundation_validate::parse;

/// The input is a line, and a message of `CloudEvents`.
///
/// # Panics
/// If an event that was read is written and read again as another.
pub fn run(input: &[u8]) {
    if let Ok(events) = parse::cloud_events(input) {
        events.into_iter().for_each(written_and_read);
    }
    if let Ok(event) = parse::exported_line(input) {
        written_and_read(event);
    }
}

fn written_and_read(event: Event) {
    let store = StoreId::from_bits(1);
    let recorded = Recorded {
        position: Position::from_engine(7),
        stream: "events".into(),
        version: Version::new(3),
        recorded: Timestamp::UNIX_EPOCH,
        event,
    };
    let line = ExportedLine { dedup_id: "1/events/3", event: &recorded };
    let line = serde_json::to_vec(&line).expect("is JSON");
    if let Ok(again) = parse::exported_line(&line) {
        assert!(again == recorded.event, "{again:?} is not {:?}", recorded.event);
    }
    // Without an id or with an empty source it is none yet: both are refused where events enter.
    let event = &recorded.event;
    let may_enter = |text: Option<&str>| text.is_none_or(|text| !text.is_empty());
    if event.id.is_none()
        || !may_enter(event.id.as_ref().map(|id| id.as_str()))
        || !may_enter(event.source.as_deref())
        || event.schema == 0
    {
        return;
    }
    let written = serde_json::to_vec(&CloudEvent::of(store, &recorded)).expect("is JSON");
    let again = parse::cloud_events(&written).expect("what was written is read");
    assert!(again == [event.clone()], "{again:?} is not {event:?}");
}

/// Messages of each kind.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"specversion":"1.0","id":"a","source":"/shop","type":"order.placed","time":"2026-11-25T09:00:00Z","data":[1]}"#,
        r#"[{"specversion":"1.0","id":"a","source":"urn:foundation:store:01","type":"t","dedupid":"01/s/1","tags":"[\"a:1\"]","dataschema":"urn:foundation:schema:t:2"}]"#,
        r#"{"specversion":"1.0","id":"a","source":"%75rn%25","type":"t","dedupid":"x","correlationid":"r","causationid":"p","data_base64":"AA=="}"#,
        r#"{"dedup_id":"1/events/3","position":7,"stream":"events","version":3,"recorded":"2026-11-25T09:00:00Z","type":"order.placed","id":"a","data":{"n":2.50}}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
