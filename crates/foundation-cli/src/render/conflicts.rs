//! What waits for somebody to decide, and changes as they come, as text.

use foundation::config::{Change, ParkedConflict};

use super::fault::clash;
use super::tree::{Shown, edits};

/// Each change that waits: who wants what since when, and where that clashes.
pub(crate) fn conflicts(conflicts: &[ParkedConflict]) -> Vec<String> {
    conflicts.iter().flat_map(conflict).collect()
}

fn conflict(one: &ParkedConflict) -> Vec<String> {
    let (base, actual) = (one.base, one.actual);
    let who = who(one.actor.as_deref(), one.reason.as_deref());
    let mut lines =
        vec![format!("{}  {}  {who}: for version {base}, it was at {actual}", one.id, one.time)];
    lines.extend(one.clashes.iter().map(|at| format!("  {}", clash(at))));
    lines.extend(edits(&one.edits, Shown::After).iter().map(|edit| format!("  wants {edit}")));
    let patches = one.patches.iter().filter_map(|patch| super::json(patch).ok());
    lines.extend(patches.map(|patch| format!("  wants the patch {patch}")));
    lines
}

/// A change in one line.
pub(crate) fn change(change: &Change) -> String {
    let who = who(change.actor.as_deref(), change.reason.as_deref());
    let edits = edits(&change.changes, Shown::Both).join("; ");
    format!("version {}  {}  {who}: {edits}", change.version, change.time)
}

fn who(actor: Option<&str>, reason: Option<&str>) -> String {
    let why = reason.map(|why| format!("  \"{why}\"")).unwrap_or_default();
    format!("{}{why}", actor.unwrap_or("somebody"))
}
