//! Tests of documents: head, published, and what of the journal they follow.

use std::sync::Arc;

use foundation_types::config::Layer;
use foundation_types::limits::UNLINKED_DOCUMENTS_MAX;
use foundation_types::value::to_value;
use foundation_types::{
    Change, Data, Edit, ErrorKind, Event, EventType, Settings, StoreId, StreamName, Timestamp,
    Value, Version,
};

use super::{ConfigState, Documents, Head, Proposal, Snapshot};
use crate::clock::SystemClock;
use crate::journal::{Batch, Follower, Journal, MemoryJournal, State};
use crate::record::RecordKind;

const BYTES_MAX: usize = MemoryJournal::BYTES_MAX;

fn journal(follower: Arc<dyn Follower>) -> MemoryJournal {
    let clock = Arc::new(SystemClock::default());
    MemoryJournal::new(StoreId::from_bits(1), BYTES_MAX, clock, follower)
}

/// The change of `interface.max_results`, as version `version` of a document.
fn change(document: &str, version: u64, results: u64) -> Change {
    let edit = Edit {
        path: "interface.max_results".parse().expect("a path"),
        before: None,
        after: Some(results.into()),
    };
    Change {
        document: document.to_owned(),
        version: Version::new(version),
        schema: 1,
        time: Timestamp::UNIX_EPOCH,
        actor: None,
        reason: None,
        layer: Layer::default(),
        withdrawn: Vec::new(),
        until: None,
        changes: vec![edit],
    }
}

fn append(journal: &MemoryJournal, change: &Change) {
    let data = Data::of(change).expect("a change is JSON");
    let id = format!("{}@{}", change.document, change.version);
    let event = Event { data, ..Event::new(EventType::CONFIG_CHANGED).id(id) };
    let stream = StreamName::of_document(&change.document);
    let batch = Batch::new(stream, RecordKind::Change, vec![event]).expect("small");
    let room = journal.try_reserve(&batch).expect("open").expect("room");
    journal.append(batch, room).expect("any version");
}

fn propose(state: &ConfigState<Settings>, change: &Change, results: u64) -> Proposal {
    let mut document = Settings::default();
    document.interface.max_results = results;
    let tree = to_value(&document).expect("a tree");
    let data = Data::of(change).expect("a change is JSON");
    let snapshot = Snapshot { version: change.version, document, tree };
    state.propose(snapshot, None, change.clone(), data)
}

fn live() -> Arc<ConfigState<Settings>> {
    let state = ConfigState::new().expect("a tree");
    state.recovered(&[], None).expect("defaults are valid");
    Arc::new(state)
}

fn head_version(state: &ConfigState<Settings>) -> u64 {
    let Head { snapshot, .. } = state.head();
    snapshot.version.number()
}

#[test]
fn a_proposal_is_head_at_once_and_read_only_when_it_is_told_of() {
    let state = live();
    let journal = journal(state.clone());
    let first = change("foundation", 1, 10);
    propose(&state, &first, 10);
    assert_eq!((head_version(&state), state.current().version().number()), (1, 0));
    assert_eq!(state.current().interface.max_results, 1_000);
    append(&journal, &first);
    assert_eq!((head_version(&state), state.current().version().number()), (1, 1));
    assert_eq!(state.current().interface.max_results, 10);
}

#[test]
fn a_retreat_takes_back_what_was_computed_on_it_and_nothing_else() {
    let state = live();
    let first = propose(&state, &change("foundation", 1, 1), 1);
    let second = propose(&state, &change("foundation", 2, 2), 2);
    let third = propose(&state, &change("foundation", 3, 3), 3);
    state.retreat(second);
    assert_eq!(head_version(&state), 1);
    let again = propose(&state, &change("foundation", 2, 4), 4);
    // Who waited for what went down with the second proposal says so late.
    state.retreat(third);
    state.retreat(second);
    assert_eq!(head_version(&state), 2);
    state.retreat(again);
    state.retreat(first);
    assert_eq!(head_version(&state), 0);
    assert_eq!(state.current().interface.max_results, 1_000);
}

#[test]
fn a_retreat_after_the_news_changes_nothing() {
    let state = live();
    let journal = journal(state.clone());
    let first = change("foundation", 1, 10);
    let proposal = propose(&state, &first, 10);
    append(&journal, &first);
    state.retreat(proposal);
    assert_eq!((head_version(&state), state.current().interface.max_results), (1, 10));
}

