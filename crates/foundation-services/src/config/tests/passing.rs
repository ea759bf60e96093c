//! What is set for a time only, on a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{Follower, State};
use foundation_types::config::Origin;
use foundation_types::{ErrorKind, Position, Settings};

use super::sample::{Node, node};
use crate::config::ConfigServer;

const RESULTS: &str = "interface.max_results";

async fn results_at(node: &Node, settings: &ConfigServer<Settings>, seconds: i64) -> u64 {
    node.clock.set_seconds(seconds);
    settings.end_passing().await.expect("is taken back");
    settings.get().interface.max_results
}

#[tokio::test]
async fn what_was_there_before_is_there_again() {
    let node = node();
    let settings = &node.settings;
    let set =
        |value: u64, time: u64| settings.set(RESULTS, value).lasting(Duration::from_secs(time));
    // Over the default, then over what was set, then longer.
    set(10, 60).await.expect("in range");
    assert_eq!(results_at(&node, settings, 59).await, 10);
    assert_eq!(results_at(&node, settings, 60).await, 1_000);
    assert!(!settings.timeline().overlay().touches(&RESULTS.parse().expect("a path")));
    settings.set(RESULTS, 20).await.expect("in range");
    set(30, 60).await.expect("in range");
    let told = settings.explain(RESULTS).await.expect("is there");
    assert!(matches!(told.given[0].origin, Origin::RunTime { until: Some(_), .. }), "{told:?}");
    set(31, 100).await.expect("in range");
    assert_eq!(results_at(&node, settings, 121).await, 31);
    assert_eq!(results_at(&node, settings, 160).await, 20);
    let change = settings.last_change(&RESULTS.parse().expect("a path")).await.expect("is kept");
    assert_eq!(change.expect("one").actor.as_deref(), Some("foundation"));
    // Who sets it for good meanwhile has it so.
    set(40, 60).await.expect("in range");
    settings.set(RESULTS, 50).await.expect("in range");
    assert_eq!(results_at(&node, settings, 1_000).await, 50);
    let version = settings.version();
    assert_eq!(results_at(&node, settings, 2_000).await, 50);
    assert_eq!(settings.version(), version);
    for time in [Duration::ZERO, Duration::from_secs(400 * 86_400)] {
        let error = settings.set(RESULTS, 60).lasting(time).await.expect_err("no such time");
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
    }
}

#[tokio::test]
async fn it_is_taken_back_after_a_restart_too() {
    let node = node();
    node.settings.set(RESULTS, 20).await.expect("in range");
    let passing = node.settings.set(RESULTS, 30).lasting(Duration::from_secs(60));
    passing.await.expect("in range");
    let log = node.log().await;
    let snapshot = State::capture(&*node.documents)().expect("all is well");
    for from_snapshot in [false, true] {
        let state = Arc::new(ConfigState::<Settings>::new().expect("a tree"));
        let mut documents = Documents::default();
        documents.link(state.clone()).expect("the first of its name");
        match from_snapshot {
            true => State::restore(&documents, Position::from_engine(2), &snapshot).expect("fits"),
            false => documents.follow(&log),
        }
        assert_eq!(state.timeline().passing(), node.settings.timeline().passing());
        assert!(!state.timeline().passing().is_empty());
    }
    assert_eq!(results_at(&node, &node.settings, 60).await, 20);
}
