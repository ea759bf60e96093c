//! The last step before a change is logged: its secrets are sealed.

use foundation_logic::diff;
use foundation_store::config::Head;
use foundation_types::{Document, Edit, Path, Result, Value};
use foundation_validate::config::{Stored, with_secrets};

use super::decision::Plan;
use super::server::ConfigServer;

impl<T: Document> ConfigServer<T> {
    /// The candidate with the content of every secret in it: opened, or as head has it.
    pub(super) fn settled(&self, candidate: &Value, head: &Head<T>) -> Result<Value> {
        self.state.seals().settle(T::NAME, candidate, &head.snapshot.tree)
    }

    /// What leads from head to the document, with its secrets sealed.
    /// What is withdrawn leaves what the sources or the defaults say, which is not logged. What is
    /// pinned is logged though it differs in nothing.
    pub(super) fn sealed(
        &self,
        stored: Stored<T>,
        head: &Head<T>,
        withdrawn: Vec<Path>,
        pins: Vec<Edit>,
    ) -> Result<Plan<T>> {
        let mut edits = diff::diff(&head.logged, &stored.tree);
        let is_new = |pin: &Edit| !edits.iter().any(|edit| edit.path.overlaps(&pin.path));
        let pins: Vec<Edit> = pins.into_iter().filter(is_new).collect();
        edits.extend(pins);
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        // What is logged of a document that has no secret now tells at most of sealed ones.
        if !stored.tree.has_secret() {
            return Ok(Plan::at_run_time(stored, edits, withdrawn));
        }
        let edits: Vec<Edit> = edits.into_iter().map(told::<T>).collect();
        let is_sourced = |edit: &Edit| withdrawn.iter().any(|path| edit.path.is_in(path));
        let (sourced, set): (Vec<Edit>, Vec<Edit>) = edits.into_iter().partition(is_sourced);
        let mut edits = self.state.seals().seal(T::NAME, set)?;
        edits.extend(sourced);
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        // As the log will say it: each secret with the seal of its own place.
        let tree = diff::apply(&head.logged, &edits)?;
        Ok(Plan::at_run_time(Stored { tree, ..stored }, edits, withdrawn))
    }
}

/// What was plain before its type was made a secret is not told again.
fn told<T: Document>(mut edit: Edit) -> Edit {
    edit.before = edit.before.map(|before| with_secrets::<T>(&edit.path, before));
    edit
}
