//! Secrets of documents: kept under a key, opened by it, and told to nobody.

mod canary;

use std::collections::BTreeMap;

use foundation::config::{Change, HistoryQuery, Notice, OnConflict};
use foundation::{
    Document, ErrorKind, Foundation, Path, SealingKey, Secret, Shaped, Sources, Value, Version,
    lens, parse,
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::directory;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Vault {
    /// What the provider knows us by.
    #[validate(length(max = 64))]
    key: Secret<String>,
    maybe: Option<Secret<String>>,
    many: Vec<Secret<String>>,
    named: BTreeMap<String, Secret<String>>,
    #[validate(nested)]
    inner: Inner,
    plain: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Inner {
    token: Secret<String>,
    #[validate(range(max = 9_999))]
    pin: Secret<u32>,
}

fn key(byte: u8) -> SealingKey {
    SealingKey::new(&[byte; 32])
}

async fn open(
    directory: &std::path::Path,
    key: Option<SealingKey>,
) -> foundation::Result<Foundation> {
    let builder = Foundation::builder(directory).document::<Vault>(Sources::defaults());
    match key {
        Some(key) => builder.sealing_key(key).start().await,
        None => builder.start().await,
    }
}

async fn close(foundation: Foundation) {
    let report = foundation.shutdown(std::time::Duration::from_secs(5)).await;
    report.into_result().expect("everything is written");
}

async fn newest(foundation: &Foundation) -> Change {
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.history(HistoryQuery::newest(1)).await.expect("is kept").remove(0)
}

#[tokio::test]
async fn a_secret_comes_back_with_its_key_and_with_no_other() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.set(lens!(Vault, key), "hunter2").await.expect("there is a key");
    vault.set("many", ["a", "b"]).await.expect("there is a key");
    vault.set("inner.pin", 1234).await.expect("there is a key");
    // The same again is no change, whatever it is written as.
    let again = vault.set(lens!(Vault, key), Secret::from("hunter2")).await.expect("may enter");
    assert_eq!((again.version, again.changes.len()), (Version::new(3), 0));
    let before = vault.get().clone();
    assert_eq!(before.key.expose(), "hunter2");
    close(foundation).await;

    for wrong in [None, Some(key(2))] {
        let error = open(&store, wrong).await.expect_err("does not open");
        assert_eq!(
            (error.kind(), &*error.problems()[0].path),
            (ErrorKind::SecretSealed, "inner.pin")
        );
        let document = error.context().iter().find(|(name, _)| name == "document");
        assert_eq!(document.map(|(_, name)| &**name), Some("vault"));
    }
    // A second start reads a snapshot, a third one the log behind it.
    for turn in 0..2 {
        let foundation = open(&store, Some(key(1))).await.expect("starts");
        let vault = foundation.config::<Vault>().expect("is declared");
        let mut expected = before.clone();
        expected.plain = if turn == 0 { String::new() } else { "turn 0".to_owned() };
        assert_eq!(*vault.get(), expected);
        vault.set("plain", format!("turn {turn}")).await.expect("may enter");
        assert_eq!(newest(&foundation).await.changes.len(), 1, "the secrets did not change");
        close(foundation).await;
    }
}

#[tokio::test]
async fn a_former_key_opens_and_the_new_one_seals() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.transaction().set("key", "old").set("maybe", "old").await.expect("there is a key");
    close(foundation).await;
    let both =
        Foundation::builder(&store).document::<Vault>(Sources::defaults()).sealing_key(key(2));
    let foundation = both.former_sealing_key(key(1)).start().await.expect("opens");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.set("maybe", "new").await.expect("there is a key");
    close(foundation).await;
    let error = open(&store, Some(key(2))).await.expect_err("one is left under the former");
    assert_eq!(error.problems()[0].path, "key");
    let both =
        Foundation::builder(&store).document::<Vault>(Sources::defaults()).sealing_key(key(2));
    let foundation = both.former_sealing_key(key(1)).start().await.expect("opens");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.set("key", "new").await.expect("there is a key");
    close(foundation).await;
    let foundation = open(&store, Some(key(2))).await.expect("all are under the new one");
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.get().key.expose(), "new");
}

