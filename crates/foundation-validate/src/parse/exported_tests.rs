//! What is written of an event reads back as that event.

use foundation_types::event::{CloudEvent, ExportedLine, dedup_id};
use foundation_types::{ErrorKind, Event, Position, Recorded, StoreId, Timestamp, Version};
use proptest::prelude::*;

use super::{cloud_events, exported_line};

const STORE: StoreId = StoreId::from_bits(0xf0);

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,12}", Just("urn:foundation:store:1".to_owned()), "[a-z%: /#é]{1,12}"]
}

prop_compose! {
    fn recorded()(
        (kind, id, version) in ("[a-z]{1,6}(\\.[a-z:%]{1,6})?", "\\PC{1,12}", 1_u64..1 << 60),
        (source, subject) in (prop::option::of(text()), prop::option::of(text())),
        (story, parent) in (prop::option::of("[a-z]{1,6}"), prop::option::of("[a-z]{1,6}")),
        tags in prop::collection::vec("\\PC{1,6}", 0..3),
        (schema, time) in (1_u16.., prop::option::of(0_i64..4_000_000_000_000_000)),
        data in prop_oneof![Just("null"), Just("[1, 2.50]"), Just("{\"a\": \"\\u00e9\"}")],
    ) -> Recorded {
        let mut event = Event::new(kind.as_str()).id(id.as_str()).schema(schema);
        event.source = source;
        event.subject = subject;
        event.correlation_id = story.as_deref().map(Into::into);
        event.parent_id = parent.as_deref().map(Into::into);
        event.tags = tags.iter().map(|tag| tag.as_str().into()).collect();
        event.time = time.map(Timestamp::from_unix_micros);
        event.data = foundation_types::Data::from_json(data).expect("is JSON");
        Recorded {
            position: Position::from_engine(version),
            stream: "orders".into(),
            version: Version::new(version),
            recorded: Timestamp::UNIX_EPOCH,
            event,
        }
    }
}

proptest! {
    #[test]
    fn an_event_reads_back_from_its_line_and_from_its_cloud_event(recorded in recorded()) {
        let dedup_id = dedup_id(STORE, &recorded);
        let line = serde_json::to_vec(&ExportedLine { dedup_id: &dedup_id, event: &recorded });
        let line = line.expect("writes");
        prop_assert_eq!(exported_line(&line).expect("reads"), recorded.event.clone());
        let cloud = CloudEvent::of(STORE, &recorded);
        prop_assert!(cloud.source.is_ascii() && !cloud.source.contains([' ', '"', '<', '\\']));
        let single = serde_json::to_vec(&cloud).expect("writes");
        prop_assert_eq!(cloud_events(&single).expect("reads"), vec![recorded.event.clone()]);
        let batch = serde_json::to_vec(&[&cloud, &cloud]).expect("writes");
        prop_assert_eq!(cloud_events(&batch).expect("reads").len(), 2);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = cloud_events(text.as_bytes());
        let _ = exported_line(text.as_bytes());
    }
}

#[test]
fn an_event_as_it_goes_out() {
    let event = Event::new("order.placed").id("a1").subject("order 7").correlation("r").parent("p");
    let event = event.tag("customer:7").schema(2).source("https://shop/ä%");
    let recorded = Recorded {
        position: Position::from_engine(9),
        stream: "orders".into(),
        version: Version::new(3),
        recorded: Timestamp::UNIX_EPOCH,
        event: event.at(Timestamp::UNIX_EPOCH).data(&[1.5]).expect("is JSON"),
    };
    let text = serde_json::to_string_pretty(&CloudEvent::of(STORE, &recorded)).expect("writes");
    insta::assert_snapshot!(text, @r#"
    {
      "specversion": "1.0",
      "id": "a1",
      "source": "https://shop/%C3%A4%25",
      "type": "order.placed",
      "subject": "order 7",
      "time": "1970-01-01T00:00:00Z",
      "datacontenttype": "application/json",
      "dataschema": "urn:foundation:schema:order.placed:2",
      "dedupid": "000000000000000000000000000000f0/orders/3",
      "stream": "orders",
      "streamversion": "3",
      "recordedtime": "1970-01-01T00:00:00Z",
      "correlationid": "r",
      "causationid": "p",
      "tags": "[\"customer:7\"]",
      "data": [1.5]
    }
    "#);
}

#[test]
fn what_is_no_cloud_event_is_refused_with_its_place() {
    let refused = |text: &str| cloud_events(text.as_bytes()).expect_err("is refused");
    let error =
        refused(r#"{"specversion":"0.3","id":"","source":"s","type":"t","data_base64":"AA=="}"#);
    let paths: Vec<&str> = error.problems().iter().map(|one| &*one.path).collect();
    assert_eq!(paths, ["specversion", "id", "data_base64"]);
    let error = refused(r#"[{"specversion":"1.0","id":"a","source":"s","type":"t"}, 3]"#);
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.message().starts_with("[1] "), "{error}");
    assert_eq!(refused(r#"{"id":"a"}"#).kind(), ErrorKind::Malformed);
    assert_eq!(refused("7").kind(), ErrorKind::Malformed);
    assert!(cloud_events(b"[]").expect("is a batch").is_empty());
}
