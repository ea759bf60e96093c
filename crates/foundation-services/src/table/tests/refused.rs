//! What may not enter, and what is answered when nothing may.

use foundation_store::journal::{Journal, Mode};
use foundation_types::{Data, ErrorKind, Keep, Result, Value};

use super::sample::{MoodyDisk, open, try_open};
use crate::table::AnyTable;

#[tokio::test]
async fn bad_input_is_refused_by_kind_and_changes_nothing() {
    let opened = open::<String, serde_json::Value>(&MoodyDisk::default());
    let table = &opened.table;
    let large = serde_json::Value::from("x".repeat(10 * 1024 * 1024));
    let deep = (0..100).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    let cases = [
        (table.insert("a".repeat(10_000), 1.into()).await, ErrorKind::TooLarge),
        (table.insert("a".to_owned(), large.clone()).await, ErrorKind::TooLarge),
        (table.insert("a".to_owned(), deep).await, ErrorKind::TooLarge),
        (table.update("a".to_owned(), |_| Some(large.clone())).await, ErrorKind::TooLarge),
        (table.remove(&"a".repeat(10_000)).await, ErrorKind::TooLarge),
    ];
    for (outcome, kind) in cases {
        let error = outcome.expect_err("is refused");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.context().contains(&("table".to_owned(), "t".to_owned())), "{error}");
    }
    assert_eq!((table.len(), opened.journal.extent().records), (0, 0));
}

#[tokio::test]
async fn a_full_table_takes_no_more_keys_and_still_changes_those_it_has() {
    for keep in [Keep::Log, Keep::Nothing] {
        let opened = try_open::<u32, u32>(&MoodyDisk::default(), Mode::Write, keep);
        let opened = opened.expect("opens");
        let table = &opened.table;
        for key in 0..100 {
            table.insert(key, 0).await.expect("there is room");
        }
        let error = table.insert(100, 0).await.expect_err("is full");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(error.to_string(), "table \"t\" has 100 entries, which is its limit");
        table.insert(7, 1).await.expect("is there");
        table.remove(&0).await.expect("is there");
        table.insert(100, 0).await.expect("there is room again");
    }
}

#[tokio::test]
async fn a_closed_table_is_read_and_not_written() {
    for keep in [Keep::Log, Keep::Nothing] {
        let opened = try_open::<u32, u32>(&MoodyDisk::default(), Mode::Write, keep);
        let opened = opened.expect("opens");
        opened.table.insert(1, 1).await.expect("is open");
        opened.state.close();
        for outcome in [opened.table.insert(1, 2).await, opened.table.remove(&9).await] {
            assert_eq!(outcome.expect_err("is closed").kind(), ErrorKind::Unavailable);
        }
        assert_eq!(opened.table.get(&1).as_deref(), Some(&1));
    }
}

#[tokio::test]
async fn a_store_that_was_opened_for_reading_is_only_read() {
    let disk = MoodyDisk::default();
    let opened = open::<u32, u32>(&disk);
    opened.table.insert(1, 1).await.expect("is open");
    let look = try_open::<u32, u32>(&disk, Mode::Peek, Keep::Log).expect("takes no lock");
    drop(opened);
    let read = try_open::<u32, u32>(&disk, Mode::Read, Keep::Log).expect("is free");
    for opened in [look, read] {
        for outcome in [opened.table.insert(1, 2).await, opened.table.remove(&9).await] {
            assert_eq!(outcome.expect_err("is for reading").kind(), ErrorKind::ReadOnly);
        }
        assert_eq!(opened.table.get(&1).as_deref(), Some(&1));
    }
}

#[tokio::test]
async fn a_tool_puts_what_fits_the_types_and_nothing_else() {
    let opened = open::<u32, Vec<bool>>(&MoodyDisk::default());
    let tool: &dyn AnyTable = &opened.table;
    let data = |text: &str| Data::from_json(text).expect("is JSON");
    let put = async |key: Value, text: &str| -> Result<_> { tool.put(&key, &data(text)).await };
    for (key, value) in [(Value::from("a"), "[]"), (Value::from(-1), "[]"), (1.into(), "[2]")] {
        let error = put(key, value).await.expect_err("does not fit");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
    for key in [10, 9, 8] {
        assert_eq!(put(key.into(), "[true]").await.expect("fits"), None);
    }
    assert_eq!(put(9.into(), "[ false ]").await.expect("fits"), Some(data("[true]")));
    assert_eq!(tool.value(&9.into()).expect("fits"), Some(data("[false]")));
    let page = tool.rows(None, 2).expect("reads");
    let keys: Vec<&str> = page.iter().map(|row| row.key.as_json()).collect();
    assert_eq!(keys, ["8", "9"], "in the order of the type");
    assert_eq!(tool.rows(Some(&9.into()), 2).expect("reads").len(), 1);
    assert_eq!(tool.take(&9.into()).await.expect("fits"), Some(data("[false]")));
    assert_eq!(tool.types(), ("u32", "alloc::vec::Vec<bool>"));
}
