//! A table on an embedded journal, on a disk that does as it is told.

use std::io;
use std::sync::{Arc, Condvar, Mutex};

use foundation_store::clock::SystemClock;
use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, Mode};
use foundation_store::random::SystemRng;
use foundation_store::table::{TableState, Tables};
use foundation_types::{Keep, Result, TableKey, TableValue};

use crate::table::Table;

/// What the disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    SyncsWait,
    /// Writes wait for another mood.
    WritesWait,
    SyncsFail,
    Full,
}

/// A disk in memory with a mood; clones share both.
#[derive(Clone)]
pub(super) struct MoodyDisk {
    inner: MemoryDisk,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl Default for MoodyDisk {
    fn default() -> Self {
        let mood = Arc::new((Mutex::new(Mood::Works), Condvar::new()));
        Self { inner: MemoryDisk::default(), mood }
    }
}

impl MoodyDisk {
    pub(super) fn is(&self, mood: Mood) {
        *self.mood.0.lock().expect("no test panics here") = mood;
        self.mood.1.notify_all();
    }
}

struct MoodyFile {
    inner: Box<dyn DiskFile>,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl Disk for MoodyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let inner = self.inner.open(name, access)?;
        Ok(Box::new(MoodyFile { inner, mood: Arc::clone(&self.mood) }))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn sync_names(&self) -> io::Result<()> {
        self.inner.sync_names()
    }
    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.inner.lock(name, claim)
    }
    fn place(&self) -> String {
        self.inner.place()
    }
}

impl DiskFile for MoodyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mood = self.mood.0.lock().expect("no test panics here");
        let mood = self.mood.1.wait_while(mood, |mood| *mood == Mood::WritesWait);
        match *mood.expect("no test panics here") {
            Mood::Full => Err(io::ErrorKind::StorageFull.into()),
            _ => self.inner.write_at(bytes, offset),
        }
    }
    fn sync(&self) -> io::Result<()> {
        let mood = self.mood.0.lock().expect("no test panics here");
        let mood = self.mood.1.wait_while(mood, |mood| *mood == Mood::SyncsWait);
        match *mood.expect("no test panics here") {
            Mood::SyncsFail => Err(io::Error::other("the disk gave up")),
            _ => self.inner.sync(),
        }
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.inner.set_len(bytes)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

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
