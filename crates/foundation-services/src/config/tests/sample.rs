//! A node in small: a journal in memory, the documents that follow it, a clock set by hand, and
//! a journal that can be told to make its writers wait or to refuse them.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use foundation_store::clock::Clock;
use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{
    Batch, Commit, Extent, Journal, JournalStatus, MemoryJournal, Room, Verification,
};
use foundation_store::record::{Record, RecordKind};
use foundation_types::{
    Change, Error, ErrorKind, EventType, Position, Result, Settings, StoreId, StreamName,
    Timestamp, Version,
};
use foundation_validate::BusinessRule;
use tokio::sync::Semaphore;

use crate::config::{ConfigServer, RefusedChange};

pub(super) const STORE: StoreId = StoreId::from_bits(7);

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(super) struct HandClock(AtomicI64);

impl HandClock {
    pub(super) fn set_seconds(&self, seconds: i64) {
        self.0.store(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// A journal in memory with a door before it.
pub(super) struct Guarded {
    pub(super) inner: MemoryJournal,
    /// Nobody reserves room until it is closed; then everybody does.
    pub(super) door: Semaphore,
    /// Whether appends are refused.
    pub(super) refuses: AtomicBool,
    /// Every batch that came to be appended.
    pub(super) tried: Mutex<Vec<Batch>>,
}

#[async_trait]
impl Journal for Guarded {
    fn store_id(&self) -> StoreId {
        self.inner.store_id()
    }
    async fn reserve(&self, batch: &Batch) -> Result<Room> {
        if let Ok(permit) = self.door.acquire().await {
            permit.forget();
        }
        self.inner.reserve(batch).await
    }
    fn try_reserve(&self, batch: &Batch) -> Result<Option<Room>> {
        self.inner.try_reserve(batch)
    }
    fn append(&self, batch: Batch, room: Room) -> Result<Commit> {
        self.tried.lock().expect("no test panics here").push(batch.clone());
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::DiskFull, "there is no space for the batch"));
        }
        self.inner.append(batch, room)
    }
    fn head(&self, stream: &StreamName) -> Result<Version> {
        self.inner.head(stream)
    }
    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.inner.read_after(position, bytes_max).await
    }
    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.inner.read_before(position, bytes_max).await
    }
    async fn record(&self, position: Position) -> Result<Record> {
        self.inner.record(position).await
    }
    fn extent(&self) -> Extent {
        self.inner.extent()
    }
    fn status(&self) -> JournalStatus {
        self.inner.status()
    }
    async fn verify(&self) -> Result<Verification> {
        self.inner.verify().await
    }
    fn begin_close(&self) {
        self.inner.begin_close();
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

pub(super) struct Node {
    pub(super) journal: Arc<Guarded>,
    pub(super) documents: Arc<Documents>,
    pub(super) state: Arc<ConfigState<Settings>>,
    pub(super) clock: Arc<HandClock>,
    pub(super) settings: ConfigServer<Settings>,
}

pub(super) fn node() -> Node {
    node_with(Vec::new(), MemoryJournal::BYTES_MAX)
}

pub(super) fn node_with(rules: Vec<BusinessRule<Settings>>, bytes_max: usize) -> Node {
    let node = build(rules, bytes_max);
    node.journal.door.close();
    node
}

/// A node whose door lets nobody through until it is closed for good.
pub(super) fn node_with_door() -> Node {
    build(Vec::new(), MemoryJournal::BYTES_MAX)
}

fn build(rules: Vec<BusinessRule<Settings>>, bytes_max: usize) -> Node {
    let clock = Arc::new(HandClock::default());
    let state = Arc::new(ConfigState::new().expect("defaults are a tree"));
    let mut documents = Documents::default();
    documents.link(Arc::clone(&state)).expect("the first of its name");
    let documents = Arc::new(documents);
    let journal = Arc::new(Guarded {
        inner: MemoryJournal::new(STORE, bytes_max, clock.clone(), documents.clone()),
        door: Semaphore::new(0),
        refuses: AtomicBool::new(false),
        tried: Mutex::default(),
    });
    let settings = ConfigServer::open(journal.clone(), state.clone(), rules, clock.clone())
        .expect("defaults are valid");
    Node { journal, documents, state, clock, settings }
}

impl Node {
    /// Every record of the journal.
    pub(super) async fn log(&self) -> Vec<Record> {
        self.journal.read_after(Position::START, usize::MAX).await.expect("all is kept")
    }

    /// Every change of the settings, as the journal tells it.
    pub(super) async fn changes(&self) -> Vec<Change> {
        let log = self.log().await;
        let changes = log.iter().filter(|record| record.kind() == RecordKind::Change);
        changes
            .map(|record| record.decode().expect("decodes").event.data.to().expect("a change"))
            .collect()
    }

    /// Every refused change, as the journal tells it.
    pub(super) async fn refused(&self) -> Vec<RefusedChange> {
        let log = self.log().await;
        let recorded = log.iter().map(|record| record.decode().expect("decodes"));
        recorded
            .filter(|recorded| recorded.event.kind.as_str() == EventType::CONFIG_REFUSED)
            .map(|recorded| recorded.event.data.to().expect("a refused change"))
            .collect()
    }
}
