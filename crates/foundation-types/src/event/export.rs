//! What is kept of an export beside the place of its consumer.

use serde::{Deserialize, Serialize};

use super::EventQuery;

/// What a restart has to know of an export.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportKept {
    /// Whether it rests until somebody resumes it.
    pub paused: bool,
    /// Records that were let go of before it came to them, ever.
    pub skipped: u64,
    /// Which events it passes on; absent if that was never said, or since it is to begin anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<EventQuery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_before_there_were_filters_is_read() {
        let before = r#"{"paused":true,"skipped":3}"#;
        let kept: ExportKept = serde_json::from_str(before).expect("is one");
        assert_eq!(kept, ExportKept { paused: true, skipped: 3, filter: None });
        assert_eq!(serde_json::to_string(&kept).expect("writes"), before);
        let filter = Some(EventQuery::all().kind("order.*"));
        let kept = ExportKept { filter, ..kept };
        let text = serde_json::to_string(&kept).expect("writes");
        assert_eq!(serde_json::from_str::<ExportKept>(&text).expect("reads"), kept);
    }
}
