//! The one log under everything: appended to atomically, read from a position, followed.
//!
//! A [`Journal`] is an engine. What it promises, on every engine:
//!
//! - an append is atomic and has a place in the order as soon as [`Journal::append`] returns;
//!   it is *acked* when its [`Commit`] resolves, and not before;
//! - a [`Position`] is opaque and totally ordered, a stream's [`Version`] counts up by one;
//! - a [`Follower`] is told of every record once, in order, after it is durable: state follows
//!   the log by being told, never by being the writer;
//! - a failed append says whether it was not applied or is indeterminate.

mod batch;
mod commit;
mod embedded;
mod find;
mod follower;
mod lane;
mod looked;
mod lost;
mod memory;
mod prune;
mod recent;
mod retention;
mod status;

pub use batch::{Appended, Batch};
pub use commit::{Commit, Room};
pub use embedded::{
    ArchiveDirectory, ArchiveMode, ArchivePolicy, ArchiveStore, Archived, ArchivedSegment,
    ArchivedStore, Backup, Embedded, EmbeddedOptions, FoldCheck, FoldedState, MissingArchived,
    Mode, Recovered, Remedy, Repair, RepairAction, RepairMode, RepairOptions, RestoreOptions,
    Restored, archive_place, repair_archived_store, repair_store, require_store, restore,
    verify_archived_store, verify_store, verify_store_with,
};
pub use find::Found;
pub use follower::{Before, Capture, Follower, State};
pub(crate) use looked::Looking;
pub use looked::{Looked, Way};
pub use lost::is_lost;
pub(crate) use lost::lost;
pub use memory::MemoryJournal;
pub use prune::{Held, Holder, Holding, Prune, PruneMode, Pruned};
pub use recent::{Attempt, Unless};
pub use retention::{Dropped, Hold, Retention};
pub use status::{ArchiveExtent, Extent, Finding, JournalStatus, Verification, VerifyOptions};

use std::sync::Arc;

use async_trait::async_trait;
use foundation_types::{
    Error, ErrorKind, EventQuery, Position, Result, StoreId, StreamName, Version,
};

use crate::disk::Disk;
use crate::record::Record;

