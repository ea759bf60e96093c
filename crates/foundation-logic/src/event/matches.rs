//! Whether an event answers a query.

use foundation_types::event::field_at;
use foundation_types::{Event, EventQuery, Order, Position, Recorded, Timestamp};

/// What a query looks at in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKeys<'a> {
    /// Place in the journal.
    pub position: Position,
    /// Stream that it was appended to.
    pub stream: &'a str,
    /// What happened.
    pub kind: &'a str,
    /// The story that it belongs to.
    pub correlation: Option<&'a str>,
    /// The event that caused it.
    pub parent: Option<&'a str>,
    /// Who says so.
    pub source: Option<&'a str>,
    /// What it is about.
    pub subject: Option<&'a str>,
    /// What else it is found by.
    pub tags: Vec<&'a str>,
    /// When it happened, as given, or when it was recorded.
    pub time: Timestamp,
    /// Its data as JSON text.
    pub data: &'a str,
}

impl<'a> EventKeys<'a> {
    /// What a query looks at in an event that is recorded in this stream, at this place and time.
    #[must_use]
    pub fn of_event(
        event: &'a Event,
        stream: &'a str,
        position: Position,
        recorded: Timestamp,
    ) -> Self {
        Self {
            position,
            stream,
            kind: event.kind.as_str(),
            correlation: event.correlation_id.as_ref().map(|id| id.as_str()),
            parent: event.parent_id.as_ref().map(|id| id.as_str()),
            source: event.source.as_deref(),
            subject: event.subject.as_deref(),
            tags: event.tags.iter().map(|tag| tag.as_str()).collect(),
            time: event.time.unwrap_or(recorded),
            data: event.data.as_json(),
        }
    }
}

impl<'a> From<&'a Recorded> for EventKeys<'a> {
    fn from(recorded: &'a Recorded) -> Self {
        let Recorded { event, stream, position, recorded, .. } = recorded;
        Self::of_event(event, stream.as_str(), *position, *recorded)
    }
}

/// Whether the event answers the query; the limit is the business of who counts.
///
/// `since` is inclusive and `until` exclusive, so that ranges that meet share no event. `after`
/// is a cursor: with [`Order::Desc`] the events past it have smaller positions.
#[must_use]
pub fn matches(query: &EventQuery, keys: &EventKeys<'_>) -> bool {
    let past = |cursor: Position| match query.order {
        Order::Asc => keys.position > cursor,
        Order::Desc => keys.position < cursor,
    };
    query.after.is_none_or(past)
        && query.since.is_none_or(|since| keys.time >= since)
        && query.until.is_none_or(|until| keys.time < until)
        && query.admits_type(keys.kind)
        && query.stream.as_ref().is_none_or(|stream| stream.as_str() == keys.stream)
        && query.correlation_id.as_ref().is_none_or(|id| keys.correlation == Some(id.as_str()))
        && query.parent_id.as_ref().is_none_or(|id| keys.parent == Some(id.as_str()))
        && query.tags.iter().all(|tag| keys.tags.contains(&tag.as_str()))
        && query.source.as_ref().is_none_or(|text| keys.source == Some(text.as_str()))
        && query.subject.as_ref().is_none_or(|text| keys.subject == Some(text.as_str()))
        // Last, since the data is read for it.
        && query.fields.iter().all(|one| one.is.admits(field_at(keys.data, &one.path).as_ref()))
}