/// The vault before somebody thought of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "vault")]
#[serde(default)]
struct Open {
    key: String,
    many: Vec<String>,
}

#[tokio::test]
async fn what_was_plain_is_sealed_with_the_next_change() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = Foundation::builder(&store)
        .document::<Open>(Sources::defaults())
        .start()
        .await
        .expect("starts");
    let open_vault = foundation.config::<Open>().expect("is declared");
    open_vault
        .transaction()
        .set("key", "hunter2")
        .set("many", ["hunter2"])
        .await
        .expect("is plain");
    close(foundation).await;
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.get().key.expose(), "hunter2");
    let told = |history: &[Change], tree: &Value| {
        format!("{} {tree}", serde_json::to_string(history).expect("writes"))
    };
    let history = vault.history(HistoryQuery::newest(9)).await.expect("is kept");
    let text = told(&history, &vault.tree_at(Version::new(1)).await.expect("is kept"));
    assert!(!text.contains("hunter2"), "{text}");
    let dump =
        foundation.call(foundation::node::TakeDump { directory: directory.path().join("dumps") });
    let dump = std::fs::read_to_string(dump.await.expect("has room").path).expect("is text");
    assert!(!dump.contains("hunter2"), "{dump}");
    vault.set("plain", "x").await.expect("may enter");
    let last = newest(&foundation).await;
    let paths: Vec<String> = last.changes.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(paths, ["key", "many", "plain"]);
    let text = told(&[last], &vault.tree_at(Version::new(2)).await.expect("is kept"));
    assert!(text.contains("sealed") && !text.contains("hunter2"), "{text}");
    close(foundation).await;
    // And no way leads back by itself.
    let back = Foundation::builder(&store)
        .document::<Open>(Sources::defaults())
        .sealing_key(key(1))
        .start()
        .await;
    assert_eq!(back.expect_err("is a secret").kind(), ErrorKind::WrongType);
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.get().many[0].expose(), "hunter2");
}

#[tokio::test]
async fn without_a_key_no_secret_is_kept() {
    let foundation = Foundation::in_memory()
        .document::<Vault>(Sources::defaults())
        .start()
        .await
        .expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    let error = vault.set(lens!(Vault, inner.token), "hunter2").await.expect_err("has no key");
    assert_eq!(
        (error.kind(), &*error.problems()[0].path),
        (ErrorKind::NoSealingKey, "inner.token")
    );
    assert_eq!(
        vault.set("key", "hunter2").preview().await.expect_err("has none").kind(),
        ErrorKind::NoSealingKey
    );
    vault.set("plain", "open").await.expect("is no secret");
    assert_eq!(vault.get().inner.token, Secret::default());
}

#[tokio::test]
async fn a_rollback_opens_what_was_sealed() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    let first = vault.set("key", "first").await.expect("may enter").version;
    vault.set("named", BTreeMap::from([("a", "x"), ("b", "y")])).await.expect("may enter");
    vault.set("key", "second").await.expect("may enter");
    close(foundation).await;
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.at(first).await.expect("is kept").document.key.expose(), "first");
    vault.rollback(first).await.expect("opens");
    assert_eq!((vault.get().key.expose().as_str(), vault.get().named.len()), ("first", 0));
    let any = foundation.config_named("vault").expect("is there");
    let request = foundation::config::ChangeRequest::default();
    any.rollback(Version::new(2), request).await.expect("opens");
    assert_eq!(vault.get().named["b"].expose(), "y");
    let edits = vault.diff(first, Version::new(2)).await.expect("is kept");
    let paths: Vec<String> = edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(paths, ["named.a", "named.b"]);
}

