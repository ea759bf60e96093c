//! Personal fields: in no file in clear, read by whoever may, and by nobody once they are forgotten.

use std::path::Path;
use std::time::Duration;

use foundation::events::{Data, EventData, Personal, Start, SubjectIn};
use foundation::node::{EventsForget, EventsForgotten, Replay, ReplayShape, RestoreOptions};
use foundation::{
    Builder, ErrorKind, Event, EventQuery, Foundation, Position, SealingKey, restore,
};
use serde::{Deserialize, Serialize};

const CANARY: &str = "canary-4b7e";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Registered {
    customer: Customer,
    plan: String,
    phones: Vec<Phone>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Customer {
    id: String,
    name: Personal<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Phone {
    number: Personal<String>,
    kind: String,
}

impl EventData for Registered {
    const TYPE: &'static str = "customer.registered";
}

fn registered(id: &str) -> Event {
    let number = Personal::Known(format!("{CANARY}-phone-{id}"));
    let data = Registered {
        customer: Customer {
            id: id.to_owned(),
            name: Personal::Known(format!("{CANARY}-name-{id}")),
        },
        plan: "large".to_owned(),
        phones: vec![Phone { number, kind: "home".to_owned() }],
    };
    Event::of(&data).expect("JSON").id(format!("r-{id}").as_str()).correlation("story")
}

fn key() -> SealingKey {
    SealingKey::parse(&"5a".repeat(32)).expect("a key")
}

fn personal(builder: Builder) -> Builder {
    let by_id = SubjectIn::Field("customer.id".parse().expect("a path"));
    builder.sealing_key(key()).personal("customer.*", by_id, &["customer.name", "phones.number"])
}

async fn open(store: &Path) -> Foundation {
    let builder = personal(Foundation::builder(store)).lock_timeout(Duration::from_secs(5));
    builder.start().await.expect("starts")
}

async fn close(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(10)).await.into_result().expect("closes");
}

async fn name(foundation: &Foundation, id: &str) -> Personal<String> {
    let event = foundation.events().get(format!("r-{id}").as_str()).await.expect("is there");
    event.to::<Registered>().expect("fits").customer.name
}

fn known(id: &str) -> Personal<String> {
    Personal::Known(format!("{CANARY}-name-{id}"))
}

/// The files below a directory that hold the text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("is there") {
        let path = entry.expect("reads").path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("reads");
            let has = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(has.then(|| path.display().to_string()));
        }
    }
    found
}

#[tokio::test]
async fn what_is_personal_is_in_no_file_and_after_forgetting_nowhere() {
    let directory = super::directory();
    let (store, backup) = (directory.path().join("store"), directory.path().join("backup"));
    let foundation = open(&store).await;
    let events = foundation.events();
    for id in ["ann", "bo"] {
        events.append(registered(id)).await.expect("it may enter");
    }
    let batch = ["cy", "di"].map(registered).to_vec();
    events.append_batch(batch).await.expect("they may enter");
    for outcome in events.append_each(["ed", "flo"].map(registered).to_vec()).await {
        outcome.expect("it may enter");
    }
    let consumer = events.consumer("mail").open().await.expect("opens");
    let delivery = consumer.next().await.expect("is handed out");
    assert_eq!(delivery.event().to::<Registered>().expect("fits").customer.name, known("ann"));
    delivery.park("for the test").expect("in time");
    while events.parked(&Default::default()).expect("are kept").is_empty() {
        tokio::task::yield_now().await;
    }
    consumer.stop().await;
    foundation.checkpoint().await.expect("is kept");
    foundation.backup(&backup).await.expect("is copied");
    assert_eq!(holding(directory.path(), CANARY), [""; 0]);
    assert!(!holding(directory.path(), "large").is_empty(), "what is not personal is in clear");
    for id in ["ann", "bo", "cy", "di", "ed", "flo"] {
        assert_eq!(name(&foundation, id).await, known(id));
    }
    let by_name = format!("customer.name={CANARY}-name-cy").parse().expect("a filter");
    let page = events.query(EventQuery::all().field(by_name)).await.expect("a page");
    assert_eq!(page.events.len(), 1);

    let done = events.forget("ann", "she asked for it").await.expect("is forgotten");
    assert!(done.key.is_some() && done.position.is_some(), "{done:?}");
    let again = events.forget("ann", "once more").await.expect("is no error");
    assert_eq!(again.key, None);
    nothing_is_left(&foundation).await;
    assert_eq!(name(&foundation, "bo").await, known("bo"));
    close(foundation).await;

    // A backup from before, with the keys of today.
    let old = directory.path().join("restored");
    restore(&backup, &old, RestoreOptions::default()).expect("is whole");
    let restored = personal(Foundation::builder(&old)).personal_keys(store.with_extension("keys"));
    let restored = restored.start().await.expect("starts");
    nothing_is_left(&restored).await;
    assert_eq!(name(&restored, "bo").await, known("bo"));
    close(restored).await;
}

