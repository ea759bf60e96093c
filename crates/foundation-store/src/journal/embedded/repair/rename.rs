//! Segments that are whole and have each other's names. Their headers say what they are called, and
//! so nothing of them is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use foundation_types::{Result, StoreId};

use super::super::cause::is_damage;
use super::super::segment::{self, HEADER_BYTES};
use super::super::{disk_failure, row};
use super::{Remedy, RepairAction};
use crate::disk::{Access, Disk, DiskFile, ReadOnly, View};
use crate::journal::status::Finding;

/// What a segment is called between its two names. If a repair is cut then, the next one finds it.
const MOVED: &str = ".moved";

/// Which segments get which names.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Name that it has, name that it gets, and the number that says so.
    moves: Vec<(String, String, u64)>,
    /// Whether a segment cannot have its name, since another file has it.
    pub(super) is_stuck: bool,
}

impl Moves {
    /// Reads the headers of all segments of this store.
    pub(super) fn find(disk: &dyn Disk, store: StoreId) -> Result<Self> {
        let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
        let (mut right, mut found) = (BTreeSet::new(), Self::default());
        for name in &names {
            if !segment::is_segment(name.trim_end_matches(MOVED)) {
                continue;
            }
            let header = match row::open_segment(disk, name, Access::Read) {
                Ok(segment) if segment.header.store == store => segment.header,
                Ok(_) => continue,
                Err(error) if is_damage(&error) => continue,
                Err(error) => return Err(error),
            };
            let target = segment::name_of(header.first);
            if *name == target {
                right.insert(target);
            } else {
                found.moves.push((name.clone(), target, header.first));
            }
        }
        // One whose name is that of a segment which is there is a copy, if of an earlier time.
        found.moves.retain(|(_, target, _)| !right.contains(target));
        let moving: BTreeSet<&String> = found.moves.iter().map(|(name, ..)| name).collect();
        let targets: BTreeSet<&String> = found.moves.iter().map(|(_, to, _)| to).collect();
        let is_taken = |to: &&String| names.contains(*to) && !moving.contains(*to);
        if targets.len() < found.moves.len() || targets.iter().any(is_taken) {
            return Ok(Self { moves: Vec::new(), is_stuck: true });
        }
        Ok(found)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = RepairAction> {
        self.moves.iter().map(|(name, to, first)| RepairAction {
            file: name.clone(),
            found: Finding {
                file: name.clone(),
                range: 0..HEADER_BYTES,
                what: format!("a segment begins with {first} and has another name"),
                damage: true,
            },
            remedy: Remedy::Rename { to: to.clone() },
        })
    }

    /// The disk as it is when all have their names.
    pub(super) fn seen(&self, disk: &Arc<dyn Disk>) -> Arc<dyn Disk> {
        if self.is_empty() {
            return Arc::clone(disk);
        }
        let moved = self.moves.iter().map(|(name, to, _)| (to.clone(), name.clone()));
        Arc::new(ReadOnly(Moved { disk: Arc::clone(disk), from: moved.collect() }))
    }

    /// Gives them their names. No name is taken before it is free for good.
    pub(super) fn apply(&self, disk: &dyn Disk) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let fail = |name: &str, cause| disk_failure("rename a segment", name, cause);
        for (name, to, _) in &self.moves {
            let between = format!("{to}{MOVED}");
            if *name != between {
                disk.rename(name, &between).map_err(|cause| fail(name, cause))?;
            }
        }
        disk.sync_names().map_err(|cause| fail("", cause))?;
        for (_, to, _) in &self.moves {
            disk.rename(&format!("{to}{MOVED}"), to).map_err(|cause| fail(to, cause))?;
        }
        disk.sync_names().map_err(|cause| fail("", cause))
    }
}

/// A disk with other names, only to be read.
struct Moved {
    disk: Arc<dyn Disk>,
    /// The name that a file has, by the one that it gets.
    from: BTreeMap<String, String>,
}

impl View for Moved {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        names.retain(|name| !self.from.values().any(|from| from == name));
        names.extend(self.from.keys().cloned());
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        match self.from.get(name) {
            Some(from) => self.disk.open(from, Access::Read),
            None if self.from.values().any(|from| from == name) => {
                Err(io::ErrorKind::NotFound.into())
            }
            None => self.disk.open(name, Access::Read),
        }
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}