#[tokio::test]
async fn what_is_shown_of_a_secret_stands_for_what_is_there() {
    let foundation =
        Foundation::in_memory().document::<Vault>(Sources::defaults()).sealing_key(key(1));
    let foundation = foundation.start().await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.set("key", "hunter2").await.expect("may enter");
    // As an editor does that reads the document, changes a field and writes it back.
    let shown = serde_json::to_string(&*vault.get()).expect("writes");
    let changed = shown.replace(r#""plain":"""#, r#""plain":"new""#);
    let put = parse::value(&changed).expect("is JSON");
    let updated = vault.set(Path::root(), put).await.expect("may enter");
    assert_eq!(updated.changes.len(), 1);
    assert_eq!((vault.get().key.expose().as_str(), &*vault.get().plain), ("hunter2", "new"));
    let sealed = vault.value("key").expect("is there").to_json();
    assert!(sealed.contains("sealed"), "{sealed}");
    let sealed: Value = parse::value(&sealed).expect("is JSON");
    assert_eq!(vault.set("key", &sealed).await.expect("is the same").changes, []);
    // Elsewhere it opens nothing.
    let error = vault.set("inner.token", &sealed).await.expect_err("is of another place");
    assert_eq!(error.kind(), ErrorKind::SecretSealed);
    let hidden = parse::value(r#"{"$secret":"hidden"}"#).expect("is JSON");
    let error = vault.set("named.a", &hidden).await.expect_err("nothing is there");
    assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::SecretUnknown, "named.a"));
}

#[tokio::test]
async fn a_patch_moves_a_secret_only_to_where_one_is_kept() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = open(&store, Some(key(1))).await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    vault.set("key", "hunter2").await.expect("may enter");
    let copy = |to: &str| serde_json::json!([{"op": "copy", "from": "/key", "path": to}]);
    let error = vault.patch(copy("/plain")).await.expect_err("is no secret");
    assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::WrongType, "plain"));
    vault.patch(copy("/inner/token")).await.expect("is one");
    vault.patch(copy("/many/0")).await.expect("is one");
    vault.patch(copy("/many/0")).await.expect("is one");
    let test = serde_json::json!([{"op": "test", "path": "/key", "value": "hunter2"}]);
    assert_eq!(vault.patch(test).await.expect_err("would tell").kind(), ErrorKind::Invalid);
    close(foundation).await;
    let foundation = open(&store, Some(key(1))).await.expect("each is sealed for its place");
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.get().inner.token.expose(), "hunter2");
    assert_eq!(vault.get().many, ["hunter2".into(), "hunter2".into()]);
}

#[tokio::test]
async fn who_was_later_learns_of_a_clash_and_not_of_the_secret() {
    let foundation =
        Foundation::in_memory().document::<Vault>(Sources::defaults()).sealing_key(key(1));
    let foundation = foundation.start().await.expect("starts");
    let vault = foundation.config::<Vault>().expect("is declared");
    let mut changes = vault.subscribe("key").expect("a path");
    vault.set("key", "first").await.expect("may enter");
    vault.set("key", "second").await.expect("may enter");
    let late =
        || vault.transaction().expect_version(Version::new(1)).on_conflict(OnConflict::Merge);
    let error = late().set("key", "third").await.expect_err("both changed it");
    assert_eq!(error.kind(), ErrorKind::VersionConflict);
    let told =
        serde_json::to_string(&foundation::error::ErrorReport::from(&error)).expect("writes");
    for word in ["first", "second", "third"] {
        assert!(!told.contains(word), "{told}");
    }
    // Alike is no clash, and what others changed is kept.
    late().set("key", "second").set("plain", "new").await.expect("is alike");
    for _ in 0..2 {
        let notice = changes.next().await.expect("goes on").expect("was changed");
        let Notice::Changed(change) = notice else { panic!("nothing went by") };
        assert!(matches!(change.after, Some(Value::Secret(_))), "{change:?}");
    }
}
