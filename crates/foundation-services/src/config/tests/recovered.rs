//! A document is what its journal folds to, if that may still be used.

use std::sync::Arc;

use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{Batch, Follower, Journal};
use foundation_store::record::{Record, RecordKind};
use foundation_types::{
    Change, Data, Edit, ErrorKind, Event, EventType, Result, Settings, StreamName, Timestamp,
    Value, Version,
};
use proptest::prelude::*;

use super::sample::{Node, node};
use crate::config::{ConfigServer, HistoryQuery};

/// The state of a program that opens the same journal.
fn reopened(node: &Node, log: &[Record]) -> Result<ConfigServer<Settings>> {
    let state = Arc::new(ConfigState::<Settings>::new()?);
    let mut documents = Documents::default();
    documents.link(Arc::clone(&state))?;
    documents.follow(log);
    ConfigServer::open(node.journal.clone(), state, Vec::new(), node.clock.clone())
}

fn edit(path: &str, after: Option<Value>) -> Edit {
    Edit { path: path.parse().expect("a path"), before: None, after }
}

/// Appends a change as another program might have written it.
pub(super) fn written_elsewhere(node: &Node, document: &str, version: u64, changes: Vec<Edit>) {
    let change = Change {
        document: document.to_owned(),
        version: Version::new(version),
        schema: 1,
        time: Timestamp::UNIX_EPOCH,
        actor: None,
        reason: None,
        layer: foundation_types::config::Layer::RunTime,
        withdrawn: Vec::new(),
        until: None,
        changes,
    };
    let event = Event {
        data: Data::of(&change).expect("a change is JSON"),
        ..Event::new(EventType::CONFIG_CHANGED).id(format!("{document}@{version}"))
    };
    let stream = StreamName::of_document(document);
    let batch = Batch::new(stream, RecordKind::Change, vec![event]).expect("small");
    let room = node.journal.inner.try_reserve(&batch).expect("open").expect("room");
    node.journal.inner.append(batch, room).expect("any version");
}

#[tokio::test]
async fn a_reopened_document_is_what_it_was() {
    let node = node();
    node.settings.set("interface.max_results", 250).await.expect("in range");
    node.settings.set("log.level", "warn").await.expect("a level");
    let again = reopened(&node, &node.log().await).expect("valid");
    assert_eq!((again.version(), &*again.get()), (node.settings.version(), &*node.settings.get()));
    assert_eq!(again.get().tree(), node.settings.get().tree());
    assert_eq!(again.at(Version::new(1)).await.expect("kept").document.interface.max_results, 250);
}

