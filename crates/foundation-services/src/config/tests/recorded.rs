//! What is recorded of refused changes: findings and no values, and never too many.

use foundation_types::limits::REFUSALS_PER_SECOND_MAX;
use foundation_types::{ErrorKind, Version};

use super::sample::{Node, node};

const RESULTS: &str = "interface.max_results";

async fn json(node: &Node) -> String {
    let refused = node.refused().await;
    let lines = refused.iter().map(|one| serde_json::to_string(one).expect("is JSON"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_refused_change_is_recorded_with_its_findings_and_without_values() {
    let node = node();
    let change = node.settings.set(RESULTS, 987_654_321).set("log.level", "hushhush");
    change.actor("ops").reason("launch day").await.expect_err("refused");
    node.settings.unset("interface.max_resluts").await.expect_err("no such key");
    node.settings.set(RESULTS, 5).actor("x".repeat(5_000)).await.expect_err("too long");
    insta::assert_snapshot!(json(&node).await.replace(&"x".repeat(1_024), "x…"), @r#"
    {"document":"foundation","actor":"ops","reason":"launch day","refused":[{"path":"log.level","code":"config.out_of_range","message":"unknown choice"}]}
    {"document":"foundation","refused":[{"path":"interface.max_resluts","code":"not_found","message":"no key \"interface.max_resluts\" in document \"foundation\""}]}
    {"document":"foundation","actor":"x…","refused":[{"path":"actor","code":"too_large","message":"has 5000 bytes"}]}
    "#);
}

#[tokio::test]
async fn conflicts_previews_and_what_changes_nothing_are_no_refused_changes() {
    let node = node();
    node.settings.set(RESULTS, 7).await.expect("in range");
    node.settings.set(RESULTS, 7).await.expect("says so already");
    let late = node.settings.set(RESULTS, 8).expect_version(Version::NONE);
    assert_eq!(late.await.expect_err("late").kind(), ErrorKind::VersionConflict);
    node.settings.set(RESULTS, 0).preview().await.expect_err("out of range");
    assert!(node.refused().await.is_empty());
}

#[tokio::test]
async fn a_flood_is_counted_and_told_of_by_the_next_one_that_is_recorded() {
    let node = node();
    let bound = REFUSALS_PER_SECOND_MAX as usize;
    for _ in 0..bound + 25 {
        node.settings.set(RESULTS, 0).await.expect_err("out of range");
    }
    assert_eq!(node.refused().await.len(), bound);
    node.clock.set_seconds(1);
    node.settings.set(RESULTS, 0).await.expect_err("out of range");
    let refused = node.refused().await;
    assert_eq!((refused.len(), refused[bound].not_recorded), (bound + 1, 25));
}

#[tokio::test]
async fn a_journal_that_takes_nothing_changes_nothing_about_the_refusal() {
    let node = node();
    node.journal.refuses.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = node.settings.set(RESULTS, 0).await.expect_err("out of range");
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    node.journal.refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    node.settings.set(RESULTS, 0).await.expect_err("out of range");
    let refused = node.refused().await;
    assert_eq!((refused.len(), refused[0].not_recorded), (1, 1));
}
