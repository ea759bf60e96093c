//! Secrets of an application's document: shown as a mark, and taken from standard input only.

use foundation::{Document, Foundation, SealingKey, Secret, Sources};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::running::Store;

#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Shop {
    /// What the provider knows us by.
    api_key: Secret<String>,
    tokens: Vec<Secret<String>>,
    name: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_given_on_standard_input_and_shown_as_a_mark() {
    let store = Store::new();
    let builder = Foundation::builder(store.directory())
        .document::<Shop>(Sources::defaults())
        .control_socket();
    let app = builder.sealing_key(SealingKey::new(&[3; 32])).start().await.expect("starts");
    let set = |words: &[&str]| store.run(&[&["config"], words, &["--doc", "shop"]].concat());

    for typed in [
        &["set", "api_key", "hunter2"][..],
        &["set", "tokens", r#"["hunter2"]"#],
        &["set", "tokens[0]", "hunter2"],
        &["patch", r#"{"api_key":"hunter2"}"#],
        &["patch", r#"[{"op":"add","path":"/tokens/-","value":"hunter2"}]"#],
    ] {
        let ran = set(typed);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.talk.contains("standard input") && !ran.talk.contains("hunter2"), "{ran:?}");
    }
    let ran = store.feed(&["config", "set", "api_key", "-", "--doc", "shop"], "hunter2\n");
    assert_eq!(ran.ok(), "api_key = [secret] (version 1)\n");
    let shop = app.config::<Shop>().expect("is declared");
    assert_eq!(shop.get().api_key.expose(), "hunter2");
    set(&["set", "name", "corner"]).ok();
    set(&["patch", r#"{"api_key":null,"name":"corner shop"}"#]).ok();
    assert_eq!(set(&["get"]).ok(), "api_key = [secret]\nname = corner shop\ntokens = []\n");
    assert_eq!(set(&["get", "api_key"]).ok(), "[secret]\n");
    let fields = set(&["fields"]).ok();
    assert!(fields.contains("api_key  = [secret]"), "{fields}");
    for words in [&["history"][..], &["diff", "0", "1"], &["get", "--at", "1"], &["schema"]] {
        let ran = set(words);
        assert!(!ran.out.contains("hunter2") && ran.code == Some(0), "{ran:?}");
    }
    app.shutdown(std::time::Duration::from_secs(5)).await.into_result().expect("is written");
    // Whoever has no key and no type sees as much.
    assert!(set(&["get", "--at", "1"]).ok().contains("api_key = [secret]"));
}
