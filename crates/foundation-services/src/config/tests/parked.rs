//! Changes that conflict and wait for somebody to decide: what is kept of them, and what becomes of
//! each choice.

use std::collections::BTreeSet;
use std::sync::Arc;

use foundation_logic::config::fold;
use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{Follower, Journal, State};
use foundation_types::config::{LogLevel, OnConflict};
use foundation_types::limits::PARKED_MAX;
use foundation_types::{Error, ErrorKind, EventId, Position, Settings, Value, Version};
use proptest::prelude::*;

use super::sample::{Node, node};
use crate::config::{Resolution, VetoTerms};

const RESULTS: &str = "interface.max_results";

/// Parks a change of the page size to this, which somebody else changed meanwhile.
async fn parked(node: &Node, ours: u64) -> EventId {
    let seen = node.settings.version();
    node.settings.set(RESULTS, 10 + seen.number()).await.expect("theirs");
    let change = node.settings.set(RESULTS, ours).set("log.level", "warn").actor("ann");
    let change = change.reason("more rows").expect_version(seen);
    let error = change.on_conflict(OnConflict::Park).await.expect_err("parked");
    id_of(&error)
}

fn id_of(error: &Error) -> EventId {
    assert_eq!(error.kind(), ErrorKind::Parked, "{error}");
    error.conflict().and_then(|conflict| conflict.parked.clone()).expect("has an id")
}

