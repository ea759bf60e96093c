//! Tests of tables: head, published, what is captured, what of the journal they follow.

use std::sync::Arc;

use foundation_types::{
    Data, ErrorKind, Event, EventType, Keep, Position, StoreId, StreamName, TableKey, TableValue,
    Version,
};
use serde::{Deserialize, Serialize};

use super::{Entry, JsonKey, Placed, Step, TableState, Tables};
use crate::clock::SystemClock;
use crate::journal::{Batch, Journal, MemoryJournal};
use crate::record::RecordKind;

fn journal(tables: Arc<Tables>) -> MemoryJournal {
    let clock = Arc::new(SystemClock::default());
    MemoryJournal::new(StoreId::from_bits(1), MemoryJournal::BYTES_MAX, clock, tables)
}

fn linked<K: TableKey, V: TableValue>(name: &str) -> (Arc<TableState<K, V>>, Arc<Tables>) {
    let state = Arc::new(TableState::new(name, Keep::Log).expect("a name"));
    let mut tables = Tables::default();
    tables.link(Arc::clone(&state)).expect("the first of its name");
    (state, Arc::new(tables))
}

/// Appends what another program might have written.
fn written(journal: &MemoryJournal, stream: &str, kind: &str, data: &str) {
    let data = Data::from_json(data).expect("is JSON");
    let version = journal.head(&StreamName::from(stream)).expect("known").next();
    let event = Event { data, ..Event::new(kind).id(format!("{stream}@{version}")) };
    let batch = Batch::new(stream.into(), RecordKind::Event, vec![event]).expect("small");
    let room = journal.try_reserve(&batch).expect("open").expect("room");
    journal.append(batch, room).expect("any version");
}

fn put<K: TableKey, V: TableValue>(
    state: &TableState<K, V>,
    journal: &dyn Journal,
    key: &K,
    value: &V,
) -> Placed {
    let text = state.text_of(key).expect("may enter");
    let seen = state.look(key, &text).expect("is open");
    let step = Step::Put(Entry::of(&seen.key, value).expect("may enter"));
    state.place(journal, key, &seen, &step, &mut None).expect("is taken")
}

