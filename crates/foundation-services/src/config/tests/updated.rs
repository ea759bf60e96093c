//! What an update does when all is well.

use std::sync::Arc;

use foundation_types::config::LogLevel;
use foundation_types::{ErrorKind, Settings};
use foundation_types::{EventId, EventType, Path, Problem, Value, Version};
use foundation_validate::BusinessRule;

use super::sample::{STORE, node, node_with};

#[tokio::test]
async fn what_was_set_is_read_on_every_way() {
    let node = node();
    let updated = node
        .settings
        .set("interface.max_results", 250)
        .actor("ops")
        .reason("launch day")
        .await
        .expect("in range");
    assert_eq!(updated.version, Version::new(1));
    assert_eq!(node.settings.get().interface.max_results, 250);
    assert_eq!(node.settings.get().version(), Version::new(1));
    assert_eq!(node.settings.value("interface.max_results").expect("known"), Value::from(250));
    let [edit] = updated.changes.as_slice() else { panic!("one edit: {updated:?}") };
    assert_eq!((edit.before.clone(), edit.after.clone()), (Some(1000.into()), Some(250.into())));
}

#[tokio::test]
async fn the_record_of_a_change_is_the_event_of_it() {
    let node = node();
    let updated =
        node.settings.set("log.level", LogLevel::Debug).reason("a bug").await.expect("a level");
    let log = node.log().await;
    let [record] = log.as_slice() else { panic!("one record: {log:?}") };
    let recorded = record.decode().expect("decodes");
    assert_eq!(Some(recorded.position), updated.position);
    assert_eq!(recorded.event.kind.as_str(), EventType::CONFIG_CHANGED);
    assert_eq!(recorded.event.id, Some(EventId::derived(STORE, "config/foundation@1")));
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&recorded).expect("writes"), @r#"
    {
      "position": 1,
      "stream": "config/foundation",
      "version": 1,
      "recorded": "1970-01-01T00:00:00Z",
      "type": "foundation.config.changed",
      "id": "59f92070-4466-5e79-b718-fcf86c10d9f9",
      "time": "1970-01-01T00:00:00Z",
      "source": "foundation.config",
      "subject": "foundation",
      "data": {"document":"foundation","version":1,"time":"1970-01-01T00:00:00Z","reason":"a bug","changes":[{"path":"log.level","before":"info","after":"debug"}]}
    }
    "#
    );
}

