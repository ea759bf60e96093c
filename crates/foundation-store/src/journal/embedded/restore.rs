//! Putting a backup in the place of a store: all of it is proven before anything is touched, the
//! new store is made beside, and the two change places by a change of names.
//!
//! The restored store begins a new epoch, so that a record which is appended to it is never taken
//! for one that had the same position before. What was replaced is kept under another name.

mod cut;
mod held;
mod plan;
mod source;
mod swap;

use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Position, Result, StoreId};

use super::mark::{Mark, WATERMARK};
use super::options::Mode;
use super::segment::{self, Segment, SegmentHeader};
use super::verify::{Known, verify};
use super::{LOCK_FILE, disk_failure, is_own_name, take_lock};
use crate::disk::{Access, Disk, LockGuard, Siblings};
use crate::random::Rng;
use cut::Cut;
use held::Held;
use plan::Plan;
use source::{Source, check_found};
use swap::{Unswapped, swap};

/// What a restore may do, and how far it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// The log ends with the last whole batch up to this record; without it, with the backup.
    pub until: Option<Position>,
    /// Whether records of the same store may be given up that are newer than the backup.
    pub allow_rollback: bool,
    /// Whether another store, or something that cannot be told to be the same one, may be replaced.
    pub replace: bool,
}

/// A store that was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Its identity.
    pub store: StoreId,
    /// Its last record.
    pub position: Position,
    /// The epoch that it has begun.
    pub epoch: u64,
    /// Files of the backup that it was made of.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// The name under which what was there before is kept, if anything was.
    pub replaced: Option<String>,
}

/// Restores a backup as the directory `name`.
///
/// # Errors
/// `NotFound` if there is no finished backup; `Corruption`, `ForeignFile`, `AckedDataMissing` or
/// `UnknownFormat`, with the file, if it is not what was written; `InvalidArgument` if it would give
/// up what the options do not allow to be given up, or ends before the position that is asked for;
/// `Locked` if the store is in use; `DiskFull` or `Disk`. The directory is as it was then, or the
/// message says where everything is: nothing that may be the only copy is removed.
pub fn restore(
    backup: Arc<dyn Disk>,
    siblings: &dyn Siblings,
    name: &str,
    options: RestoreOptions,
    rng: &dyn Rng,
) -> Result<Restored> {
    let source = Source::prove(backup)?;
    let plan = Plan::of(&source, options.until)?;
    let found =
        siblings.find(name).map_err(|cause| failure("look at the directory", name, cause))?;
    let found = match found {
        Some(disk) if is_empty(&*disk, name)? => None,
        found => found,
    };
    let look = |disk: &Arc<dyn Disk>| -> Result<Held> {
        let held = Held::look(&**disk)?;
        held.check(&source, plan.last(), options)?;
        Ok(held)
    };
    if let Some(disk) = found.as_ref().filter(|disk| !has_lock(&***disk)) {
        // Nobody ever had it open: what is refused is left without a lock of ours in it.
        look(disk)?;
    }
    let lock = match &found {
        Some(disk) => take_lock(&**disk, Mode::Write)?,
        None => None,
    };
    let held = found.as_ref().map(look).transpose()?;
    let older = held.as_ref().filter(|held| held.store == Some(source.manifest.store));
    let epoch = source.manifest.epoch.max(older.map_or(0, |held| held.epoch)) + 1;
    let fresh_name = format!("{name}.restoring");
    let fresh = Fresh::begin(siblings, &fresh_name)?;
    let made = fresh.fill(&source, &plan, epoch, rng).map_err(Unswapped::AsItWas);
    let last = held.as_ref().map(|held| held.last);
    let replaced = match made.and_then(|()| swap(siblings, &fresh_name, name, last)) {
        Ok(replaced) => replaced,
        Err(Unswapped::AsItWas(error)) => {
            fresh.undo(siblings, &fresh_name);
            return Err(error);
        }
        // Whatever may be the only copy of something stays.
        Err(Unswapped::Told(error)) => return Err(error),
    };
    drop((lock, fresh));
    Ok(Restored {
        store: source.manifest.store,
        position: Position::from_engine(plan.last()),
        epoch,
        files: source.manifest.files.len() as u64,
        bytes: source.manifest.bytes(),
        replaced,
    })
}

/// The directory in which the restored store is made.
struct Fresh {
    disk: Arc<dyn Disk>,
    /// Held until the store is in its place: nobody opens it before.
    _lock: Option<Box<dyn LockGuard>>,
}