/// No way to a reader tells of Ann's name any more.
async fn nothing_is_left(foundation: &Foundation) {
    let events = foundation.events();
    assert_eq!(name(foundation, "ann").await, Personal::Forgotten);
    let read = events.get("r-ann").await.expect("is there").to::<Registered>().expect("fits");
    assert_eq!((read.plan.as_str(), read.customer.id.as_str()), ("large", "ann"));
    assert_eq!(read.phones[0].number, Personal::Forgotten);
    let mut sinks = Vec::new();
    sinks.push(format!("{:?}", events.query(EventQuery::all()).await.expect("a page")));
    sinks.push(format!("{:?}", events.trace("story").await.expect("a story")));
    sinks.push(format!("{:?}", events.parked(&Default::default()).expect("are kept")));
    let mut all = events.subscribe(Start::Beginning, EventQuery::all()).expect("may be");
    sinks.push(format!("{:?}", all.next().await.expect("is there")));
    for shape in [ReplayShape::Read, ReplayShape::Stored] {
        let replay = Replay { after: Position::START, until: None, shape };
        sinks.push(format!("{:?}", foundation.call(replay).await.expect("a page")));
    }
    assert!(sinks[0].contains(&format!("{CANARY}-name-bo")), "the search would find it");
    for sink in sinks {
        assert!(!sink.contains(&format!("{CANARY}-name-ann")), "{sink}");
    }
}

#[tokio::test]
async fn keys_of_yesterday_do_not_bring_a_forgotten_person_back() {
    let directory = super::directory();
    let store = directory.path().join("store");
    let keys = directory.path().join("store.keys").join("KEYS");
    let foundation = open(&store).await;
    foundation.events().append(registered("ann")).await.expect("it may enter");
    foundation.events().append(registered("bo")).await.expect("it may enter");
    let yesterday = std::fs::read(&keys).expect("is there");
    let forget = EventsForget {
        subject: "ann".to_owned(),
        actor: Some("desk".to_owned()),
        reason: "she asked".to_owned(),
    };
    let done = foundation.call(forget).await.expect("is forgotten");
    let told = foundation.call(EventsForgotten {}).await.expect("a list");
    assert_eq!(Some(&told[0].key), done.key.as_ref());
    assert_eq!((told[0].actor.as_deref(), told[0].reason.as_str()), (Some("desk"), "she asked"));
    assert!(!told[0].subject_hash.contains("ann"));
    // Who comes back gets another key, and what was forgotten stays so.
    let again = registered("ann").id("r-ann-2");
    foundation.events().append(again).await.expect("it may enter");
    close(foundation).await;

    std::fs::write(&keys, &yesterday).expect("is ours");
    let foundation = open(&store).await;
    assert_eq!(name(&foundation, "ann").await, Personal::Forgotten);
    assert_eq!(name(&foundation, "bo").await, known("bo"));
    assert_ne!(std::fs::read(&keys).expect("is there"), yesterday, "the old key is gone from it");
    close(foundation).await;
}

#[tokio::test]
async fn what_waits_for_a_consumer_is_forgotten_too() {
    let foundation = personal(Foundation::in_memory()).start().await.expect("starts");
    let events = foundation.events();
    for id in ["ann", "bo"] {
        events.append(registered(id)).await.expect("it may enter");
    }
    let consumer = events
        .consumer("mail")
        .filter(EventQuery::all().kind("customer.*"))
        .open()
        .await
        .expect("opens");
    let first = consumer.next().await.expect("is handed out");
    assert_eq!(first.event().to::<Registered>().expect("fits").customer.name, known("ann"));
    for id in ["ann", "bo"] {
        events.forget(id, "asked").await.expect("is forgotten");
    }
    first.nack("once more").expect("in time");
    for _ in 0..2 {
        let delivery = consumer.next().await.expect("is handed out");
        let read = delivery.event().to::<Registered>().expect("fits");
        assert_eq!(read.customer.name, Personal::Forgotten);
        delivery.ack().expect("in time");
    }
}

#[tokio::test]
async fn without_a_rule_the_canary_is_found() {
    let directory = super::directory();
    let store = directory.path().join("store");
    let foundation = Foundation::builder(&store).start().await.expect("starts");
    foundation.events().append(registered("ann")).await.expect("it may enter");
    close(foundation).await;
    assert!(!holding(directory.path(), CANARY).is_empty(), "the search finds what is in clear");
}

