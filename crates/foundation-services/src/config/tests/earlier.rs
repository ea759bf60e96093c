//! History, earlier versions, differences.

use std::time::Duration;

use foundation_store::config::HistoryBound;
use foundation_types::{Error, ErrorKind, Order, Path, Position, Timestamp, Version};

use super::sample::{Node, node_with};
use crate::config::HistoryQuery;

/// A node whose nth version was made in second n and has n results.
async fn node_at(versions: u64, bytes_max: usize) -> Node {
    let node = node_with(Vec::new(), bytes_max);
    for number in 1..=versions {
        node.clock.set_seconds(i64::try_from(number).expect("few"));
        node.settings.set("interface.max_results", number).await.expect("in range");
    }
    node
}

async fn numbers(node: &Node, query: HistoryQuery) -> Vec<u64> {
    let changes = node.settings.history(query).await.expect("kept");
    changes.iter().map(|change| change.version.number()).collect()
}

#[tokio::test]
async fn history_is_read_in_both_directions_and_in_part() {
    let node = node_at(5, usize::MAX).await;
    let version = |number| Some(Version::new(number));
    let all = HistoryQuery::default();
    assert_eq!(numbers(&node, all.clone()).await, [1, 2, 3, 4, 5]);
    assert_eq!(numbers(&node, HistoryQuery::newest(2)).await, [5, 4]);
    assert_eq!(numbers(&node, HistoryQuery::after(Version::new(3))).await, [4, 5]);
    assert_eq!(numbers(&node, HistoryQuery::after(Version::new(5))).await, [0; 0]);
    let part = HistoryQuery { from: version(2), to: version(4), ..all.clone() };
    assert_eq!(numbers(&node, part.clone()).await, [2, 3, 4]);
    assert_eq!(numbers(&node, HistoryQuery { limit: 1, ..part.clone() }).await, [2]);
    assert_eq!(numbers(&node, HistoryQuery { order: Order::Desc, ..part }).await, [4, 3, 2]);
    let beyond = HistoryQuery { from: version(0), to: version(u64::MAX), ..all.clone() };
    assert_eq!(numbers(&node, beyond).await, [1, 2, 3, 4, 5]);
    for limit in [0, 1_001] {
        let refused = node.settings.history(HistoryQuery { limit, ..all.clone() }).await;
        assert_eq!(refused.expect_err("out of range").kind(), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn every_earlier_version_is_what_it_was() {
    let node = node_at(200, usize::MAX).await;
    for number in (0..=200).step_by(7) {
        let earlier = node.settings.at(Version::new(number)).await.expect("kept");
        let expected = if number == 0 { 1_000 } else { number };
        assert_eq!(earlier.document.interface.max_results, expected);
        assert_eq!(earlier.version, Version::new(number));
    }
    let error = node.settings.at(Version::new(201)).await.expect_err("not made yet");
    insta::assert_snapshot!(format!("{}: {error}", error.code()), @r#"not_found: there is no version 201; the newest is 200 [document foundation]"#);
}

#[tokio::test]
async fn the_version_of_a_time_is_the_newest_recorded_by_then() {
    let node = node_at(5, usize::MAX).await;
    for (micros, version) in [(0, 0), (999_999, 0), (1_000_000, 1), (3_500_000, 3), (9_000_000, 5)]
    {
        let time = Timestamp::from_unix_micros(micros);
        let found = node.settings.version_at(time).await.expect("kept");
        assert_eq!(found, Version::new(version), "at {time}");
    }
}

#[tokio::test]
async fn the_difference_of_two_versions_leads_from_one_to_the_other() {
    let node = node_at(3, usize::MAX).await;
    let edits = node.settings.diff(Version::new(1), Version::new(3)).await.expect("kept");
    assert_eq!((edits.len(), edits[0].before.clone()), (1, Some(1.into())));
    let back = node.settings.diff(Version::new(3), Version::new(1)).await.expect("kept");
    assert_eq!(back[0].after, Some(1.into()));
    let none = node.settings.diff(Version::new(2), Version::new(2)).await.expect("kept");
    assert_eq!(none, []);
}

#[tokio::test]
async fn what_the_journal_let_go_of_is_said_to_be_gone() {
    let node = node_at(300, 10_000).await;
    node.documents.bound_histories(HistoryBound { versions: 0, age: Duration::ZERO });
    let kept = numbers(&node, HistoryQuery::default()).await;
    assert_eq!(kept.last(), Some(&300));
    assert!(kept.len() < 100, "{}", kept.len());
    let gone = HistoryQuery { from: Some(Version::new(1)), ..HistoryQuery::default() };
    assert_eq!(node.settings.history(gone).await.expect_err("gone").kind(), ErrorKind::Compacted);
    let gone = node.settings.at(Version::new(70)).await.expect_err("gone");
    insta::assert_snapshot!(redacted(&gone, kept[0]), @"compacted: version 70 is no longer known: it is made of changes to which neither the log goes back nor the history beside it, which is as long as config.history says; the first change that is kept made version [first]");
    let gone = node.settings.version_at(Timestamp::UNIX_EPOCH).await.expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::Compacted);
    let from = node.settings.subscribe_from(Version::new(64), Path::root()).await;
    let mut from = from.expect("every 64th tree is kept");
    assert_eq!(from.next().await.expect_err("gone").kind(), ErrorKind::Compacted);
    // A conflict is a conflict, even if what was missed is gone.
    let stale = node.settings.set("log.level", "warn").expect_version(Version::NONE);
    assert_eq!(stale.await.expect_err("stale").kind(), ErrorKind::VersionConflict);
}

fn redacted(error: &Error, first: u64) -> String {
    format!("{}: {}", error.code(), error.message()).replace(&first.to_string(), "[first]")
}

#[tokio::test]
async fn history_outlives_the_log_by_versions_or_by_age_and_every_state_in_it_is_known() {
    let (none, zero) = (0, Duration::ZERO);
    // A group of 64 goes as a whole, once all of it is out of the bound.
    let rows = [
        (HistoryBound { versions: 100, age: zero }, 193),
        (HistoryBound { versions: 108, age: zero }, 193),
        (HistoryBound { versions: 110, age: zero }, 129),
        (HistoryBound { versions: 1, age: zero }, 257),
        (HistoryBound { versions: 1_000, age: zero }, 1),
        (HistoryBound { versions: none, age: Duration::from_secs(100) }, 193),
        (HistoryBound { versions: none, age: Duration::from_secs(110) }, 129),
        (HistoryBound { versions: 1, age: Duration::from_secs(200) }, 65),
    ];
    for (bound, first) in rows {
        let node = node_at(300, 5_000).await;
        node.documents.bound_histories(bound);
        let kept = numbers(&node, HistoryQuery::default()).await;
        assert_eq!(kept, (first..=300).collect::<Vec<u64>>(), "{bound:?}");
        for number in first..=300 {
            let earlier = node.settings.at(Version::new(number)).await.expect("kept");
            assert_eq!(earlier.document.interface.max_results, number, "{bound:?}");
            let seconds = i64::try_from(number).expect("few") * 1_000_000;
            let time = Timestamp::from_unix_micros(seconds + 500_000);
            assert_eq!(node.settings.version_at(time).await.expect("kept"), earlier.version);
        }
        if first > 1 {
            let gone = HistoryQuery { from: Some(Version::new(first - 1)), ..Default::default() };
            let gone = node.settings.history(gone).await.expect_err("gone");
            assert_eq!(gone.kind(), ErrorKind::Compacted, "{bound:?}");
        }
        // What was let go of does not come back, and what comes is kept by the same bound.
        node.settings.set("interface.max_results", 7_u64).await.expect("in range");
        let kept = numbers(&node, HistoryQuery::default()).await;
        assert_eq!((kept[0], kept.last()), (first, Some(&301)), "{bound:?}");
    }
}

#[tokio::test]
async fn a_bound_that_is_raised_is_made_up_for_from_the_log() {
    let node = node_at(300, usize::MAX).await;
    let bound = |versions, seconds| {
        let age = Duration::from_secs(seconds);
        node.documents.bound_histories(HistoryBound { versions, age });
    };
    let journal = node.journal.clone();
    let complete = async || node.documents.complete_histories(&*journal).await.expect("reads");
    let timeline = node.documents.timeline("foundation").expect("known");
    // Beyond all that is in the log: only what is beside it is left.
    let first = || timeline.first_kept(Position::from_engine(u64::MAX)).number();
    bound(0, 0);
    assert_eq!((complete().await, first()), (false, 301));
    bound(0, 50);
    assert_eq!((complete().await, first()), (true, 193));
    bound(0, 0);
    bound(100, 0);
    assert_eq!((complete().await, complete().await, first()), (true, false, 193));
    bound(100, 200);
    assert_eq!((complete().await, complete().await, first()), (true, false, 65));
}
