//! A table on an embedded journal, on a disk that does as it is told.

use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, Mode};
use foundation_store::random::SystemRng;
use foundation_store::table::{TableState, Tables};
use foundation_types::{Keep, Result, TableKey, TableValue};

pub(super) use crate::moody_disk::{Mood, MoodyDisk};
use crate::table::Table;

/// A table named `t` and the journal under it.
pub(super) struct Opened<K, V> {
    pub(super) disk: MoodyDisk,
    pub(super) journal: Arc<Embedded>,
    pub(super) state: Arc<TableState<K, V>>,
    pub(super) table: Table<K, V>,
}

impl<K, V> Drop for Opened<K, V> {
    /// A test that fails while a sync waits ends all the same: closing waits for the sync.
    fn drop(&mut self) {
        self.disk.is(Mood::Works);
    }
}

pub(super) fn open<K: TableKey, V: TableValue>(disk: &MoodyDisk) -> Opened<K, V> {
    try_open(disk, Mode::Write, Keep::Log).expect("the store is whole")
}

pub(super) fn try_open<K: TableKey, V: TableValue>(
    disk: &MoodyDisk,
    mode: Mode,
    keep: Keep,
) -> Result<Opened<K, V>> {
    let state = Arc::new(TableState::new("t", keep)?.with_entries_max(100));
    let mut tables = Tables::default();
    tables.link(Arc::clone(&state))?;
    let (files, rng) = (Arc::new(disk.clone()), SystemRng::default());
    let (options, clock) = (EmbeddedOptions::of(mode), Arc::new(SystemClock::default()));
    let (journal, _) = Embedded::open(files, options, clock, &rng, Arc::new(tables))?;
    let journal = Arc::new(journal);
    let shared: Arc<dyn Journal> = journal.clone();
    let table = Table::open(shared, Arc::clone(&state))?;
    Ok(Opened { disk: disk.clone(), journal, state, table })
}