#[tokio::test]
async fn a_repeat_is_one_before_and_after_forgetting() {
    let foundation = personal(Foundation::in_memory()).start().await.expect("starts");
    let events = foundation.events();
    assert!(!events.append(registered("ann")).await.expect("it may enter").repeated);
    assert!(events.append(registered("ann")).await.expect("the same").repeated);
    let other = registered("ann").data(&registered("bo").data).expect("JSON");
    assert_eq!(events.append(other).await.expect_err("another").kind(), ErrorKind::IdReused);
    events.forget("ann", "asked").await.expect("is forgotten");
    assert!(events.append(registered("ann")).await.expect("as far as is known").repeated);
}

#[tokio::test]
async fn without_a_key_or_a_subject_nothing_personal_is_taken() {
    let by_subject = || Foundation::in_memory().personal("customer.*", SubjectIn::Event, &["name"]);
    let error = by_subject().start().await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::NoSealingKey);
    let wrong = Foundation::in_memory().sealing_key(key()).personal(
        "customer.*",
        SubjectIn::Field("a.b".parse().expect("a path")),
        &["a"],
    );
    assert_eq!(wrong.start().await.expect_err("seals its own").kind(), ErrorKind::InvalidArgument);

    let foundation = by_subject().sealing_key(key()).start().await.expect("starts");
    let named = |text: &str| {
        let data = std::collections::BTreeMap::from([("name", text)]);
        Event::new("customer.moved").id("m").data(&data).expect("JSON")
    };
    let error = foundation.events().append(named("Ann")).await.expect_err("whose?");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    // What only looks sealed is sealed.
    let fake = r#"{"name":{"$sealed":{"key":"00000000000000000000000000000001","data":"00"}}}"#;
    let mut event = named("x").subject("ann");
    event.data = foundation::events::Data::from_json(fake).expect("JSON");
    foundation.events().append(event).await.expect("it may enter");
    let read = foundation.events().get("m").await.expect("is there");
    assert_eq!(read.event.data.as_json(), fake);
    assert_eq!(
        foundation.events().forget("", "x").await.expect_err("nobody").kind(),
        ErrorKind::InvalidArgument
    );
    let none = Foundation::in_memory().start().await.expect("starts");
    let error = none.events().forget("ann", "x").await.expect_err("nothing is sealed");
    assert_eq!(error.kind(), ErrorKind::NoSealingKey);
}

/// A stage sees what is personal sealed, and what it adds itself is sealed behind it.
#[tokio::test]
async fn what_a_stage_adds_is_as_personal_as_what_was_sent() {
    let directory = super::directory();
    let store = directory.path().join("store");
    let builder = personal(Foundation::builder(&store)).enrich("name", "customer.*", |event, _| {
        assert!(!event.data.as_json().contains(CANARY), "a stage sees it sealed");
        event.data = Data::from_json(&event.data.as_json().replacen(
            "\"customer\":{",
            &format!("\"customer\":{{\"name\":\"{CANARY}-added\","),
            1,
        ))?;
        Ok(())
    });
    let foundation = builder.start().await.expect("starts");
    let events = foundation.events();
    let phone = serde_json::json!({ "number": format!("{CANARY}-sent") });
    let data = serde_json::json!({ "customer": { "id": "ann" }, "phones": [phone] });
    let event = |id: &str| Event::new("customer.seen").id(id).data(&data).expect("JSON");
    events.append(event("one")).await.expect("stored");
    events.append_batch(vec![event("two")]).await.expect("stored");
    for outcome in events.append_each(vec![event("three")]).await {
        outcome.expect("stored");
    }
    for id in ["one", "two", "three"] {
        assert!(events.append(event(id)).await.expect("is known").repeated, "{id}");
        let read = events.get(id).await.expect("is there").event.data;
        let at = |path: &str| read.at(&path.parse().expect("a path"));
        assert_eq!(at("customer.name"), Some(format!("{CANARY}-added").into()), "{id}");
        assert_eq!(at("phones[0].number"), Some(format!("{CANARY}-sent").into()), "{id}");
    }
    let changed = serde_json::json!({ "customer": { "id": "ann" }, "phones": [] });
    let reused = Event::new("customer.seen").id("one").data(&changed).expect("JSON");
    let refused = events.append(reused).await.expect_err("says something else");
    assert_eq!(refused.kind(), ErrorKind::IdReused);
    events.forget("ann", "asked for").await.expect("is forgotten");
    let read = events.get("one").await.expect("is there").event.data;
    assert!(!read.as_json().contains(CANARY), "{read:?}");
    close(foundation).await;
    assert_eq!(holding(directory.path(), CANARY), [""; 0]);
}
