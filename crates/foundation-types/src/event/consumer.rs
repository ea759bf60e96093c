//! What is kept of a durable consumer, and of the events that it could not take.

use serde::{Deserialize, Serialize};

use super::Recorded;
use crate::id::{EventId, EventType, StreamName};
use crate::limits::CONSUMER_CAUSE_BYTES_MAX;
use crate::time::Timestamp;
use crate::version::Position;

/// How far a consumer is: all that a restart has to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsumerPlace {
    /// Everything up to here is settled: taken, parked, or none of its events.
    pub position: Position,
    /// What is settled past it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<Position>,
    /// What failed and is tried again, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedEvent>,
    /// Why it stands still, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// Whether retention may go past its position.
    #[serde(skip_serializing_if = "is_false")]
    pub released: bool,
}

/// An event that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedEvent {
    /// Which.
    pub position: Position,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub cause: String,
}

/// Why a consumer stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// The event that it stands before.
    pub position: Position,
    /// Why it was not taken.
    pub cause: String,
}

/// What a consumer does about an event that fails each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poison {
    /// It is put aside, durably, and the stream goes on.
    #[default]
    Park,
    /// The consumer stands still until somebody resumes it.
    Halt,
}

/// An event that was put aside for somebody to decide about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkedEvent {
    /// Whose it is.
    pub consumer: String,
    /// Place of the event in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub cause: String,
    /// When it was put aside.
    pub parked: Timestamp,
    /// Whether it is on its way to the consumer again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retrying: bool,
    /// The event itself, if it is small: the log may let go of its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Recorded>,
}

/// The text of a cause as it is kept: one line of bounded length.
///
/// ```
/// use foundation_types::event::cause_text;
/// assert_eq!(cause_text("no\nroute"), "no route");
/// assert!(cause_text(&"é".repeat(500)).len() <= 192);
/// ```
#[must_use]
pub fn cause_text(cause: &str) -> String {
    let mut text = String::new();
    for one in cause.chars().map(|one| if one.is_control() { ' ' } else { one }) {
        if text.len() + one.len_utf8() > CONSUMER_CAUSE_BYTES_MAX {
            break;
        }
        text.push(one);
    }
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
