//! One query over events for the library, the program and the socket.

use serde::{Deserialize, Serialize};

use super::field::FieldFilter;
use super::pattern::TypePattern;
use crate::id::{CorrelationId, EventId, StreamName, Tag};
use crate::time::Timestamp;
use crate::version::Position;

/// In which direction of positions events are returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest first.
    #[default]
    Asc,
    /// Newest first.
    Desc,
}

/// Which events, in which order, how many. Filters are joined by *and*.
///
/// Types, story, parent, stream, tags and time are found by indices. Source, subject and fields
/// of the data are looked at in what those leave: a field that is to be found fast alone is
/// better a tag.
///
/// ```
/// use foundation_types::EventQuery;
/// let query = EventQuery::all().kind("order.*").tag("customer:7").field("total>=100".parse()?);
/// let text = r#"{"types":["order.*"],"tags":["customer:7"],"order":"asc",
///                "fields":[{"path":"total","is":{"at_least":100}}]}"#;
/// assert_eq!(serde_json::from_str::<EventQuery>(text)?, query);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventQuery {
    /// Of one of these types; of any if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<TypePattern>,
    /// Of this story.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// Caused by this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<EventId>,
    /// In this stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
    /// With all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Said by this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// About this subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// With such data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFilter>,
    /// That happened at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// That happened before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// In this direction.
    pub order: Order,
    /// At most this many; all of them if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only past this position in the direction of `order`: the cursor of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Position>,
}

impl EventQuery {
    /// The query that every event answers.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only events of this type, or of another one that was named before. A `*` at the end stands
    /// for any rest.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<TypePattern>) -> Self {
        self.types.push(kind.into());
        self
    }

    /// Only events of this story.
    #[must_use]
    pub fn correlation(mut self, id: impl Into<CorrelationId>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Only events that this one caused.
    #[must_use]
    pub fn parent(mut self, id: impl Into<EventId>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Only events of this stream.
    #[must_use]
    pub fn stream(mut self, stream: impl Into<StreamName>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// Only events with this tag, beside those that were named before.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Only events of this source.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Only events about this subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Only events with such a field in their data, beside those that were named before.
    #[must_use]
    pub fn field(mut self, filter: FieldFilter) -> Self {
        self.fields.push(filter);
        self
    }

    /// Only events that happened at `time` or later.
    #[must_use]
    pub fn since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Only events that happened before `time`.
    #[must_use]
    pub fn until(mut self, time: Timestamp) -> Self {
        self.until = Some(time);
        self
    }

    /// Newest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.order = Order::Desc;
        self
    }

    /// At most this many events.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only events past this position, in the direction of the order.
    #[must_use]
    pub fn after(mut self, position: Position) -> Self {
        self.after = Some(position);
        self
    }

    /// Whether the type is one of those that are asked for.
    #[must_use]
    pub fn admits_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| pattern.admits(kind))
    }
}
