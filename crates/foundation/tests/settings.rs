//! Foundation's own settings: each one does what it says, from the moment it is acked.

use foundation::telemetry::Measurement;
use foundation::{ErrorKind, Event, EventQuery, Foundation};

async fn in_memory() -> Foundation {
    Foundation::in_memory().start().await.expect("starts")
}

/// Waits, turn by turn, until what follows the settings has followed.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if what() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came");
}

#[tokio::test]
async fn a_page_has_as_many_rows_as_said() {
    let foundation = in_memory().await;
    for _ in 0..5 {
        foundation.events().append(Event::new("a")).await.expect("may enter");
    }
    foundation.settings().set("interface.max_results", 2).await.expect("may enter");
    let page = foundation.events().query(EventQuery::all()).await.expect("is answered");
    assert_eq!(page.events.len(), 2);
}

#[tokio::test]
async fn the_buffer_is_as_large_as_said_and_full_means_what_is_said() {
    let foundation = in_memory().await;
    let (settings, events) = (foundation.settings(), foundation.events());
    for _ in 0..10 {
        events.append(Event::new("a")).await.expect("may enter");
    }
    settings.set("events.buffer.max_events", 4).await.expect("may enter");
    until(|| events.stats().buffered_events <= 4).await;
    settings.set("events.buffer.overflow", "reject").await.expect("may enter");
    let error = events.append(Event::new("b")).await.expect_err("is full");
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    settings.set("events.buffer.overflow", "drop_newest").await.expect("may enter");
    let error = events.append(Event::new("b")).await.expect_err("is full");
    assert_eq!(error.kind(), ErrorKind::EventDropped);
    settings.set("events.buffer.overflow", "drop_oldest").await.expect("may enter");
    events.append(Event::new("b")).await.expect("the oldest made room");
    let stats = events.stats();
    assert_eq!((stats.offered, stats.stored), (13, 11));
    assert_eq!((stats.rejected, stats.dropped), (1, 1));
}

#[tokio::test]
async fn label_sets_beyond_the_bound_share_a_series() {
    let foundation = in_memory().await;
    let telemetry = foundation.telemetry();
    foundation.settings().set("telemetry.max_series_per_metric", 3).await.expect("may enter");
    until(|| telemetry.status().max_series_per_metric == 3).await;
    for user in 0..10 {
        let user = user.to_string();
        telemetry.execute("logins", &[("user", &user)], Measurement::Add(1));
    }
    let series = telemetry.snapshot_of("logins").len();
    assert_eq!(series, 4, "three of their own and one for all others");
}

#[tokio::test]
async fn every_field_has_a_default_a_range_and_a_sentence() {
    let foundation = in_memory().await;
    let rows: Vec<String> = foundation
        .settings()
        .fields()
        .into_iter()
        .map(|row| {
            assert!(!row.doc.is_empty() && !row.shape.is_empty(), "{}", row.path);
            format!("{} = {} ({})", row.path, row.default, row.shape)
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
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
