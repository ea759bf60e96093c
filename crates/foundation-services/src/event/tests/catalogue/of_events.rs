//! Rows of events, batches, streams and expectations that may not enter.

use foundation_types::ErrorKind::{self, Invalid, ReservedType, TooLarge};
use foundation_types::event::{Alteration, Altered, Did};
use foundation_types::limits::{BATCH_EVENTS_MAX, EVENT_BYTES_MAX, EVENT_TAGS_MAX};
use foundation_types::{Event, EventQuery, ExpectedVersion, Version};

use super::super::sample::tick;
use super::Row;

/// Ids of refused events, free afterwards.
pub(super) const IDS: [&str; 5] = ["first", "second", "conflicting", "conditional", "reserved"];

pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (what, event, kind, says) in events() {
        let (each, batch) = (event.clone(), event.clone());
        rows.push(Row::new(what, kind, says, move |store| {
            let event = event.clone();
            Box::pin(async move { store.append(event).await.map(drop) })
        }));
        rows.push(Row::new(what, kind, says, move |store| {
            let event = each.clone();
            Box::pin(async move { store.append_each(vec![event]).await.remove(0).map(drop) })
        }));
        rows.push(Row::new(what, kind, says, move |store| {
            let events = vec![tick("first"), batch.clone()];
            Box::pin(async move { store.append_batch(events).await.map(drop) })
        }));
    }
    for (what, events, kind, says) in batches() {
        rows.push(Row::new(what, kind, says, move |store| {
            let events = events.clone();
            Box::pin(async move { store.append_batch(events).await.map(drop) })
        }));
    }
    for (what, stream, kind, says) in streams() {
        let each = stream.clone();
        rows.push(Row::new(what, kind, says, move |store| {
            let append = store.append(tick("first")).stream(stream.as_str());
            Box::pin(async move { append.await.map(drop) })
        }));
        rows.push(Row::new(what, kind, says, move |store| {
            let append = store.append_each(vec![tick("first")]).stream(each.as_str());
            Box::pin(async move { append.await.remove(0).map(drop) })
        }));
    }
    rows.extend(expectations());
    rows
}

type Told = (&'static str, Event, ErrorKind, &'static str);

fn events() -> Vec<Told> {
    let text = |bytes: usize| "x".repeat(bytes);
    let data = |bytes: usize| Event::new("tick").data(&text(bytes)).expect("within the limit");
    let tags = (0..=EVENT_TAGS_MAX).fold(tick("first"), |event, at| event.tag(at.to_string()));
    vec![
        ("no type", Event::new(""), Invalid, "type"),
        ("a long type", Event::new(text(129)), TooLarge, "has 129 bytes"),
        ("a very long type", Event::new(text(64 << 10)), TooLarge, "has 65536 bytes"),
        ("a line break in the type", Event::new("a\r\nforged line"), Invalid, "'\\r'"),
        ("a terminal escape in the type", Event::new("\u{1b}[31mred"), Invalid, "'\\u{1b}'"),
        ("a zero in the type", Event::new("a\0b"), Invalid, "'\\0'"),
        ("a type of Foundation's", reserved(), ReservedType, "Foundation's own"),
        ("an empty id", tick(""), Invalid, "id"),
        ("a long id", tick(&text(129)), TooLarge, "has 129 bytes"),
        ("an empty correlation", tick("first").correlation(""), Invalid, "correlation_id"),
        ("an empty parent", tick("first").parent(""), Invalid, "parent_id"),
        ("a long parent", tick("first").parent(text(129)), TooLarge, "parent_id"),
        ("a long source", tick("first").source(text(1_025)), TooLarge, "has 1025 bytes"),
        ("a long subject", tick("first").subject(text(1_025)), TooLarge, "subject"),
        ("a byte too many", data(EVENT_BYTES_MAX - 5), TooLarge, "at most 1048576 bytes"),
        ("an empty tag", tick("first").tag("a").tag(""), Invalid, "tags[1]"),
        ("a long tag", tick("first").tag(text(129)), TooLarge, "tags[0]"),
        ("a tag twice", tick("first").tag("a").tag("a"), Invalid, "comes twice"),
        ("a tag too many", tags, TooLarge, "has 33 tags"),
        ("a schema that there is not", tick("first").schema(0), Invalid, "from 1 to 65535"),
        ("a long story of alterations", altered(), TooLarge, "altered"),
        ("the id of another event", tick("kept").subject("other"), ErrorKind::IdReused, "kept"),
        ("a data too many", tick("kept").data(&1).expect("plain"), ErrorKind::IdReused, "kept"),
    ]
}

