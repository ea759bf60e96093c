//! The last step before a change is logged: its secrets are sealed.

use foundation_logic::diff;
use foundation_store::config::Head;
use foundation_types::{Document, Edit, Result, Value};
use foundation_validate::config::{Stored, with_secrets};

use super::decision::Plan;
use super::server::ConfigServer;

impl<T: Document> ConfigServer<T> {
    /// The candidate with the content of every secret in it: opened, or as head has it.
    pub(super) fn settled(&self, candidate: &Value, head: &Head<T>) -> Result<Value> {
        self.state.seals().settle(T::NAME, candidate, &head.snapshot.tree)
    }

    /// What leads from head to the document, with its secrets sealed.
    pub(super) fn sealed(&self, stored: Stored<T>, head: &Head<T>) -> Result<Plan<T>> {
        let edits = diff::diff(&head.logged, &stored.tree);
        // What is logged of a document that has no secret now tells at most of sealed ones.
        if !stored.tree.has_secret() {
            return Ok(Plan { stored, edits });
        }
        let edits = edits.into_iter().map(told::<T>).collect();
        let edits = self.state.seals().seal(T::NAME, edits)?;
        // As the log will say it: each secret with the seal of its own place.
        let tree = diff::apply(&head.logged, &edits)?;
        Ok(Plan { stored: Stored { tree, ..stored }, edits })
    }
}

/// What was plain before its type was made a secret is not told again.
fn told<T: Document>(mut edit: Edit) -> Edit {
    edit.before = edit.before.map(|before| with_secrets::<T>(&edit.path, before));
    edit
}
