//! Every way on which an event comes to a reader, as a table: each gives the same.
//!
//! The table of calls is a `match` without a rest: a new call does not compile before somebody has
//! said whether it reads events.

use foundation::events::{Aggregation, By, Projection, Recorded, Start};
use foundation::exports::{Delivered, ExportBatch, ExportRules, Sink, SinkError, async_trait};
use foundation::node::{
    EventGet, EventsAggregate, EventsFollow, EventsQuery, EventsTrace, ExportRead, ParkedDrop,
    ParkedList, ParkedRetry, Replay, ReplayShape, Request,
};
use foundation::{Event, EventQuery, ExpectedVersion, Foundation, Position, Result, StreamName};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{OrderPlaced, evolved, order, with_history};

/// What all ways give of the oldest event, which was brought up twice and renamed.
struct First(Vec<(&'static str, Event)>);

struct Orders;

impl Projection for Orders {
    const NAME: &'static str = "orders";
    const VERSION: u32 = 1;
    type State = Vec<Event>;

    fn filter() -> EventQuery {
        placed()
    }

    fn apply(state: &mut Vec<Event>, event: &Recorded) -> Result<()> {
        state.push(event.event.clone());
        Ok(())
    }
}

fn placed() -> EventQuery {
    EventQuery::all().kind("order.placed")
}

fn follow() -> EventsFollow {
    EventsFollow { filter: by_field(), after: Some(Position::START), wait_ms: 0 }
}

/// A sink that tells of each event.
struct Told(UnboundedSender<Recorded>);

#[async_trait]
impl Sink for Told {
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        // Nobody listens after the test.
        batch.events.iter().for_each(|one| drop(self.0.send(Recorded::clone(&one.event))));
        Ok(Delivered::All)
    }
}

fn by_field() -> EventQuery {
    EventQuery::all().field("customer.name=ann".parse().expect("a filter"))
}

impl First {
    fn is(&mut self, way: &'static str, event: &Recorded) {
        self.0.push((way, event.event.clone()));
    }
}

/// How each call gives events, if it does.
fn reads_events(request: &Request) -> bool {
    match request {
        Request::EventGet(_)
        | Request::EventsQuery(_)
        | Request::EventsTrace(_)
        | Request::EventsAggregate(_)
        | Request::ParkedList(_)
        | Request::ParkedRetry(_)
        | Request::ParkedDrop(_)
        | Request::EventsFollow(_)
        | Request::ExportRead(_)
        | Request::Replay(_) => true,
        // It gives counts of what was read.
        Request::EventsCheck(_) | Request::EventsForget(_) | Request::EventsForgotten(_) => false,
        // Errors of these two carry the events that were missed.
        Request::Append(_) | Request::AppendEach(_) => true,
        Request::GetStatus(_)
        | Request::ConfigGet(_)
        | Request::ConfigFields(_)
        | Request::ConfigExplain(_)
        | Request::ConfigCheck(_)
        | Request::ConfigMigrations(_)
        | Request::ConfigSchema(_)
        | Request::ConfigTemplate(_)
        | Request::ConfigUpdate(_)
        | Request::ConfigRollback(_)
        | Request::ConfigConflicts(_)
        | Request::ConfigResolve(_)
        | Request::ConfigFollow(_)
        | Request::ConfigVersionAt(_)
        | Request::ConfigHistory(_)
        | Request::ConfigDiff(_)
        | Request::TableList(_)
        | Request::TableGet(_)
        | Request::TableRows(_)
        | Request::TablePut(_)
        | Request::TableRemove(_)
        | Request::EventsExplain(_)
        | Request::EventsStats(_)
        | Request::EventStage(_)
        | Request::ExportList(_)
        | Request::ExportChange(_)
        | Request::ExportCursor(_)
        | Request::ArchiveEvents(_)
        | Request::EventsPrune(_)
        | Request::ArchiveList(_)
        | Request::ArchiveVerify(_)
        | Request::ArchiveRestore(_)
        | Request::ConsumerList(_)
        | Request::ConsumerChange(_)
        | Request::ProjectionList(_)
        | Request::ProjectionShow(_)
        | Request::ProjectionChange(_)
        | Request::GetMetrics(_)
        | Request::GetKeptMetrics(_)
        | Request::TakeCheckpoint(_)
        | Request::TakeDump(_)
        | Request::Verify(_)
        | Request::TakeBackup(_) => false,
    }
}

#[tokio::test]
async fn every_way_to_a_reader_gives_the_same() {
    let directory = super::super::directory();
    let builder =
        evolved(Foundation::builder(directory.path().join("store"))).projection::<Orders>();
    let (came, mut exported) = unbounded_channel();
    let rules = ExportRules { filter: placed(), ..ExportRules::default() };
    let builder = builder.control_socket().export("audit", Told(came), rules);
    let foundation = with_history(builder).await;
    let mut first = First(Vec::new());
    reads_of_the_store(&foundation, &mut first).await;
    conditions(&foundation, &mut first).await;
    followers(&foundation, &mut first).await;
    calls(&foundation, &mut first).await;
    first.is("export", &exported.recv().await.expect("it is passed on"));
    let client = foundation::node::Client::connect(&directory.path().join("store")).await;
    let mut client = client.expect("it listens").expect("a node serves it");
    let get = client.call(EventGet { id: "o1".into() }).await.expect("is there");
    first.is("socket", &get);

    let expected = first.0[0].1.clone();
    assert_eq!(expected.data.to::<OrderPlaced>().expect("fits"), order(900, "ann"));
    assert_eq!((expected.kind.as_str(), expected.schema), ("order.placed", 3));
    for (way, event) in &first.0 {
        assert_eq!(event, &expected, "{way} gives something else");
    }
    assert_eq!(first.0.len(), 22, "a way is missing or new: {:?}", first.0);
}

async fn reads_of_the_store(foundation: &Foundation, first: &mut First) {
    let events = foundation.events();
    first.is("get", &events.get("o1").await.expect("is there"));
    let page = events.query(placed()).await.expect("a page");
    assert_eq!(page.events.len(), 3, "the old name is found under the new one");
    first.is("query by type", &page.events[0]);
    let page = events.query(EventQuery::all().tag("order:1")).await.expect("a page");
    first.is("query by tag", &page.events[0]);
    let page = events.query(by_field()).await.expect("a page");
    assert_eq!(page.events.len(), 1, "only Ann's");
    first.is("query by field", &page.events[0]);
    let old = EventQuery::all().kind("order.created");
    assert_eq!(events.query(old).await.expect("a page").events, [], "there are none any more");
    let newest = placed().newest_first().limit(2);
    let page = events.query(newest).await.expect("a page");
    let next = page.next;
    assert_eq!((page.events.len(), next), (2, None));
    let mut pages = events.pages(by_field());
    first.is("pages", &pages.next().await.expect("a page").expect("of one event")[0]);
    let trace = events.trace("story-1").await.expect("a story");
    first.is("trace", &trace.spans[trace.roots[0]].event);
    let by_type = Aggregation::count().by(By::Type);
    let cents = by_type.measure("sum:data.cents".parse().expect("a measure"));
    let rows = events.aggregate(placed(), cents).await.expect("rows").rows;
    let text = format!("{rows:?}");
    assert!(rows.len() == 1 && text.contains("2450"), "{text}");
}

async fn conditions(foundation: &Foundation, first: &mut First) {
    let events = foundation.events();
    let another = || Event::new("order.cancelled");
    let error = events.append(another()).unless(by_field()).await.expect_err("Ann has ordered");
    first.is("condition", &error.conflict().expect("it carries them").events[0]);
    let none = EventQuery::all().field("total=9".parse().expect("a filter"));
    events.append(another()).unless(none).await.expect("there are no totals any more");
    let absent = events.append(another()).expecting(ExpectedVersion::Absent).await;
    let error = absent.expect_err("the stream is there");
    first.is("version conflict", &error.conflict().expect("it carries them").events[0]);
    let batch = events.append_batch(vec![another()]).expecting(ExpectedVersion::Absent).await;
    let error = batch.expect_err("the stream is there");
    first.is("conflict of a batch", &error.conflict().expect("it carries them").events[0]);
}

async fn followers(foundation: &Foundation, first: &mut First) {
    let events = foundation.events();
    let mut all = events.subscribe(Start::Beginning, by_field()).expect("may be");
    first.is("subscription", &all.next().await.expect("is there"));
    let consumer = events.consumer("mail").filter(placed()).open().await.expect("opens");
    let delivery = consumer.next().await.expect("is handed out");
    first.is("delivery", delivery.event());
    delivery.park("for the test").expect("in time");
    // The next event of the stream comes once that is parked.
    consumer.next().await.expect("is handed out").ack().expect("in time");
    consumer.flush().await.expect("is kept");
    let parked = events.parked(&Default::default()).expect("they are kept");
    first.is("parked", parked[0].event.as_ref().expect("is small"));
    let retried = events.retry_parked(&Default::default()).await.expect("is brought back");
    first.is("retried", retried[0].event.as_ref().expect("is small"));
    loop {
        let delivery = consumer.next().await.expect("is handed out");
        if delivery.event().event.id == Some("o1".into()) {
            first.is("delivery of a parked one", delivery.event());
            delivery.park("once more").expect("in time");
            break;
        }
        delivery.ack().expect("in time");
    }
    consumer.flush().await.expect("is kept");
    consumer.stop().await;
    let orders = foundation.projection::<Orders>().expect("is declared");
    let seen = events.query(placed()).await.expect("a page").seen;
    let state = orders.wait_for(seen).await.expect("it does not stand").state;
    first.0.push(("projection", state[0].clone()));
}

async fn calls(foundation: &Foundation, first: &mut First) {
    let query = by_field();
    let requests: Vec<Request> = vec![
        EventGet { id: "o1".into() }.into(),
        EventsQuery { query: query.clone() }.into(),
        EventsTrace { correlation_id: "story-1".into() }.into(),
        EventsAggregate { query, aggregation: Aggregation::count() }.into(),
        ParkedList { filter: Default::default() }.into(),
        ParkedRetry { filter: Default::default(), dry_run: true }.into(),
        ParkedDrop { filter: Default::default(), dry_run: true }.into(),
        Replay { after: Position::START, until: None, shape: ReplayShape::Read }.into(),
        follow().into(),
        ExportRead { export: None, query: by_field(), wait_ms: 0 }.into(),
    ];
    assert!(requests.iter().all(reads_events));
    let page = foundation.call(EventsQuery { query: by_field() }).await.expect("a page");
    first.is("call query", &page.events[0]);
    let followed = foundation.call(follow()).await.expect("it is there");
    first.is("call follow", &followed.events[0]);
    let read = foundation.call(ExportRead { export: None, query: by_field(), wait_ms: 0 }).await;
    first.is("call export", &read.expect("a page").events[0]);
    let parked = foundation.call(ParkedList { filter: Default::default() }).await.expect("a list");
    first.is("call parked", parked[0].event.as_ref().expect("is small"));
    let replayed = foundation
        .call(Replay { after: Position::START, until: None, shape: ReplayShape::Read })
        .await;
    let records = replayed.expect("a page").records;
    let is_first = |one: &&Recorded| {
        one.event.id == Some("o1".into()) && one.stream == StreamName::from("events")
    };
    first.is("replay", records.iter().find(is_first).expect("is there"));
}
