//! What the callers of a journal, its writer and its upkeep share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use foundation_types::{Error, ErrorKind, Result, StoreId, StreamName, Version};
use tokio::sync::{Semaphore, oneshot};

use super::archive::{ArchivedSegment, ArchivedStore};
use super::group::Group;
use super::heads::Heads;
use super::log::SegmentLog;
use super::upkeep::{Captured, Sealed};
use crate::clock::Clock;
use crate::disk::{Disk, LockGuard, Pool};
use crate::journal::batch::Batch;
use crate::journal::commit::{Commit, Room, Sync};
use crate::journal::follower::Follower;
use crate::journal::lane::Lane;
use crate::journal::retention::Holds;

pub(super) struct Shared {
    pub(super) store: StoreId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: SegmentLog,
    /// Versions of the streams that were let go of.
    pub(super) heads: ArcSwap<Heads>,
    pub(super) disk: Arc<dyn Disk>,
    /// The same disk, if it is one that has an archive.
    pub(super) archived: Option<Arc<ArchivedStore>>,
    pub(super) pool: Arc<Pool>,
    pub(super) follower: Arc<dyn Follower>,
    pub(super) intake: Mutex<Intake>,
    /// Wakes the writer.
    pub(super) work: Condvar,
    /// Bytes that may wait for the disk.
    pub(super) room: Arc<Semaphore>,
    /// The last sequence number that followers were told of: as durable as its batch asked for.
    pub(super) durable: AtomicU64,
    /// The last sequence number that is synced.
    pub(super) synced: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) fenced: OnceLock<Error>,
    /// Why the last group was not written, if that was for want of space.
    pub(super) full: Mutex<Option<Error>>,
    /// The last record of the newest snapshot; 0 if there is none.
    pub(super) snapshot: AtomicU64,
    /// Held by whoever makes indices and snapshots or lets go of segments.
    pub(super) upkeep: Mutex<()>,
    pub(super) sealed: Mutex<Sealed>,
    /// Why the last upkeep failed.
    pub(super) neglected: Mutex<Option<Error>>,
    pub(super) holds: Arc<Holds>,
    /// Bytes of the reserve for a full disk.
    pub(super) reserve_bytes: usize,
    pub(super) ended: Sync,
}

/// Where appends are placed.
pub(super) struct Intake {
    pub(super) lane: Lane,
    pub(super) group: Group,
    /// Who wants the states of the followers, as of a record that is synced.
    pub(super) captures: Vec<oneshot::Sender<Captured>>,
    /// Who wants everything synced that is written.
    pub(super) flushes: Vec<oneshot::Sender<()>>,
    pub(super) closing: bool,
    /// Whether the writer is done, for whatever reason.
    pub(super) ended: bool,
    pub(super) lock: Option<Box<dyn LockGuard>>,
}

impl Intake {
    /// Whether the writer has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.group.is_empty() && !self.closing && !self.has_wishes()
    }

    /// Whether somebody wants something else than to append.
    pub(super) fn has_wishes(&self) -> bool {
        !self.captures.is_empty() || !self.flushes.is_empty()
    }

    /// Gives the directory back once nobody wants it and nobody writes to it. A writer that was
    /// fenced keeps it while it is read from.
    pub(super) fn let_go(&mut self) {
        if self.closing && self.ended {
            self.lock = None;
        }
    }

    /// Gives a batch its place.
    pub(super) fn place(&mut self, shared: &Shared, batch: Batch, room: Room) -> Result<Commit> {
        let now = shared.clock.wall();
        if !self.lane.knows(&batch.stream) {
            let version = shared.version_of(&batch.stream)?;
            if version != Version::NONE {
                self.lane.learn(batch.stream.clone(), version);
            }
        }
        let Self { lane, group, .. } = self;
        let durability = batch.durability;
        let (appended, sync) =
            group.add(room, durability, |frames| lane.place(batch, now, frames))?;
        Ok(Commit::new(appended, sync))
    }
}

impl Shared {
    pub(super) fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version of a stream of which no record was recovered.
    pub(super) fn version_of(&self, stream: &StreamName) -> Result<Version> {
        // In this order: what a segment says that is being let go of is in the heads before.
        let in_log = self.log.stream_version(stream.as_str())?;
        let let_go = || self.heads.load().version(stream.as_str());
        Ok(in_log.or_else(let_go).unwrap_or(Version::NONE))
    }

    /// Asks the writer for something.
    pub(super) fn wish(&self, ask: impl FnOnce(&mut Intake)) -> Result<()> {
        let mut intake = self.intake();
        self.check_open()?;
        if intake.closing {
            return Err(super::closing());
        }
        ask(&mut intake);
        drop(intake);
        self.work.notify_one();
        Ok(())
    }

    /// The store with its archive.
    pub(super) fn archive(&self) -> Result<&ArchivedStore> {
        self.archived.as_deref().ok_or_else(|| {
            let message = "the store was opened without an archive";
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }

    /// The segments that are in the archive alone, oldest first.
    pub(super) fn away(&self) -> Result<Vec<ArchivedSegment>> {
        self.archived.as_ref().map_or(Ok(Vec::new()), |archived| archived.away())
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// The writer is done. Upkeep that was begun ends before, and none is begun after: the directory
    /// may be somebody else's then.
    pub(super) fn end(&self, outcome: Result<()>) {
        let upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let mut intake = self.intake();
        intake.ended = true;
        intake.let_go();
        drop(intake);
        drop(upkeep);
        self.ended.finish(outcome);
    }

    pub(super) fn note_space(&self, full: Option<Error>) {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = full;
    }

    pub(super) fn note_upkeep(&self, outcome: Result<()>) {
        *self.neglected.lock().unwrap_or_else(PoisonError::into_inner) = outcome.err();
    }

    pub(super) fn check_open(&self) -> Result<()> {
        match self.fenced.get() {
            Some(cause) => Err(fenced_by(cause)),
            None => Ok(()),
        }
    }
}

pub(super) fn fenced_by(cause: &Error) -> Error {
    Error::new(
        ErrorKind::Fenced,
        "the journal takes no more writes since one failed; nothing was applied",
    )
    .caused_by(cause.clone())
}
