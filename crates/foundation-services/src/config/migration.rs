//! What would come of a document at the start, without starting: its migration, and what is wrong then.

use std::sync::Arc;

use foundation_store::config::ConfigState;
use foundation_types::{Document, Edit, Error, Problem, Result, Version};
use foundation_validate::BusinessRule;
use serde::Serialize;

use super::sources::Sources;

/// What would come of a document at the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MigrationReport {
    /// Name of the document.
    pub document: String,
    /// The newest version of it.
    pub version: Version,
    /// The schema that it was logged with; that of its type if nothing was logged.
    pub from: u32,
    /// The schema of its type.
    pub to: u32,
    /// What would be logged; nothing if the schemas are the same.
    pub edits: Vec<Edit>,
    /// What is wrong with what comes of it, all at once; it would be refused or parked.
    pub problems: Vec<Problem>,
}

impl MigrationReport {
    /// What an open document has still to log, and what it is parked for.
    pub(super) fn unlogged<T: Document>(state: &ConfigState<T>) -> Self {
        let edits = state.migration().map(|one| one.edits.clone()).unwrap_or_default();
        let parked = state.parked_document().map(|parked| problems(parked.error.clone()));
        Self {
            document: T::NAME.to_owned(),
            version: state.timeline().last().0,
            from: state.timeline().schema().unwrap_or(T::SCHEMA),
            to: T::SCHEMA,
            edits,
            problems: parked.unwrap_or_default(),
        }
    }

    /// Looks at a document whose state has followed the whole journal.
    ///
    /// # Errors
    /// What of the log could not be followed.
    pub fn of<T: Document>(
        state: &ConfigState<T>,
        rules: &[BusinessRule<T>],
        sources: &Sources,
    ) -> Result<Self> {
        if let Some(fault) = state.timeline().fault() {
            return Err(fault);
        }
        let migrated = state.migrated();
        let layers = match sources.is_empty() {
            true => Ok(None),
            false => {
                sources.read::<T>(&state.timeline().base()).map(|layers| Some(Arc::new(layers)))
            }
        };
        let opened = layers.and_then(|layers| state.recovered(rules, layers));
        let edits = migrated.ok().flatten().map(|one| one.edits).unwrap_or_default();
        Ok(Self {
            document: T::NAME.to_owned(),
            version: state.timeline().last().0,
            from: state.timeline().schema().unwrap_or(T::SCHEMA),
            to: T::SCHEMA,
            edits,
            problems: opened.err().map(problems).unwrap_or_default(),
        })
    }
}

fn problems(error: Error) -> Vec<Problem> {
    match error.problems() {
        [] => vec![Problem::new(error.kind(), "", error.message())],
        found => found.to_vec(),
    }
}
