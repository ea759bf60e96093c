//! The fold of the log is the table, and the table is what was acked.

use std::collections::BTreeMap;

use foundation_store::journal::{Journal, Mode};
use foundation_types::{ErrorKind, Keep, Position};
use proptest::prelude::*;

use super::sample::{Mood, MoodyDisk, Opened, open, try_open};
use crate::table::{Swap, Table};

type Model = BTreeMap<u8, u32>;

/// One thing that happens to a table.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Insert(u8, u32),
    Remove(u8),
    Add(u8, u32),
    /// Removes what is even.
    Halve(u8),
    Swap(u8, Option<u32>, Option<u32>),
    Full,
    Space,
    Reopen,
}

fn deed() -> impl Strategy<Value = Deed> {
    let (key, value) = (|| 0..6_u8, || 0..4_u32);
    let maybe = || prop::option::of(0..4_u32);
    prop_oneof![
        4 => (key(), value()).prop_map(|(key, value)| Deed::Insert(key, value)),
        2 => key().prop_map(Deed::Remove),
        2 => (key(), value()).prop_map(|(key, value)| Deed::Add(key, value)),
        1 => key().prop_map(Deed::Halve),
        2 => (key(), maybe(), maybe()).prop_map(|(key, old, new)| Deed::Swap(key, old, new)),
        1 => Just(Deed::Full),
        2 => Just(Deed::Space),
        1 => Just(Deed::Reopen),
    ]
}

fn put(model: &mut Model, key: u8, value: Option<u32>) {
    match value {
        Some(value) => drop(model.insert(key, value)),
        None => drop(model.remove(&key)),
    }
}

/// Does it to the table, and to the model if the table did it; both have to answer alike.
async fn act(table: &Table<u8, u32>, model: &mut Model, deed: Deed) {
    let outcome = match deed {
        Deed::Insert(key, value) => table.insert(key, value).await.map(|before| {
            assert_eq!(before.as_deref().copied(), model.insert(key, value));
        }),
        Deed::Remove(key) => table.remove(&key).await.map(|before| {
            assert_eq!(before.as_deref().copied(), model.remove(&key));
        }),
        Deed::Add(key, more) => {
            let sum = |value: Option<&u32>| Some(value.unwrap_or(&0) + more);
            table.update(key, sum).await.map(|after| {
                put(model, key, sum(model.get(&key)));
                assert_eq!(after.as_deref(), model.get(&key));
            })
        }
        Deed::Halve(key) => {
            let odd = |value: Option<&u32>| value.copied().filter(|value| value % 2 == 1);
            table.update(key, odd).await.map(|after| {
                put(model, key, odd(model.get(&key)));
                assert_eq!(after.as_deref(), model.get(&key));
            })
        }
        Deed::Swap(key, old, new) => {
            table.compare_and_swap(key, old.as_ref(), new).await.map(|swap| match swap {
                Swap::Swapped => {
                    assert_eq!(model.get(&key), old.as_ref());
                    put(model, key, new);
                }
                Swap::Differs(actual) => {
                    assert_eq!(model.get(&key), actual.as_deref());
                    assert_ne!(model.get(&key), old.as_ref());
                }
            })
        }
        Deed::Full | Deed::Space | Deed::Reopen => Ok(()),
    };
    if let Err(error) = outcome {
        assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
    }
}

fn says(opened: &Opened<u8, u32>) -> Model {
    opened.table.snapshot().iter().map(|(key, value)| (*key, **value)).collect()
}

/// What the records of the journal fold to, without any code of tables.
async fn folded(journal: &dyn Journal) -> Model {
    let mut model = Model::new();
    for record in journal.read_after(Position::START, usize::MAX).await.expect("reads") {
        let event = record.decode().expect("decodes").event;
        let data: serde_json::Value = event.data.to().expect("is JSON");
        let key = data["key"].as_u64().and_then(|key| u8::try_from(key).ok()).expect("a key");
        match event.kind.as_str() {
            "foundation.table.put" => {
                let value = data["value"].as_u64().and_then(|value| u32::try_from(value).ok());
                model.insert(key, value.expect("a value"));
            }
            "foundation.table.removed" => drop(model.remove(&key)),
            other => panic!("{other} is no change"),
        }
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_fold_of_the_log_is_the_table_is_what_was_acked(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        runtime.block_on(async {
            let disk = MoodyDisk::default();
            let mut opened = open::<u8, u32>(&disk);
            let mut model = Model::new();
            for deed in deeds {
                match deed {
                    Deed::Full => disk.is(Mood::Full),
                    Deed::Space => disk.is(Mood::Works),
                    Deed::Reopen => {
                        disk.is(Mood::Works);
                        drop(opened);
                        opened = open(&disk);
                    }
                    deed => act(&opened.table, &mut model, deed).await,
                }
                assert_eq!(says(&opened), model);
            }
            assert_eq!(folded(&*opened.journal).await, model);
            let bytes = opened.state.capture().encode();
            drop(opened);
            let again = open(&disk);
            assert_eq!((says(&again), again.state.capture().encode()), (model, bytes));
        });
    }

    #[test]
    fn a_table_of_which_nothing_is_kept_does_the_same_and_writes_nothing(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        runtime.block_on(async {
            let disk = MoodyDisk::default();
            let opened = try_open(&disk, Mode::Write, Keep::Nothing).expect("opens");
            disk.is(Mood::Full);
            let mut model = Model::new();
            for deed in deeds {
                act(&opened.table, &mut model, deed).await;
                assert_eq!(says(&opened), model);
            }
            assert_eq!(opened.journal.extent().records, 0);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_from_many_tasks_lose_nothing_and_share_syncs() {
    const EACH: u64 = 100;
    let disk = MoodyDisk::default();
    let opened = open::<String, u64>(&disk);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let table = opened.table.clone();
        tasks.spawn(async move {
            let own = format!("own-{task}");
            for count in 1..=EACH {
                let more = |value: Option<&u64>| Some(value.unwrap_or(&0) + 1);
                table.update("all".to_owned(), more).await.expect("there is space");
                let now = table.update(own.clone(), more).await.expect("there is space");
                assert_eq!(now.as_deref(), Some(&count));
                assert_eq!(table.get(&own).as_deref(), Some(&count), "an acked one is read");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(opened.table.get("all").as_deref(), Some(&(16 * EACH)));
    assert_eq!((opened.table.len(), opened.table.version().number()), (17, 32 * EACH));
    let syncs = opened.journal.status().syncs;
    assert!(syncs < 32 * EACH, "{syncs} syncs for {} changes", 32 * EACH);
    let bytes = opened.state.capture().encode();
    drop(opened);
    assert_eq!(open::<String, u64>(&disk).state.capture().encode(), bytes);
}
