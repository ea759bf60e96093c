//! Putting the store in a directory in order again, and what that came to.

use std::path::Path;

use foundation_store::disk::Files;
use foundation_store::journal::{
    Finding, Remedy, Repair, RepairAction, RepairMode, RepairOptions, repair_archived_store,
};
use foundation_types::{Event, Result};
use serde::{Deserialize, Serialize};

use crate::archive::with_archive;
use crate::node::VerifyFinding;
use crate::opening::unopened;

/// What a repair did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairReport {
    /// Whether it was done.
    pub applied: bool,
    /// In the order in which it is done.
    pub actions: Vec<RepairStep>,
    /// Damage that it cannot mend.
    pub left: Vec<VerifyFinding>,
}

/// One thing that a repair does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairStep {
    /// The file that it is about.
    pub file: String,
    /// First offset concerned.
    pub from: u64,
    /// Offset after the last one.
    pub to: u64,
    /// What is wrong.
    pub what: String,
    /// What is done.
    pub remedy: RepairRemedy,
    /// Records that are lost.
    #[serde(default)]
    pub records_lost: u64,
    /// Where a file of the log is kept as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// The name that it has from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<String>,
}

/// What is done about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairRemedy {
    /// It is removed, and made anew from the log; the manifest of the archive, from the files there.
    MakeAgain,
    /// It is removed.
    Remove,
    /// The log goes on behind the range, whose records are lost.
    Bridge,
    /// It gets the name that it says it should have.
    Rename,
    /// It cannot be used, and is kept as it is.
    SetAside,
}

impl RepairStep {
    /// The event that tells of it.
    ///
    /// # Errors
    /// `TooLarge` if it does not fit an event, which it always does.
    pub fn event(&self) -> Result<Event> {
        Event::new("foundation.store.repaired").source("foundation").subject(&self.file).data(self)
    }
}

impl From<RepairAction> for RepairStep {
    fn from(action: RepairAction) -> Self {
        let Finding { range, what, .. } = action.found;
        let (remedy, records_lost, quarantine, renamed) = match action.remedy {
            Remedy::MakeAgain => (RepairRemedy::MakeAgain, 0, None, None),
            Remedy::Remove => (RepairRemedy::Remove, 0, None, None),
            Remedy::Bridge { lost, quarantine } => (RepairRemedy::Bridge, lost, quarantine, None),
            Remedy::Rename { to } => (RepairRemedy::Rename, 0, None, Some(to)),
            Remedy::SetAside { quarantine } => (RepairRemedy::SetAside, 0, Some(quarantine), None),
        };
        let (file, from, to) = (action.file, range.start, range.end);
        Self { file, from, to, what, remedy, records_lost, quarantine, renamed }
    }
}

/// Finds what can be mended in the store in a directory that nobody has open, and mends it.
///
/// # Errors
/// As [`repair_archived_store`]; `NotFound` also for a directory that is not there.
pub fn repair(directory: &Path, options: RepairOptions) -> Result<RepairReport> {
    let files = Files::existing(directory).map_err(|cause| unopened(directory, cause))?;
    let Repair { actions, left } = repair_archived_store(&with_archive(files, None), options)?;
    Ok(RepairReport {
        applied: options.mode == RepairMode::Apply,
        actions: actions.into_iter().map(Into::into).collect(),
        left: left.into_iter().map(Into::into).collect(),
    })
}
