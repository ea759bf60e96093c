//! What several writers want, brought together or told apart.

use foundation_types::config::OnConflict;
use foundation_types::{ErrorKind, Path, Version};

use super::sample::node;

const SEEN: Version = Version::NONE;

#[tokio::test]
async fn changes_of_different_places_merge_by_themselves() {
    let node = node();
    node.settings.set("log.level", "warn").await.expect("a level");
    let change = node.settings.set("interface.max_results", 7).expect_version(SEEN);
    let updated = change.on_conflict(OnConflict::Merge).await.expect("merges");
    assert_eq!((updated.version, updated.changes.len()), (Version::new(2), 1));
    let now = node.settings.get().tree().to_json();
    assert!(now.contains(r#""max_results":7"#) && now.contains(r#""level":"warn""#), "{now}");
}

#[tokio::test]
async fn a_merge_that_clashes_tells_each_place_and_changes_nothing() {
    let node = node();
    node.settings
        .transaction()
        .set("interface.max_results", 5)
        .set("log.level", "warn")
        .actor("ops")
        .await
        .expect("in range");
    let change = || {
        let ours = node.settings.transaction().set("interface.max_results", 7);
        ours.set("telemetry.host_interval_ms", 500)
            .expect_version(SEEN)
            .on_conflict(OnConflict::Merge)
    };
    for error in [change().preview().await.unwrap_err(), change().await.unwrap_err()] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @r#"document "foundation" is at version 1, not at the expected version 0, and both changed "interface.max_results""#);
        }
        let conflict = error.conflict().expect("it is one");
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                serde_json::to_string(&conflict.clashes).expect("writes"),
                @r#"[{"path":"interface.max_results","base":1000,"ours":7,"theirs":5}]"#
            );
        }
        assert_eq!(conflict.missed[0].actor.as_deref(), Some("ops"));
    }
    assert_eq!(node.settings.version(), Version::new(1));
}

#[tokio::test]
async fn what_both_changed_alike_is_no_clash_and_no_version() {
    let node = node();
    node.settings.set("log.level", "warn").await.expect("a level");
    let change = node.settings.set("log.level", "warn").expect_version(SEEN);
    let updated = change.on_conflict(OnConflict::Merge).await.expect("is the same");
    assert_eq!((updated.version, updated.position), (Version::new(1), None));
}

