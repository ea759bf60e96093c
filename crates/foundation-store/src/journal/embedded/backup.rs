//! A consistent copy of the store as of one record, taken while writes go on.
//!
//! What is copied is synced in the store before, verified while it is read, and synced in the copy;
//! the manifest comes last, so that a copy that was not finished is not taken for a backup. Indices
//! are not copied, since they are made again from the log, and neither is the watermark: a backup
//! cannot be opened as a store, only restored.

mod manifest;

pub(super) use manifest::{Entry, FILE as MANIFEST, Manifest, hex, store_text, sum_line};

use std::io;
use std::sync::atomic::Ordering;

use foundation_types::{Error, ErrorKind, Position, Result, StoreId};
use sha2::{Digest, Sha256};

use super::heads::{self, Heads};
use super::mark::{FRONT, HAS_HEADS, Mark};
use super::recovery::FIRST_EPOCH;
use super::scan::{Cursor, Groups};
use super::segment::{HEADER_BYTES, Segment};
use super::shared::Shared;
use super::snapshot::{self, Snapshot};
use super::{Embedded, Mode, disk_failure, identity, upkeep};
use crate::disk::{Access, Disk, DiskFile, read_full};
use crate::journal::{Holder, Journal};

/// Bytes that are copied at a time.
pub(super) const CHUNK_BYTES: usize = 1024 * 1024;

/// A backup that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Identity of the store.
    pub store: StoreId,
    /// The last record that is in it.
    pub position: Position,
    /// Files, without the manifest.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Embedded {
    /// Copies the store as of now to an empty disk, while appends go on. It waits for both disks.
    ///
    /// # Errors
    /// `InvalidArgument` if the disk is not empty, `Corruption` with file and range if what is to
    /// be copied is not what was written; `DiskFull` or `Disk`. What was copied before is removed
    /// again, and if that fails as well, it is no backup without its manifest.
    pub(super) async fn copy_to(&self, target: &dyn Disk) -> Result<Backup> {
        let names = target.list().map_err(|cause| target_failure(target, "", cause))?;
        if !names.is_empty() {
            let message =
                format!("{} is not empty, and a backup goes nowhere else", target.place());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        // Nothing that is to be copied goes away meanwhile.
        let _hold = self.hold(Position::START, Holder::Copy);
        let shared = &*self.shared;
        let last = match self.mode {
            Mode::Read | Mode::Peek => self.durable(),
            Mode::Write => match self.checkpoint().await {
                Ok(position) => position.to_engine(),
                Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error),
                // A store that takes no more writes can still be copied as far as it is synced.
                Err(_) => shared.synced.load(Ordering::Acquire),
            },
        };
        let mut copy = Copy { shared, target, last, files: Vec::new() };
        let outcome = copy.all();
        if outcome.is_err() {
            copy.undo();
        }
        outcome
    }
}

struct Copy<'a> {
    shared: &'a Shared,
    target: &'a dyn Disk,
    /// The last record that is copied.
    last: u64,
    files: Vec<Entry>,
}

