//! Many writers: no lost update, and a conflict that tells what was missed.

use std::collections::BTreeSet;

use foundation_logic::config::fold;
use foundation_types::{ErrorKind, Version};

use super::sample::{Node, node};

#[tokio::test]
async fn a_conflict_tells_every_change_that_was_missed() {
    let node = node();
    for results in 1..=3 {
        let update = node.settings.set("interface.max_results", results).actor("ops");
        update.await.expect("in range");
    }
    let stale = node.settings.set("log.level", "warn").expect_version(Version::new(1));
    let error = stale.await.expect_err("two changes were missed");
    insta::assert_snapshot!(format!("{}: {error}", error.code()), @r#"version_conflict: document "foundation" is at version 3, not at the expected version 1"#);
    let conflict = error.conflict().expect("it is one");
    assert_eq!((conflict.expected, conflict.actual), (Version::new(1), Version::new(3)));
    let missed: Vec<u64> = conflict.missed.iter().map(|change| change.version.number()).collect();
    assert_eq!(missed, [2, 3]);
    assert_eq!(conflict.missed[0].actor.as_deref(), Some("ops"));
    assert_eq!(node.settings.version(), Version::new(3));
}

#[tokio::test]
async fn a_conflict_carries_the_newest_hundred() {
    let node = node();
    for results in 1..=150 {
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    let stale = node.settings.set("log.level", "warn").expect_version(Version::NONE);
    let error = stale.await.expect_err("all were missed");
    let missed = &error.conflict().expect("it is one").missed;
    assert_eq!(
        (missed.len(), missed[0].version, missed[99].version.number()),
        (100, Version::new(51), 150)
    );
}

#[tokio::test]
async fn expecting_what_is_not_there_yet_is_a_conflict() {
    let node = node();
    let early = node.settings.set("log.level", "warn").expect_version(Version::new(5));
    let error = early.await.expect_err("nothing was changed yet");
    let conflict = error.conflict().expect("it is one");
    assert_eq!((conflict.actual, conflict.missed.len()), (Version::NONE, 0));
}

/// Versions count up by one, and the log folds to what is published.
async fn assert_log_is_state(node: &Node, versions: u64) {
    let changes = node.changes().await;
    let numbers: Vec<u64> = changes.iter().map(|change| change.version.number()).collect();
    assert_eq!(numbers, (1..=versions).collect::<Vec<_>>());
    let folded = fold(&node.settings.defaults(), &changes).expect("folds");
    assert_eq!(&folded, node.settings.get().tree());
    assert_eq!(node.settings.version(), Version::new(versions));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_is_lost() {
    const TASKS: u64 = 16;
    const EACH: u64 = 25;
    let node = node();
    node.settings.set("interface.max_results", 1).await.expect("in range");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        let settings = node.settings.clone();
        tasks.spawn(async move {
            let mut made = Vec::new();
            while made.len() < EACH as usize {
                let seen = settings.get();
                let (version, next) = (seen.version(), seen.interface.max_results + 1);
                drop(seen);
                let update = settings.set("interface.max_results", next).expect_version(version);
                match update.await {
                    Ok(updated) => {
                        assert!(settings.version() >= updated.version, "an acked one is read");
                        made.push(updated.version);
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::VersionConflict),
                }
            }
            made
        });
    }
    let made: BTreeSet<Version> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(made.len() as u64, TASKS * EACH, "no version was given twice");
    assert_eq!(node.settings.get().interface.max_results, TASKS * EACH + 1);
    assert_log_is_state(&node, TASKS * EACH + 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_different_places_keep_each_others_work() {
    let node = node();
    let places = [
        "interface.max_results",
        "interface.query_timeout_ms",
        "telemetry.max_series_per_metric",
        "events.buffer.max_events",
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for place in places {
        let settings = node.settings.clone();
        tasks.spawn(async move {
            for value in 1..=50 {
                settings.set(place, value).await.expect("in range");
            }
        });
    }
    tasks.join_all().await;
    for place in places {
        assert_eq!(node.settings.value(place).expect("known"), 50.into());
    }
    assert_log_is_state(&node, 200).await;
}

#[tokio::test]
async fn what_can_never_change_is_not_expected_unchanged() {
    let node = node();
    let set = || node.settings.set("interface.max_results", 7);
    let misspelt = set().expect_unchanged("interface.max_resluts", Version::NONE);
    let error = misspelt.await.expect_err("has no such key");
    assert_eq!(error.problems()[0].hint.as_deref(), Some("interface.max_results"));
    let future = set().expect_unchanged("interface.max_results", Version::new(9));
    assert_eq!(future.await.expect_err("is not there").kind(), ErrorKind::NotFound);
    assert_eq!(node.settings.version(), Version::NONE);
}
