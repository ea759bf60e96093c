//! A document whose paths get other names, places and meanings while what was set stays set.

use std::path::Path as FilePath;

use foundation::config::{HistoryQuery, Layer, Migrations};
use foundation::{
    Document, Error, ErrorKind, Foundation, Path, SealingKey, Secret, Shaped, Sources, Value,
    Version,
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::directory;

/// The document as the first program had it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "booth")]
#[serde(default, deny_unknown_fields)]
struct First {
    #[validate(nested)]
    limits: Limits,
    timeout_s: u64,
    #[validate(nested)]
    payment: Payment,
    old: String,
    tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    rate: u32,
    burst: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Payment {
    key: Secret<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rate: 100, burst: 10 }
    }
}

impl Default for First {
    fn default() -> Self {
        let (limits, payment) = (Limits::default(), Payment::default());
        Self { limits, timeout_s: 5, payment, old: String::new(), tags: Vec::new() }
    }
}

/// And as the third has it, with other defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "booth", schema = 3)]
#[serde(default, deny_unknown_fields)]
struct Third {
    #[validate(range(max = 1_000))]
    rate_limit: u32,
    /// Where a map was before.
    limits: u32,
    timeout_ms: u64,
    #[validate(nested)]
    secrets: Payment,
    greeting: String,
    tags: Vec<String>,
}

impl Default for Third {
    fn default() -> Self {
        Self {
            rate_limit: 200,
            limits: 3,
            timeout_ms: 9_000,
            secrets: Payment::default(),
            greeting: "hi".to_owned(),
            tags: vec!["new".to_owned()],
        }
    }
}

fn migrations() -> Migrations<Third> {
    Migrations::new()
        .to(2, |m| m.rename("limits.rate", "rate_limit").removed("limits").removed("old"))
        .to(3, |m| {
            m.moved("payment.key", "secrets.key")
                .moved("timeout_s", "timeout_ms")
                .transform("timeout_ms", |seconds: u64| Ok(seconds * 1_000))
                .default("greeting", "good day")
        })
}

fn planted(_: Value) -> Result<Value, Error> {
    panic!("planted")
}

fn key() -> SealingKey {
    SealingKey::new(&[7; 32])
}

async fn first(store: &FilePath) -> Foundation {
    let builder = Foundation::builder(store).document::<First>(Sources::defaults());
    builder.sealing_key(key()).start().await.expect("starts")
}

async fn third_with(store: &FilePath, migrations: Migrations<Third>) -> Result<Foundation, Error> {
    let builder = Foundation::builder(store).document::<Third>(Sources::defaults());
    builder.migrations(migrations).sealing_key(key()).start().await
}

async fn third(store: &FilePath) -> Foundation {
    third_with(store, migrations()).await.expect("starts")
}

async fn close(foundation: Foundation) {
    let report = foundation.shutdown(std::time::Duration::from_secs(5)).await;
    report.into_result().expect("everything is written");
}

/// A store of the first program, with five versions.
async fn written(store: &FilePath) {
    let foundation = first(store).await;
    let booth = foundation.config::<First>().expect("is declared");
    booth.set("limits.rate", 150).actor("ann").await.expect("fits");
    booth.set("timeout_s", 7).await.expect("fits");
    booth.set("payment.key", "hunter2").await.expect("there is a key");
    let both = booth.transaction().set("limits.rate", 160).set("limits.burst", 20);
    both.set("old", "gone").await.expect("fits");
    booth.set("tags", ["a", "b"]).await.expect("fits");
    close(foundation).await;
}

fn as_it_was() -> Third {
    Third {
        rate_limit: 160,
        timeout_ms: 7_000,
        secrets: Payment { key: Secret::from("hunter2".to_owned()) },
        greeting: "good day".to_owned(),
        tags: vec!["a".to_owned(), "b".to_owned()],
        ..Third::default()
    }
}