#[tokio::test]
async fn what_cannot_be_merged_waits_with_all_sides_and_what_can_is_made() {
    let node = node();
    let id = parked(&node, 500).await;
    let change = node.settings.set("log.level", "debug").expect_version(Version::NONE);
    change.on_conflict(OnConflict::Park).await.expect("nobody else changed the level");
    assert_eq!(node.settings.version().number(), 2);
    let waiting = node.settings.conflicts();
    assert_eq!((waiting.len(), &waiting[0].id), (1, &id));
    let json = serde_json::to_string_pretty(&*waiting[0]).expect("is JSON");
    insta::assert_snapshot!(json.replace(id.as_str(), "ID"), @r#"
    {
      "id": "ID",
      "document": "foundation",
      "base": 0,
      "actual": 1,
      "clashes": [
        {
          "path": "interface.max_results",
          "base": 1000,
          "ours": 500,
          "theirs": 10
        }
      ],
      "edits": [
        {
          "path": "interface.max_results",
          "after": 500
        },
        {
          "path": "log.level",
          "after": "warn"
        }
      ],
      "actor": "ann",
      "reason": "more rows",
      "time": "1970-01-01T00:00:00Z"
    }
    "#);
    assert!(node.refused().await.is_empty(), "it is not refused, it waits");
}

#[tokio::test]
async fn an_expectation_on_a_place_parks_as_well_and_a_preview_does_not() {
    let node = node();
    node.settings.set(RESULTS, 5).await.expect("theirs");
    let change = || {
        let change =
            node.settings.set("log.level", "warn").expect_unchanged(RESULTS, Version::NONE);
        change.on_conflict(OnConflict::Park)
    };
    let error = change().preview().await.expect_err("would conflict");
    assert_eq!((error.kind(), node.settings.conflicts().len()), (ErrorKind::VersionConflict, 0));
    id_of(&change().await.expect_err("parked"));
    let early = node.settings.set(RESULTS, 6).expect_version(Version::new(9));
    id_of(&early.on_conflict(OnConflict::Park).await.expect_err("parked"));
    let never = node.settings.set(RESULTS, 0).expect_version(Version::NONE);
    let error = never.on_conflict(OnConflict::Park).await.expect_err("never valid");
    assert_eq!((error.kind(), node.settings.conflicts().len()), (ErrorKind::OutOfRange, 2));
}

#[tokio::test]
async fn each_choice_does_what_it_says_and_ends_the_waiting() {
    let edited = vec![(RESULTS.parse().expect("a path"), Some(Value::from(77)))];
    let rows = [
        (Resolution::Ours, 500, LogLevel::Warn, 2),
        (Resolution::Theirs, 10, LogLevel::Info, 1),
        (Resolution::Edited(edited), 77, LogLevel::Info, 2),
    ];
    for (resolution, results, level, version) in rows {
        let node = node();
        let id = parked(&node, 500).await;
        let told =
            node.settings.resolve(id.clone(), resolution.clone()).actor("bo").reason("agreed");
        let updated = told.await.expect("decided");
        assert_eq!(updated.version.number(), version, "{resolution:?}");
        assert_eq!(node.settings.version(), updated.version);
        let now = node.settings.get();
        assert_eq!(now.interface.max_results, results, "{resolution:?}");
        assert_eq!(now.log.level, level, "{resolution:?}");
        assert!(node.settings.conflicts().is_empty());
        let reason =
            if resolution == Resolution::Ours { "agreed (waited: more rows)" } else { "agreed" };
        let again = node.settings.resolve(id.clone(), resolution).await.expect_err("decided");
        assert_eq!(again.kind(), ErrorKind::NotFound);
        assert!(again.message().contains("bo "), "who decided is told: {again}");
        assert!(again.context().iter().any(|(name, _)| name == "decided_at"), "{again}");
        if let Some(change) = node.changes().await.get(1) {
            assert_eq!(
                (change.actor.as_deref(), change.reason.as_deref()),
                (Some("bo"), Some(reason))
            );
        }
        let log = node.log().await;
        let last = log.last().expect("decided").decode().expect("decodes");
        assert_eq!(last.event.parent_id, Some(id), "the record says what it settles");
    }
}

#[tokio::test]
async fn ours_is_made_on_the_document_as_it_is_by_then_with_all_checks() {
    let node = node();
    let id = parked(&node, 500).await;
    let resolve = || node.settings.resolve(id.clone(), Resolution::Ours);
    let error = resolve().expect_version(Version::NONE).await.expect_err("is at version 1");
    assert_eq!(error.kind(), ErrorKind::VersionConflict);
    let theirs = node.settings.resolve(id.clone(), Resolution::Theirs);
    let error = theirs.expect_version(Version::NONE).await.expect_err("is at version 1");
    assert_eq!(error.kind(), ErrorKind::VersionConflict);
    let terms = VetoTerms { deadline: std::time::Duration::from_secs(10), ..VetoTerms::default() };
    let veto = node.settings.veto(RESULTS, terms, |_| Err("not today".to_owned()));
    assert_eq!(resolve().await.expect_err("vetoed").kind(), ErrorKind::Vetoed);
    assert_eq!((node.settings.conflicts().len(), node.refused().await.len()), (1, 1));
    drop(veto);
    node.settings.set("interface.query_timeout_ms", 5).await.expect("elsewhere");
    let updated = resolve().expect_version(Version::new(2)).await.expect("made");
    assert_eq!(updated.version.number(), 3);
    assert_eq!(node.settings.get().interface.query_timeout_ms, 5, "what others made stays");
    assert_eq!(node.changes().await[2].actor.as_deref(), Some("ann"), "whoever wanted it");
}

#[tokio::test]
async fn ours_that_the_document_says_already_is_decided_without_a_version() {
    let node = node();
    let id = parked(&node, 500).await;
    node.settings.set(RESULTS, 500).set("log.level", "warn").await.expect("the same");
    let updated = node.settings.resolve(id, Resolution::Ours).await.expect("decided");
    assert_eq!((updated.version.number(), updated.position), (2, None));
    assert!(node.settings.conflicts().is_empty());
}

#[tokio::test]
async fn what_is_usual_counts_only_where_a_change_does_not_say_it() {
    let node = node();
    node.settings.on_conflict("interface", OnConflict::Park).expect("a path");
    node.settings.on_conflict("log", OnConflict::Overwrite).expect("a path");
    node.settings.set(RESULTS, 5).set("log.level", "warn").await.expect("theirs");
    let late = || node.settings.transaction().expect_version(Version::NONE);
    late().set("log.level", "debug").await.expect("the last write wins");
    id_of(&late().set(RESULTS, 6).await.expect_err("parked"));
    let refused = late().set(RESULTS, 6).on_conflict(OnConflict::Refuse).await;
    assert_eq!(refused.expect_err("refused").kind(), ErrorKind::VersionConflict);
    id_of(&late().set(RESULTS, 7).set("log.level", "off").await.expect_err("the more careful"));
}

#[tokio::test]
async fn no_more_wait_than_the_limit() {
    let node = node();
    node.settings.set(RESULTS, 5).await.expect("theirs");
    let late = |by: usize| {
        let late = node.settings.set(RESULTS, 6).expect_version(Version::NONE);
        late.actor(format!("actor {by}")).on_conflict(OnConflict::Park)
    };
    for by in 0..PARKED_MAX {
        id_of(&late(by).await.expect_err("parked"));
    }
    // The same from the same waits once.
    let first = node.settings.conflicts()[0].id.clone();
    assert_eq!(id_of(&late(0).await.expect_err("waits already")), first);
    assert_eq!(node.settings.conflicts().len(), PARKED_MAX);
    let error = late(PARKED_MAX).await.expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::ParkedFull);
    assert!(error.conflict().is_some_and(|conflict| conflict.parked.is_none()));
    node.settings.resolve(first, Resolution::Theirs).await.expect("decided");
    id_of(&late(PARKED_MAX).await.expect_err("there is room for one"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_decide_at_once_one_does() {
    let node = node();
    for round in 0..20 {
        let id = parked(&node, 500 + round).await;
        let before = node.settings.version();
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..8 {
            let (settings, id) = (node.settings.clone(), id.clone());
            let resolution = if at % 2 == 0 { Resolution::Ours } else { Resolution::Theirs };
            tasks.spawn(async move { settings.resolve(id, resolution).await });
        }
        let ended = tasks.join_all().await;
        let made: Vec<_> = ended.iter().filter_map(|one| one.as_ref().ok()).collect();
        assert_eq!(made.len(), 1);
        let others = ended.iter().filter_map(|one| one.as_ref().err());
        assert!(others.map(Error::kind).all(|kind| kind == ErrorKind::NotFound));
        let steps = node.settings.version().number() - before.number();
        assert_eq!(steps, u64::from(made[0].position.is_some()));
    }
}

#[tokio::test]
async fn a_decision_goes_on_when_its_caller_leaves() {
    let node = node();
    let id = parked(&node, 500).await;
    let resolve = node.settings.resolve(id.clone(), Resolution::Ours);
    let mut resolve = Box::pin(std::future::IntoFuture::into_future(resolve));
    let started = std::future::poll_fn(|context| {
        std::task::Poll::Ready(resolve.as_mut().poll(context).is_pending())
    });
    assert!(started.await, "it is on its way");
    drop(resolve);
    let error = node.settings.resolve(id, Resolution::Theirs).await.expect_err("decided");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(node.settings.get().interface.max_results, 500);
}

/// The documents as a snapshot of `from` and the records behind a position make them.
async fn again(node: &Node, from: Option<(Position, &[u8])>) -> Vec<EventId> {
    let state = Arc::new(ConfigState::<Settings>::new().expect("a tree"));
    let mut documents = Documents::default();
    documents.link(state.clone()).expect("the first");
    if let Some((position, bytes)) = from {
        documents.restore(position, bytes).expect("a capture");
    }
    documents.follow(&node.log().await);
    state.recovered(&[], None).expect("may be used");
    assert_eq!(state.current().tree(), node.settings.get().tree());
    state.timeline().parked().list().iter().map(|one| one.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What waits is what was parked and not decided, from the log alone and from a snapshot taken
    /// anywhere; and the document is the fold of its changes.
    #[test]
    fn what_waits_is_the_fold_of_the_log(
        steps in prop::collection::vec((0_u8..4, any::<prop::sample::Index>()), 1..24),
        at in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let node = node();
            let (mut waiting, mut kept) = (Vec::<EventId>::new(), None);
            let taken = at.index(steps.len());
            for (number, (step, which)) in steps.into_iter().enumerate() {
                if step >= 2 || waiting.is_empty() {
                    waiting.push(parked(&node, 2_000 + number as u64).await);
                } else {
                    let id = waiting.remove(which.index(waiting.len()));
                    let resolution = [Resolution::Ours, Resolution::Theirs][usize::from(step)].clone();
                    node.settings.resolve(id, resolution).await.expect("waits");
                }
                if number == taken {
                    let bytes = node.documents.capture()().expect("encodes");
                    kept = Some((node.journal.extent().last, bytes));
                }
            }
            let listed: Vec<EventId> =
                node.settings.conflicts().iter().map(|one| one.id.clone()).collect();
            assert_eq!(listed, waiting);
            assert_eq!(BTreeSet::from_iter(&listed).len(), listed.len());
            assert_eq!(again(&node, None).await, waiting);
            let (position, bytes) = kept.as_ref().expect("was taken");
            assert_eq!(again(&node, Some((*position, bytes))).await, waiting);
            let folded = fold(&node.settings.defaults(), &node.changes().await).expect("folds");
            assert_eq!(&folded, node.settings.get().tree());
        });
    }
}