fn reserved() -> Event {
    Event::new("foundation.log.archived").id("reserved")
}

fn altered() -> Event {
    let one = Alteration { by: "x".repeat(60 << 10), did: Did::Change, path: None, bytes: None };
    let altered = Altered { sent: String::new(), by: vec![one] };
    Event { altered: Some(Box::new(altered)), ..tick("first") }
}

fn batches() -> Vec<(&'static str, Vec<Event>, ErrorKind, &'static str)> {
    let large = |_| Event::new("tick").data(&"x".repeat(1 << 19)).expect("within the limit");
    let twice = vec![tick("first"), tick("first").subject("other")];
    let reused = vec![tick("first"), tick("kept").subject("other"), tick("second")];
    let many = vec![Event::new("tick"); BATCH_EVENTS_MAX + 1];
    let bad = vec![tick("first"), Event::new(""), tick("second"), Event::new("foundation.x")];
    vec![
        ("an empty batch", vec![], Invalid, "the batch is empty"),
        ("an event too many", many, TooLarge, "the batch has 10001 events"),
        ("too many bytes", (0..33).map(large).collect(), TooLarge, "at most 16777216 bytes"),
        ("a bad event among good ones", bad, Invalid, "[1].type"),
        ("an id twice in a batch", twice, ErrorKind::IdReused, "first"),
        ("the id of a stored event in a batch", reused, ErrorKind::IdReused, "kept"),
    ]
}

fn streams() -> Vec<(&'static str, String, ErrorKind, &'static str)> {
    let refused = |what, name: &str, says| (what, name.to_owned(), Invalid, says);
    vec![
        refused("no stream", "", "is empty"),
        refused("a space", "a b", "' '"),
        refused("a line break", "a\nb", "'\\n'"),
        refused("a zero", "a\0", "'\\0'"),
        refused("a backslash", "..\\x", "'\\\\'"),
        refused("an encoded dot", "%2e%2e", "'%'"),
        refused("a wildcard", "orders.*", "'*'"),
        refused("another wildcard", "orders.>", "'>'"),
        refused("letters of elsewhere", "zażółć", "'ż'"),
        refused("no width", "a\u{200b}b", "'\\u{200b}'"),
        refused("a document", "config/shop", "only Foundation writes to it"),
        refused("a table", "table/shop", "only Foundation writes to it"),
        refused("what is parked", "foundation/parked/x", "only Foundation writes to it"),
        refused("Foundation's own", "foundation", "only Foundation writes to it"),
        ("a long stream", "s".repeat(129), TooLarge, "has 129 bytes"),
    ]
}

fn expectations() -> Vec<Row> {
    let expecting = |what, expected| {
        Row::new(what, ErrorKind::VersionConflict, "version", move |store| {
            let append = store.append(tick("conflicting")).expecting(expected);
            Box::pin(async move { append.await.map(drop) })
        })
    };
    let unless = |what, query: EventQuery, kind, says| {
        Row::new(what, kind, says, move |store| {
            let append = store.append(tick("conditional")).unless(query.clone());
            Box::pin(async move { append.await.map(drop) })
        })
    };
    let names = (0..101).fold(EventQuery::all(), |query, at| query.tag(at.to_string()));
    vec![
        expecting("a version to come", ExpectedVersion::Exactly(Version::new(7))),
        expecting(
            "the last version that there can be",
            ExpectedVersion::Exactly(Version::new(u64::MAX)),
        ),
        expecting("no stream where one is", ExpectedVersion::Absent),
        unless(
            "an event that is there",
            EventQuery::all().kind("ti*"),
            ErrorKind::ConditionFailed,
            "at position 1",
        ),
        unless(
            "a condition without a meaning",
            EventQuery::all().tag(""),
            ErrorKind::InvalidArgument,
            "tags",
        ),
        unless("a condition of many names", names, ErrorKind::InvalidArgument, "at most 100"),
    ]
}
