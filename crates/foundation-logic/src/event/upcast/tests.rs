//! The laws of chains, and what a query has to look for.

use foundation_types::{Event, Position, StreamName, Timestamp, Version};
use proptest::prelude::*;

use super::*;

fn recorded(kind: &str, schema: u16, data: &Value) -> Recorded {
    Recorded {
        position: Position::from_engine(9),
        stream: StreamName::from("events"),
        version: Version::new(1),
        recorded: Timestamp::UNIX_EPOCH,
        event: Event::new(kind).schema(schema).data(data).expect("plain data"),
    }
}

/// Writes down that it was here.
fn noting(schema: u16) -> impl Fn(Value) -> Result<Value> {
    move |data| {
        let mut notes: Vec<Value> = match data {
            Value::List(list) => list.into_iter().collect(),
            other => vec![other],
        };
        notes.push(Value::from(u32::from(schema)));
        Ok(Value::List(notes.into_iter().collect()))
    }
}

fn chain(steps: std::ops::Range<u16>) -> Upcasters {
    let steps = steps.map(|from| Upcaster::new("a", from, noting(from))).collect();
    Upcasters::new(steps, BTreeMap::new(), NewerSchema::AsIs).expect("a chain")
}

fn kind_of(result: Result<impl std::fmt::Debug>) -> ErrorKind {
    result.expect_err("it is refused").kind()
}

proptest! {
    /// The same from any schema on, whether at once or with a halt on the way.
    #[test]
    fn a_way_with_a_halt_leads_where_the_straight_one_does(
        from in 1_u16..12, middle in 1_u16..12, end in 1_u16..12,
    ) {
        let start = recorded("a", from, &Value::from(0_u32));
        let straight = chain(1..end).upcast(start.clone()).expect("every step is known");
        let halted = chain(1..middle.min(end)).upcast(start.clone()).expect("the first half");
        let again = chain(1..end).upcast(halted).expect("the second half");
        prop_assert_eq!(&again, &straight);
        let twice = chain(1..end).upcast(straight.clone()).expect("nothing is left to do");
        prop_assert_eq!(&twice, &straight);
        // By hand: one step after the other.
        let mut data = Value::from(0_u32);
        for schema in from..end {
            data = noting(schema)(data).expect("no step fails");
        }
        prop_assert_eq!(straight.event.data.to::<Value>().expect("JSON"), data);
        prop_assert_eq!(straight.event.schema, from.max(end));
    }
}

#[test]
fn a_type_changes_its_name_on_the_way() {
    let steps = vec![
        Upcaster::new("order.created", 1, noting(1)).renamed("order.placed"),
        Upcaster::new("order.*", 2, noting(2)),
    ];
    let all = Upcasters::new(steps, BTreeMap::new(), NewerSchema::AsIs).expect("a chain");
    let read = all.upcast(recorded("order.created", 1, &Value::from(0_u32))).expect("is read");
    assert_eq!((read.event.kind.as_str(), read.event.schema), ("order.placed", 3));
    assert_eq!(read.event.data.as_json(), "[0,1,2]");

    let placed = EventQuery::all().kind("order.placed");
    let wide = all.widened(&placed).expect("it had another name");
    assert!(wide.admits_type("order.created") && wide.admits_type("order.placed"));
    assert_eq!(all.widened(&EventQuery::all().kind("stock.moved")), None);
    let filter = || "n>=1".parse().expect("a filter");
    assert!(all.widened(&EventQuery::all().kind("order.sent").field(filter())).is_some());
    assert_eq!(all.widened(&EventQuery::all().kind("stock.moved").field(filter())), None);
}

#[test]
fn a_step_that_fails_or_panics_is_told_with_its_event() {
    let fail = |_: Value| Err(Error::new(ErrorKind::Invalid, "no total"));
    let panic = |_: Value| -> Result<Value> { panic!("no total at all") };
    let large = |_: Value| Ok(Value::from("x".repeat(2 << 20)));
    let steps = vec![
        Upcaster::new("a", 1, fail),
        Upcaster::new("b", 1, panic),
        Upcaster::new("c", 1, large),
    ];
    let all = Upcasters::new(steps, BTreeMap::new(), NewerSchema::AsIs).expect("steps");
    for (kind, cause) in [("a", "no total"), ("b", "panicked: no total at all"), ("c", "limit")] {
        let error = all.upcast(recorded(kind, 1, &Value::Null)).expect_err("it fails");
        assert_eq!(error.kind(), ErrorKind::UpcastFailed);
        let text = error.to_string();
        assert!(text.contains("position 9") && text.contains(cause), "{text}");
    }
}

#[test]
fn what_is_newer_than_known_is_given_or_refused() {
    let newest = BTreeMap::from([("a".to_owned(), 2)]);
    let new = |newer| Upcasters::new(Vec::new(), newest.clone(), newer).expect("no steps");
    let event = recorded("a", 3, &Value::Null);
    assert_eq!(new(NewerSchema::AsIs).upcast(event.clone()).expect("as it is"), event);
    assert_eq!(kind_of(new(NewerSchema::Refuse).upcast(event)), ErrorKind::NewerEventSchema);
    let known = recorded("a", 2, &Value::Null);
    assert_eq!(new(NewerSchema::Refuse).upcast(known.clone()).expect("is known"), known);
    let other = recorded("b", 7, &Value::Null);
    assert_eq!(new(NewerSchema::Refuse).upcast(other.clone()).expect("nothing is known"), other);
}

#[test]
fn steps_that_cannot_be_are_refused_at_the_start() {
    let same = |data: Value| Ok(data);
    let refused = |steps| {
        let newest = BTreeMap::from([("a".to_owned(), 2)]);
        kind_of(Upcasters::new(steps, newest, NewerSchema::AsIs)) == ErrorKind::InvalidArgument
    };
    assert!(refused(vec![Upcaster::new("b", 1, same), Upcaster::new("b", 1, same)]));
    assert!(refused(vec![Upcaster::new("b", 0, same)]));
    assert!(refused(vec![Upcaster::new("a", 2, same)]));
    assert!(refused(vec![Upcaster::new("foundation.node.started", 1, same)]));
    assert!(refused(vec![Upcaster::new("b", 1, same).renamed("foundation.b")]));
}
