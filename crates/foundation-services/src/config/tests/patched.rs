//! Patches: as one change among others, refused as a whole, computed on what is there in the end.

use foundation_types::config::LogLevel;
use foundation_types::{ErrorKind, Version};
use serde_json::json;
use tokio::task::JoinSet;

use super::sample::node;

#[tokio::test]
async fn a_merge_patch_is_one_version_and_null_gives_a_default() {
    let node = node();
    node.settings.set("interface.max_results", 7).await.expect("in range");
    let patch = json!({"interface": {"max_results": null}, "log": {"level": "debug"}});
    let updated = node.settings.patch(patch).reason("launch").await.expect("fits");
    assert_eq!((updated.version, updated.changes.len()), (Version::new(2), 2));
    let now = node.settings.get();
    assert_eq!((now.interface.max_results, now.log.level), (1_000, LogLevel::Debug));
}

#[tokio::test]
async fn a_json_patch_goes_before_the_edits_of_the_same_change() {
    let node = node();
    let patch = json!([
        {"op": "test", "path": "/log/level", "value": "info"},
        {"op": "replace", "path": "/log/level", "value": "debug"},
        {"op": "copy", "from": "/interface/max_results", "path": "/interface/query_timeout_ms"},
    ]);
    let change = node.settings.patch(patch).set("interface.max_results", 5);
    assert_eq!(change.await.expect("fits").changes.len(), 3);
    let now = node.settings.get();
    assert_eq!((now.interface.max_results, now.interface.query_timeout_ms), (5, 1_000));
}

#[tokio::test]
async fn a_patch_that_does_not_fit_changes_nothing() {
    let node = node();
    let refused = [
        (json!([{"op": "test", "path": "/log/level", "value": "warn"}]), ErrorKind::TestFailed),
        (json!([{"op": "remove", "path": "/log/levle"}]), ErrorKind::NotFound),
        (json!([{"op": "add", "path": "/log/levle", "value": 1}]), ErrorKind::UnknownKey),
        (json!({"log": {"level": "loud"}}), ErrorKind::OutOfRange),
        (json!({"interface": {"max_results": 0}}), ErrorKind::OutOfRange),
        (json!([{"op": "spin", "path": ""}]), ErrorKind::Malformed),
        (json!(7), ErrorKind::WrongType),
    ];
    for (patch, kind) in refused {
        let change = node.settings.patch(&patch).set("interface.query_timeout_ms", 5);
        let error = change.await.unwrap_err();
        assert_eq!(error.kind(), kind, "{patch}: {error}");
        assert_eq!(node.settings.version(), Version::NONE, "{patch}");
    }
    let many = vec![json!({"op": "test", "path": "", "value": {}}); 1_001];
    let error = node.settings.patch(many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_patch_that_says_what_is_there_makes_no_version() {
    let node = node();
    for patch in [json!({}), json!([]), json!({"log": {"level": "info"}})] {
        let updated = node.settings.patch(patch).await.expect("fits");
        assert_eq!((updated.version, updated.position), (Version::NONE, None));
    }
}

/// Each adds one item and says how many there were: lost updates would be two that say the same.
#[tokio::test]
async fn patches_of_many_are_computed_on_what_the_others_made() {
    let node = node();
    let bump = |_| {
        let settings = node.settings.clone();
        async move {
            loop {
                let seen = settings.get().interface.max_results;
                let patch = json!([
                    {"op": "test", "path": "/interface/max_results", "value": seen},
                    {"op": "replace", "path": "/interface/max_results", "value": seen + 1},
                ]);
                match settings.patch(patch).await {
                    Ok(_) => return,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::TestFailed),
                }
            }
        }
    };
    let mut tasks: JoinSet<()> = (0..20).map(bump).collect();
    while let Some(done) = tasks.join_next().await {
        done.expect("does not panic");
    }
    assert_eq!(node.settings.get().interface.max_results, 1_020);
}
