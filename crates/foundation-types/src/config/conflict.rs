//! What a writer expects of a document, and what happens if it is otherwise.

use serde::{Deserialize, Serialize};

use crate::path::Path;
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
