//! The documents as they are kept in a snapshot of the journal.
//!
//! Kept is what was changed, not what came of it: an overlay is put on the defaults that the
//! program has when it is opened, as replaying the changes would do.

use foundation_logic::diff;
use foundation_logic::overlay::Overlay;
use foundation_types::{Edit, Error, ErrorKind, Path, Position, Result, Value};
use serde::{Deserialize, Serialize};

use super::parked::Waiting;
use super::passing::Passing;
use super::versions::{TREE_EVERY, Versions};

/// Every document that was ever changed, in the order of names.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptDocuments {
    pub(super) documents: Vec<KeptDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptDocument {
    pub(super) name: String,
    /// Position of version 1, 2, 3, …
    positions: Vec<u64>,
    /// What leads from version 0 to 64, from there to 128, …
    trees: Vec<Vec<Put>>,
    /// What all changes at run time come to.
    overlay: Vec<Put>,
    /// What leads from there to the newest version: what files and the environment said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sourced: Vec<Put>,
    /// What is set for a time only.
    #[serde(default, skip_serializing_if = "Passing::is_empty")]
    passing: Passing,
    /// Changes that wait for somebody to decide.
    #[serde(default, skip_serializing_if = "Waiting::is_new")]
    parked: Waiting,
}

/// What is put at a place; a place alone is emptied.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Put {
    Value { path: Path, value: Value },
    Nothing { path: Path },
}

/// Whether two captures of the documents tell of the same versions and of the same changes. The
/// trees in them also depend on the defaults of the types that were linked when they were taken.
#[must_use]
pub fn same_changes(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes| serde_json::from_slice::<KeptDocuments>(bytes).ok();
    let (Some(one), Some(other)) = (read(one), read(other)) else { return false };
    let same = |(one, other): (&KeptDocument, &KeptDocument)| {
        one.name == other.name
            && one.positions == other.positions
            && one.overlay == other.overlay
            && one.parked == other.parked
    };
    one.documents.len() == other.documents.len()
        && one.documents.iter().zip(&other.documents).all(same)
}

impl KeptDocument {
    pub(super) fn of(name: &str, versions: &Versions, parked: &Waiting) -> Self {
        let before = std::iter::once(&versions.base).chain(&versions.trees);
        let steps = before.zip(&versions.trees).map(|(before, after)| {
            let edits = diff::diff(before, after);
            edits.into_iter().map(|edit| Put::of(edit.path, edit.after)).collect()
        });
        let overlay =
            versions.overlay.iter().map(|(path, value)| Put::of(path.clone(), value.cloned()));
        // It cannot fail: what the overlay is put on now it was put on before.
        let overlaid =
            versions.overlay.on(&versions.base).unwrap_or_else(|_| versions.base.clone());
        let sourced = diff::diff(&overlaid, &versions.last);
        let sourced = sourced.into_iter().map(|edit| Put::of(edit.path, edit.after)).collect();
        Self {
            sourced,
            passing: versions.passing.clone(),
            name: name.to_owned(),
            positions: versions.positions.iter().map(|position| position.to_engine()).collect(),
            trees: steps.collect(),
            overlay: overlay.collect(),
            parked: parked.clone(),
        }
    }

    /// The versions on top of these defaults, and what waits.
    pub(super) fn on(self, base: Value) -> Result<(Versions, Waiting)> {
        let ascending = self.positions.is_sorted_by(|one, two| one < two);
        if !ascending || self.trees.len() != self.positions.len() / TREE_EVERY {
            let message = "the versions of a document do not fit together";
            return Err(Error::new(ErrorKind::Corruption, message).with("document", self.name));
        }
        let (mut trees, mut tree) = (Vec::with_capacity(self.trees.len()), base.clone());
        for step in self.trees {
            let edits: Vec<Edit> = step.into_iter().map(Put::into_edit).collect();
            tree = diff::apply(&tree, &edits)?;
            trees.push(tree.clone());
        }
        let mut overlay = Overlay::default();
        for Edit { path, after, .. } in self.overlay.into_iter().map(Put::into_edit) {
            overlay.put(path, after);
        }
        let sourced: Vec<Edit> = self.sourced.into_iter().map(Put::into_edit).collect();
        let last = diff::apply(&overlay.on(&base)?, &sourced)?;
        let positions = self.positions.into_iter().map(Position::from_engine).collect();
        let passing = self.passing;
        Ok((Versions { base, trees, positions, overlay, passing, last }, self.parked))
    }
}

impl Put {
    fn of(path: Path, value: Option<Value>) -> Self {
        match value {
            Some(value) => Self::Value { path, value },
            None => Self::Nothing { path },
        }
    }

    fn into_edit(self) -> Edit {
        match self {
            Self::Value { path, value } => Edit { path, before: None, after: Some(value) },
            Self::Nothing { path } => Edit { path, before: None, after: None },
        }
    }
}
