//! Putting a stopped store in order again: what is derived and wrong goes, so that it is made anew,
//! and where the log cannot be read, a frame stands for what is lost, so that it goes on behind it.
//!
//! What a repair does is told before it is done. Nothing is thrown away: a file of the log that is
//! changed is kept whole in quarantine, a file whose name begins so.

mod bridge;
mod holes;
mod rename;

use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::archive::{self, ArchivedStore};
use super::identity::remove_if_there;
use super::options::Mode;
use super::verify::{Checked, Known, verify};
use super::{disk_failure, identity, index, segment, snapshot, take_lock};
use crate::disk::Disk;
use crate::journal::status::Finding;
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
pub fn repair_store(disk: &Arc<dyn Disk>, mode: RepairMode) -> Result<Repair> {
    // Without its archive, what is there would be given up.
    if archive::has_segments(&**disk)? {
        let message = "the store has segments in an archive; repair it together with that";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    repair(disk, mode)
}

/// As [`repair_store`], for a store with an archive. Its manifest is made again from the archived files
/// if it is lost or damaged. What is damaged or missing there is not mended, and as long as there is
/// such, neither is anything else.
///
/// # Errors
/// As [`repair_store`].
pub fn repair_archived_store(store: &Arc<ArchivedStore>, mode: RepairMode) -> Result<Repair> {
    if let Some(repair) = repair_manifest(store, mode)? {
        return Ok(repair);
    }
    let mut left = Vec::new();
    for segment in store.away()? {
        left.extend(archive::check(store, &segment)?);
    }
    if !left.is_empty() {
        return Ok(Repair { actions: Vec::new(), left });
    }
    repair(&(Arc::clone(store) as Arc<dyn Disk>), mode)
}

/// Makes the manifest of the archive again, if it is lost or damaged. What else there is to be mended
/// is told after that: without the manifest it looks as if segments were missing.
fn repair_manifest(store: &Arc<ArchivedStore>, mode: RepairMode) -> Result<Option<Repair>> {
    let Some(id) = identity::read(store.live())? else { return Ok(None) };
    if archive::remade(store, id)?.is_none() {
        return Ok(None);
    }
    let _lock = take_lock(&**store, claim(mode))?;
    let Some(remade) = archive::remade(store, id)? else { return Ok(None) };
    let left = remade.left.clone();
    if !left.is_empty() {
        return Ok(Some(Repair { actions: Vec::new(), left }));
    }
    let (file, found) = (archive::FILE.to_owned(), remade.found.clone());
    let actions = vec![RepairAction { file, found, remedy: Remedy::MakeAgain }];
    let mut repair = Repair { actions, left };
    if mode == RepairMode::Apply {
        remade.write(store)?;
        let found = verify(&**store, None, id, Known::Nothing)?.found.findings;
        repair.left = found.into_iter().filter(|finding| finding.damage).collect();
    }
    Ok(Some(repair))
}

fn claim(mode: RepairMode) -> Mode {
    match mode {
        RepairMode::DryRun => Mode::Read,
        RepairMode::Apply => Mode::Write,
    }
}

fn repair(disk: &Arc<dyn Disk>, mode: RepairMode) -> Result<Repair> {
    if identity::read(&**disk)?.is_none() {
        return Err(identity::no_store(&**disk));
    }
    let _lock = take_lock(&**disk, claim(mode))?;
    let store = identity::read(&**disk)?.ok_or_else(|| identity::no_store(&**disk))?;
    let (mut repair, moves, holes) = plan(disk, store)?;
    if mode == RepairMode::Apply && !repair.actions.is_empty() {
        moves.apply(&**disk)?;
        apply(&**disk, store, &repair, &holes)?;
        let found = verify(&**disk, None, store, Known::Nothing)?.found.findings;
        repair.left = found.into_iter().filter(|finding| finding.damage).collect();
    }
    Ok(repair)
}

/// What is to be done, as long as the log goes on behind it: a log that cannot be mended needs a
/// backup, and until there is one, nothing beside it is touched either.
fn plan(disk: &Arc<dyn Disk>, store: StoreId) -> Result<(Repair, Moves, Vec<Hole>)> {
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
        return Ok((repair, Moves::default(), Vec::new()));
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
    Ok((repair, moves, holes))
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
