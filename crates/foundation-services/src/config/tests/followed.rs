//! Subscriptions: only real differences, in order, without gap, and one notice of a lag.

use foundation_types::{Path, Value, Version};

use super::sample::node;
use crate::config::{ConfigChange, Notice, Subscription};

async fn change(subscription: &mut Subscription) -> ConfigChange {
    match subscription.next().await.expect("readable") {
        Some(Notice::Changed(change)) => *change,
        other => panic!("a change, not {other:?}"),
    }
}

#[tokio::test]
async fn a_path_is_told_of_its_own_differences_with_their_cause() {
    let node = node();
    let settings = &node.settings;
    let mut results = settings.subscribe("interface.max_results").expect("a path");
    let mut interface = settings.subscribe("interface").expect("a path");
    let mut all = settings.subscribe(Path::root()).expect("a path");

    settings.set("log.level", "warn").await.expect("a level");
    settings.set("interface.query_timeout_ms", 50).await.expect("in range");
    let update = settings.set("interface.max_results", 250).actor("ops").reason("launch day");
    update.await.expect("in range");

    let told = change(&mut results).await;
    assert_eq!((told.before, told.after), (Some(1_000.into()), Some(250.into())));
    assert_eq!((told.version, told.actor.as_deref()), (Version::new(3), Some("ops")));
    assert_eq!(told.reason.as_deref(), Some("launch day"));
    for version in [2, 3] {
        assert_eq!(change(&mut interface).await.version, Version::new(version));
    }
    for version in [1, 2, 3] {
        assert_eq!(change(&mut all).await.version, Version::new(version));
    }
    assert!(settings.subscribe("a b").is_err());
}

#[tokio::test]
async fn what_was_told_can_be_read() {
    let node = node();
    let mut all = node.settings.subscribe(Path::root()).expect("a path");
    let settings = node.settings.clone();
    let reader = tokio::spawn(async move {
        for _ in 0..100 {
            let told = change(&mut all).await;
            assert!(settings.version() >= told.version);
        }
    });
    for results in 1..=100 {
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    reader.await.expect("nothing was told early");
}

#[tokio::test]
async fn a_slow_subscriber_is_told_once_that_it_lags_and_goes_on() {
    let node = node();
    let mut slow = node.settings.subscribe("interface").expect("a path");
    for results in 1..=2_000 {
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    let Ok(Some(Notice::Lagged { missed })) = slow.next().await else { panic!("it lags") };
    assert_eq!(missed, 2_000 - 1_024);
    for version in missed + 1..=2_000 {
        assert_eq!(change(&mut slow).await.version, Version::new(version));
    }
    node.settings.set("interface.max_results", 1).await.expect("in range");
    assert_eq!(change(&mut slow).await.version, Version::new(2_001));
}

#[tokio::test]
async fn a_subscription_from_a_version_begins_with_what_was_missed() {
    let node = node();
    for results in 1..=10 {
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    let from = node.settings.subscribe_from(Version::new(7), "interface.max_results");
    let mut from = from.await.expect("kept");
    for version in 8..=10 {
        let told = change(&mut from).await;
        assert_eq!(told.version, Version::new(version));
        assert_eq!(told.before, Some(Value::from(version - 1)));
    }
    node.settings.set("interface.max_results", 11).await.expect("in range");
    assert_eq!(change(&mut from).await.version, Version::new(11));
    let beyond = node.settings.subscribe_from(Version::new(99), Path::root()).await;
    assert!(beyond.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_from_a_version_has_no_gap_while_writers_go_on() {
    const VERSIONS: u64 = 5_000;
    let node = node();
    let from = node.settings.subscribe_from(Version::NONE, Path::root()).await;
    let mut from = from.expect("version 0 is always there");
    let settings = node.settings.clone();
    let writer = tokio::spawn(async move {
        for version in 1..=VERSIONS {
            settings.set("interface.max_results", version).await.expect("in range");
        }
    });
    let (mut told, mut missed) = (Vec::new(), 0);
    while told.last() != Some(&VERSIONS) {
        match from.next().await.expect("kept").expect("goes on") {
            Notice::Changed(change) => told.push(change.version.number()),
            Notice::Lagged { missed: more } => missed += more,
        }
    }
    writer.await.expect("writes");
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "in order, nothing twice");
    assert_eq!(told.len() as u64 + missed, VERSIONS, "what was not told was counted");
}

#[tokio::test]
async fn a_backlog_longer_than_the_buffer_is_told_without_a_lag() {
    let node = node();
    let from = node.settings.subscribe_from(Version::NONE, Path::root()).await;
    let mut from = from.expect("version 0 is always there");
    for version in 1..=3_000_u64 {
        node.settings.set("interface.max_results", version).await.expect("in range");
    }
    for version in 1..=3_000 {
        assert_eq!(change(&mut from).await.version, Version::new(version));
    }
}

#[tokio::test]
async fn a_subscription_ends_with_the_last_server_after_what_was_changed() {
    let node = node();
    let mut all = node.settings.subscribe(Path::root()).expect("a path");
    let clone = node.settings.clone();
    drop(node.settings);
    clone.set("log.level", "warn").await.expect("a level");
    drop(clone);
    assert_eq!(change(&mut all).await.version, Version::new(1));
    assert_eq!(all.next().await.expect("readable"), None);
    assert_eq!(all.next().await.expect("readable"), None);
}

#[tokio::test]
async fn a_subscription_that_waits_ends_when_the_document_is_closed() {
    let node = node();
    let mut all = node.settings.subscribe(Path::root()).expect("a path");
    let waiting = tokio::spawn(async move { all.next().await });
    tokio::task::yield_now().await;
    node.settings.close();
    assert_eq!(waiting.await.expect("no panic").expect("readable"), None);
}

#[tokio::test]
async fn stuck_and_panicking_subscribers_harm_nobody() {
    let node = node();
    let _stuck = node.settings.subscribe(Path::root()).expect("a path");
    let mut panicking = node.settings.subscribe(Path::root()).expect("a path");
    let mut well = node.settings.subscribe(Path::root()).expect("a path");
    let panics = tokio::spawn(async move {
        panicking.next().await.expect("readable");
        panic!("a subscriber of the application gave up");
    });
    for version in 1..=1_000 {
        node.settings.set("interface.max_results", version).await.expect("in range");
        assert_eq!(change(&mut well).await.version, Version::new(version));
    }
    assert!(panics.await.expect_err("it did").is_panic());
}
