//! The default engine: one directory, one writer thread, one sync for all who wait.
//!
//! Records go to the last of a row of segment files. Appends are placed under a short lock; the
//! writer thread takes all that was placed meanwhile as one group, seals it, writes it, syncs
//! it, tells the followers, and wakes everybody at once. A failed write or sync fences the
//! writer: it is never tried again, and only reopening, which verifies, leads out of it. A write
//! that found no space is the exception: no sync has failed, so it is cut and taken back, and
//! appends are taken again.

mod archive;
mod backup;
mod cause;
mod checkpoint;
mod fold;
mod frames;
mod group;
mod heads;
mod identity;
mod index;
mod indexing;
mod log;
mod mark;
mod options;
mod prune;
mod recovery;
mod repair;
mod reserve;
mod restore;
mod retention;
mod row;
mod scan;
mod search;
mod segment;
mod shared;
mod snapshot;
mod upkeep;
mod verify;
mod writer;

pub use archive::{
    ArchiveDirectory, ArchiveMode, ArchivePolicy, ArchiveStore, Archived, ArchivedSegment,
    ArchivedStore, archive_place,
};
pub use backup::Backup;
pub use fold::{FoldCheck, FoldedState};
pub use identity::require_store;
pub use options::{EmbeddedOptions, Mode};
pub use recovery::Recovered;
pub use repair::{
    MissingArchived, Remedy, Repair, RepairAction, RepairMode, RepairOptions,
    repair_archived_store, repair_store,
};
pub use restore::{RestoreOptions, Restored, restore};
pub use verify::{verify_archived_store, verify_store, verify_store_with};

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use foundation_types::{
    Error, ErrorKind, EventQuery, Order, Position, Result, StoreId, StreamName, Version, limits,
};
use tokio::sync::{Semaphore, oneshot};

use super::Journal;
use super::batch::Batch;
use super::commit::{Commit, Room, Sync};
use super::find::Found;
use super::follower::Follower;
use super::prune::{Holder, Prune, PruneMode, Pruned};
use super::recent::{Attempt, Look, Unless};
use super::retention::Hold;
use super::status::{Extent, JournalStatus, Verification, VerifyOptions};
use crate::clock::Clock;
use crate::disk::{Claim, Disk, LockGuard};
use crate::random::Rng;
use crate::record::Record;
use crate::telemetry::METRICS_FILE;
use group::Group;
use shared::{Intake, Shared};

/// Name of the file whose lock says who owns the directory.
const LOCK_FILE: &str = "LOCK";

/// A journal in one directory. Dropping it closes it, and waits for that unless a close was begun
/// before.
pub struct Embedded {
    shared: Arc<Shared>,
    mode: Mode,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Whether a file with this name is a part of a store or of what stands beside it.
fn is_own_name(name: &str) -> bool {
    let is_fixed = matches!(
        name,
        identity::FILE | mark::WATERMARK | mark::FRONT | heads::FILE | reserve::FILE | LOCK_FILE
    );
    is_fixed
        || matches!(name, METRICS_FILE | "control.sock" | archive::FILE | "archive")
        || segment::is_segment(name)
        || index::first_of(name).is_some()
        || snapshot::last_of(name).is_some()
        || name.starts_with("quarantine-")
        || archive::is_archived(name)
}

/// Whether there was no space for a write.
fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The failure of a disk operation as an error of ours.
fn disk_failure(attempt: &str, file: &str, cause: io::Error) -> Error {
    // What an archive says of itself is said already.
    if let Some(error) = cause.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return error.clone();
    }
    let kind = if is_full(&cause) { ErrorKind::DiskFull } else { ErrorKind::Disk };
    Error::new(kind, format!("cannot {attempt}: {cause}")).with("file", file).caused_by(cause)
}