#[test]
fn the_log_is_given_its_types_at_the_end_and_overwritten_misfits_are_nobodys_trouble() {
    let (state, tables) = linked::<String, u64>("t");
    let journal = journal(tables);
    written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":"a","value":"none"}"#);
    written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":"b","value":2}"#);
    written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":"a","value":1}"#);
    written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":[7],"value":7}"#);
    written(&journal, "table/t", EventType::TABLE_REMOVED, r#"{"key":[7]}"#);
    assert!(state.snapshot().is_empty(), "nothing is typed before the end");
    state.recovered().expect("fits");
    let now = state.snapshot();
    let entries: Vec<_> = now.iter().map(|(key, value)| (key.as_str(), **value)).collect();
    assert_eq!(entries, [("a", 1), ("b", 2)]);
    assert_eq!((now.version(), now.position()), (Version::new(5), Position::from_engine(5)));
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    for (key, value, says) in [
        (r#""a""#, r#""many""#, "the value does not fit u64"),
        ("7", "7", "the key does not fit alloc::string::String"),
    ] {
        let (state, tables) = linked::<String, u64>("t");
        let journal = journal(tables);
        written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":"b","value":2}"#);
        let data = format!("{{\"key\":{key},\"value\":{value}}}");
        written(&journal, "table/t", EventType::TABLE_PUT, &data);
        let error = state.recovered().expect_err("does not fit");
        assert_eq!(error.kind(), ErrorKind::Malformed);
        let context = [("key", key), ("position", "2"), ("table", "t")];
        let context = context.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(error.message().starts_with(says), "{error}");
        assert_eq!(error.context(), context);
    }
}

#[test]
fn a_record_that_is_no_change_stops_the_table_and_says_so() {
    let (state, tables) = linked::<String, u64>("t");
    let journal = journal(tables.clone());
    state.recovered().expect("is empty");
    written(&journal, "table/t", EventType::TABLE_PUT, r#"{"key":"a"}"#);
    let fault = state.fault().expect("is no change");
    assert_eq!(fault.kind(), ErrorKind::Corruption);
    assert_eq!(tables.faults().len(), 1);
    let text = state.text_of(&"a".to_owned()).expect("may enter");
    assert_eq!(state.look(&"a".to_owned(), &text).expect_err("stopped").kind(), fault.kind());
}

#[test]
fn a_proposal_is_seen_by_the_next_change_and_a_moved_head_refuses() {
    let (state, tables) = linked::<String, u64>("t");
    let journal = journal(tables);
    state.recovered().expect("is empty");
    let (key, text) = ("a".to_owned(), Arc::from(r#""a""#));
    let stale = state.look(&key, &text).expect("is open");
    assert!(matches!(put(&state, &journal, &key, &1), Placed::Appended(_)));
    assert_eq!(state.get("a").as_deref(), Some(&1));
    let step = Step::Put(Entry::of(&stale.key, &2).expect("may enter"));
    let late = state.place(&journal, &key, &stale, &step, &mut None).expect("is open");
    assert!(matches!(late, Placed::Moved));
    // The same value again is another entry: who saw the first one has to look again.
    let seen = state.look(&key, &text).expect("is open");
    put(&state, &journal, &key, &1);
    let late = state.place(&journal, &key, &seen, &Step::Remove, &mut None).expect("is open");
    assert!(matches!(late, Placed::Moved));
}

#[test]
fn an_application_that_wrote_to_the_stream_once_is_counted_and_not_read() {
    let (state, tables) = linked::<String, u64>("t");
    let journal = journal(tables.clone());
    written(&journal, "table/t", "order.placed", "7");
    written(&journal, "table/other", "order.placed", "7");
    state.recovered().expect("is empty");
    assert_eq!((state.snapshot().len(), state.snapshot().version()), (0, Version::new(1)));
    assert!(matches!(put(&state, &journal, &"a".to_owned(), &1), Placed::Appended(_)));
    assert_eq!(state.get("a").as_deref(), Some(&1));
    assert_eq!(tables.names(), ["t"]);
}

/// A key that is written as its number is, and compared by it without its sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Distance(i32);

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.unsigned_abs().cmp(&other.0.unsigned_abs())
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Distance {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Distance {}

#[test]
fn keys_that_are_equal_are_one_key_in_the_log_too() {
    let (state, tables) = linked::<Distance, u64>("t");
    let journal = journal(tables);
    state.recovered().expect("is empty");
    put(&state, &journal, &Distance(7), &1);
    put(&state, &journal, &Distance(-7), &2);
    assert_eq!(state.get(&Distance(7)).as_deref(), Some(&2));
    assert_eq!(state.capture().entries(), [("7", "2")]);
}

/// A key of which a part is not written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Forgetful {
    shown: u8,
    #[serde(skip)]
    hidden: u8,
}

#[test]
fn keys_and_values_that_may_not_enter_are_refused_by_kind() {
    let hidden = Forgetful { shown: 1, hidden: 1 };
    assert_eq!(super::key_text(&hidden).expect_err("loses a part").kind(), ErrorKind::Invalid);
    let long = super::key_text(&"x".repeat(2_000)).expect_err("is long");
    assert_eq!(long.kind(), ErrorKind::TooLarge);
    let key = Arc::from("1");
    let large = Entry::of(&key, &"x".repeat(10 * 1024 * 1024)).expect_err("10 MiB");
    assert_eq!(large.kind(), ErrorKind::TooLarge);
    // What JSON cannot say reads back as null, which is no number.
    assert_eq!(Entry::of(&key, &f64::NAN).expect_err("no JSON").kind(), ErrorKind::Malformed);
    let pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(Entry::of(&key, &pairs).expect_err("no JSON").kind(), ErrorKind::Malformed);
    for name in ["", "a/b", "config/x", "ä", &"x".repeat(65)] {
        assert!(TableState::<u8, u8>::new(name, Keep::Log).is_err(), "{name:?}");
    }
}

#[test]
fn what_is_captured_depends_on_the_log_alone() {
    let (typed, tables) = linked::<i32, String>("t");
    let other = Arc::new(Tables::default());
    let journal = journal(tables);
    typed.recovered().expect("is empty");
    for key in [10, 9, -1] {
        put(&typed, &journal, &key, &format!("{key}"));
    }
    let pages = tokio::runtime::Builder::new_current_thread().build().expect("starts");
    let log = pages.block_on(journal.read_after(Position::START, usize::MAX)).expect("reads");
    crate::journal::Follower::follow(&*other, &log);
    let (capture, untyped) = (typed.capture(), other.capture());
    assert_eq!((capture.name(), capture.version().number()), ("t", 3));
    assert_eq!(capture.position(), Position::from_engine(3));
    let bytes = capture.encode();
    assert_eq!(
        str::from_utf8(&bytes),
        Ok(r#"{"version":3,"entries":[[-1,"-1"],[10,"10"],[9,"9"]]}"#)
    );
    assert_eq!(untyped[0].encode(), bytes);

    // Restored before its log is read, and after; with types and without.
    let (again, tables) = linked::<i32, String>("t");
    tables.restore("t", &bytes, capture.position()).expect("was captured");
    again.recovered().expect("fits");
    assert_eq!(again.capture().encode(), bytes);
    assert_eq!(again.snapshot().position(), capture.position());
    let (again, tables) = linked::<i32, String>("other");
    again.recovered().expect("is empty");
    tables.restore("t", &bytes, capture.position()).expect("was captured");
    let unlinked = tables.unlinked("t").expect("was made");
    assert_eq!(unlinked.capture().encode(), bytes);
    assert_eq!(unlinked.get(&JsonKey::of(&10.into())).expect("is there").as_json(), "\"10\"");
    for bad in ["", "{}", r#"{"version":1,"entries":[[1]]}"#, r#"{"version":1,"entries":[[1,2"#] {
        let error = again.restore(bad.as_bytes(), Position::START).expect_err("no capture");
        assert_eq!(error.kind(), ErrorKind::Corruption, "{bad}");
    }
}

#[test]
fn all_tables_are_captured_and_restored_as_one() {
    let (state, tables) = linked::<String, u64>("t");
    let journal = journal(tables.clone());
    written(&journal, "table/other", EventType::TABLE_PUT, r#"{"key":7,"value":[1]}"#);
    state.recovered().expect("is empty");
    put(&state, &journal, &"a".to_owned(), &1);
    let bytes = super::encode_tables(&tables.capture());
    let pages = tokio::runtime::Builder::new_current_thread().build().expect("starts");
    put(&state, &journal, &"b".to_owned(), &2);
    let log = pages.block_on(journal.read_after(Position::START, usize::MAX)).expect("reads");

    let (again, others) = linked::<String, u64>("t");
    others.restore_all(&bytes, Position::from_engine(2)).expect("was captured");
    crate::journal::Follower::follow(&*others, &log);
    again.recovered().expect("fits");
    assert_eq!(again.capture().encode(), state.capture().encode());
    assert_eq!(others.names(), ["other", "t"]);
    assert_eq!(
        super::encode_tables(&others.capture()),
        super::encode_tables(&tables.capture()),
        "a record that was in the snapshot changed nothing"
    );
    let before = super::encode_tables(&others.capture());
    let error = others.restore_all(b"{}", Position::START).expect_err("no capture");
    assert_eq!(
        (error.kind(), super::encode_tables(&others.capture())),
        (ErrorKind::Corruption, before)
    );
    others.reset();
    assert_eq!((others.names().len(), again.snapshot().len()), (1, 0));
}