impl Fresh {
    /// Makes the directory, or empties the one that an unfinished restore has left.
    fn begin(siblings: &dyn Siblings, name: &str) -> Result<Self> {
        let fail = |cause| failure("make the directory", name, cause);
        let disk = match siblings.find(name).map_err(fail)? {
            Some(disk) => disk,
            None => siblings.make(name).map_err(fail)?,
        };
        let lock = take_lock(&*disk, Mode::Write)?;
        let fresh = Self { disk, _lock: lock };
        let names = fresh.names()?;
        let is_ours = |one: &str| is_own_name(one) || is_own_name(one.trim_end_matches(".new"));
        if let Some(stranger) = names.iter().find(|one| !is_ours(one)) {
            let message = format!("{name} is in the way, and holds what no restore has left there");
            return Err(Error::new(ErrorKind::InvalidArgument, message).with("file", stranger));
        }
        fresh.clear(&names).map_err(fail)?;
        Ok(fresh)
    }

    fn names(&self) -> Result<Vec<String>> {
        let mut names =
            self.disk.list().map_err(|cause| disk_failure("list the directory", "", cause))?;
        names.retain(|name| name != LOCK_FILE);
        Ok(names)
    }

    fn clear(&self, names: &[String]) -> std::io::Result<()> {
        names.iter().try_for_each(|name| self.disk.remove(name))?;
        self.disk.sync_names()
    }

    /// Gives the space back, as far as the disk lets it. A store that has its place already is not
    /// found under this name.
    fn undo(&self, siblings: &dyn Siblings, name: &str) {
        if !matches!(siblings.find(name), Ok(Some(_))) {
            return;
        }
        if let Ok(names) = self.names() {
            let cleared = self.clear(&names).and_then(|()| self.disk.remove(LOCK_FILE));
            let _ = cleared.and_then(|()| siblings.remove(name));
        }
    }

    /// Makes the store, whole and durable, and proves it.
    fn fill(&self, source: &Source, plan: &Plan<'_>, epoch: u64, rng: &dyn Rng) -> Result<()> {
        let disk = &*self.disk;
        let store = source.manifest.store;
        for entry in &plan.whole {
            source.copy(entry, disk)?;
        }
        if let Some((segment, cut)) = &plan.part {
            self.part(segment, cut)?;
        }
        let header = SegmentHeader {
            store,
            epoch,
            first: plan.end.next,
            previous: plan.end.chain,
            salt: rng.bits() as u32,
        };
        self.write(&segment::name_of(plan.end.next), &header.to_bytes())?;
        let fail = |cause| disk_failure("make the watermark", WATERMARK, cause);
        let mut watermark = Mark::create(disk, WATERMARK, store).map_err(fail)?;
        watermark.advance(plan.last())?;
        disk.sync_names().map_err(|cause| disk_failure("restore the store", "", cause))?;
        let checked = verify(disk, None, store, Known::Restored)?;
        check_found(&checked.found)?;
        if (checked.end.next, checked.epoch) != (plan.end.next, epoch) {
            let message = "the restored store is not the one that was to be made";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok(())
    }

    /// Writes what is kept of a segment.
    fn part(&self, segment: &Segment, cut: &Cut) -> Result<()> {
        let name = &segment.name;
        super::backup::copy_file(name, &*segment.file, cut.whole, &*self.disk)?;
        let append = || -> std::io::Result<()> {
            let file = self.disk.open(name, Access::Write)?;
            file.write_at(&cut.part, cut.whole)?;
            file.sync()
        };
        append().map_err(|cause| disk_failure("restore a segment", name, cause))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let write = || -> std::io::Result<()> {
            let file = self.disk.open(name, Access::Create)?;
            file.write_at(bytes, 0)?;
            file.sync()
        };
        write().map_err(|cause| disk_failure("restore a file", name, cause))
    }
}

fn has_lock(disk: &dyn Disk) -> bool {
    disk.open(LOCK_FILE, Access::Read).is_ok()
}

fn is_empty(disk: &dyn Disk, name: &str) -> Result<bool> {
    let names = disk.list().map_err(|cause| failure("look at the directory", name, cause))?;
    Ok(names.is_empty())
}

fn failure(attempt: &str, name: &str, cause: std::io::Error) -> Error {
    disk_failure(&format!("{attempt} {name}"), name, cause)
}
