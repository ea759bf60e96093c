//! May this event, this batch, this stream, this query enter?

mod aggregation;
mod lifetime;
mod names;
mod query;

pub use aggregation::aggregation;
pub use lifetime::time_to_live;
pub use names::{consumer_name, export_name, no_such_consumer, no_such_export};
pub use query::{query, type_pattern};

use foundation_types::limits::{
    ALTERED_BYTES_MAX, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, EVENT_TAGS_MAX,
    EVENT_TEXT_BYTES_MAX, EVENT_TYPE_BYTES_MAX, ID_BYTES_MAX, STREAM_NAME_BYTES_MAX,
};
use foundation_types::{ErrorKind, Event, EventType, Problem, Result, StreamName};

use crate::pipeline::{PROBLEMS_MAX, settle};
use crate::text::{Characters, TextRule, quoted};
use crate::validated::Validated;

/// On whose behalf something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An application: what is Foundation's own is refused.
    Application,
    /// Foundation itself.
    Foundation,
}

const TYPE: TextRule =
    TextRule { bytes_min: 1, bytes_max: EVENT_TYPE_BYTES_MAX, characters: Characters::Printable };
const ID: TextRule =
    TextRule { bytes_min: 1, bytes_max: ID_BYTES_MAX, characters: Characters::Any };
const TEXT: TextRule =
    TextRule { bytes_min: 0, bytes_max: EVENT_TEXT_BYTES_MAX, characters: Characters::Any };
const STREAM: TextRule = TextRule {
    bytes_min: 1,
    bytes_max: STREAM_NAME_BYTES_MAX,
    characters: Characters::Alphanumeric("_.:/-"),
};

/// Whether the event may enter. No rule needs the result of another, so all are tried.
///
/// # Errors
/// Every problem found: [`ErrorKind::Invalid`] for empty text or control characters,
/// [`ErrorKind::TooLarge`] beyond a limit, [`ErrorKind::ReservedType`] for an application's event
/// of a type of Foundation's.
pub fn event(event: Event, origin: Origin) -> Result<Validated<Event>> {
    let mut found = Vec::new();
    inspect(&event, origin, &mut found);
    settle(event, found)
}

/// Whether all of these events may enter as one atomic batch.
///
/// # Errors
/// As for [`event`], with paths such as `[3].type`; [`ErrorKind::Invalid`] for an empty batch,
/// [`ErrorKind::TooLarge`] for one of more than 10,000 events or 16 MiB.
pub fn batch(events: Vec<Event>, origin: Origin) -> Result<Validated<Vec<Event>>> {
    let mut found = Vec::new();
    inspect_batch(&events, &mut found);
    for (at, event) in events.iter().enumerate() {
        if found.len() >= PROBLEMS_MAX {
            break;
        }
        let before = found.len();
        inspect(event, origin, &mut found);
        for problem in found.iter_mut().skip(before) {
            let dot = if problem.path.is_empty() { "" } else { "." };
            problem.path = format!("[{at}]{dot}{}", problem.path);
        }
    }
    settle(events, found)
}

/// Whether events may be appended to the stream of this name.
///
/// # Errors
/// [`ErrorKind::Invalid`] for characters other than `[A-Za-z0-9_.:/-]`, no characters, or a stream
/// of Foundation's own that an application writes to; [`ErrorKind::TooLarge`] beyond 128 bytes.
pub fn stream_name(name: &StreamName, origin: Origin) -> Result<()> {
    let mut found = Vec::new();
    STREAM.check("stream", name.as_str(), &mut found);
    let reserved = name.as_str() == StreamName::FOUNDATION
        || name.as_str().starts_with(StreamName::PARKED_PREFIX)
        || name.document().is_some()
        || name.table().is_some();
    if reserved && origin == Origin::Application {
        let problem = Problem::new(ErrorKind::Invalid, "stream", "only Foundation writes to it");
        let expected = "a name other than \"foundation\" that does not begin with \"config/\", \
                        \"table/\" or \"foundation/parked/\"";
        found.push(problem.value(quoted(name.as_str())).expected(expected));
    }
    settle((), found).map(Validated::into_inner)
}

