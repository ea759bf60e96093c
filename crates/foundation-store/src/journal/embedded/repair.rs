//! Putting a stopped store in order again: what is derived and wrong goes, so that it is made anew,
//! and where the log cannot be read, a frame stands for what is lost, so that it goes on behind it.
//!
//! What a repair does is told before it is done. Nothing is thrown away: a file of the log that is
//! changed is kept whole in quarantine, a file whose name begins so.

mod archived;
mod bridge;
mod holes;
mod rename;

use std::ops::Range;
use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::archive;
use super::identity::remove_if_there;
use super::options::Mode;
use super::verify::{Checked, Known, verify};
use super::{disk_failure, identity, index, segment, snapshot, take_lock};
use crate::disk::Disk;
use crate::journal::status::Finding;
pub use archived::{MissingArchived, RepairOptions, repair_archived_store};
use holes::{Hole, Holes};
use rename::Moves;

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
    /// It is removed, and made anew from the log; the manifest of the archive, from the files there.
    MakeAgain,
    /// It is removed.
    Remove,
    /// It gets the name that it should have.
    Rename {
        /// That name.
        to: String,
    },
    /// It cannot be used, and is kept beside the log as it is.
    SetAside {
        /// Under this name.
        quarantine: String,
    },
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
/// removed, in which case a repair can be tried again: what could not be read is not given up.
/// `InvalidArgument` if a part of it is in an archive.
pub fn repair_store(disk: &Arc<dyn Disk>, mode: RepairMode) -> Result<Repair> {
    // Without its archive, what is there would be given up.
    let elsewhere = || {
        let message = "the store has segments in an archive; repair it together with that";
        Error::new(ErrorKind::InvalidArgument, message)
    };
    if archive::has_segments(&**disk)? {
        return Err(elsewhere());
    }
    if identity::read(&**disk)?.is_none() {
        return Err(identity::no_store(&**disk));
    }
    let _lock = take_lock(&**disk, claim(mode))?;
    let store = identity::read(&**disk)?.ok_or_else(|| identity::no_store(&**disk))?;
    let plan = plan(disk, store)?;
    if archive::were_archived(&**disk, store, &plan.gaps())? {
        return Err(elsewhere());
    }
    match mode {
        RepairMode::DryRun => Ok(plan.repair),
        RepairMode::Apply => carry_out(disk, store, plan),
    }
}

fn claim(mode: RepairMode) -> Mode {
    match mode {
        RepairMode::DryRun => Mode::Read,
        RepairMode::Apply => Mode::Write,
    }
}

/// A repair, and what it is done by.
struct Plan {
    repair: Repair,
    moves: Moves,
    holes: Vec<Hole>,
    /// Whether the log goes on, or can.
    is_mendable: bool,
}

impl Plan {
    /// The positions of which no segment is there.
    fn gaps(&self) -> Vec<Range<u64>> {
        let missing = self.holes.iter().filter(|hole| hole.is_whole && hole.lost > 0);
        missing.map(|hole| hole.before.next..hole.before.next + hole.lost).collect()
    }
}

/// Does what is planned; gives what is left then.
fn carry_out(disk: &Arc<dyn Disk>, store: StoreId, plan: Plan) -> Result<Repair> {
    let Plan { mut repair, moves, holes, .. } = plan;
    if !repair.actions.is_empty() {
        moves.apply(&**disk)?;
        apply(&**disk, store, &repair, &holes)?;
        let found = verify(&**disk, None, store, Known::Nothing)?.found.findings;
        repair.left = found.into_iter().filter(|finding| finding.damage).collect();
    }
    Ok(repair)
}

