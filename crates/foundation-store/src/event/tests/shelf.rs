//! A journal that is a list: pages of a few records, reads that can be watched, a front that can
//! be let go of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use foundation_types::{Error, ErrorKind, Position, Result, StoreId, StreamName, Version};

use crate::journal::{Batch, Commit, Extent, Journal, JournalStatus, Room, Verification};
use crate::record::Record;

type Hook = Box<dyn FnMut() + Send>;

#[derive(Default)]
pub(super) struct Shelf {
    records: Mutex<Vec<Record>>,
    before_first: AtomicU64,
    reads: AtomicU64,
    page: usize,
    /// Called before each read, without a lock.
    on_read: Mutex<Option<Hook>>,
}

impl Shelf {
    pub(super) fn with_pages_of(page: usize) -> Self {
        Self { page, ..Self::default() }
    }

    pub(super) fn put(&self, records: &[Record]) {
        self.records().extend_from_slice(records);
    }

    /// Lets go of everything up to this position.
    pub(super) fn truncate(&self, up_to: u64) {
        self.records().retain(|record| record.position().to_engine() > up_to);
        self.before_first.fetch_max(up_to, Ordering::SeqCst);
    }

    pub(super) fn before_first(&self) -> u64 {
        self.before_first.load(Ordering::SeqCst)
    }

    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    pub(super) fn on_read(&self, hook: impl FnMut() + Send + 'static) {
        *self.on_read.lock().expect("no panic under the lock") = Some(Box::new(hook));
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().expect("no panic under the lock")
    }

    fn is_read(&self) {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let hook = self.on_read.lock().expect("no panic under the lock").take();
        if let Some(mut hook) = hook {
            hook();
            *self.on_read.lock().expect("no panic under the lock") = Some(hook);
        }
    }
}

fn not_here<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unavailable, "a shelf is filled by hand"))
}

#[async_trait]
impl Journal for Shelf {
    fn store_id(&self) -> StoreId {
        StoreId::from_bits(0)
    }

    async fn reserve(&self, _: &Batch) -> Result<Room> {
        not_here()
    }

    fn try_reserve(&self, _: &Batch) -> Result<Option<Room>> {
        not_here()
    }

    fn append(&self, _: Batch, _: Room) -> Result<Commit> {
        not_here()
    }

    fn head(&self, _: &StreamName) -> Result<Version> {
        Ok(Version::NONE)
    }

    async fn read_after(&self, position: Position, _: usize) -> Result<Vec<Record>> {
        self.is_read();
        let records = self.records();
        if position.to_engine() < self.before_first() {
            return Err(Error::new(ErrorKind::Compacted, "let go of"));
        }
        let first = records.partition_point(|record| record.position() <= position);
        Ok(records.iter().skip(first).take(self.page).cloned().collect())
    }

    async fn read_before(&self, position: Position, _: usize) -> Result<Vec<Record>> {
        self.is_read();
        let records = self.records();
        let end = records.partition_point(|record| record.position() < position);
        Ok(records[end.saturating_sub(self.page)..end].to_vec())
    }

    async fn record(&self, _: Position) -> Result<Record> {
        not_here()
    }

    fn extent(&self) -> Extent {
        let records = self.records();
        let before_first = Position::from_engine(self.before_first());
        Extent {
            before_first,
            last: records.last().map_or(before_first, Record::position),
            records: records.len() as u64,
            bytes: 0,
            durable: true,
        }
    }

    fn status(&self) -> JournalStatus {
        JournalStatus::default()
    }

    async fn verify(&self) -> Result<Verification> {
        not_here()
    }

    fn begin_close(&self) {}

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
