//! Whether an event answers a query.

use foundation_types::{EventQuery, Order, Position, Recorded, Timestamp};

/// What a query looks at in an event: all that an index has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKeys<'a> {
    /// Place in the journal.
    pub position: Position,
    /// Stream that it was appended to.
    pub stream: &'a str,
    /// What happened.
    pub kind: &'a str,
    /// The story that it belongs to.
    pub correlation: Option<&'a str>,
    /// When it happened, as given, or when it was recorded.
    pub time: Timestamp,
}

impl<'a> From<&'a Recorded> for EventKeys<'a> {
    fn from(recorded: &'a Recorded) -> Self {
        let event = &recorded.event;
        Self {
            position: recorded.position,
            stream: recorded.stream.as_str(),
            kind: event.kind.as_str(),
            correlation: event.correlation_id.as_ref().map(|id| id.as_str()),
            time: event.time.unwrap_or(recorded.recorded),
        }
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
        && query.kind.as_ref().is_none_or(|kind| kind.as_str() == keys.kind)
        && query.stream.as_ref().is_none_or(|stream| stream.as_str() == keys.stream)
        && query.correlation_id.as_ref().is_none_or(|id| keys.correlation == Some(id.as_str()))
}