fn inspect(event: &Event, origin: Origin, found: &mut Vec<Problem>) {
    TYPE.check("type", event.kind.as_str(), found);
    let ids = [
        ("id", event.id.as_ref().map(|id| id.as_str())),
        ("parent_id", event.parent_id.as_ref().map(|id| id.as_str())),
        ("correlation_id", event.correlation_id.as_ref().map(|id| id.as_str())),
    ];
    let texts = [("source", event.source.as_deref()), ("subject", event.subject.as_deref())];
    for (path, id) in ids {
        id.into_iter().for_each(|id| ID.check(path, id, found));
    }
    for (path, text) in texts {
        text.into_iter().for_each(|text| TEXT.check(path, text, found));
    }
    inspect_tags(event, found);
    if event.schema == 0 {
        let problem = Problem::new(ErrorKind::Invalid, "schema", "is 0");
        found.push(problem.expected("a number from 1 to 65535"));
    }
    if origin == Origin::Application && event.kind.is_reserved() {
        found.push(reserved(&event.kind));
    }
    inspect_altered(event, found);
    let bytes = size(event);
    if bytes > EVENT_BYTES_MAX {
        let message = format!("the event has {bytes} bytes");
        let expected = format!("at most {EVENT_BYTES_MAX} bytes");
        found.push(Problem::new(ErrorKind::TooLarge, "", message).expected(expected));
    }
}

/// What is told of alterations comes from the store, or with an event that was in one.
fn inspect_altered(event: &Event, found: &mut Vec<Problem>) {
    let Some(altered) = &event.altered else { return };
    let bytes = serde_json::to_string(altered).map_or(usize::MAX, |text| text.len());
    if bytes > ALTERED_BYTES_MAX {
        let message = format!("has {bytes} bytes as JSON text");
        let problem = Problem::new(ErrorKind::TooLarge, "altered", message);
        found.push(problem.expected(format!("at most {ALTERED_BYTES_MAX} bytes")));
    }
}

fn inspect_tags(event: &Event, found: &mut Vec<Problem>) {
    let tags = event.tags.as_slice();
    if tags.len() > EVENT_TAGS_MAX {
        let message = format!("the event has {} tags", tags.len());
        let expected = format!("at most {EVENT_TAGS_MAX} tags");
        found.push(Problem::new(ErrorKind::TooLarge, "tags", message).expected(expected));
        return;
    }
    for (at, tag) in tags.iter().enumerate() {
        // The path is made for the few that need one.
        let before = found.len();
        ID.check("tags", tag.as_str(), found);
        if tags.iter().take(at).any(|earlier| earlier == tag) {
            let problem = Problem::new(ErrorKind::Invalid, "tags", "comes twice");
            found.push(problem.value(quoted(tag.as_str())).expected("each tag once"));
        }
        found.iter_mut().skip(before).for_each(|problem| problem.path = format!("tags[{at}]"));
    }
}

fn inspect_batch(events: &[Event], found: &mut Vec<Problem>) {
    let mut refuse = |kind, message: String, expected: String| {
        found.push(Problem::new(kind, "", message).expected(expected));
    };
    let expected = format!("1 to {BATCH_EVENTS_MAX} events");
    match events.len() {
        0 => refuse(ErrorKind::Invalid, "the batch is empty".to_owned(), expected),
        1..=BATCH_EVENTS_MAX => {}
        more => refuse(ErrorKind::TooLarge, format!("the batch has {more} events"), expected),
    }
    let bytes: usize = events.iter().map(size).sum();
    if bytes > BATCH_BYTES_MAX {
        let expected = format!("at most {BATCH_BYTES_MAX} bytes");
        refuse(ErrorKind::TooLarge, format!("the batch has {bytes} bytes"), expected);
    }
}

fn reserved(kind: &EventType) -> Problem {
    Problem::new(ErrorKind::ReservedType, "type", "is a type of Foundation's own")
        .value(quoted(kind.as_str()))
        .expected("a type that does not begin with \"foundation.\"")
}

/// Bytes of the text in all fields: what an encoded event has, less the frame around it.
fn size(event: &Event) -> usize {
    let text = |text: Option<&str>| text.map_or(0, str::len);
    event.kind.as_str().len()
        + text(event.id.as_ref().map(|id| id.as_str()))
        + text(event.parent_id.as_ref().map(|id| id.as_str()))
        + text(event.correlation_id.as_ref().map(|id| id.as_str()))
        + text(event.source.as_deref())
        + text(event.subject.as_deref())
        + event.tags.iter().map(|tag| tag.as_str().len()).sum::<usize>()
        + event.data.as_json().len()
}