/// An ordered, durable log of records.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Identity of the store.
    fn store_id(&self) -> StoreId;

    /// Waits until the records of `batch` have room among those that wait for the disk.
    ///
    /// # Errors
    /// `TooLarge` if it can never have room; `Fenced` or `Unavailable` if nothing is written any
    /// more.
    async fn reserve(&self, batch: &Batch) -> Result<Room>;

    /// As [`Journal::reserve`] without waiting; `None` if there is no room now.
    fn try_reserve(&self, batch: &Batch) -> Result<Option<Room>>;

    /// Gives the batch its place. Batches are ordered as these calls are.
    ///
    /// # Errors
    /// `VersionConflict` if the expectation does not hold; as [`Journal::reserve`] otherwise.
    /// Nothing was applied.
    fn append(&self, batch: Batch, room: Room) -> Result<Commit>;

    /// As [`Journal::append`], unless an event stands against it that comes behind all that its
    /// writer has looked at. Nothing comes between the look and the append.
    ///
    /// # Errors
    /// As [`Journal::append`]; `InvalidArgument` from an engine that cannot do so.
    fn append_unless(&self, _: Batch, _: Room, _: &Unless) -> Result<Attempt> {
        let message = "this journal takes no append that depends on other events";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// Version of a stream with everything appended, durable or not.
    ///
    /// # Errors
    /// As [`Journal::record`], for a stream that followers were not told of.
    fn head(&self, stream: &StreamName) -> Result<Version>;

    /// The first records after `position`, up to about `bytes_max` bytes; empty at the end.
    ///
    /// # Errors
    /// `Compacted` if records after `position` are no longer kept, `Corruption` where stored
    /// bytes are not what was written.
    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>>;

    /// The last records before `position`, oldest first, up to about `bytes_max` bytes; empty
    /// at the beginning.
    ///
    /// # Errors
    /// As [`Journal::read_after`].
    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>>;

    /// The record at `position`.
    ///
    /// # Errors
    /// `NotFound` if there is none, one that [`is_lost`] knows if a repair has given it up, and as
    /// [`Journal::read_after`].
    async fn record(&self, position: Position) -> Result<Record>;

    /// Whether a record that no follower was told of, or that followers were told to forget, may
    /// have this id. It does not wait and errs on the side of yes.
    fn may_hold(&self, _id: &str) -> bool {
        false
    }

    /// The record with this id among those that [`Journal::may_hold`] speaks of.
    ///
    /// # Errors
    /// As [`Journal::record`].
    async fn find_id(&self, _id: &str) -> Result<Option<Record>> {
        Ok(None)
    }

    /// The next records that may answer the query, in its order, past `cursor` and none of them
    /// after `end`.
    ///
    /// One call does a bounded amount of work and may find nothing although there is more: it is
    /// called again with the cursor that it gives. What is not kept is not part of the answer.
    ///
    /// # Errors
    /// As [`Journal::read_after`], less `Compacted`.
    async fn find(&self, query: &EventQuery, cursor: Position, end: Position) -> Result<Found> {
        find::by_reading(self, query.order, cursor, end).await
    }

    /// What is kept, and how far it is durable.
    fn extent(&self) -> Extent;

    /// How the engine is.
    fn status(&self) -> JournalStatus;

    /// Reads everything and compares it with its checksums and chain. Writes nothing.
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer.
    async fn verify(&self) -> Result<Verification>;

    /// Up to here everything survives a power cut, if the engine can say so.
    fn synced(&self) -> Position {
        self.extent().last
    }

    /// Makes everything that is acked, at whatever level, survive a power cut.
    ///
    /// # Errors
    /// `Fenced`, `Unavailable` or `Disk`.
    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// Keeps the states of the followers as of now in a snapshot, where the engine has such, so
    /// that the next opening reads only what comes later; gives the position of that. An engine
    /// does it by itself from time to time. It waits for the disk.
    ///
    /// # Errors
    /// `ReadOnly` or `Unavailable` if it is not open for writing, `Fenced`, `DiskFull` or `Disk`
    /// if a file could not be written; the log is as it was.
    async fn checkpoint(&self) -> Result<Position> {
        Ok(self.extent().last)
    }

    /// Lets go of the oldest records, as far as what is to be kept allows: those that are in a
    /// kept snapshot and that nobody holds. It waits for the disk.
    ///
    /// # Errors
    /// As [`Journal::checkpoint`].
    async fn retain(&self, keep: Retention) -> Result<Dropped> {
        self.prune(&Prune::keeping(keep)).await.map(|pruned| pruned.dropped)
    }

    /// As [`Journal::retain`], with more choice of what goes; or says what would go and who holds it.
    ///
    /// # Errors
    /// As [`Journal::checkpoint`]; those of the disk if it could not be looked at.
    async fn prune(&self, _: &Prune) -> Result<Pruned> {
        Ok(Pruned::default())
    }

    /// Lets go of what its followers are done with by now, where that is all that it keeps records for.
    fn let_go_of_unused(&self) {}

    /// Moves the oldest files of the log to the archive, or names those that would go. They are read
    /// as before. It waits for the disk.
    ///
    /// # Errors
    /// `InvalidArgument` if there is no archive; `Corruption` if a file is not what was written, in
    /// which case it stays; as [`Journal::checkpoint`] otherwise.
    async fn archive(&self, _policy: ArchivePolicy, _mode: ArchiveMode) -> Result<Archived> {
        Err(Error::new(ErrorKind::InvalidArgument, "only a store in a directory has an archive"))
    }

    /// The files of the log that are in the archive, oldest first.
    ///
    /// # Errors
    /// `Corruption` or `Disk` if the manifest of the archive cannot be read.
    async fn archived(&self) -> Result<Vec<ArchivedSegment>> {
        Ok(Vec::new())
    }

    /// Reads all that is in the archive and compares it with its checksums.
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer, and so is a missing file.
    async fn verify_archive(&self) -> Result<Verification> {
        Ok(Verification::default())
    }

    /// Brings all files back from the archive, so that the store is whole without it.
    ///
    /// # Errors
    /// As [`Journal::archive`]; `ArchiveMissing` with the name of a file that is not there.
    async fn bring_back(&self) -> Result<Archived> {
        Err(Error::new(ErrorKind::InvalidArgument, "only a store in a directory has an archive"))
    }

    /// Keeps what comes after a position from being let go of by [`Journal::retain`], in the name of
    /// whoever needs it.
    fn hold(&self, position: Position, holder: Holder) -> Hold {
        Hold::alone(position, holder)
    }

    /// As [`Journal::verify`], read as the options say.
    ///
    /// # Errors
    /// As [`Journal::verify`].
    async fn verify_with(&self, _options: VerifyOptions) -> Result<Verification> {
        self.verify().await
    }

    /// Copies everything that is kept, as of one record, to an empty disk, while appends go on.
    ///
    /// # Errors
    /// `InvalidArgument` if the disk is not empty or the engine keeps nothing on a disk;
    /// `Corruption` if what is to be copied is not what was written; `DiskFull` or `Disk`.
    async fn backup(&self, _target: Arc<dyn Disk>) -> Result<Backup> {
        let message = "only a store in a directory can be backed up";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// Takes no more appends. What was taken is made durable and the store let go of, without
    /// anybody who waits for it.
    fn begin_close(&self);

    /// As [`Journal::begin_close`], and waits until all is done.
    ///
    /// # Errors
    /// Why something that was taken could not be made durable.
    async fn close(&self) -> Result<()>;
}
