//! The documents as they are kept in a snapshot of the journal.
//!
//! Kept is what was changed, not what came of it: an overlay is put on the defaults that the
//! program has when it is opened, as replaying the changes would do.

use foundation_logic::diff;
use foundation_logic::overlay::Overlay;
use foundation_types::{Edit, Error, ErrorKind, Path, Position, Result, Value, Version};
use serde::{Deserialize, Serialize};

use super::carried::CarriedChange;
use super::parked::Waiting;
use super::passing::Passing;
use super::versions::{Era, TREE_EVERY, Versions};

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
    /// Whether they ever said something that was not the default.
    #[serde(default, skip_serializing_if = "is_no")]
    was_sourced: bool,
    /// What is set for a time only.
    #[serde(default, skip_serializing_if = "Passing::is_empty")]
    passing: Passing,
    /// From where on the changes have which schema; if absent, all have the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    eras: Vec<KeptEra>,
    /// Changes that wait for somebody to decide.
    #[serde(default, skip_serializing_if = "Waiting::is_new")]
    parked: Waiting,
    /// The newest changes, which outlive the log; those that were lost to damage are `null`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<Option<CarriedChange>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_no(flag: &bool) -> bool {
    !flag
}

/// Versions whose changes have the same schema.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptEra {
    schema: u32,
    /// The version that began it; 0 for the oldest.
    first: u64,
    /// What leads from what its changes are folded on to the tree of that version.
    tree: Vec<Put>,
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
            && one.eras == other.eras
            && one.parked == other.parked
    };
    one.documents.len() == other.documents.len()
        && one.documents.iter().zip(&other.documents).all(same)
}

impl KeptDocument {
    pub(super) fn of(name: &str, versions: &Versions, parked: &Waiting) -> Self {
        let steps = (0..versions.trees.len()).filter_map(|at| {
            let (before, after) = (before(versions, at, &versions.trees), versions.trees.get(at)?);
            Some(Put::all(&before, after))
        });
        let era = |era: &Era| {
            let tree = Put::all(&versions.ground(era.schema), &era.tree);
            KeptEra { schema: era.schema, first: era.first, tree }
        };
        let is_first = versions.schema().is_none_or(|schema| schema == 1);
        let eras = versions.eras.iter().filter(|_| !is_first).map(era).collect();
        let overlay =
            versions.overlay.iter().map(|(path, value)| Put::of(path.clone(), value.cloned()));
        // It cannot fail: what the overlay is put on now it was put on before.
        let ground = versions.schema().map_or(versions.base(), |schema| versions.ground(schema));
        let overlaid = versions.overlay.on(&ground).unwrap_or(ground);
        let sourced = Put::all(&overlaid, &versions.last);
        Self {
            sourced,
            was_sourced: versions.was_sourced,
            passing: versions.passing.clone(),
            eras,
            name: name.to_owned(),
            positions: versions.positions.iter().map(|position| position.to_engine()).collect(),
            trees: steps.collect(),
            overlay: overlay.collect(),
            parked: parked.clone(),
            history: versions.carried.kept(),
        }
    }

    /// The versions on top of the defaults of these, of which there is none yet; and what waits.
    pub(super) fn on(self, mut versions: Versions) -> Result<(Versions, Waiting)> {
        let ascending = self.positions.is_sorted_by(|one, two| one < two);
        let eras_ascend =
            self.eras.is_sorted_by(|one, two| one.first < two.first && one.schema < two.schema);
        let begin = self.eras.first().is_none_or(|era| era.first == 0);
        if !ascending
            || !eras_ascend
            || !begin
            || self.trees.len() != self.positions.len() / TREE_EVERY
        {
            let message = "the versions of a document do not fit together";
            return Err(Error::new(ErrorKind::Corruption, message).with("document", self.name));
        }
        for KeptEra { schema, first, tree } in self.eras {
            let tree = Put::on(tree, &versions.ground(schema))?;
            versions.eras.push(Era { schema, first, tree });
        }
        if versions.eras.is_empty() && !self.positions.is_empty() {
            let tree = versions.ground(1);
            versions.eras.push(Era { schema: 1, first: 0, tree });
        }
        for (at, step) in self.trees.into_iter().enumerate() {
            let tree = Put::on(step, &before(&versions, at, &versions.trees))?;
            versions.trees.push(tree);
        }
        let mut overlay = Overlay::default();
        for Edit { path, after, .. } in self.overlay.into_iter().map(Put::into_edit) {
            overlay.put(path, after);
        }
        let ground = versions.schema().map_or(versions.base(), |schema| versions.ground(schema));
        versions.was_sourced = self.was_sourced || !self.sourced.is_empty();
        versions.last = Put::on(self.sourced, &overlay.on(&ground)?)?;
        versions.overlay = overlay;
        versions
            .carried
            .restore(self.positions.len(), self.history)
            .map_err(|error| error.with("document", self.name))?;
        versions.positions = self.positions.into_iter().map(Position::from_engine).collect();
        versions.passing = self.passing;
        Ok((versions, self.parked))
    }
}

/// What the stored tree with this number is told as a difference of: the one before, if that has the
/// same schema.
fn before(versions: &Versions, at: usize, trees: &[Value]) -> Value {
    let version = |at: usize| Version::new((at * TREE_EVERY) as u64);
    let schema = versions.schema_of(version(at + 1));
    let earlier = at.checked_sub(1).and_then(|before| trees.get(before));
    match earlier.filter(|_| versions.schema_of(version(at)) == schema) {
        Some(earlier) => earlier.clone(),
        None => schema.map_or(versions.base(), |schema| versions.ground(schema)),
    }
}

impl Put {
    fn all(before: &Value, after: &Value) -> Vec<Self> {
        let edits = diff::diff(before, after);
        edits.into_iter().map(|edit| Self::of(edit.path, edit.after)).collect()
    }

    fn on(puts: Vec<Self>, tree: &Value) -> Result<Value> {
        let edits: Vec<Edit> = puts.into_iter().map(Self::into_edit).collect();
        diff::apply(tree, &edits)
    }

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
