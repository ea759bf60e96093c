//! Forgetting a person, as an operator does it on a running node.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

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

#[test]
fn whoever_has_the_key_file_forgets_where_nobody_runs() {
    let store = Store::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let key = SealingKey::parse(&"5a".repeat(32)).expect("a key");
        let builder = Foundation::builder(store.directory()).sealing_key(key);
        let builder = builder.personal("moved", SubjectIn::Event, &["name"]);
        let foundation = builder.start().await.expect("starts");
        let data = BTreeMap::from([("name", "Ann")]);
        let event = Event::new("moved").id("m1").subject("ann").data(&data).expect("JSON");
        foundation.events().append(event).await.expect("stored");
        let deadline = std::time::Duration::from_secs(5);
        foundation.shutdown(deadline).await.into_result().expect("is clean");
    });
    let files = tempfile::tempdir().expect("a directory");
    let file = |name: &str, digits: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, digits.repeat(32)).expect("is written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("are set");
        path.to_str().expect("is text").to_owned()
    };
    let (key, other) = (file("key", "5a"), file("other", "6b"));
    let forget = ["events", "forget", "ann", "--reason", "asked"];
    let advised = store.run(&forget);
    assert_eq!(advised.code, Some(6), "{advised:?}");
    assert!(advised.talk.contains("--sealing-key"), "{advised:?}");
    let refused = store.run(&[&forget[..], &["--sealing-key", &other]].concat());
    assert!(refused.talk.contains("another sealing key"), "{refused:?}");
    let empty = files.path().join("none");
    let elsewhere = ["--sealing-key", &key, "--personal-keys", empty.to_str().expect("is text")];
    let none = store.run(&[&forget[..], &elsewhere].concat());
    assert!(none.talk.contains("there are no keys of persons"), "{none:?}");

    let words = [&forget[..], &["--sealing-key", &key]].concat();
    assert!(store.ok(&words).starts_with("forgotten: key "));
    assert_eq!(store.ok(&words).trim(), "nothing to forget: the subject has no key");
    let told = store.ok(&["events", "forgotten"]);
    assert!(told.trim_end().ends_with(": asked (1 event: moved 1)"), "{told}");
}