#[tokio::test]
async fn a_merge_is_validated_as_a_whole() {
    let node = node();
    node.settings.set("log.level", "warn").await.expect("a level");
    let change = node.settings.set("interface.max_results", 0).expect_version(SEEN);
    let error = change.on_conflict(OnConflict::Merge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
}

#[tokio::test]
async fn the_last_write_wins_if_it_is_told_to() {
    let node = node();
    node.settings.set("log.level", "warn").await.expect("a level");
    let change = node.settings.set("log.level", "debug").expect_version(SEEN);
    let updated = change.on_conflict(OnConflict::Overwrite).await.expect("overwrites");
    assert_eq!(updated.version, Version::new(2));
}

#[tokio::test]
async fn a_version_that_is_not_there_yet_is_a_conflict_for_a_merge_too() {
    let node = node();
    let change = node.settings.set("log.level", "debug").expect_version(Version::new(9));
    let error = change.on_conflict(OnConflict::Merge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionConflict);
}

#[tokio::test]
async fn a_path_that_is_expected_unchanged_is_free_of_what_others_do_elsewhere() {
    let node = node();
    for (path, value) in [("log.level", "warn".into()), ("interface.max_results", 7.into())] {
        let value: foundation_types::Value = value;
        node.settings.set(path, value).await.expect("fits");
    }
    let elsewhere = node.settings.set("log.level", "info").expect_unchanged("events", SEEN);
    assert_eq!(elsewhere.await.expect("untouched").version, Version::new(3));
    for (path, actual) in [("interface", 2), ("interface.max_results", 2), ("", 3), ("log", 3)] {
        let change = node.settings.set("log.level", "debug").expect_unchanged(path, SEEN);
        let error = change.await.expect_err(path);
        let conflict = error.conflict().expect("it is one");
        assert_eq!((conflict.expected, conflict.actual), (SEEN, Version::new(actual)), "{path}");
    }
    let error = node.settings.set("log.level", "debug").expect_unchanged("interface", SEEN);
    insta::assert_snapshot!(error.await.unwrap_err(), @r#""interface" of document "foundation" was changed by version 2, after the expected version 0"#);
    let since =
        node.settings.set("log.level", "debug").expect_unchanged("interface", Version::new(2));
    since.await.expect("untouched since");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_is_computed_anew_until_nobody_was_quicker() {
    let node = node();
    node.settings.set("interface.max_results", 1).await.expect("in range");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let settings = node.settings.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                let more = settings.retry_on_conflict(|seen, change| {
                    change.set("interface.max_results", seen.document.interface.max_results + 1)
                });
                more.await.expect("has its turn");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(node.settings.get().interface.max_results, 161);
}

#[tokio::test]
async fn what_can_never_be_met_is_tried_a_hundred_times() {
    let node = node();
    let mut tries = 0;
    let never = node.settings.retry_on_conflict(|_, change| {
        tries += 1;
        change.set("log.level", "warn").expect_version(Version::new(7))
    });
    assert_eq!(never.await.unwrap_err().kind(), ErrorKind::VersionConflict);
    assert_eq!(tries, 100);
}

#[tokio::test]
async fn the_last_change_of_a_path_is_found() {
    let node = node();
    for level in ["warn", "debug"] {
        node.settings.set("log.level", level).actor(level).await.expect("a level");
    }
    node.settings.set("interface.max_results", 7).await.expect("in range");
    let last = |path: &'static str| async {
        let path: Path = path.parse().expect("a path");
        let change = node.settings.last_change(&path).await.expect("is kept");
        change.map(|change| change.version.number())
    };
    let found = [last("log").await, last("log.level").await, last("").await, last("events").await];
    assert_eq!(found, [Some(2), Some(2), Some(3), None]);
}

/// Each counts one place up, expecting only that one unchanged: none is lost, whatever is done to
/// the other places meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_is_lost_between_writers_that_expect_paths() {
    const EACH: u64 = 20;
    let node = node();
    let places = ["interface.max_results", "interface.query_timeout_ms"];
    for place in places {
        node.settings.set(place, 1).await.expect("in range");
    }
    let mut tasks = tokio::task::JoinSet::new();
    for place in places.into_iter().cycle().take(8) {
        let settings = node.settings.clone();
        tasks.spawn(async move {
            let mut made = 0;
            while made < EACH {
                let seen = settings.get().to_snapshot();
                let path: Path = place.parse().expect("a path");
                let now = foundation_logic::lens::get(&seen.tree, &path).expect("is there");
                let now: u64 = now.to_json().parse().expect("a number");
                let change = settings.set(&path, now + 1).expect_unchanged(&path, seen.version);
                match change.await {
                    Ok(_) => made += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::VersionConflict),
                }
            }
        });
    }
    tasks.join_all().await;
    let now = node.settings.get();
    let together = (now.interface.max_results, now.interface.query_timeout_ms);
    assert_eq!(together, (4 * EACH + 1, 4 * EACH + 1));
}

#[tokio::test]
async fn what_a_merge_keeps_is_not_taken_away() {
    let node = node();
    node.settings.set("log.level", "warn").await.expect("a level");
    node.settings.set("interface.max_results", 61).await.expect("in range");
    let change = node.settings.unset("interface.max_results").expect_version(Version::new(1));
    let updated = change.on_conflict(OnConflict::Merge).await.expect("changes nothing");
    assert_eq!((updated.version, updated.position), (Version::new(2), None));
    let overlay = node.settings.timeline().overlay();
    assert!(overlay.has_in(&"interface.max_results".parse().expect("a path")));
}