impl Embedded {
    /// Opens the store on `disk`, makes one if there is none, and verifies what is there.
    ///
    /// The follower is told of every record that is kept before this returns.
    ///
    /// # Errors
    /// `Locked` if another process owns it; `Corruption`, `AckedDataMissing`, `ForeignFile` or
    /// `UnknownFormat` if what is there is not what was written, in which case nothing is
    /// changed; `NotFound` if it is opened for reading and there is none; `Disk` otherwise.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: EmbeddedOptions,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
        follower: Arc<dyn Follower>,
    ) -> Result<(Self, Recovered)> {
        Self::open_parts(disk, None, options, clock, rng, follower)
    }

    /// As [`Embedded::open`], for a store that has an archive or may get one.
    ///
    /// # Errors
    /// As [`Embedded::open`]. An archive that is missing is told by the reads that need it.
    pub fn open_archived(
        store: Arc<ArchivedStore>,
        options: EmbeddedOptions,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
        follower: Arc<dyn Follower>,
    ) -> Result<(Self, Recovered)> {
        Self::open_parts(store.clone(), Some(store), options, clock, rng, follower)
    }

    fn open_parts(
        disk: Arc<dyn Disk>,
        archived: Option<Arc<ArchivedStore>>,
        options: EmbeddedOptions,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
        follower: Arc<dyn Follower>,
    ) -> Result<(Self, Recovered)> {
        let lock = take_lock(&*disk, options.mode)?;
        let store = identity::open_or_create(&*disk, options.mode, &*clock, rng)?;
        let mut recovery = recovery::recover(&disk, store, options.mode, &*follower)
            .map_err(|error| archive::told(error, archived.as_deref(), store))?;
        let recovered = recovery.report();
        let tail = recovery.tail;
        let last = tail.cursor.next - 1;
        let shared = Arc::new(Shared {
            store,
            clock,
            log: recovery.log,
            heads: ArcSwap::from_pointee(recovery.heads),
            disk,
            archived,
            pool: recovery.pool,
            follower,
            intake: Mutex::new(Intake {
                lane: std::mem::take(&mut recovery.lane),
                group: Group::default(),
                captures: Vec::new(),
                flushes: Vec::new(),
                closing: false,
                ended: options.mode != Mode::Write,
                lock,
            }),
            work: Condvar::new(),
            room: Arc::new(Semaphore::new(limits::JOURNAL_PENDING_BYTES_MAX)),
            durable: AtomicU64::new(last),
            synced: AtomicU64::new(last),
            syncs: AtomicU64::new(0),
            fenced: OnceLock::new(),
            full: Mutex::default(),
            snapshot: AtomicU64::new(tail.snapshot),
            upkeep: Mutex::default(),
            sealed: Mutex::default(),
            neglected: Mutex::default(),
            holds: Arc::default(),
            reserve_bytes: options.reserve_bytes,
            ended: Sync::default(),
        });
        let writer = match options.mode {
            Mode::Read | Mode::Peek => {
                shared.ended.finish(Ok(()));
                None
            }
            Mode::Write => {
                upkeep::make_reserve(&shared);
                shared.archived.as_deref().inspect(|store| archive::clear(store));
                let parts = writer::Parts { salt_seed: rng.bits(), options };
                Some(writer::start(shared.clone(), parts, tail)?)
            }
        };
        let mode = options.mode;
        Ok((Self { shared, mode, writer: Mutex::new(writer) }, recovered))
    }

    /// Where appends are placed, if they are.
    fn open_intake(&self) -> Result<MutexGuard<'_, Intake>> {
        self.check_writable()?;
        let intake = self.shared.intake();
        // Looked at again under the lock: the writer fences under it.
        self.shared.check_open()?;
        if intake.closing { Err(closing()) } else { Ok(intake) }
    }

    fn check_writable(&self) -> Result<()> {
        if self.mode != Mode::Write {
            return Err(Error::new(ErrorKind::ReadOnly, "the store was opened for reading"));
        }
        self.shared.check_open()
    }
}

fn join(writer: Option<JoinHandle<()>>) {
    if let Some(writer) = writer {
        // A panic of the writer was reported through the fence.
        let _ = writer.join();
    }
}

fn take_lock(disk: &dyn Disk, mode: Mode) -> Result<Option<Box<dyn LockGuard>>> {
    let owner = std::process::id().to_string();
    let claim = match mode {
        Mode::Write => Claim::Owner(&owner),
        Mode::Read => Claim::Reader,
        Mode::Peek => return Ok(None),
    };
    match disk.lock(LOCK_FILE, claim) {
        Ok(Some(guard)) => Ok(Some(guard)),
        Ok(None) => {
            let holder = disk
                .open(LOCK_FILE, crate::disk::Access::Read)
                .and_then(|file| crate::disk::read_small(&*file, 20))
                .unwrap_or_default();
            let holder = String::from_utf8_lossy(&holder).into_owned();
            let message = format!("{} is owned by process {holder}", disk.place());
            Err(Error::new(ErrorKind::Locked, message))
        }
        Err(error) if mode == Mode::Read && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_failure("take the lock", LOCK_FILE, error)),
    }
}