#[test]
fn the_log_wins_over_what_was_proposed() {
    let state = live();
    let journal = journal(state.clone());
    propose(&state, &change("foundation", 1, 10), 10);
    propose(&state, &change("foundation", 2, 20), 20);
    append(&journal, &change("foundation", 1, 11));
    assert_eq!(state.current().interface.max_results, 11);
    assert_eq!(head_version(&state), 1, "what was computed on the lost one is lost");
}

#[test]
fn head_never_goes_back_while_versions_are_published() {
    let state = live();
    let journal = journal(state.clone());
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = 0;
            while seen < 5_000 {
                let head = head_version(&state);
                assert!(head >= seen, "head went from {seen} to {head}");
                seen = head;
            }
        });
        for version in 1..=5_000 {
            let change = change("foundation", version, version);
            propose(&state, &change, version);
            append(&journal, &change);
        }
        watching.join().expect("head only went on");
    });
}

#[test]
fn a_change_that_does_not_fit_the_type_leaves_the_last_good_version() {
    let state = live();
    let journal = journal(state.clone());
    let mut odd = change("foundation", 1, 10);
    odd.changes[0].after = Some(Value::from("many"));
    append(&journal, &odd);
    assert_eq!(state.current().interface.max_results, 1_000);
    let fault = state.timeline().fault().expect("it is told");
    assert_eq!(fault.kind(), ErrorKind::WrongType);
}

#[test]
fn each_change_goes_to_its_document() {
    let state = live();
    let mut documents = Documents::default();
    documents.link(state.clone()).expect("the first of its name");
    let taken = documents.link(live()).expect_err("the second of its name");
    assert_eq!(taken.kind(), ErrorKind::InvalidArgument);
    let documents = Arc::new(documents);
    let journal = journal(documents.clone());
    append(&journal, &change("shop", 1, 7));
    append(&journal, &change("foundation", 1, 10));
    append(&journal, &change("shop", 2, 8));
    assert_eq!(state.current().interface.max_results, 10);
    let (version, tree) = documents.timeline("shop").expect("in the log").last();
    assert_eq!(
        (version.number(), tree.to_json().as_str()),
        (2, r#"{"interface":{"max_results":8}}"#)
    );
    assert_eq!(documents.names(), ["foundation", "shop"]);
    assert!(documents.timeline("garden").is_none());
}

#[test]
fn an_event_in_the_stream_of_a_document_is_no_change() {
    let state = live();
    let journal = journal(state.clone());
    let stream = StreamName::of_document("foundation");
    let event = Event::new("order.placed").id("a");
    let batch = Batch::new(stream, RecordKind::Event, vec![event]).expect("small");
    let room = journal.try_reserve(&batch).expect("open").expect("room");
    journal.append(batch, room).expect("any version");
    assert_eq!(state.current().version(), Version::NONE);
    assert!(state.timeline().fault().is_none());
}

#[test]
fn documents_beyond_the_limit_are_counted() {
    let documents = Arc::new(Documents::default());
    let journal = journal(documents.clone());
    for number in 0..=UNLINKED_DOCUMENTS_MAX {
        append(&journal, &change(&format!("d{number}"), 1, 1));
    }
    append(&journal, &change("d0", 2, 2));
    assert_eq!(documents.names().len(), UNLINKED_DOCUMENTS_MAX);
    assert_eq!(documents.unfollowed(), 1);
    assert_eq!(documents.timeline("d0").expect("within").last().0, Version::new(2));
}

#[test]
fn a_document_that_stopped_following_the_log_is_in_no_snapshot() {
    let documents = Arc::new(Documents::default());
    let journal = journal(documents.clone());
    append(&journal, &change("other", 1, 10));
    let encoded = State::capture(&*documents)().expect("all is well");
    assert!(String::from_utf8_lossy(&encoded).contains("\"other\""));
    let event = Event { data: Data::from_checked("7"), ..Event::new(EventType::CONFIG_CHANGED) };
    let batch = Batch::new(
        StreamName::of_document("other"),
        RecordKind::Change,
        vec![event.id("no change")],
    )
    .expect("small");
    let room = journal.try_reserve(&batch).expect("open").expect("room");
    journal.append(batch, room).expect("any version");
    let refused = State::capture(&*documents)().expect_err("the change would be forgotten");
    assert_eq!(refused.kind(), ErrorKind::Corruption);
}