#[tokio::test]
async fn a_log_that_no_longer_fits_is_refused_with_every_path() {
    let node = node();
    let edits = vec![
        edit("interface.max_results", Some(Value::from("many"))),
        edit("log.colour", Some(Value::from(true))),
    ];
    written_elsewhere(&node, "foundation", 1, edits);
    let error = reopened(&node, &node.log().await).expect_err("does not fit");
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(format!("{}: {error}\n{}", error.code(), problems.join("\n")), @r#"
    config.wrong_type: interface.max_results: wrong type, got "many", expected integer, 1 to 100000 (and 1 more problem) [stage type, document foundation, version 1]
    interface.max_results: wrong type, got "many", expected integer, 1 to 100000
    log.colour: no key "log.colour" in document "foundation"
    "#);
}

#[tokio::test]
async fn a_tightened_range_is_refused_with_every_path() {
    let node = node();
    let edits = vec![
        edit("interface.max_results", Some(Value::from(0))),
        edit("interface.query_timeout_ms", Some(Value::from(0))),
    ];
    written_elsewhere(&node, "foundation", 1, edits);
    let error = reopened(&node, &node.log().await).expect_err("out of range");
    let paths: Vec<&str> = error.problems().iter().map(|problem| &*problem.path).collect();
    assert_eq!(paths, ["interface.max_results", "interface.query_timeout_ms"]);
}

#[tokio::test]
async fn a_change_after_the_type_changed_leads_from_what_was_logged() {
    let node = node();
    // The field was optional once, and was removed then.
    written_elsewhere(&node, "foundation", 1, vec![edit("interface.max_results", None)]);
    let log = node.log().await;
    let again = reopened(&node, &log).expect("has a default");
    assert_eq!(again.value("interface.max_results").expect("known"), Value::from(1_000));
    let edits = again.set("log.level", "warn").preview().await.expect("a level");
    let paths: Vec<String> = edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(paths, ["interface.max_results", "log.level"]);
}

#[tokio::test]
async fn a_document_goes_on_behind_a_gap_in_the_log() {
    let node = node();
    for results in 1..=3 {
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    let mut log = node.log().await;
    log.remove(1);
    let again = reopened(&node, &log).expect("goes on");
    assert_eq!(again.get().version().number(), 3);
    assert_eq!(again.value("interface.max_results").expect("known"), Value::from(3));
    // A version without a place in between is no gap.
    let mut log = node.log().await;
    log.swap(0, 1);
    let error = reopened(&node, &log).expect_err("version 1 follows version 2");
    assert_eq!(error.code(), "corruption");
}

#[tokio::test]
async fn a_change_from_elsewhere_is_followed() {
    let node = node();
    let mut all = node.settings.subscribe("interface.max_results").expect("a path");
    node.settings.set("interface.max_results", 1).await.expect("in range");
    let edits = vec![edit("interface.max_results", Some(Value::from(2)))];
    written_elsewhere(&node, "foundation", 2, edits);
    assert_eq!(node.settings.get().interface.max_results, 2);
    let next = node.settings.set("interface.max_results", 3).await.expect("in range");
    assert_eq!(next.version, Version::new(3));
    for _ in 0..3 {
        assert!(all.next().await.expect("readable").is_some());
    }
}

/// One update of a random history.
#[derive(Clone, Debug)]
enum Step {
    Set(&'static str, u64),
    Unset(&'static str),
    Rollback(u64),
    Both(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let place = || prop::sample::select(vec!["interface.max_results", "events.buffer.max_events"]);
    prop_oneof![
        4 => (place(), 0..5_u64).prop_map(|(place, value)| Step::Set(place, value)),
        1 => place().prop_map(Step::Unset),
        1 => (0..9_u64).prop_map(Step::Rollback),
        1 => (0..5_u64, 0..5_u64).prop_map(|(first, second)| Step::Both(first, second)),
    ]
}

#[tokio::test]
async fn history_goes_on_over_a_change_that_was_lost() {
    let node = node();
    node.clock.set_seconds(1);
    node.settings.set("interface.max_results", 100).await.expect("in range");
    // What stands in its place is somebody else's.
    written_elsewhere(&node, "other", 1, Vec::new());
    for (seconds, results) in [(2, 200), (5, 300)] {
        node.clock.set_seconds(seconds);
        node.settings.set("interface.max_results", results).await.expect("in range");
    }
    let mut log = node.log().await;
    log.remove(2);
    let again = reopened(&node, &log).expect("valid");
    assert_eq!(again.version(), Version::new(3));
    for (query, expected) in [
        (HistoryQuery::default(), vec![1, 3]),
        (HistoryQuery::newest(2), vec![3, 1]),
        (HistoryQuery::after(Version::new(1)), vec![3]),
    ] {
        let changes = again.history(query).await.expect("goes on");
        let versions: Vec<u64> = changes.iter().map(|change| change.version.number()).collect();
        assert_eq!(versions, expected);
    }
    for (seconds, version) in [(0, 0), (3, 2), (6, 3)] {
        let time = Timestamp::from_unix_micros(seconds * 1_000_000);
        assert_eq!(again.version_at(time).await.expect("known"), Version::new(version));
    }
    // It may have been current, and what it was is not known.
    let error = again.tree_at(Version::new(2)).await.expect_err("was lost");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_eq!(again.at(Version::new(3)).await.expect("kept").document.interface.max_results, 300);
}

proptest! {
    #[test]
    fn the_fold_of_the_log_is_the_state_at_every_version(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        runtime.block_on(async {
            let node = node();
            let mut trees = vec![node.settings.defaults()];
            for step in steps {
                let update = match step {
                    Step::Set(place, value) => node.settings.set(place, value),
                    Step::Unset(place) => node.settings.unset(place),
                    Step::Rollback(version) => node.settings.rollback(Version::new(version)),
                    Step::Both(first, second) => node
                        .settings
                        .set("interface.max_results", first)
                        .set("interface.query_timeout_ms", second),
                };
                let before = node.settings.version();
                if update.await.is_ok_and(|updated| updated.position.is_some()) {
                    trees.push(node.settings.get().tree().clone());
                } else {
                    assert_eq!(node.settings.version(), before);
                }
            }
            let changes = node.changes().await;
            let again = reopened(&node, &node.log().await).expect("valid");
            for (version, tree) in (0..).zip(&trees) {
                let folded = foundation_logic::config::fold(&trees[0], &changes[..version]);
                assert_eq!(&folded.expect("folds"), tree);
                let read = again.tree_at(Version::new(version as u64)).await;
                assert_eq!(&read.expect("kept"), tree);
            }
            assert_eq!(again.version().number() as usize, trees.len() - 1);
        });
    }
}