/// What is to be done, as long as the log goes on behind it: a log that cannot be mended needs a
/// backup, and until there is one, nothing beside it is touched either.
fn plan(disk: &Arc<dyn Disk>, store: StoreId) -> Result<Plan> {
    let mut repair = Repair::default();
    let moves = Moves::find(&**disk, store)?;
    let seen = moves.seen(disk);
    let checked = verify(&*seen, None, store, Known::Nothing)?;
    let mendable = if moves.is_stuck { None } else { log_holes(&*seen, store, &checked)? };
    let Some(Holes { all: holes, stale }) = mendable else {
        // Nothing gets another name either.
        let found = match moves.is_empty() {
            true => checked.found,
            false => verify(&**disk, None, store, Known::Nothing)?.found,
        };
        repair.left = found.findings.into_iter().filter(|finding| finding.damage).collect();
        let (moves, holes) = (Moves::default(), Vec::new());
        return Ok(Plan { repair, moves, holes, is_mendable: false });
    };
    let is_mended = !holes.is_empty() || !stale.is_empty();
    repair.actions.extend(moves.actions());
    let names = seen.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    for hole in &holes {
        bridged(hole, &names, &mut repair.actions);
    }
    for file in stale {
        let what = "an index covers records that its segment does not have".to_owned();
        let found = Finding { file: file.clone(), range: 0..0, what, damage: true };
        repair.actions.push(RepairAction { file, found, remedy: Remedy::MakeAgain });
    }
    for found in checked.found.findings {
        let stays = checked.kept.contains(&found.file);
        match remedy(&found).filter(|_| !stays) {
            Some(remedy) => {
                let file = found.file.clone();
                repair.actions.push(RepairAction { file, found, remedy });
            }
            None if found.damage && !(is_mended && segment::is_segment(&found.file)) => {
                repair.left.push(found);
            }
            None => {}
        }
    }
    Ok(Plan { repair, moves, holes, is_mendable: true })
}

/// Where the log cannot be read; nothing if it cannot go on behind that.
fn log_holes(disk: &dyn Disk, store: StoreId, checked: &Checked) -> Result<Option<Holes>> {
    let is_log = |found: &Finding| found.damage && segment::is_segment(&found.file);
    if !checked.found.findings.iter().any(is_log) {
        return Ok(Some(Holes::default()));
    }
    match checked.extent {
        Some((front, marked)) if !checked.is_foreign => {
            let holes = holes::find(disk, store, front, marked, &checked.chains)?;
            Ok(holes.filter(|holes| !holes.is_empty()))
        }
        _ => Ok(None),
    }
}

/// A name for a segment that is kept as it is.
fn quarantine(segment: &str, names: &[String]) -> String {
    let first = segment.trim_end_matches(".seg");
    let mut free = (1_u64..).map(|count| format!("quarantine-{first}-{count}"));
    free.find(|name| !names.contains(name)).unwrap_or_default()
}

/// What is done about a hole. A segment is set aside once, however many holes it has.
fn bridged(hole: &Hole, names: &[String], actions: &mut Vec<RepairAction>) {
    let same = actions.iter().find(|action| action.file == hole.file);
    let kept = match same.map(|action| &action.remedy) {
        Some(Remedy::Bridge { quarantine, .. }) => quarantine.clone(),
        _ if hole.is_whole => hole.unusable.first().map(|one| one.quarantine.clone()),
        _ => Some(quarantine(&hole.file, names)),
    };
    let found = Finding {
        file: hole.file.clone(),
        range: hole.range.clone(),
        what: format!("{} (from position {})", hole.reason, hole.before.next),
        damage: true,
    };
    let remedy = Remedy::Bridge { lost: hole.lost, quarantine: kept };
    actions.push(RepairAction { file: hole.file.clone(), found, remedy });
    actions.extend(hole.unusable.iter().skip(1).map(|one| {
        let what = "nothing of a segment can be used".to_owned();
        let found = Finding { file: one.file.clone(), range: 0..0, what, damage: true };
        let remedy = Remedy::SetAside { quarantine: one.quarantine.clone() };
        RepairAction { file: one.file.clone(), found, remedy }
    }));
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

/// What is derived goes last: until the log goes on, an index may be all that says how far it went.
fn apply(disk: &dyn Disk, store: StoreId, repair: &Repair, holes: &[Hole]) -> Result<()> {
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
    for RepairAction { file, remedy, .. } in &repair.actions {
        if matches!(remedy, Remedy::MakeAgain | Remedy::Remove) {
            remove_if_there(disk, file)
                .map_err(|cause| disk_failure("remove a file", file, cause))?;
        }
    }
    disk.sync_names().map_err(|cause| disk_failure("remove a file", "", cause))
}