impl Copy<'_> {
    fn all(&mut self) -> Result<Backup> {
        let disk = &*self.shared.disk;
        let store = self.shared.store;
        let fail = |cause| disk_failure("read the identity", identity::FILE, cause);
        let identity = disk.open(identity::FILE, Access::Read).map_err(fail)?;
        let length = identity.len().map_err(fail)?;
        self.file(identity::FILE, &*identity, length)?;
        self.front()?;
        self.snapshots()?;
        let mut epoch = FIRST_EPOCH;
        for segment in self.shared.log.every() {
            if segment.header.first <= self.last {
                epoch = segment.header.epoch;
                let end = end_of(&segment, self.last)?;
                self.file(&segment.name, &*segment.file, end)?;
            }
        }
        let position = Position::from_engine(self.last);
        let created = self.shared.clock.wall();
        let manifest = Manifest::new(store, epoch, position, created, self.files.clone());
        let (files, bytes) = (manifest.files.len() as u64, manifest.bytes());
        manifest.write(self.target)?;
        Ok(Backup { store, position, files, bytes })
    }

    /// Where the log begins, if records were let go of.
    fn front(&mut self) -> Result<()> {
        // Whoever was letting go of segments before the hold is done once the upkeep is free.
        let _upkeep = upkeep::lock(self.shared);
        match Mark::open(&*self.shared.disk, FRONT, self.shared.store, Access::Read)? {
            Some(front) => {
                self.bytes(FRONT, &front.to_bytes())?;
                let (disk, store) = (&*self.shared.disk, self.shared.store);
                let heads = Heads::read(disk, store, Some(&front))?;
                if front.has(HAS_HEADS) {
                    self.bytes(heads::FILE, &heads.to_bytes(store))?;
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The snapshots that are not newer than the copy: the newest one for opening, the one before
    /// for going back further.
    fn snapshots(&mut self) -> Result<()> {
        // None of them is removed meanwhile.
        let _upkeep = upkeep::lock(self.shared);
        let disk = &*self.shared.disk;
        let names = snapshot::names(disk)?;
        let fits = |name: &&String| snapshot::last_of(name).is_some_and(|last| last <= self.last);
        let fitting: Vec<&String> = names.iter().filter(fits).collect();
        for name in fitting.into_iter().take(upkeep::SNAPSHOTS_KEPT) {
            match Snapshot::read(disk, name, self.shared.store) {
                Ok(snapshot) => self.bytes(name, &snapshot.to_bytes())?,
                Err(error) if error.kind() == ErrorKind::Disk => return Err(error),
                // Opening would pass it over as well.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Makes a file with this content.
    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let fail = |cause| target_failure(self.target, name, cause);
        self.files.push(entry(name, bytes.len() as u64, &Sha256::digest(bytes)));
        let file = self.target.open(name, Access::Create).map_err(fail)?;
        file.write_at(bytes, 0).and_then(|()| file.sync()).map_err(fail)
    }

    /// Copies a file up to an offset.
    fn file(&mut self, name: &str, from: &dyn DiskFile, end: u64) -> Result<()> {
        self.files.push(entry(name, end, &[]));
        let hash = copy_file(name, from, end, self.target)?;
        if let Some(last) = self.files.last_mut() {
            last.sha256 = hash;
        }
        Ok(())
    }

    /// Removes what was copied, as far as the disk lets it.
    fn undo(&self) {
        // Without its manifest, what is left is no backup.
        let files = self.files.iter().map(|entry| entry.name.as_str());
        for name in [MANIFEST, manifest::NEW_FILE].into_iter().chain(files) {
            let _ = self.target.remove(name);
        }
    }
}

fn entry(name: &str, bytes: u64, hash: &[u8]) -> Entry {
    Entry { name: name.to_owned(), bytes, sha256: hex(hash) }
}

/// Copies the beginning of a file into a new one of the same name, and syncs it; gives the hash of
/// it.
pub(super) fn copy_file(
    name: &str,
    from: &dyn DiskFile,
    end: u64,
    target: &dyn Disk,
) -> Result<String> {
    let fail = |cause| target_failure(target, name, cause);
    let file = target.open(name, Access::Create).map_err(fail)?;
    let mut hash = Sha256::new();
    let mut offset = 0;
    let mut buffer = vec![0; CHUNK_BYTES.min(usize::try_from(end).unwrap_or(CHUNK_BYTES))];
    while offset < end {
        let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..wanted).unwrap_or_default();
        let count = read_full(from, part, offset)
            .map_err(|cause| disk_failure("read what is to be copied", name, cause))?;
        if count < wanted {
            let message = "a file ends before what was read of it";
            return Err(Error::new(ErrorKind::Corruption, message)
                .with("file", name)
                .with("offset", offset + count as u64));
        }
        hash.update(&*part);
        file.write_at(part, offset).map_err(fail)?;
        offset += count as u64;
    }
    file.sync().map_err(fail)?;
    Ok(hex(&hash.finalize()))
}

/// Where the group ends whose last record has this number, or the segment if that is before. All
/// up to there is verified.
fn end_of(segment: &Segment, last: u64) -> Result<u64> {
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let header = segment.header;
    let end = segment.end.load(Ordering::Acquire);
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::up_to(&*segment.file, segment.seed, start, end).map_err(fail)?;
    let mut reached = HEADER_BYTES;
    while groups.cursor().offset < end && groups.cursor().next <= last {
        let read = groups.next().map_err(fail)?.map_err(|stop| {
            let message = format!("the log is damaged: {}", stop.reason);
            let from = groups.cursor().offset;
            Error::new(ErrorKind::Corruption, message)
                .with("file", &segment.name)
                .with("range", format!("{from}..{end}"))
        })?;
        let behind = read.groups.iter().find(|group| group.first > last);
        reached = behind.map_or(groups.cursor().offset, |group| group.offset);
    }
    Ok(reached)
}

/// The failure of the disk that a copy goes to.
pub(super) fn target_failure(target: &dyn Disk, name: &str, cause: io::Error) -> Error {
    let place = target.place();
    disk_failure(&format!("write to {place}"), name, cause)
}
