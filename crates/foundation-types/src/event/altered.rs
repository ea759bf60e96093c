//! What was done to an event on its way in, so that a reader knows that it is not what was sent.

use serde::{Deserialize, Serialize};

/// What stands in the place of a value that a rule hid.
pub const HIDDEN_VALUE: &str = "<hidden>";

/// What rules and stages made of an event before it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Altered {
    /// Digest of what was sent, less what was hidden or taken away: by it the same event is known when
    /// it comes again.
    pub sent: String,
    /// What was done, in the order in which it was.
    pub by: Vec<Alteration>,
}

/// One thing that was done to an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alteration {
    /// Name of the rule of the settings, or of the stage of the application.
    pub by: String,
    /// What it did.
    pub did: Did,
    /// Where in the data; absent for what is not about one place of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes that a text had before it was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What can be done to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// A value has `"<hidden>"` in its place.
    Hide,
    /// A value was taken away.
    Remove,
    /// A text was cut.
    Truncate,
    /// A tag was put on.
    Tag,
    /// A stage of the application changed the event.
    Change,
}
