//! Putting a store with an archive in order: nothing that the archive may have is given up unless
//! somebody says so.

use std::sync::Arc;

use foundation_types::Result;

use super::super::archive::{self, ArchivedStore};
use super::super::{identity, take_lock};
use super::{Remedy, Repair, RepairAction, RepairMode, carry_out, claim, plan};
use crate::disk::Disk;

/// What becomes of records that may be in an archive and are not found there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingArchived {
    /// They are told, and nothing is touched.
    #[default]
    Refuse,
    /// The log goes on without them.
    GiveUp,
}

/// How a store with an archive is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairOptions {
    /// Whether it is done or told.
    pub mode: RepairMode,
    /// What becomes of what the archive should have and has not.
    pub missing: MissingArchived,
}

impl From<RepairMode> for RepairOptions {
    fn from(mode: RepairMode) -> Self {
        Self { mode, missing: MissingArchived::Refuse }
    }
}

/// As [`super::repair_store`], for a store with an archive. Its manifest is made again from the archived
/// files if it is lost or damaged or does not name one that has what is missing, once they reach without
/// a gap from the first record to those in the store. As long as something in the archive is damaged, or
/// something is missing that may be there, it is told and nothing is touched; unless the options say that
/// it is given up.
///
/// # Errors
/// As [`super::repair_store`].
pub fn repair_archived_store(
    store: &Arc<ArchivedStore>,
    options: impl Into<RepairOptions>,
) -> Result<Repair> {
    let RepairOptions { mode, missing } = options.into();
    if identity::read(store.live())?.is_none() {
        return Err(identity::no_store(store.live()));
    }
    let _lock = take_lock(&**store, claim(mode))?;
    let id = identity::read(store.live())?.ok_or_else(|| identity::no_store(store.live()))?;
    let mut known = archive::known(store, id)?;
    let planned = |known: &archive::Known| plan(&(known.seen(store)? as Arc<dyn Disk>), id);
    let mut plan = planned(&known)?;
    if known.take(store, id, &plan.gaps())? {
        plan = planned(&known)?;
    }
    let mut left = known.left.clone();
    left.extend(known.doubts(store, id, &plan.gaps())?);
    let is_in_doubt = missing == MissingArchived::Refuse && !left.is_empty();
    if is_in_doubt || !plan.is_mendable {
        let found = if is_in_doubt { known.untold() } else { known.found };
        if !is_in_doubt {
            left = plan.repair.left;
        }
        left.splice(0..0, found);
        return Ok(Repair { actions: Vec::new(), left });
    }
    let again = known.found.clone().map(|found| RepairAction {
        file: found.file.clone(),
        found,
        remedy: Remedy::MakeAgain,
    });
    let mut repair = match mode {
        RepairMode::DryRun => plan.repair,
        RepairMode::Apply => {
            if again.is_some() {
                known.write(store)?;
            }
            carry_out(&(Arc::clone(store) as Arc<dyn Disk>), id, plan)?
        }
    };
    repair.actions.splice(0..0, again);
    Ok(repair)
}
