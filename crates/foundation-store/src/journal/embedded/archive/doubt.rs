//! What is missing from the log and may be in an archive that is away or incomplete: no repair gives
//! that up by itself.
//!
//! The index of an archived segment stays in the store and has another grain than those of segments
//! that never went: so it tells of the archive, whatever became of the manifest.

use std::ops::Range;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::cause::is_irregular;
use super::super::index::{self, Grain};
use super::super::{disk_failure, segment};
use super::again::{Known, damage};
use super::manifest::{FILE, is_archived, name_of};
use super::shown::ArchivedStore;
use crate::disk::{Access, Disk, read_small};
use crate::journal::status::Finding;

/// What an index without its segment says of where that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    InStore,
    InArchive,
    /// It cannot be read.
    Unknown,
}

/// Whether positions that are missing were in an archive for certain.
pub(in super::super) fn were_archived(
    disk: &dyn Disk,
    store: StoreId,
    gaps: &[Range<u64>],
) -> Result<bool> {
    let alone = alone(disk, store)?;
    let is_missing = |first: &u64| gaps.iter().any(|gap| gap.contains(first));
    Ok(alone.iter().any(|(first, was)| *was == Was::InArchive && is_missing(first)))
}

impl Known {
    /// Which of the positions that are missing may be in the archive, by the file that would have them,
    /// unless that is told already.
    pub(in super::super) fn doubts(
        &self,
        store: &ArchivedStore,
        id: StoreId,
        gaps: &[Range<u64>],
    ) -> Result<Vec<Finding>> {
        if gaps.is_empty() {
            return Ok(Vec::new());
        }
        let alone = alone(store.live(), id)?;
        let live = store.live_names()?;
        let mut left = Vec::new();
        for gap in gaps {
            let mut parts: Vec<(u64, Was)> =
                alone.iter().filter(|(first, _)| gap.contains(first)).copied().collect();
            if parts.first().is_none_or(|(first, _)| *first != gap.start) {
                let is_before_one = parts.iter().any(|(_, was)| *was != Was::InStore);
                let was = if is_before_one || self.is_beside(gap, &live) {
                    Was::Unknown
                } else {
                    Was::InStore
                };
                parts.insert(0, (gap.start, was));
            }
            let ends = parts.iter().skip(1).map(|(first, _)| *first).chain([gap.end]);
            for ((first, was), end) in parts.iter().zip(ends) {
                let file = name_of(*first);
                let is_told = self.left.iter().any(|one| one.file == file);
                if *was != Was::InStore && !is_told {
                    let (last, place) = (end - 1, store.files().place());
                    let what = format!("positions {first} to {last} are not in {place}");
                    left.push(damage(&file, &what));
                }
            }
        }
        Ok(left)
    }

    /// Whether positions that are missing border on archived ones, or begin a log that had an archive.
    fn is_beside(&self, gap: &Range<u64>, live: &[String]) -> bool {
        let borders = |one: &super::ArchivedSegment| {
            one.last.saturating_add(1) == gap.start || one.first == gap.end
        };
        let is_first =
            live.iter().filter_map(|name| segment::first_of(name)).all(|at| at >= gap.end);
        let had_archive = self.is_damaged || !self.left.is_empty();
        self.manifest.segments().iter().any(borders) || (is_first && had_archive)
    }
}

/// The indices of this store without a segment beside them, in order.
fn alone(disk: &dyn Disk, store: StoreId) -> Result<Vec<(u64, Was)>> {
    let mut names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    names.sort_unstable();
    let mut alone = Vec::new();
    for name in &names {
        let Some(first) = index::first_of(name) else { continue };
        if names.contains(&segment::name_of(first)) {
            continue;
        }
        let read = disk.open(name, Access::Read);
        let head = match read.and_then(|file| read_small(&*file, index::OWNER_BYTES)) {
            Ok(head) => head,
            Err(cause) if is_irregular(&cause) => continue,
            Err(cause) => return Err(disk_failure("read an index", name, cause)),
        };
        let was = match index::owner(&head) {
            Some((_, owner)) if owner != store => continue,
            Some((Grain::Stretches, _)) => Was::InArchive,
            Some((Grain::Frames, _)) => Was::InStore,
            None => Was::Unknown,
        };
        alone.push((first, was));
    }
    Ok(alone)
}

/// An error of opening with the way out of it, if it comes from a manifest that is lost or damaged.
pub(in super::super) fn told(error: Error, store: Option<&ArchivedStore>, id: StoreId) -> Error {
    let Some(store) = store else { return error };
    let wrong = match (error.kind(), store.manifest()) {
        (ErrorKind::AckedDataMissing, Ok(None)) if has_traces(store, id) => "missing",
        (ErrorKind::Corruption, Err(_)) => "damaged",
        _ => return error,
    };
    let message = format!(
        "{}; {FILE}, which says what of the log is in the archive, is {wrong}: \
         `foundation repair --dry-run` tells whether it can be made again",
        error.message()
    );
    let told = Error::new(error.kind(), message);
    let told = error.context().iter().fold(told, |told, (name, value)| told.with(name, value));
    told.caused_by(error.clone())
}

/// Whether anything tells of an archive. What cannot be read tells nothing.
fn has_traces(store: &ArchivedStore, id: StoreId) -> bool {
    let has_files =
        store.files().list().is_ok_and(|names| names.iter().any(|one| is_archived(one)));
    has_files
        || were_archived(store.live(), id, std::slice::from_ref(&(0..u64::MAX))).unwrap_or(false)
}
