//! Putting a stopped store in order again: what is derived and wrong goes, so that it is made anew.
//!
//! What a repair does is told before it is done, and nothing of the log is touched: damage to that
//! is named and left for a backup.

use std::sync::Arc;

use foundation_types::Result;

use super::options::Mode;
use super::verify::{Known, verify};
use super::{disk_failure, identity, index, snapshot, take_lock};
use crate::disk::Disk;
use crate::journal::status::Finding;

/// Whether a repair is only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairMode {
    /// Nothing is written.
    DryRun,
    /// What is told is done.
    Apply,
}

/// What a repair does, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// In the order in which it is done.
    pub actions: Vec<RepairAction>,
    /// Damage that it cannot mend.
    pub left: Vec<Finding>,
}

/// One thing that a repair does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairAction {
    /// The file that it is about.
    pub file: String,
    /// What is wrong with it.
    pub found: Finding,
    /// What is done.
    pub remedy: Remedy,
}

/// What is done about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is removed, and made anew from the log.
    MakeAgain,
    /// It is removed.
    Remove,
}

/// Finds what can be mended in the store on `disk`, which nobody has open, and mends it.
///
/// # Errors
/// `NotFound` if there is none, `Locked` if somebody has it open, `UnknownFormat` if a newer program
/// wrote it, the error of its identity if that is damaged; `Disk` if something could not be read or
/// removed, in which case a repair can be tried again.
pub fn repair_store(disk: &Arc<dyn Disk>, mode: RepairMode) -> Result<Repair> {
    let claim = match mode {
        RepairMode::DryRun => Mode::Read,
        RepairMode::Apply => Mode::Write,
    };
    if identity::read(&**disk)?.is_none() {
        return Err(identity::no_store(&**disk));
    }
    let _lock = take_lock(&**disk, claim)?;
    let repair = plan(&**disk)?;
    if mode == RepairMode::Apply {
        apply(&**disk, &repair)?;
    }
    Ok(repair)
}

fn plan(disk: &dyn Disk) -> Result<Repair> {
    let store = identity::read(disk)?.ok_or_else(|| identity::no_store(disk))?;
    let mut repair = Repair::default();
    for found in verify(disk, store, Known::Nothing)?.found.findings {
        match remedy(&found) {
            Some(remedy) => {
                let file = found.file.clone();
                repair.actions.push(RepairAction { file, found, remedy });
            }
            None if found.damage => repair.left.push(found),
            None => {}
        }
    }
    Ok(repair)
}

/// What is to be done about a finding. A file that nobody knows is somebody's, and stays.
fn remedy(found: &Finding) -> Option<Remedy> {
    let name = found.file.as_str();
    let is_derived = index::first_of(name).is_some() || snapshot::last_of(name).is_some();
    match (is_derived, found.damage) {
        (true, true) => Some(Remedy::MakeAgain),
        // What a newer program made is not damaged, and is told without a segment of it.
        (true, false) if found.range.is_empty() => Some(Remedy::Remove),
        (false, false) if name.ends_with(".new") && is_unfinished(name) => Some(Remedy::Remove),
        _ => None,
    }
}

/// Whether a name is one that a store gives to a file that it is making.
fn is_unfinished(name: &str) -> bool {
    let made =
        ["INDEX.new", "SNAPSHOT.new", "SEGMENT.new", "STORE.new", "WATERMARK.new", "FRONT.new"];
    made.contains(&name)
}

fn apply(disk: &dyn Disk, repair: &Repair) -> Result<()> {
    for RepairAction { file, .. } in &repair.actions {
        disk.remove(file).map_err(|cause| disk_failure("remove a file", file, cause))?;
    }
    disk.sync_names().map_err(|cause| disk_failure("remove a file", "", cause))
}
