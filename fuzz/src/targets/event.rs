//! An event as JSON, and a condition on a field of its data: what a condition means is said twice.

use foundation_logic::event::{EventKeys, matches};
use foundation_types::event::{Comparison, FieldFilter};
use foundation_types::{Event, EventQuery, Position, Recorded, Timestamp, Value, Version};
use foundation_validate::event::{self, Origin};
use foundation_validate::parse;

/// The input is a condition, and behind the first line break an event.
///
/// # Panics
/// If one of them is written and read again as something else, or if a condition does not hold of an
/// event that it holds of.
pub fn run(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (text, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let filter = std::str::from_utf8(text).ok().and_then(condition);
    let Ok(read) = parse::event_line(line) else { return };
    let Some(event) = checked(read) else { return };
    if let Some(filter) = filter {
        asked(&event, &filter);
    }
}

/// The condition that a text says.
fn condition(text: &str) -> Option<FieldFilter> {
    let Ok(filter) = text.parse::<FieldFilter>() else { return None };
    let again: FieldFilter = filter.to_string().parse().expect("what was written is read");
    assert!(again == filter, "{again:?} is not {filter:?}");
    let json = serde_json::to_string(&filter).expect("is JSON");
    let again: FieldFilter = serde_json::from_str(&json).expect("what was written is read");
    assert!(again == filter, "{again:?} is not {filter:?}");
    assert!(event::query(&EventQuery::all().field(filter.clone())).is_ok());
    Some(filter)
}

/// The event, if it may enter.
fn checked(read: Event) -> Option<Event> {
    let written = serde_json::to_vec(&read).expect("an event is JSON");
    // Beside the largest event a line has room for names and escapes, which writing may need more of.
    if let Ok(again) = parse::event_line(&written) {
        assert!(again == read, "{again:?} is not {read:?}");
    }
    let event = event::event(read, Origin::Application).ok()?.into_inner();
    assert!(event.schema > 0 && !event.kind.as_str().is_empty());
    let tags = &event.tags;
    let is_new = |(at, tag)| !tags[..at].contains(tag);
    assert!(tags.iter().enumerate().all(is_new), "each tag once");
    Some(event)
}

fn asked(event: &Event, filter: &FieldFilter) {
    let recorded = Recorded {
        position: Position::from_engine(7),
        stream: "events".into(),
        version: Version::new(3),
        recorded: Timestamp::UNIX_EPOCH,
        event: event.clone(),
    };
    let keys = EventKeys::from(&recorded);
    // By the tree of the whole data, which the way of a query does not make.
    let Ok(tree) = parse::value(event.data.as_json()) else { return };
    let found = event.data.at(&filter.path);
    if let Some(found) = &found {
        assert!(holds(found, &tree), "{found:?} is nowhere in {tree:?}");
    }
    let expected = filter.is.admits(found.as_ref());
    assert_eq!(matches(&EventQuery::all().field(filter.clone()), &keys), expected);
    if let (Comparison::Equals(with), Some(found)) = (&filter.is, &found) {
        let differs = Comparison::Differs(with.clone());
        assert!(differs.admits(Some(found)) != expected, "the same or another");
    }
    for tag in &event.tags {
        assert!(matches(&EventQuery::all().tag(tag.clone()), &keys));
    }
}

/// Whether a value is the tree, or in it.
fn holds(value: &Value, tree: &Value) -> bool {
    value == tree
        || match tree {
            Value::List(list) => list.iter().any(|one| holds(value, one)),
            Value::Map(map) => map.iter().any(|(_, one)| holds(value, one)),
            _ => false,
        }
}

/// Conditions of each kind with events that they are about.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "a=1\n{\"type\":\"t\",\"tags\":[\"a:1\",\"b\"],\"schema\":7,\"data\":{\"a\":1.0}}",
        "a.b!=\"x\"\n{\"type\":\"order.placed\",\"id\":\"1\",\"data\":{\"a\":{\"b\":\"y\"}}}",
        "a[1]<2.5\n{\"type\":\"t\",\"data\":{\"a\":[1,2]}}",
        "a<=18446744073709551615\n{\"type\":\"t\",\"data\":{\"a\":-9223372036854775808}}",
        "a>=1e300\n{\"type\":\"t\",\"schema\":65535,\"data\":{\"a\":1e301}}",
        "level>ERROR\n{\"type\":\"t\",\"time\":\"2026-11-25T09:00:00Z\",\"data\":{\"level\":\"INFO\"}}",
        "a^=x=y\n{\"type\":\"t\",\"source\":\"s\",\"subject\":\"u\",\"data\":{\"a\":\"x=yz\"}}",
        "a.0?\n{\"type\":\"t\",\"correlation_id\":\"r\",\"parent_id\":\"p\",\"data\":{\"a\":{\"0\":null}}}",
        "=[1,{\"a\":null}]\n{\"type\":\"t\",\"data\":[1,{\"a\":null}]}",
        "a=\n{\"type\":\"t\",\"altered\":{\"sent\":\"d\",\"by\":[{\"by\":\"r\",\"did\":\"hide\",\"path\":\"a\"}]},\"data\":{\"a\":\"\"}}",
        "?\n{\"type\":\"t\",\"tags\":[],\"data\":null}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