#[tokio::test]
async fn what_was_set_moves_with_its_path_and_is_logged_once() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    for _ in 0..3 {
        let foundation = third(&store).await;
        let booth = foundation.config::<Third>().expect("is declared");
        assert_eq!((booth.version().number(), &*booth.get()), (6, &as_it_was()));
        let told = booth.history(HistoryQuery::newest(1)).await.expect("is kept").remove(0);
        assert_eq!(told.actor.as_deref(), Some("foundation"));
        assert_eq!(told.reason.as_deref(), Some("schema 1 → 3"));
        assert_eq!((told.schema, told.layer), (3, Layer::RunTime));
        let told: Vec<String> = told
            .changes
            .iter()
            .map(|edit| {
                let side = |side: &Option<Value>| side.as_ref().map_or("-".into(), Value::to_json);
                let is_secret =
                    [&edit.before, &edit.after].into_iter().flatten().any(Value::has_secret);
                let sides = if is_secret {
                    (edit.before.is_some().to_string(), edit.after.is_some().to_string())
                } else {
                    (side(&edit.before), side(&edit.after))
                };
                format!("{} {} {}", edit.path, sides.0, sides.1)
            })
            .collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.join("\n"), @r#"
            greeting - "good day"
            limits {"burst":20,"rate":160} -
            old "gone" -
            payment true false
            rate_limit - 160
            secrets.key false true
            timeout_ms - 7000
            timeout_s 7 -
            "#);
        }
        // What nobody has set has the default of the type, and counts no more as set.
        let set = booth.explain("limits").await.expect("is there");
        assert_eq!((set.value, set.given.len()), (Some(3.into()), 1));
        close(foundation).await;
    }
}

#[tokio::test]
async fn earlier_versions_are_read_and_rolled_back_to_in_the_present_schema() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    let second = booth.at(Version::new(2)).await.expect("is migrated").document;
    let expected = Third {
        rate_limit: 150,
        timeout_ms: 7_000,
        greeting: "good day".to_owned(),
        ..Third::default()
    };
    assert_eq!(second, expected);
    let edits = booth.diff(Version::new(2), Version::new(6)).await.expect("both are kept");
    let places: Vec<String> = edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(places, ["rate_limit", "secrets.key", "tags"]);
    booth.rollback(Version::new(4)).await.expect("fits");
    let back = booth.get();
    assert_eq!(back.secrets.key.expose(), "hunter2");
    assert_eq!((back.rate_limit, &back.tags[..]), (160, &["new".to_owned()][..]));
    drop(back);
    close(foundation).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    assert_eq!(booth.version().number(), 7);
    assert_eq!(booth.at(Version::new(6)).await.expect("is kept").document, as_it_was());
    assert_eq!(booth.at(Version::new(2)).await.expect("is migrated").document, expected);
    close(foundation).await;
}

#[tokio::test]
async fn who_only_reads_sees_it_migrated_and_nothing_is_written() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let builder = Foundation::builder(&store).document::<Third>(Sources::defaults());
    let builder = builder.migrations(migrations()).sealing_key(key()).read_only();
    let foundation = builder.start().await.expect("starts");
    let booth = foundation.config::<Third>().expect("is declared");
    assert_eq!((booth.version().number(), &*booth.get()), (5, &as_it_was()));
    let origin = &booth.explain("rate_limit").await.expect("is there").given[0];
    assert_eq!(origin.value, Some(160.into()));
    close(foundation).await;
    // Without its type the document is what was set, under the names that it had.
    let foundation = Foundation::builder(&store).read_only().start().await.expect("starts");
    let booth = foundation.config_named("booth").expect("is in the log");
    assert_eq!(booth.value(&"timeout_s".parse::<Path>().expect("a path")).ok(), Some(7.into()));
    close(foundation).await;
}

