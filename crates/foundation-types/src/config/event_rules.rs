//! What is done to events by configuration: rules on their data, policies of streams, times to live.

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{EventSettings, Overflow, Shaped};
use crate::event::pattern_admits;
use crate::id::EventType;

/// What is done to the events of some types on their way in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct EventRule {
    /// Types that it is for: one type, or with a `*` at the end all that begin alike.
    pub types: String,
    /// What it does.
    pub action: RuleAction,
    /// Where in the data, as in `customer.card` or `lines[0].sku`; without meaning for `drop_event`
    /// and `tag`.
    pub path: String,
    /// Bytes that `truncate` leaves of a text, less a character that does not fit whole.
    #[validate(range(min = 1, max = 1_048_576))]
    pub bytes: u64,
    /// What `tag` puts on, as in `customer:{data.customer}`: each pair of braces stands for the value
    /// there. Where there is none, or no text, number or flag, no tag is put on.
    pub tag: String,
}

impl Default for EventRule {
    fn default() -> Self {
        Self {
            types: "*".to_owned(),
            action: RuleAction::default(),
            path: String::new(),
            bytes: 1_024,
            tag: String::new(),
        }
    }
}

/// What a rule does to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// Puts `"<hidden>"` in the place of a value.
    #[default]
    Hide,
    /// Takes a value away.
    Remove,
    /// Cuts a text.
    Truncate,
    /// Puts on a tag, if the event has fewer than 32.
    Tag,
    /// Drops the event: it is counted, and its writer is told.
    DropEvent,
}

/// What happens to new events of some streams when there is no room for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct StreamSettings {
    /// Streams that it is for: one stream, or with a `*` at the end all that begin alike.
    pub stream: String,
    /// What happens to a new event when there is no room for it.
    pub overflow: Overflow,
    /// Milliseconds that a writer waits for room; 0 is `interface.query_timeout_ms`.
    #[validate(range(max = 3_600_000))]
    pub timeout_ms: u64,
    /// Events that may be on their way to one of these streams at once; 0 is no bound of its own.
    #[validate(range(max = 10_000_000))]
    pub max_events: u64,
    /// Bytes that may be on their way to one of these streams at once; 0 is no bound of its own.
    pub max_bytes: u64,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            stream: "*".to_owned(),
            overflow: Overflow::default(),
            timeout_ms: 0,
            max_events: 0,
            max_bytes: 0,
        }
    }
}

/// How long some events live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct TtlRule {
    /// Types that it is for: one type, or with a `*` at the end all that begin alike.
    pub types: String,
    /// Streams that it is for: one stream, or with a `*` at the end all that begin alike.
    pub stream: String,
    /// Seconds after which such an event is hidden, counted from when it was recorded.
    #[validate(range(min = 1))]
    pub seconds: u64,
}

impl Default for TtlRule {
    fn default() -> Self {
        Self { types: "*".to_owned(), stream: "*".to_owned(), seconds: 30 * 24 * 60 * 60 }
    }
}

/// When the place of events is given back whose time to live is over. What a consumer, an export or a
/// projection has not had stays, and so does what is in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct ExpirySettings {
    /// Whether the oldest full file of the log goes once nothing in it lives any more by `events.ttl`,
    /// though `journal.retention` would keep it.
    pub free: bool,
    /// Seconds between two looks for such files.
    #[validate(range(min = 1, max = 86_400))]
    pub every_s: u64,
    /// Files that go at one look, at most.
    #[validate(range(min = 1, max = 10_000))]
    pub max_files: u64,
}

impl Default for ExpirySettings {
    fn default() -> Self {
        Self { free: false, every_s: 60, max_files: 16 }
    }
}

impl EventSettings {
    /// Seconds that an event of this type lives in this stream; without a rule for it, for ever. So do
    /// Foundation's own.
    #[must_use]
    pub fn seconds_to_live(&self, kind: &str, stream: &str) -> Option<u64> {
        let is_for = |rule: &&TtlRule| {
            !kind.starts_with(EventType::RESERVED_PREFIX)
                && pattern_admits(&rule.types, kind)
                && pattern_admits(&rule.stream, stream)
        };
        self.ttl.values().filter(is_for).map(|rule| rule.seconds).min()
    }

    /// Whether anything has a time to live.
    #[must_use]
    pub fn has_ttl(&self) -> bool {
        !self.ttl.is_empty() || !self.ttl_tag.is_empty()
    }

    /// Seconds that an event of this type lives that has this tag, if the tag says so. Foundation's own
    /// live for ever.
    #[must_use]
    pub fn seconds_by_tag(&self, kind: &str, tag: &str) -> Option<u64> {
        let seconds = self.said_by_tag(kind, tag)?;
        // A sign is no digit: what says less than plain seconds says nothing.
        let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| seconds.parse().ok()).flatten()
    }

    /// Whether this tag of an event of this type is there to say how long it lives.
    #[must_use]
    pub fn is_ttl_tag(&self, kind: &str, tag: &str) -> bool {
        self.said_by_tag(kind, tag).is_some()
    }

    fn said_by_tag<'a>(&self, kind: &str, tag: &'a str) -> Option<&'a str> {
        if self.ttl_tag.is_empty() || kind.starts_with(EventType::RESERVED_PREFIX) {
            return None;
        }
        tag.strip_prefix(self.ttl_tag.as_str())?.strip_prefix(':')
    }
}
