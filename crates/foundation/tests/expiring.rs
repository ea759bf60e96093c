//! Events that lived their time, until their place is given back: by hand, by the node itself, and not as
//! long as somebody needs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation::config::TtlRule;
use foundation::events::Start;
use foundation::node::HolderKind;
use foundation::seams::Clock;
use foundation::telemetry::MetricValue;
use foundation::{ErrorKind, Event, EventQuery, Foundation, Timestamp};
use serde_json::Value;

use super::directory;

/// A clock that goes when it is turned.
#[derive(Debug, Default)]
struct Hands(Mutex<Duration>);

impl Hands {
    fn turn(&self, seconds: u64) {
        *self.0.lock().expect("nobody panicked") += Duration::from_secs(seconds);
    }
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("nobody panicked")
    }
}

async fn start(path: &Path, hands: &Arc<Hands>) -> Foundation {
    let builder = Foundation::builder(path.join("store"));
    builder.clock(hands.clone()).start().await.expect("starts")
}

async fn stop(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(10)).await.into_result().expect("is clean");
}

/// More than one file of the log, of events that live for a minute, and snapshots that have it.
async fn fill(foundation: &Foundation) {
    let rule = TtlRule { types: "debug.*".into(), seconds: 60, ..TtlRule::default() };
    let rules = BTreeMap::from([("debug", rule)]);
    foundation.settings().set("events.ttl", rules).await.expect("may be set");
    let text = "x".repeat(600_000);
    for number in 0..30 {
        let event = Event::new("debug.tick").id(number.to_string()).data(&text).expect("is JSON");
        foundation.events().append(event).await.expect("is in");
    }
    for id in ["a", "b"] {
        foundation.events().append(Event::new("order.placed").id(id)).await.expect("is in");
        foundation.checkpoint().await.expect("is kept");
    }
}

fn counted(foundation: &Foundation, name: &str) -> u64 {
    let metrics = foundation.telemetry().snapshot();
    let metric = metrics.into_iter().find(|metric| &*metric.name == name);
    match metric.map(|metric| metric.value) {
        Some(MetricValue::Counter(count)) => count,
        Some(other) => panic!("{name} is no counter but {other:?}"),
        None => 0,
    }
}

async fn told(foundation: &Foundation) -> Value {
    let query = EventQuery::all().kind("foundation.events.cleanup_complete");
    let mut told = foundation.events().subscribe(Start::Beginning, query).expect("starts");
    let event = tokio::time::timeout(Duration::from_secs(30), told.next()).await;
    event.expect("is told").expect("is read").event.data.to().expect("is JSON")
}

#[tokio::test]
async fn what_lived_its_time_is_freed_once_nobody_needs_it() {
    let (directory, hands) = (directory(), Arc::new(Hands::default()));
    let foundation = start(directory.path(), &hands).await;
    let filter = EventQuery::all().stream("events");
    let consumer = foundation.events().consumer("billing").filter(filter);
    let consumer = consumer.open().await.expect("opens");
    fill(&foundation).await;
    assert_eq!(foundation.free_expired().await.expect("looks").wanted_records, 0, "it lives");
    hands.turn(61);
    let held = foundation.free_expired().await.expect("looks");
    assert_eq!((held.records, held.expired), (0, 0), "a consumer has not had it");
    assert!(held.wanted_records > 20, "{held:?}");
    let who = &held.held_by[0];
    assert_eq!((who.kind, who.name.as_deref()), (HolderKind::Consumer, Some("billing")));
    assert_eq!(counted(&foundation, "foundation.events.ttl_expired"), 0);

    consumer.stop().await;
    drop(consumer);
    let release = foundation::events::ConsumerAction::Release;
    foundation.events().change_consumer("billing", release).await.expect("is released");
    let freed = foundation.free_expired().await.expect("frees");
    assert!(freed.expired > 20 && freed.expired < freed.records, "{freed:?}");
    assert_eq!(counted(&foundation, "foundation.events.ttl_expired"), freed.expired);
    assert_eq!(foundation.events().stats().stages.expired, freed.expired);
    let event = told(&foundation).await;
    assert_eq!(event["expired"].as_u64(), Some(freed.expired));
    assert_eq!(event["records"].as_u64(), Some(freed.records));
    assert_eq!(event["bytes"].as_u64(), Some(freed.bytes));
    let gone = foundation.events().get("0").await.expect_err("is freed").kind();
    assert!(matches!(gone, ErrorKind::Compacted | ErrorKind::NotFound), "{gone:?}");
    foundation.events().get("a").await.expect("lives");
    stop(foundation).await;
}

#[tokio::test]
async fn a_node_frees_it_by_itself_if_it_is_told_to() {
    let (directory, hands) = (directory(), Arc::new(Hands::default()));
    let foundation = start(directory.path(), &hands).await;
    fill(&foundation).await;
    foundation.settings().set("events.expiry.free", true).await.expect("may be set");
    stop(foundation).await;
    hands.turn(61);
    // It looks at once when it starts.
    let foundation = start(directory.path(), &hands).await;
    let event = told(&foundation).await;
    let expired = event["expired"].as_u64().expect("is told");
    assert!(expired > 20, "{event}");
    assert_eq!(counted(&foundation, "foundation.events.ttl_expired"), expired);
    stop(foundation).await;
}

#[tokio::test(start_paused = true)]
async fn a_running_node_lets_what_is_old_leave_its_buffer() {
    let hands = Arc::new(Hands::default());
    let foundation = Foundation::in_memory().clock(hands.clone()).start().await.expect("starts");
    foundation.settings().set("events.buffer.max_age_s", 60).await.expect("may be set");
    foundation.events().append(Event::new("tick").id("old")).await.expect("is in");
    let buffered = || foundation.events().stats().buffered_events;
    // The clock of the runtime only has the node look; how old something is, the other one says.
    let looks = || tokio::time::sleep(Duration::from_secs(5));
    looks().await;
    let both = buffered();
    assert!(both >= 1, "{both}: it is young");
    hands.turn(30);
    foundation.events().append(Event::new("tick").id("young")).await.expect("is in");
    looks().await;
    assert_eq!(buffered(), both + 1, "and it still is");
    hands.turn(31);
    looks().await;
    assert_eq!(buffered(), 1, "only the young one is left");
    let gone = foundation.events().get("old").await.expect_err("in memory it is nowhere else");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    hands.turn(31);
    looks().await;
    assert_eq!(buffered(), 0);
    stop(foundation).await;
}
