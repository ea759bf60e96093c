//! Putting a stopped store in order again: what is derived and wrong goes, so that it is made anew,
//! and where the log cannot be read, a frame stands for what is lost, so that it goes on behind it.
//!
//! What a repair does is told before it is done. Nothing is thrown away: a file of the log that is
//! changed is kept whole in quarantine, a file whose name begins so.

mod bridge;
mod holes;

use std::sync::Arc;

use foundation_types::{ErrorKind, Result, StoreId};

use super::identity::remove_if_there;
use super::mark::{FRONT, Mark};
use super::options::Mode;
use super::snapshot::Snapshot;
use super::verify::{Known, verify};
use super::{disk_failure, identity, index, row, snapshot, take_lock};
use crate::disk::{Access, Disk};
use crate::journal::status::Finding;
use holes::Hole;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is removed, and made anew from the log.
    MakeAgain,
    /// It is removed.
    Remove,
    /// The log goes on behind the range.
    Bridge {
        /// Records that are lost.
        lost: u64,
        /// Where the file is kept as it was; absent if there was none.
        quarantine: Option<String>,
    },
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
    let store = identity::read(&**disk)?.ok_or_else(|| identity::no_store(&**disk))?;
    let (mut repair, holes) = plan(&**disk, store)?;
    if mode == RepairMode::Apply {
        apply(&**disk, store, &repair, &holes)?;
        let found = verify(&**disk, store, Known::Nothing)?.found.findings;
        repair.left = found.into_iter().filter(|finding| finding.damage).collect();
    }
    Ok(repair)
}

fn plan(disk: &dyn Disk, store: StoreId) -> Result<(Repair, Vec<Hole>)> {
    let mut repair = Repair::default();
    let found = verify(disk, store, Known::Nothing)?.found;
    let is_log = |found: &Finding| found.damage && remedy(found).is_none();
    let holes = if found.findings.iter().any(is_log) { log_holes(disk, store)? } else { None };
    let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    for hole in holes.iter().flatten() {
        repair.actions.push(bridged(hole, &names, &repair.actions));
    }
    for found in found.findings {
        match remedy(&found) {
            Some(remedy) => {
                let file = found.file.clone();
                repair.actions.push(RepairAction { file, found, remedy });
            }
            None if found.damage && holes.as_ref().is_none_or(Vec::is_empty) => {
                repair.left.push(found);
            }
            None => {}
        }
    }
    Ok((repair, holes.unwrap_or_default()))
}

/// Where the log cannot be read, unless its marks cannot be read either.
fn log_holes(disk: &dyn Disk, store: StoreId) -> Result<Option<Vec<Hole>>> {
    let marks = Mark::watermark(disk, store, Access::Read)
        .and_then(|marked| Ok((marked, Mark::open(disk, FRONT, store, Access::Read)?)));
    let (marked, front) = match marks {
        Ok((marked, front)) => (marked.sequence(), front.map_or(0, |front| front.sequence())),
        Err(error) if error.kind() == ErrorKind::Disk => return Err(error),
        Err(_) => return Ok(None),
    };
    let mut reached = marked;
    for name in snapshot::names(disk)? {
        if Snapshot::read(disk, &name, store).is_ok() {
            reached = reached.max(snapshot::last_of(&name).unwrap_or(0));
        }
    }
    let (_, names) = row::without_dropped(row::segment_names(disk)?, front);
    holes::find(disk, store, &names, front, reached)
}

/// What is done about a hole. A segment is set aside once, however many holes it has.
fn bridged(hole: &Hole, names: &[String], before: &[RepairAction]) -> RepairAction {
    let same = before.iter().find(|action| action.file == hole.file);
    let quarantine = match same.map(|action| &action.remedy) {
        Some(Remedy::Bridge { quarantine, .. }) => quarantine.clone(),
        _ if hole.is_whole && hole.unusable.is_empty() => None,
        _ => {
            let first = hole.file.trim_end_matches(".seg");
            let mut free = (1_u32..).map(|count| format!("quarantine-{first}-{count}"));
            free.find(|name| !names.contains(name))
        }
    };
    let found = Finding {
        file: hole.file.clone(),
        range: hole.range.clone(),
        what: format!("{} (from position {})", hole.reason, hole.before.next),
        damage: true,
    };
    let remedy = Remedy::Bridge { lost: hole.lost, quarantine };
    RepairAction { file: hole.file.clone(), found, remedy }
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
    matches!(
        name,
        "INDEX.new"
            | "SNAPSHOT.new"
            | "SEGMENT.new"
            | "STORE.new"
            | "WATERMARK.new"
            | "FRONT.new"
            | "HEADS.new"
    )
}

fn apply(disk: &dyn Disk, store: StoreId, repair: &Repair, holes: &[Hole]) -> Result<()> {
    for RepairAction { file, remedy, .. } in &repair.actions {
        if matches!(remedy, Remedy::MakeAgain | Remedy::Remove) {
            remove_if_there(disk, file)
                .map_err(|cause| disk_failure("remove a file", file, cause))?;
        }
    }
    disk.sync_names().map_err(|cause| disk_failure("remove a file", "", cause))?;
    let mut rest = holes;
    while let Some(hole) = rest.first() {
        let same = rest.iter().take_while(|one| one.file == hole.file).count();
        let (own, others) = rest.split_at(same);
        let quarantine = repair.actions.iter().find_map(|action| match &action.remedy {
            Remedy::Bridge { quarantine, .. } if action.file == hole.file => quarantine.as_deref(),
            _ => None,
        });
        bridge::bridge(disk, store, &own.iter().collect::<Vec<_>>(), quarantine)?;
        rest = others;
    }
    Ok(())
}
