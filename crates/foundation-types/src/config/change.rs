//! What changed in a document: the record in the journal and the event that tells of it.

use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::time::Timestamp;
use crate::value::{Value, present};
use crate::version::Version;

/// One path whose value differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Where.
    pub path: Path,
    /// The value before; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub before: Option<Value>,
    /// The value after; absent if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub after: Option<Value>,
}

/// What moved when a document changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What files and the environment say.
    Sources,
    /// What is set while the application runs; it wins over the sources.
    #[default]
    RunTime,
}

impl Layer {
    fn is_run_time(&self) -> bool {
        *self == Self::RunTime
    }
}

/// The schema of a document that does not say it.
const FIRST_SCHEMA: u32 = 1;

fn first_schema() -> u32 {
    FIRST_SCHEMA
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_first_schema(schema: &u32) -> bool {
    *schema == FIRST_SCHEMA
}

/// One version of a document: who changed what, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Name of the document.
    pub document: String,
    /// The version that this change made.
    pub version: Version,
    /// Version of the schema whose paths it has: [`Document::SCHEMA`](super::Document::SCHEMA) of the
    /// program that made it.
    #[serde(default = "first_schema", skip_serializing_if = "is_first_schema")]
    pub schema: u32,
    /// When it was recorded.
    pub time: Timestamp,
    /// Who changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What moved.
    #[serde(default, skip_serializing_if = "Layer::is_run_time")]
    pub layer: Layer,
    /// Where what was set at run time was taken away, so that the sources count again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Path>,
    /// When what it put gives way to what was there before; absent if it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What differs for readers, in the order of paths; and what was set to the value that a source or
    /// the defaults had there already, whose `before` and `after` are the same.
    pub changes: Vec<Edit>,
}
