//! The journal as a document sees it, where waiting takes turns that a seed says, and where
//! defects are planted.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use foundation_store::journal::{
    Batch, Commit, Extent, Journal, JournalStatus, Room, Verification,
};
use foundation_store::record::Record;
use foundation_types::{Error, ErrorKind, Position, Result, StoreId, StreamName, Version};

use super::scheduler::{Beside, let_others_go_first};
use super::{Dice, GatedDisk, Plant};

/// A journal whose answers come late.
pub(crate) struct Seam {
    inner: Arc<dyn Journal>,
    dice: Mutex<Dice>,
    plant: Plant,
    commits: Mutex<Vec<Commit>>,
}

impl Seam {
    pub(crate) fn new(inner: Arc<dyn Journal>, dice: Dice, plant: Plant) -> Self {
        Self { inner, dice: Mutex::new(dice), plant, commits: Mutex::default() }
    }

    fn below(&self, bound: u64) -> u64 {
        self.dice.lock().expect("no panic under the lock").below(bound)
    }

    async fn take_turns(&self) {
        for _ in 0..self.below(3) {
            let_others_go_first().await;
        }
    }

    /// Whether it is known of every append how it ended.
    fn is_done(&self) -> bool {
        let mut commits = self.commits.lock().expect("no panic under the lock");
        commits.retain(|commit| !commit.is_done());
        commits.is_empty()
    }
}

/// The thread of the journal, which goes on by one call to the disk at a time.
pub(crate) struct Writer {
    pub(crate) seam: Arc<Seam>,
    pub(crate) disk: Option<GatedDisk>,
    /// One call to the disk of so many fails.
    pub(crate) fails_one_in: Option<u64>,
}

impl Beside for Writer {
    fn settled(&self) -> bool {
        let Some(disk) = &self.disk else { return false };
        loop {
            let is_waiting = disk.is_waited_for();
            if is_waiting || self.seam.is_done() {
                return is_waiting;
            }
            std::thread::yield_now();
        }
    }

    fn step(&self, dice: &mut Dice) {
        if let Some(disk) = &self.disk {
            disk.let_through(dice, self.fails_one_in);
        }
    }
}

#[async_trait]
impl Journal for Seam {
    fn store_id(&self) -> StoreId {
        self.inner.store_id()
    }

    async fn reserve(&self, batch: &Batch) -> Result<Room> {
        self.take_turns().await;
        self.inner.reserve(batch).await
    }

    fn try_reserve(&self, batch: &Batch) -> Result<Option<Room>> {
        self.inner.try_reserve(batch)
    }

    fn append(&self, batch: Batch, room: Room) -> Result<Commit> {
        let commit = self.inner.append(batch, room)?;
        if self.plant == Plant::PublishesWhatItRefuses && self.below(4) == 0 {
            return Err(Error::new(ErrorKind::DiskFull, "there is no space, it says"));
        }
        self.commits.lock().expect("no panic under the lock").push(commit.clone());
        Ok(commit)
    }

    fn head(&self, stream: &StreamName) -> Result<Version> {
        self.inner.head(stream)
    }

    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.take_turns().await;
        self.inner.read_after(position, bytes_max).await
    }

    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.take_turns().await;
        self.inner.read_before(position, bytes_max).await
    }

    async fn record(&self, position: Position) -> Result<Record> {
        self.take_turns().await;
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
