//! Waiting for durability: one wake-up for all that share a sync.

use std::sync::{Arc, OnceLock};

use foundation_types::{Error, Result};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::batch::Appended;

/// Room among the records that wait for the disk; given back when they are durable.
#[derive(Debug)]
pub struct Room {
    pub(super) _permit: Option<OwnedSemaphorePermit>,
}

/// An append that has its place and waits to be as durable as its batch asked for. Clones wait for
/// the same.
#[derive(Clone, Debug)]
pub struct Commit {
    appended: Arc<Appended>,
    sync: Arc<Sync>,
}

impl Commit {
    pub(super) fn new(appended: Appended, sync: Arc<Sync>) -> Self {
        Self { appended: Arc::new(appended), sync }
    }

    /// Where the batch goes, durable or not.
    #[must_use]
    pub fn place(&self) -> &Appended {
        &self.appended
    }

    /// Whether it is known how it ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.sync.outcome.get().is_some()
    }

    /// Waits until the batch is as durable as it asked for and every follower knows of it.
    ///
    /// # Errors
    /// `DiskFull` if there was no space for it or for what was placed before it, `Fenced` or
    /// `Disk` if the disk failed before it was written: nothing was applied. `Indeterminate` if
    /// the disk failed while it was written.
    pub async fn durable(&self) -> Result<&Appended> {
        self.sync.done().await.map(|()| &*self.appended)
    }
}

/// One sync of the disk and everybody who waits for it.
#[derive(Debug, Default)]
pub(super) struct Sync {
    outcome: OnceLock<Result<()>>,
    ended: Notify,
}

impl Sync {
    /// Tells everybody how it ended. The first word counts.
    pub(super) fn finish(&self, outcome: Result<(), Error>) {
        if self.outcome.set(outcome).is_ok() {
            self.ended.notify_waiters();
        }
    }

    pub(super) async fn done(&self) -> Result<()> {
        loop {
            // Registered before the look: an end between the two is not missed.
            let ended = self.ended.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome.clone();
            }
            ended.await;
        }
    }
}
