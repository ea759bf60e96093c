//! What a read and a change of a table cost. Run in release:
//! `cargo test --release -p foundation-services table::tests::figures -- --ignored --nocapture`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use foundation_store::clock::SystemClock;
use foundation_store::journal::MemoryJournal;
use foundation_store::table::{TableState, Tables};
use foundation_types::{Keep, StoreId};

use super::sample::{MoodyDisk, open};
use crate::table::Table;

const KEYS: u64 = 100_000;

fn in_memory(keep: Keep) -> Table<u64, u64> {
    let state = Arc::new(TableState::new("t", keep).expect("a name"));
    let mut tables = Tables::default();
    tables.link(Arc::clone(&state)).expect("the first of its name");
    let (store, bytes) = (StoreId::from_bits(1), MemoryJournal::BYTES_MAX);
    let clock = Arc::new(SystemClock::default());
    let journal = MemoryJournal::new(store, bytes, clock, Arc::new(tables));
    Table::open(Arc::new(journal), state).expect("is empty")
}

#[tokio::test]
#[ignore = "measures, does not check"]
async fn figures_in_memory() {
    for keep in [Keep::Nothing, Keep::Log] {
        let table = in_memory(keep);
        let before = Instant::now();
        for key in 0..KEYS {
            table.insert(key, key).await.expect("may enter");
        }
        let (count, each) = (KEYS as u32, before.elapsed());
        eprintln!("insert in memory, {keep} kept: {:?}", each / count);
        let before = Instant::now();
        for key in 0..KEYS {
            black_box(table.get(&(key * 7_919 % KEYS)));
        }
        eprintln!("get of {KEYS} entries: {:?}", before.elapsed() / count);
        let before = Instant::now();
        for _ in 0..KEYS {
            black_box(table.snapshot());
        }
        eprintln!("snapshot: {:?}", before.elapsed() / count);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, does not check"]
async fn figures_of_many_writers() {
    let opened = open::<u64, u64>(&MoodyDisk::default());
    let before = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let table = opened.table.clone();
        tasks.spawn(async move {
            for value in 0..1_000 {
                table.insert(task, value).await.expect("may enter");
            }
        });
    }
    tasks.join_all().await;
    eprintln!("insert, 64 writers on a disk in memory: {:?}", before.elapsed() / 64_000);
}
