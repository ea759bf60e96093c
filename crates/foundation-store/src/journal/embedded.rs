//! The default engine: one directory, one writer thread, one sync for all who wait.
//!
//! Records go to the last of a row of segment files. Appends are placed under a short lock; the
//! writer thread takes all that was placed meanwhile as one group, seals it, writes it, syncs
//! it, tells the followers, and wakes everybody at once. A failed write or sync fences the
//! writer: it is never tried again, and only reopening, which verifies, leads out of it. A write
//! that found no space is the exception: no sync has failed, so it is cut and taken back, and
//! appends are taken again.

mod group;
mod identity;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "segments are not yet opened by their index")
)]
mod index;
mod log;
mod options;
mod recovery;
mod scan;
mod segment;
mod verify;
mod watermark;
mod writer;

pub use options::{EmbeddedOptions, Mode};
pub use recovery::Recovered;
pub use verify::verify_store;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use foundation_types::{Error, ErrorKind, Position, Result, StoreId, StreamName, Version, limits};
use tokio::sync::Semaphore;

use super::batch::Batch;
use super::commit::{Commit, Room, Sync};
use super::lane::Lane;
use super::status::{Extent, JournalStatus, Verification};
use super::{Follower, Journal};
use crate::clock::Clock;
use crate::disk::{Claim, Disk, LockGuard};
use crate::random::Rng;
use crate::record::Record;
use group::Group;
use log::SegmentLog;

/// Name of the file whose lock says who owns the directory.
const LOCK_FILE: &str = "LOCK";

/// A journal in one directory. Dropping it closes it, and waits for that unless a close was begun
/// before.
pub struct Embedded {
    shared: Arc<Shared>,
    mode: Mode,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the callers and the writer thread share.
struct Shared {
    store: StoreId,
    clock: Arc<dyn Clock>,
    log: SegmentLog,
    disk: Arc<dyn Disk>,
    intake: Mutex<Intake>,
    /// Wakes the writer.
    work: Condvar,
    /// Bytes that may wait for the disk.
    room: Arc<Semaphore>,
    /// The last durable sequence number.
    durable: AtomicU64,
    syncs: AtomicU64,
    fenced: OnceLock<Error>,
    /// Why the last group was not written, if that was for want of space.
    full: Mutex<Option<Error>>,
    ended: Sync,
}

/// Where appends are placed.
struct Intake {
    lane: Lane,
    group: Group,
    closing: bool,
    /// Whether the writer is done, for whatever reason.
    ended: bool,
    lock: Option<Box<dyn LockGuard>>,
}

impl Intake {
    /// Gives the directory back once nobody wants it and nobody writes to it. A writer that was
    /// fenced keeps it while it is read from.
    fn let_go(&mut self) {
        if self.closing && self.ended {
            self.lock = None;
        }
    }
}

impl Shared {
    fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer is done.
    fn end(&self, outcome: Result<()>) {
        let mut intake = self.intake();
        intake.ended = true;
        intake.let_go();
        drop(intake);
        self.ended.finish(outcome);
    }

    fn note_space(&self, full: Option<Error>) {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = full;
    }

    fn check_open(&self) -> Result<()> {
        match self.fenced.get() {
            Some(cause) => Err(fenced_by(cause)),
            None => Ok(()),
        }
    }
}

fn fenced_by(cause: &Error) -> Error {
    Error::new(
        ErrorKind::Fenced,
        "the journal takes no more writes since one failed; nothing was applied",
    )
    .caused_by(cause.clone())
}

/// Whether there was no space for a write.
fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The failure of a disk operation as an error of ours.
fn disk_failure(attempt: &str, file: &str, cause: io::Error) -> Error {
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
        let lock = take_lock(&*disk, options.mode)?;
        let store = identity::open_or_create(&*disk, options.mode, &*clock, rng)?;
        let mut recovery = recovery::recover(&*disk, store, options.mode, &*follower)?;
        let recovered = recovery.report();
        let last = recovery.lane.sequence();
        let shared = Arc::new(Shared {
            store,
            clock,
            log: recovery.log,
            disk: disk.clone(),
            intake: Mutex::new(Intake {
                lane: std::mem::take(&mut recovery.lane),
                group: Group::default(),
                closing: false,
                ended: options.mode != Mode::Write,
                lock,
            }),
            work: Condvar::new(),
            room: Arc::new(Semaphore::new(limits::JOURNAL_PENDING_BYTES_MAX)),
            durable: AtomicU64::new(last),
            syncs: AtomicU64::new(0),
            fenced: OnceLock::new(),
            full: Mutex::default(),
            ended: Sync::default(),
        });
        let writer = match options.mode {
            Mode::Read | Mode::Peek => {
                shared.ended.finish(Ok(()));
                None
            }
            Mode::Write => {
                let parts = writer::Parts { disk, follower, salt_seed: rng.bits(), options };
                Some(writer::start(shared.clone(), parts, recovery.tail)?)
            }
        };
        let mode = options.mode;
        Ok((Self { shared, mode, writer: Mutex::new(writer) }, recovered))
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
        self.check_writable()?;
        let now = self.shared.clock.wall();
        let mut intake = self.shared.intake();
        // Looked at again under the lock: the writer fences under it.
        self.shared.check_open()?;
        if intake.closing {
            return Err(closing());
        }
        let Intake { lane, group, .. } = &mut *intake;
        let appended = group.add(room, |frames| lane.place(&batch, now, frames))?;
        let commit = Commit::new(appended, group.sync());
        drop(intake);
        self.shared.work.notify_one();
        Ok(commit)
    }

    fn head(&self, stream: &StreamName) -> Version {
        self.shared.intake().lane.version(stream)
    }

    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.shared.log.read_after(position.to_engine(), self.durable(), bytes_max)
    }

    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        self.shared.log.read_before(position.to_engine(), self.durable(), bytes_max)
    }

    async fn record(&self, position: Position) -> Result<Record> {
        self.shared.log.record(position.to_engine(), self.durable())
    }

    fn extent(&self) -> Extent {
        let last = self.durable();
        Extent {
            before_first: Position::START,
            last: Position::from_engine(last),
            records: last,
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
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            fenced: self.shared.fenced.get().cloned(),
            full: self.shared.full.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    async fn verify(&self) -> Result<Verification> {
        verify::verify(&*self.shared.disk, self.shared.store, Some(self.durable()))
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
        self.shared.durable.load(Ordering::Acquire)
    }
}
