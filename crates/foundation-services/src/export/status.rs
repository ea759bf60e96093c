//! How exports are, for people and for whoever watches the node.

use foundation_types::Position;
use foundation_types::event::Halt;
use serde::{Deserialize, Serialize};

/// How an export is. Counts are since the process started, but for `skipped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportStatus {
    /// Its name.
    pub name: String,
    /// Whether the process that says so has a sink for it.
    pub running: bool,
    /// Whether it rests until somebody resumes it.
    #[serde(default)]
    pub paused: bool,
    /// Everything up to here is settled.
    pub position: Position,
    /// Records of the log after that, of its events and of others.
    pub behind: u64,
    /// How long ago the first event was recorded that is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_ms: Option<u64>,
    /// Events that were passed on and are not durably known to be taken.
    pub in_flight: u64,
    /// Events that were taken.
    pub delivered: u64,
    /// Batches that were passed on once more.
    pub retried: u64,
    /// Events that are parked.
    pub parked: u64,
    /// Records that were let go of before it came to them, ever.
    pub skipped: u64,
    /// Why the last try failed, until one does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Time until the next try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_ms: Option<u64>,
    /// How long there has been something to pass on of which nothing was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<u64>,
    /// Whether that is longer than it may be.
    #[serde(default)]
    pub stalled: bool,
    /// Why it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
}

impl ExportStatus {
    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self) -> Option<String> {
        let name = &self.name;
        if let Some(Halt { position, cause }) = &self.halted {
            return Some(format!("export {name} stands before position {position}: {cause}"));
        }
        if self.stalled {
            let waited = self.waiting_ms.unwrap_or(0) / 1_000;
            let cause = self.last_error.as_deref().unwrap_or("its sink does not answer");
            return Some(format!("export {name} has passed nothing on for {waited} s: {cause}"));
        }
        let skipped = self.skipped;
        let told = "were let go of before it came to them";
        (skipped > 0).then(|| format!("export {name} skipped {skipped} records, which {told}"))
    }
}

/// What an export had not passed on when the node stopped. It goes on at the next start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportLeft {
    /// Its name.
    pub export: String,
    /// Where it was.
    pub position: Position,
    /// Records of the log after that.
    pub behind: u64,
}
