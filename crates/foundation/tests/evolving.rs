//! Old events in the shape of today, on every way to a reader; and the check before a deploy.

mod paths;

use std::time::Duration;

use foundation::events::{EventData, NewerSchema, TypePattern};
use foundation::{Error, ErrorKind, Event, EventQuery, Foundation, Value};
use serde::{Deserialize, Serialize};

/// One event of each schema that there ever was. A line is never changed: it is what is stored
/// somewhere.
const HISTORY: &str = include_str!("evolving/history.ndjson");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderPlaced {
    cents: u64,
    customer: Customer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
}

impl EventData for OrderPlaced {
    const TYPE: &'static str = "order.placed";
    const SCHEMA: u16 = 3;
}

fn order(cents: u64, name: &str) -> OrderPlaced {
    OrderPlaced { cents, customer: Customer { name: name.to_owned() } }
}

/// `order.created` had a total in whole coins, and its customer was a name until schema 3.
fn evolved(builder: foundation::Builder) -> foundation::Builder {
    let in_cents = |data: Value| {
        let Value::Map(mut order) = data else { return Err(no_order()) };
        let Some(Value::Number(total)) = order.remove("total") else { return Err(no_order()) };
        order.insert("cents".into(), Value::from(total.as_u64().unwrap_or(0) * 100));
        Ok(Value::Map(order))
    };
    let with_customer = |data: Value| {
        let Value::Map(mut order) = data else { return Err(no_order()) };
        let name = order.remove("customer").ok_or_else(no_order)?;
        let Value::Map(mut customer) = Value::empty_map() else { return Err(no_order()) };
        customer.insert("name".into(), name);
        order.insert("customer".into(), Value::Map(customer));
        Ok(Value::Map(order))
    };
    builder
        .renaming_upcaster("order.created", 1, "order.placed", in_cents)
        .upcaster("order.*", 2, with_customer)
        .event::<OrderPlaced>()
}

fn no_order() -> Error {
    Error::new(ErrorKind::Invalid, "this is no order")
}

fn history() -> Vec<Event> {
    HISTORY.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

async fn with_history(builder: foundation::Builder) -> Foundation {
    let foundation = builder.start().await.expect("starts");
    for event in history() {
        foundation.events().append(event).await.expect("it may enter");
    }
    foundation
}

#[tokio::test]
async fn every_schema_there_ever_was_is_read() {
    let foundation = with_history(evolved(Foundation::in_memory())).await;
    let report = foundation.check_history().await.expect("all is readable");
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| (row.kind.as_str(), row.schema, row.events, row.failures))
        .collect();
    assert_eq!(
        rows,
        [
            ("order.created", 1, 1, 0),
            ("order.placed", 2, 1, 0),
            ("order.placed", 3, 1, 0),
            ("stock.moved", 1, 1, 0)
        ]
    );
    let typed = foundation.events().append(Event::of(&order(5, "di")).expect("JSON")).await;
    let id = typed.expect("it may enter").id;
    let read = foundation.events().get(id).await.expect("is there");
    assert_eq!(read.to::<OrderPlaced>().expect("fits"), order(5, "di"));
    let stock = foundation.events().get("s1").await.expect("is there");
    assert_eq!(stock.to::<OrderPlaced>().expect_err("no order").kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_program_that_cannot_read_its_history_is_told_where() {
    let builder = Foundation::in_memory().event::<OrderPlaced>();
    let foundation = with_history(builder).await;
    let all = foundation.check_history().await.expect("it is looked at");
    assert_eq!(all.failures(), 1, "schema 2 does not fit: {all:?}");
    let failure = &all.rows[1].first[0];
    let o2 = foundation.events().get("o2").await.expect("is there");
    assert_eq!(failure.position, o2.position);
    let stock = [TypePattern::from("stock.*")];
    let some = foundation.events().check_history(&stock).await.expect("it is looked at");
    assert_eq!((some.rows.len(), some.failures()), (1, 0));
}

#[tokio::test]
async fn a_repeat_is_told_by_what_was_stored() {
    let foundation = with_history(evolved(Foundation::in_memory())).await;
    for event in history() {
        assert!(foundation.events().append(event).await.expect("the same").repeated);
    }
    let read = foundation.events().get("o1").await.expect("is there").event;
    let error = foundation.events().append(read).await.expect_err("not what was stored");
    assert_eq!(error.kind(), ErrorKind::IdReused);
}

#[tokio::test]
async fn a_newer_schema_is_given_or_told() {
    let newer = || Event::new("order.placed").id("new").schema(4);
    let foundation = evolved(Foundation::in_memory()).start().await.expect("starts");
    foundation.events().append(newer()).await.expect("it may enter");
    assert_eq!(foundation.events().get("new").await.expect("as it is").event.schema, 4);

    let builder = evolved(Foundation::in_memory()).newer_schemas(NewerSchema::Refuse);
    let foundation = builder.start().await.expect("starts");
    foundation.events().append(newer()).await.expect("it may enter");
    let error = foundation.events().get("new").await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::NewerEventSchema);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_of_its_page_and_is_parked() {
    let directory = super::directory();
    let builder = || evolved(Foundation::builder(directory.path().join("store")));
    let foundation = builder().start().await.expect("starts");
    let events = foundation.events();
    let broken = Event::new("order.created").id("broken").data("no map").expect("JSON");
    events.append(broken).stream("one").await.expect("it may enter");
    let whole = Event::of(&order(7, "ed")).expect("JSON").id("whole");
    events.append(whole).stream("one").await.expect("it may enter");

    let error = events.query(EventQuery::all().kind("order.placed")).await.expect_err("not silent");
    assert_eq!(error.kind(), ErrorKind::UpcastFailed);
    let orders = EventQuery::all().kind("order.placed");
    let mut all =
        events.subscribe(foundation::events::Start::Beginning, orders.clone()).expect("may be");
    for _ in 0..2 {
        assert_eq!(all.next().await.expect_err("again").kind(), ErrorKind::UpcastFailed);
    }
    assert!(all.step_over().is_some());
    assert_eq!(all.next().await.expect("the next one").event.id, Some("whole".into()));
    assert!(all.step_over().is_none());

    let consumer = events.consumer("mail").filter(orders).open().await.expect("opens");
    let delivery = consumer.next().await.expect("the one that can be read");
    assert_eq!(delivery.event().event.id, Some("whole".into()));
    delivery.ack().expect("in time");
    consumer.flush().await.expect("is kept");
    let parked = events.parked(&Default::default()).expect("they are kept");
    assert_eq!(parked.len(), 1);
    assert!(parked[0].cause.contains("this is no order"), "{}", parked[0].cause);
    consumer.stop().await;
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("closes");

    // A program that can read it brings it back.
    let builder = Foundation::builder(directory.path().join("store"));
    let builder = builder.upcaster("order.created", 1, |_| Ok(Value::from("mended")));
    let foundation = builder.start().await.expect("starts");
    let events = foundation.events();
    events.retry_parked(&Default::default()).await.expect("is brought back");
    let consumer = events.consumer("mail").open().await.expect("opens");
    let again = consumer.next().await.expect("comes again");
    assert_eq!(again.event().event.data.as_json(), "\"mended\"");
    again.ack().expect("in time");
    consumer.flush().await.expect("is kept");
}
