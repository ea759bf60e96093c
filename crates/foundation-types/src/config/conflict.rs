//! What a writer expects of a document, and what happens if it is otherwise.

use serde::{Deserialize, Serialize};

use super::change::Edit;
use super::patch::Patch;
use crate::error::Clash;
use crate::id::EventId;
use crate::path::Path;
use crate::time::Timestamp;
use crate::version::Version;

/// What becomes of a change if the document is not at the version that its writer expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is refused, with the changes that the writer missed: the first write wins.
    #[default]
    Refuse,
    /// It is made on the document as it is: the last write wins.
    Overwrite,
    /// It is made on the version that was expected, and merged with what others made of that one.
    /// If both changed the same in different ways it is refused, with each place and what it had,
    /// has and should have.
    Merge,
    /// As `Merge`; what cannot be merged is kept until somebody decides about it, and its caller is
    /// told what it waits as.
    Park,
}

/// A change that could not be made and waits for somebody to decide about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParkedConflict {
    /// What it waits as: the id of the event that tells of it.
    pub id: EventId,
    /// Name of the document.
    pub document: String,
    /// The version that its writer had seen.
    pub base: Version,
    /// The version that the document was at instead.
    pub actual: Version,
    /// Where its writer and others changed the same in different ways, each with what all began
    /// with, what its writer wants (ours) and what others made of it (theirs). Empty if the version
    /// that its writer had seen is not there, or if a place changed that was to be left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clashes: Vec<Clash>,
    /// Its patches, which are made before its edits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// What it puts where, in `after`, which is absent where something is to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Who wanted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was recorded.
    pub time: Timestamp,
}

/// Nothing at, in or around this path changed after a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unchanged {
    /// Where.
    pub path: Path,
    /// Since when.
    pub since: Version,
}