fn closing() -> Error {
    Error::new(ErrorKind::Unavailable, "the journal is closed; nothing was applied")
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.begin_close();
        join(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[async_trait]
impl Journal for Embedded {
    fn store_id(&self) -> StoreId {
        self.shared.store
    }

    async fn reserve(&self, batch: &Batch) -> Result<Room> {
        self.check_writable()?;
        let bytes = u32::try_from(batch.bytes).unwrap_or(u32::MAX);
        match self.shared.room.clone().acquire_many_owned(bytes).await {
            Ok(permit) => Ok(Room { _permit: Some(permit) }),
            Err(_) => Err(self.shared.check_open().err().unwrap_or_else(closing)),
        }
    }

    fn try_reserve(&self, batch: &Batch) -> Result<Option<Room>> {
        self.check_writable()?;
        let bytes = u32::try_from(batch.bytes).unwrap_or(u32::MAX);
        match self.shared.room.clone().try_acquire_many_owned(bytes) {
            Ok(permit) => Ok(Some(Room { _permit: Some(permit) })),
            Err(tokio::sync::TryAcquireError::NoPermits) => Ok(None),
            Err(_) => Err(self.shared.check_open().err().unwrap_or_else(closing)),
        }
    }

    fn append(&self, batch: Batch, room: Room) -> Result<Commit> {
        let mut intake = self.open_intake()?;
        let commit = intake.place(&self.shared, batch, room)?;
        drop(intake);
        self.shared.work.notify_one();
        Ok(commit)
    }

    fn append_unless(&self, batch: Batch, room: Room, unless: &Unless) -> Result<Attempt> {
        let mut intake = self.open_intake()?;
        match intake.lane.look(unless) {
            Look::Clear => {}
            Look::Taken(position) => return Ok(Attempt::Taken(position)),
            Look::Behind(position) => return Ok(Attempt::Behind(position)),
        }
        let commit = intake.place(&self.shared, batch, room)?;
        drop(intake);
        self.shared.work.notify_one();
        Ok(Attempt::Placed(commit))
    }

    fn head(&self, stream: &StreamName) -> Result<Version> {
        let intake = self.shared.intake();
        if intake.lane.knows(stream) {
            return Ok(intake.lane.version(stream));
        }
        self.shared.version_of(stream)
    }

    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        let sequence = position.to_engine();
        let read = self.shared.log.read_after(sequence, self.durable(), bytes_max);
        self.shared.log.judged(read, sequence)
    }

    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        let sequence = position.to_engine();
        let read = self.shared.log.read_before(sequence, self.durable(), bytes_max);
        self.shared.log.judged(read, sequence.saturating_sub(1))
    }

    async fn record(&self, position: Position) -> Result<Record> {
        let sequence = position.to_engine();
        let read = self.shared.log.record(sequence, self.durable());
        self.shared.log.judged(read, sequence)
    }

    fn may_hold(&self, id: &str) -> bool {
        self.shared.log.may_hold(id)
    }

    async fn find_id(&self, id: &str) -> Result<Option<Record>> {
        self.shared.log.find_id(id)
    }

    async fn find(&self, query: &EventQuery, cursor: Position, end: Position) -> Result<Found> {
        let log = &self.shared.log;
        let (first, end) = (log.before_first() + 1, end.to_engine().min(self.durable()));
        let bounds = match query.order {
            Order::Asc => first.max(cursor.to_engine().saturating_add(1))..end + 1,
            Order::Desc => first..cursor.to_engine().min(end + 1),
        };
        match log.find(query, bounds) {
            // Retention was quicker; the next step begins where it left off.
            Err(error) if error.kind() == ErrorKind::Disk && log.before_first() >= first => {
                Ok(Found { cursor: Some(cursor), ..Found::default() })
            }
            found => found,
        }
    }

    fn extent(&self) -> Extent {
        let (before_first, last) = (self.shared.log.before_first(), self.durable());
        Extent {
            before_first: Position::from_engine(before_first),
            last: Position::from_engine(last),
            records: last.saturating_sub(before_first),
            bytes: self.shared.log.bytes(),
            durable: true,
        }
    }

    fn status(&self) -> JournalStatus {
        let placed = self.shared.intake().lane.sequence();
        JournalStatus {
            extent: self.extent(),
            segments: self.shared.log.segments() as u64,
            waiting: placed.saturating_sub(self.durable()),
            snapshot: Some(self.shared.snapshot.load(Ordering::Acquire))
                .filter(|last| *last > 0)
                .map(Position::from_engine),
            unsynced: self.durable().saturating_sub(self.shared.synced.load(Ordering::Acquire)),
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            fenced: self.shared.fenced.get().cloned(),
            full: self.shared.full.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            archive: self.shared.archived.as_ref().map(|one| one.extent()).unwrap_or_default(),
            neglected: self.shared.neglected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    async fn verify(&self) -> Result<Verification> {
        self.verify_with(VerifyOptions::default()).await
    }

    async fn verify_with(&self, options: VerifyOptions) -> Result<Verification> {
        let (shared, known) = (&self.shared, verify::Known::Written(self.durable()));
        let _hold = self.hold(Position::START, Holder::Copy);
        let disk = verify::paced(Arc::clone(&shared.disk), options, Arc::clone(&shared.clock));
        let archived = shared.archived.as_deref();
        verify::verify(&*disk, archived, shared.store, known).map(|checked| checked.found)
    }

    async fn backup(&self, target: Arc<dyn Disk>) -> Result<Backup> {
        self.copy_to(&*target).await
    }

    fn synced(&self) -> Position {
        Position::from_engine(self.shared.synced.load(Ordering::Acquire))
    }

    async fn flush(&self) -> Result<()> {
        self.check_writable()?;
        let (wanted, flushed) = oneshot::channel();
        self.shared.wish(|intake| intake.flushes.push(wanted))?;
        let gone = |_| self.shared.check_open().err().unwrap_or_else(closing);
        flushed.await.map_err(gone)
    }

    async fn checkpoint(&self) -> Result<Position> {
        self.check_writable()?;
        let (wanted, captured) = oneshot::channel();
        self.shared.wish(|intake| intake.captures.push(wanted))?;
        match captured.await {
            Ok(captured) => upkeep::checkpoint(&self.shared, captured),
            Err(_) => Err(self.shared.check_open().err().unwrap_or_else(closing)),
        }
    }

    async fn prune(&self, prune: &Prune) -> Result<Pruned> {
        if prune.mode == PruneMode::Go {
            self.check_writable()?;
        }
        prune::prune(&self.shared, prune)
    }

    async fn archive(&self, policy: ArchivePolicy, mode: ArchiveMode) -> Result<Archived> {
        if mode == ArchiveMode::Move {
            self.check_writable()?;
        }
        archive::archive(&self.shared, policy, mode)
    }

    async fn archived(&self) -> Result<Vec<ArchivedSegment>> {
        self.shared.away()
    }

    async fn verify_archive(&self) -> Result<Verification> {
        let archived = self.shared.archived.as_deref();
        archived.map_or_else(|| Ok(Verification::default()), archive::verify)
    }

    async fn bring_back(&self) -> Result<Archived> {
        self.check_writable()?;
        archive::bring_back(&self.shared)
    }

    fn hold(&self, position: Position, holder: Holder) -> Hold {
        self.shared.holds.hold(position, holder)
    }

    fn begin_close(&self) {
        let mut intake = self.shared.intake();
        intake.closing = true;
        intake.let_go();
        drop(intake);
        self.shared.work.notify_all();
        self.shared.room.close();
    }

    async fn close(&self) -> Result<()> {
        self.begin_close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Whoever stops waiting here leaves the writer to itself: it ends once it is done, and
        // nobody is held up by it.
        let outcome = self.shared.ended.done().await;
        join(writer);
        outcome
    }
}

impl Embedded {
    fn durable(&self) -> u64 {
        self.shared.durable()
    }
}
