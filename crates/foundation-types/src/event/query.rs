//! One query over events for the library, the program and the socket.

use std::fmt;

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

    /// What is asked of each event: the query without order, limit and cursor.
    #[must_use]
    pub fn filters_only(&self) -> Self {
        Self { order: Order::Asc, limit: None, after: None, ..self.clone() }
    }

    /// Whether both let the same events through, in whatever order they name what they ask for.
    ///
    /// ```
    /// use foundation_types::EventQuery;
    /// let one = EventQuery::all().kind("order.*").kind("paid").limit(3);
    /// assert!(one.admits_as(&EventQuery::all().kind("paid").kind("order.*")));
    /// assert!(!one.admits_as(&EventQuery::all().kind("paid")));
    /// ```
    #[must_use]
    pub fn admits_as(&self, other: &Self) -> bool {
        let ordered = |query: &Self| {
            let mut query = query.filters_only();
            query.types.sort();
            query.types.dedup();
            query.tags.sort();
            query.tags.dedup();
            query.fields.sort_by_cached_key(FieldFilter::to_string);
            query.fields.dedup();
            query
        };
        ordered(self) == ordered(other)
    }

    /// Whether the type is one of those that are asked for.
    #[must_use]
    pub fn admits_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| pattern.admits(kind))
    }
}

/// What is asked of each event, for people: `type order.*, where total>=100`, or `all events`.
impl fmt::Display for EventQuery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one =
            |name: &str, text: Option<&dyn fmt::Display>| text.map(|text| format!("{name} {text}"));
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        let (source, subject) = (quoted(&self.source), quoted(&self.subject));
        let types = self.types.iter().map(|kind| format!("type {kind}"));
        let tags = self.tags.iter().map(|tag| format!("tag {tag}"));
        let fields = self.fields.iter().map(|field| format!("where {field}"));
        let others = [
            one("correlation", self.correlation_id.as_ref().map(|id| id as _)),
            one("parent", self.parent_id.as_ref().map(|id| id as _)),
            one("stream", self.stream.as_ref().map(|name| name as _)),
            one("source", source.as_ref().map(|text| text as _)),
            one("subject", subject.as_ref().map(|text| text as _)),
            one("since", self.since.as_ref().map(|time| time as _)),
            one("until", self.until.as_ref().map(|time| time as _)),
        ];
        let all: Vec<String> =
            types.chain(tags).chain(fields).chain(others.into_iter().flatten()).collect();
        if all.is_empty() {
            return out.write_str("all events");
        }
        out.write_str(&all.join(", "))
    }
}
