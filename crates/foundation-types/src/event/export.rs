//! What is kept of an export beside the place of its consumer.

use serde::{Deserialize, Serialize};

/// What a restart has to know of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportKept {
    /// Whether it rests until somebody resumes it.
    pub paused: bool,
    /// Records that were let go of before it came to them, ever.
    pub skipped: u64,
}