#[tokio::test]
async fn without_the_type_the_log_of_the_migration_says_it_all() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    close(third(&store).await).await;
    let foundation = Foundation::builder(&store).start().await.expect("starts");
    let booth = foundation.config_named("booth").expect("is in the log");
    let Value::Map(tree) = booth.tree() else { panic!("a document is a map") };
    assert!(tree.get("secrets").is_some_and(Value::has_secret));
    let tree = Value::Map(tree.without("secrets"));
    insta::assert_snapshot!(tree.to_json(), @r#"{"greeting":"good day","rate_limit":160,"tags":["a","b"],"timeout_ms":7000}"#);
    // A snapshot that is made without the type serves the program that has it.
    foundation.checkpoint().await.expect("is kept");
    close(foundation).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    assert_eq!((booth.version().number(), &*booth.get()), (6, &as_it_was()));
    close(foundation).await;
}

#[tokio::test]
async fn what_cannot_be_migrated_is_refused_and_nothing_is_changed() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let refused = |migrations| {
        let store = store.clone();
        async move {
            let error = third_with(&store, migrations).await.expect_err("is refused");
            format!("{} {error}", error.code())
        }
    };
    let partly = || Migrations::<Third>::new().to(2, |m| m);
    let told = [
        refused(Migrations::new()).await,
        refused(partly()).await,
        refused(partly().to(3, |m| m.transform("timeout_s", planted))).await,
        refused(partly().to(3, |m| m.transform("payment.key", Ok::<Value, Error>))).await,
        refused(partly().to(3, |m| m.moved("tags[0]", "tag"))).await,
        refused(partly().to(4, |m| m)).await,
        refused(partly().to(3, |m| m.transform("old", Ok::<u32, Error>))).await,
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    config.migration_failed document "booth" was logged with schema 1, its type has schema 3, and no migration leads to schema 2 [document booth, version 5]
    config.migration_failed document "booth" was logged with schema 1, its type has schema 3, and no migration leads to schema 3 [document booth, version 5]
    config.migration_failed timeout_s: its transform panicked [schema 3, document booth, version 5]
    config.migration_failed payment.key: a secret has no value that could be transformed: move it [schema 3, document booth, version 5]
    config.migration_failed "tags[0]" cannot be migrated by itself: name a place without an index, and transform the list [document booth, schema 3]
    config.migration_failed a migration of document "booth" leads to schema 4: expected one after 2 and up to 3, the schema of its type
    config.migration_failed old: its transform failed: wrong type, got string "gone", expected u32 [schema 3, document booth, version 5]
    "#);
    let foundation = first(&store).await;
    assert_eq!(foundation.config::<First>().expect("is declared").version().number(), 5);
    close(foundation).await;
}

#[tokio::test]
async fn the_store_of_a_newer_schema_is_refused_with_both_numbers() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    close(third(&store).await).await;
    let builder = Foundation::builder(&store).document::<First>(Sources::defaults());
    let error = builder.sealing_key(key()).start().await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::NewerSchema);
    insta::assert_snapshot!(error, @r#"document "booth" was logged with schema 3, and its type has schema 1 [document booth, version 6]"#);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_logged_and_what_is_wrong_with_it() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let check = |migrations| {
        let builder = Foundation::builder(&store).document::<Third>(Sources::defaults());
        builder.migrations(migrations).sealing_key(key()).check_migrations()
    };
    let reports = check(migrations()).await.expect("is read");
    let [report] = &reports[..] else { panic!("there is one document: {reports:?}") };
    assert_eq!((report.from, report.to, report.version.number()), (1, 3, 5));
    assert_eq!((report.edits.len(), report.problems.len()), (8, 0));
    let higher = Migrations::<Third>::new()
        .to(2, |m| m.rename("limits.rate", "rate_limit").removed("limits"))
        .to(3, |m| {
            m.moved("payment.key", "secrets.key")
                .transform("rate_limit", |rate: u64| Ok(rate * 1_000))
        });
    let report = check(higher).await.expect("is read").remove(0);
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    old: no key "old" in document "booth"
    timeout_s: no key "timeout_s" in document "booth", did you mean timeout_ms?
    "#);
    let foundation = first(&store).await;
    assert_eq!(foundation.config::<First>().expect("is declared").version().number(), 5);
    close(foundation).await;
}

