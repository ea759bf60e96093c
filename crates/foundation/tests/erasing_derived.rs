//! Personal fields that a type declares by itself, and what a certificate counts.

use std::time::Duration;

use foundation::events::{EventData, Personal, PersonalFields, Recorded};
use foundation::node::ReplayShape;
use foundation::{ErrorKind, Event, EventQuery, Foundation, Position, SealingKey};
use serde::{Deserialize, Serialize};

use super::directory;

#[derive(Serialize, Deserialize, EventData)]
#[event(type = "customer.registered", schema = 2, subject = "customer.id")]
#[serde(rename_all = "camelCase")]
struct Registered {
    #[event(nested)]
    customer: Customer,
    #[event(nested)]
    known_phones: Vec<Phone>,
    home_address: Option<Personal<Vec<String>>>,
    plan: String,
}

#[derive(Serialize, Deserialize, PersonalFields)]
struct Customer {
    id: String,
    #[serde(rename = "fullName")]
    name: Personal<String>,
}

#[derive(Serialize, Deserialize, PersonalFields)]
struct Phone {
    number: Personal<u64>,
    kind: String,
}

#[derive(Serialize, Deserialize, EventData)]
#[event(type = "parcel.sent")]
struct Sent {
    to: Personal<String>,
}

fn registered(id: &str) -> Event {
    let data = Registered {
        customer: Customer { id: id.to_owned(), name: format!("canary {id}").into() },
        known_phones: vec![Phone { number: 5_550_123.into(), kind: "home".to_owned() }],
        home_address: Some(vec!["canary street".to_owned()].into()),
        plan: "large".to_owned(),
    };
    Event::of(&data).expect("JSON").id(format!("r-{id}").as_str())
}

fn sent(id: &str) -> Event {
    Event::of(&Sent { to: format!("canary {id}").into() }).expect("JSON").subject(id)
}

async fn open(directory: &tempfile::TempDir) -> Foundation {
    let key = SealingKey::parse(&"5a".repeat(32)).expect("a key");
    let builder = Foundation::builder(directory.path().join("store")).sealing_key(key);
    builder.event::<Registered>().event::<Sent>().start().await.expect("starts")
}

async fn stored(foundation: &Foundation) -> Vec<Recorded> {
    let call = foundation::node::Replay {
        after: Position::START,
        until: None,
        shape: ReplayShape::Stored,
    };
    foundation.call(call).await.expect("a page").records
}

#[tokio::test]
async fn what_a_type_declares_is_sealed_without_a_rule() {
    let directory = directory();
    let foundation = open(&directory).await;
    foundation.events().append(registered("ann")).await.expect("is stored");
    foundation.events().append(sent("ann")).await.expect("is stored");
    for event in stored(&foundation).await {
        let data = event.event.data.as_json();
        assert!(!data.contains("canary") && !data.contains("5550123"), "{data}");
    }
    let read: Registered =
        foundation.events().get("r-ann").await.expect("is there").to().expect("fits");
    assert_eq!(read.customer.name, Personal::Known("canary ann".to_owned()));
    assert_eq!(read.known_phones[0].number, Personal::Known(5_550_123));

    foundation.events().forget("ann", "asked").await.expect("is forgotten");
    let left: Registered =
        foundation.events().get("r-ann").await.expect("is there").to().expect("fits");
    assert_eq!(left.customer.name, Personal::Forgotten);
    assert_eq!(left.known_phones[0].number, Personal::Forgotten);
    assert_eq!(left.home_address, Some(Personal::Forgotten));
    assert_eq!((left.known_phones[0].kind.as_str(), left.plan.as_str()), ("home", "large"));
}

#[tokio::test]
async fn a_certificate_counts_the_events_that_had_something_of_the_person() {
    let directory = directory();
    let foundation = open(&directory).await;
    let events = foundation.events();
    for id in ["ann", "bob"] {
        events.append(registered(id)).await.expect("is stored");
    }
    for id in ["ann", "ann", "bob"] {
        events.append(sent(id)).await.expect("is stored");
    }
    // What only names the key is none of hers.
    let first = stored(&foundation).await.remove(0).event.data;
    let key = first.as_json().split("\"key\":\"").nth(1).expect("a seal").get(..32).expect("a key");
    let note = Event::new("note").data(&format!("about key {key}")).expect("JSON");
    let last = events.append(note).await.expect("is stored").position;

    let done = events.forget("ann", "asked").await.expect("is forgotten");
    assert_eq!(done.key.as_deref(), Some(key));
    let told = events.forgotten().await.expect("is told").remove(0);
    let touched = told.touched.expect("is counted");
    let by_type = [("customer.registered".to_owned(), 1), ("parcel.sent".to_owned(), 2)];
    assert_eq!((touched.events, touched.cut), (3, None));
    assert_eq!(touched.types, by_type.into());
    assert!(touched.up_to >= last, "{touched:?}");
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("closes");

    // Another sealing key does not pass for a person who was never there.
    let key = SealingKey::parse(&"6b".repeat(32)).expect("a key");
    let builder = Foundation::builder(directory.path().join("store")).sealing_key(key);
    let other = builder.event::<Sent>().start().await.expect("starts");
    let error = other.events().forget("bob", "asked").await.expect_err("is another key");
    assert_eq!(error.kind(), ErrorKind::SecretSealed);
    let query = EventQuery::all().kind("foundation.events.forgotten");
    assert_eq!(other.events().query(query).await.expect("answers").events.len(), 1);
}
