//! Forgetting a person, as an operator does it on a running node.

use std::collections::BTreeMap;

use foundation::events::SubjectIn;
use foundation::{Event, Foundation, SealingKey};

use super::running::Store;

#[test]
fn a_person_is_forgotten_on_the_node_that_has_the_key() {
    let store = Store::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let foundation = runtime.block_on(async {
        let key = SealingKey::parse(&"5a".repeat(32)).expect("a key");
        let builder = Foundation::builder(store.directory()).sealing_key(key);
        let builder = builder.personal("moved", SubjectIn::Event, &["name"]);
        let foundation = builder.control_socket().start().await.expect("starts");
        let data = BTreeMap::from([("name", "Ann")]);
        let event = Event::new("moved").id("m1").subject("ann").data(&data).expect("JSON");
        foundation.events().append(event).await.expect("stored");
        foundation
    });
    assert_eq!(store.json(&["events", "get", "m1"])["data"]["name"], "Ann");
    let stored = store.ok(&["replay", "--stored"]);
    assert!(stored.contains("$sealed") && !stored.contains("Ann"), "{stored}");
    assert!(store.ok(&["replay"]).contains("Ann"));

    let words = ["events", "forget", "ann", "--reason", "asked", "--actor", "desk"];
    assert!(store.ok(&words).starts_with("forgotten: key "));
    assert_eq!(store.ok(&words).trim(), "nothing to forget: the subject has no key");
    assert_eq!(store.json(&["events", "get", "m1"])["data"]["name"]["$forgotten"], true);
    let told = store.ok(&["events", "forgotten"]);
    assert!(told.lines().count() == 1 && told.contains("by desk: asked"), "{told}");
    drop(foundation);
}

#[test]
fn without_the_key_of_the_application_nobody_is_forgotten() {
    let store = Store::new();
    store.ok(&["events", "append", "--type", "a"]);
    let ran = store.run(&["events", "forget", "ann", "--reason", "asked"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.talk.starts_with("error[config.no_sealing_key]"), "{ran:?}");
    assert_eq!(store.ok(&["events", "forgotten"]), "");
}