#[tokio::test]
async fn what_was_set_for_a_time_gives_way_where_it_is_migrated() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = first(&store).await;
    let booth = foundation.config::<First>().expect("is declared");
    booth.set("timeout_s", 7).await.expect("fits");
    let hour = std::time::Duration::from_secs(3_600);
    booth.set("timeout_s", 60).lasting(hour).await.expect("fits");
    booth.set("limits.rate", 9).lasting(hour).await.expect("fits");
    booth.set("tags", ["a"]).lasting(hour).await.expect("fits");
    close(foundation).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    let third = booth.get();
    assert_eq!(
        (third.timeout_ms, third.rate_limit, &third.tags[..]),
        (7_000, 200, &["a".to_owned()][..])
    );
    let given = booth.explain("tags").await.expect("is there").given;
    assert!(matches!(given[0].origin, foundation::config::Origin::RunTime { until: Some(_), .. }));
    close(foundation).await;
}

/// Every version says what was set by then: below and above a stored tree, and across the schemas.
async fn check_all_versions(foundation: &Foundation) {
    let booth = foundation.config::<Third>().expect("is declared");
    assert_eq!(booth.version().number(), 141);
    for version in 0..=141 {
        let seen = booth.at(Version::new(version)).await.expect("is kept").document;
        let expected = match version {
            0 => Third::default().rate_limit,
            71 => 70,
            version => u32::try_from(version).expect("is small"),
        };
        assert_eq!(seen.rate_limit, expected, "version {version}");
        let greeting = if version == 0 { "hi" } else { "good day" };
        assert_eq!((seen.limits, &*seen.greeting), (3, greeting), "version {version}");
    }
}

#[tokio::test]
async fn many_versions_of_two_schemas_come_out_of_a_snapshot_as_they_were() {
    let directory = directory();
    let store = directory.path().join("store");
    let foundation = first(&store).await;
    let booth = foundation.config::<First>().expect("is declared");
    for rate in 1..=70 {
        booth.set("limits.rate", rate).await.expect("fits");
    }
    close(foundation).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    for rate in 72..=141 {
        booth.set("rate_limit", rate).await.expect("fits");
    }
    check_all_versions(&foundation).await;
    close(foundation).await;
    let foundation = third(&store).await;
    check_all_versions(&foundation).await;
    close(foundation).await;
    // A program without the type makes the next snapshot.
    let foundation = Foundation::builder(&store).start().await.expect("starts");
    foundation.events().append(foundation::Event::new("between")).await.expect("may enter");
    close(foundation).await;
    let foundation = third(&store).await;
    check_all_versions(&foundation).await;
    let report = foundation.verify().await.expect("is read");
    assert!(!report.damaged, "{report:?}");
    close(foundation).await;
}

#[tokio::test]
async fn whoever_follows_from_an_earlier_version_is_told_both_schemas() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let foundation = third(&store).await;
    let booth = foundation.config::<Third>().expect("is declared");
    let mut told = booth.subscribe_from(Version::new(0), "rate_limit").await.expect("is kept");
    booth.set("rate_limit", 170).await.expect("fits");
    let mut seen = Vec::new();
    while seen.last() != Some(&(7, Some(170.into()))) {
        let notice = told.next().await.expect("is kept").expect("goes on");
        let foundation::config::Notice::Changed(change) = notice else { panic!("nobody was slow") };
        seen.push((change.version.number(), change.after));
    }
    // The first schema had no such path: what was logged of it lies elsewhere.
    assert_eq!(seen, [(1, None), (6, Some(160.into())), (7, Some(170.into()))]);
    close(foundation).await;
}