#[tokio::test]
async fn a_transaction_changes_all_or_nothing() {
    let node = node();
    let refused = node
        .settings
        .transaction()
        .set("interface.max_results", 250)
        .set("interface.query_timeout_ms", 0)
        .await;
    assert_eq!(refused.expect_err("out of range").kind(), ErrorKind::OutOfRange);
    assert_eq!(node.settings.get().interface.max_results, 1_000);
    assert!(node.changes().await.is_empty());

    let updated = node
        .settings
        .transaction()
        .set("interface.max_results", 250)
        .set("interface.query_timeout_ms", 50)
        .expect_version(Version::NONE)
        .await
        .expect("both in range");
    assert_eq!((updated.version, updated.changes.len()), (Version::new(1), 2));
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_version() {
    let node = node();
    let first = node.settings.set("interface.max_results", 250).await.expect("in range");
    let again = node.settings.set("interface.max_results", 250).await.expect("in range");
    assert_eq!((again.version, again.position, again.changes.len()), (first.version, None, 0));
    assert_eq!(node.changes().await.len(), 1);
}

#[tokio::test]
async fn what_is_unset_or_reset_has_its_default() {
    let node = node();
    let settings = &node.settings;
    for path in ["interface.max_results", "events.buffer.max_events", "log.level"] {
        let value = if path == "log.level" { Value::from("trace") } else { Value::from(7) };
        let before = settings.value(path).expect("known");
        settings.set(path, value.clone()).await.expect("in range");
        settings.unset(path).await.expect("is set");
        assert_eq!(settings.value(path).expect("known"), before);
        settings.set(path, value).await.expect("in range");
        settings.reset(path).await.expect("has a default");
        assert_eq!(settings.value(path).expect("known"), before);
    }
    settings.set("log.level", "trace").await.expect("a level");
    settings.set("interface.max_results", 9).await.expect("in range");
    settings.reset(Path::root()).await.expect("the defaults are valid");
    assert_eq!(*settings.get(), Settings::default());
}

#[tokio::test]
async fn a_preview_checks_all_and_changes_nothing() {
    let node = node();
    let edits = node.settings.set("interface.max_results", 250).preview().await.expect("in range");
    assert_eq!(edits.len(), 1);
    let refused = node.settings.set("interface.max_results", 0).preview().await;
    assert_eq!(refused.expect_err("out of range").kind(), ErrorKind::OutOfRange);
    let stale = node.settings.set("log.level", "warn").expect_version(Version::new(4));
    assert_eq!(stale.preview().await.expect_err("stale").kind(), ErrorKind::VersionConflict);
    assert_eq!(node.settings.version(), Version::NONE);
    assert!(node.changes().await.is_empty());
}

#[tokio::test]
async fn a_rollback_is_a_new_version_and_is_judged_like_any_other() {
    let no_250: BusinessRule<Settings> = Arc::new(|settings: &Settings| {
        let is_odd = settings.interface.max_results == 251 && settings.log.level == LogLevel::Warn;
        let problem = || Problem::new(ErrorKind::Invalid, "interface", "251 with warn is odd");
        is_odd.then(problem).into_iter().collect()
    });
    let node = node_with(vec![no_250], usize::MAX);
    let settings = &node.settings;
    settings.set("interface.max_results", 250).await.expect("in range");
    settings.set("log.level", "warn").await.expect("a level");
    let back = settings.rollback(Version::new(1)).reason("too quiet").await.expect("was valid");
    assert_eq!(back.version, Version::new(3));
    assert_eq!(settings.at(Version::new(1)).await.expect("kept").document, *settings.get());
    let refused = settings.set("log.level", "warn").set("interface.max_results", 251).await;
    assert_eq!(refused.expect_err("odd").problems()[0].path, "interface");
    let unknown = settings.rollback(Version::new(9)).await.expect_err("not made yet");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_rule_that_panics_refuses_and_harms_nothing() {
    let rule: BusinessRule<Settings> = Arc::new(|settings: &Settings| {
        assert_ne!(settings.interface.max_results, 13, "a rule of the application gave up");
        Vec::new()
    });
    let node = node_with(vec![rule], usize::MAX);
    let refused = node.settings.set("interface.max_results", 13).await.expect_err("panics");
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(refused.message(), "a rule of document \"foundation\" panicked");
    node.settings.set("interface.max_results", 14).await.expect("goes on");
}

#[tokio::test]
async fn a_closed_document_is_read_and_not_changed() {
    let node = node();
    node.settings.set("interface.max_results", 250).await.expect("in range");
    node.settings.close();
    let refused = node.settings.set("interface.max_results", 251).await.expect_err("closed");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(node.settings.get().interface.max_results, 250);
}

#[test]
fn every_field_has_a_row() {
    let rows = node().settings.fields();
    let text: Vec<String> =
        rows.iter().map(|row| format!("{} = {} ({})", row.path, row.value, row.shape)).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    log.level = "info" (one of off, error, warn, info, debug, trace)
    config.history.versions = 1000 (integer, 0 to 100000)
    config.history.age_s = 0 (integer, 0 to 315360000)
    events.buffer.max_events = 100000 (integer, 1 to 10000000)
    events.buffer.max_bytes = 67108864 (integer, 65536 to 17179869184)
    events.buffer.max_age_s = 0 (integer, 0 to 315360000)
    events.buffer.overflow = "drop_oldest" (one of drop_oldest, drop_newest, reject, backpressure)
    events.rules = {} (map, each map of types, action, path, bytes, tag)
    events.streams = {} (map, each map of stream, overflow, timeout_ms, max_events, max_bytes)
    events.ttl = {} (map, each map of types, stream, seconds)
    events.ttl_tag = "" (text)
    events.expiry.free = false (true or false)
    events.expiry.every_s = 60 (integer, 1 to 86400)
    events.expiry.max_files = 16 (integer, 1 to 10000)
    events.access_sampling = 64 (integer, 0 to 1000000)
    telemetry.max_series_per_metric = 2000 (integer, 1 to 100000)
    telemetry.host_interval_ms = 1000 (integer, 100 to 3600000)
    telemetry.snapshot_interval_ms = 10000 (integer, 100 to 3600000)
    journal.checkpoint_s = 300 (integer, 1 to 86400)
    journal.retention.records = 0 (integer, at least 0)
    journal.retention.bytes = 0 (integer, at least 0)
    journal.retention.age_s = 0 (integer, at least 0)
    journal.archive.after_s = 0 (integer, at least 0)
    journal.archive.keep_s = 0 (integer, at least 0)
    interface.query_timeout_ms = 10000 (integer, 1 to 3600000)
    interface.max_results = 1000 (integer, 1 to 100000)
    "#);
}
