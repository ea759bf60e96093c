//! One line of newline-delimited JSON as an event.

use std::collections::BTreeMap;

use foundation_types::event::Altered;
use foundation_types::limits::EVENT_BYTES_MAX;
use foundation_types::{Data, Error, ErrorKind, Event, Problem, Result, Timestamp};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::{located, reason};
use crate::nearest::nearest;
use crate::pipeline::PROBLEMS_MAX;
use crate::text::quoted;

/// Room for the names of fields, quotes and escapes around the largest event.
const FRAME_BYTES_MAX: usize = 4 * 1024;

/// What a time looks like, and the last one that there is.
const TIMES: &str = "such as 2026-11-24T09:00:00Z, at most 9999-12-30T22:00:00Z";

const FIELDS: [&str; 10] = [
    "type",
    "id",
    "time",
    "source",
    "subject",
    "correlation_id",
    "parent_id",
    "tags",
    "schema",
    "data",
];

/// The event that a line of JSON says. Whether it may enter is another question.
///
/// ```
/// use foundation_validate::parse;
/// let event = parse::event_line(br#"{"type": "order.placed", "data": {"items": 3}}"#)?;
/// assert_eq!(event.kind.as_str(), "order.placed");
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond 1 MiB, [`ErrorKind::Malformed`] for what is not UTF-8 or not
/// JSON, [`ErrorKind::Invalid`] with a problem for each field that is unknown, missing or of
/// another type.
pub fn event_line(line: &[u8]) -> Result<Event> {
    let limit = EVENT_BYTES_MAX + FRAME_BYTES_MAX;
    if line.len() > limit {
        let message = format!("the line has {} bytes, the limit is {limit}", line.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let text = std::str::from_utf8(line).map_err(|cause| {
        let message = format!("the line is not UTF-8 from byte {} on", cause.valid_up_to());
        Error::new(ErrorKind::Malformed, message)
    })?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err(not_an_object(text));
    }
    serde_json::from_str(text).map_err(|cause| explained(text, &cause))
}

/// A list of the fields in their order would be an event to serde, and is none to anybody else.
fn not_an_object(text: &str) -> Error {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Error::new(ErrorKind::Malformed, "the line is JSON, but not an object"),
        Err(cause) => {
            let message = format!("the line is not one JSON object: {}", reason(&cause));
            located(Error::new(ErrorKind::Malformed, message), &cause)
        }
    }
}

/// Looks at the fields one by one for why the line is no event: only when it is none.
fn explained(text: &str, cause: &serde_json::Error) -> Error {
    let fields = match serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text) {
        Ok(fields) => fields,
        // A line that is cut short is no line with an unknown field before the cut.
        Err(cause) => {
            let message = format!("the line is not one JSON object: {}", reason(&cause));
            return located(Error::new(ErrorKind::Malformed, message), &cause);
        }
    };
    let mut found: Vec<Problem> =
        fields.iter().filter_map(|(name, raw)| misfit(name, raw.get())).collect();
    if !fields.contains_key("type") {
        found.push(Problem::new(ErrorKind::Invalid, "type", "is missing").expected("text"));
    }
    if found.is_empty() {
        let message = format!("the line is not an event: {}", reason(cause));
        return located(Error::new(ErrorKind::Malformed, message), cause);
    }
    found.truncate(PROBLEMS_MAX);
    Error::of_problems(found)
}

fn misfit(name: &str, raw: &str) -> Option<Problem> {
    match name {
        "type" => wrong::<String>(name, raw, "wrong type", "text"),
        "id" | "source" | "subject" | "correlation_id" | "parent_id" => {
            wrong::<Option<String>>(name, raw, "wrong type", "text")
        }
        "time" => {
            let expected = format!("an RFC 3339 time {TIMES}");
            let is_text = raw.starts_with('"');
            let message = if is_text { "not a time" } else { "wrong type" };
            wrong::<Option<Timestamp>>(name, raw, message, &expected)
        }
        "tags" => wrong::<Vec<String>>(name, raw, "wrong type", "a list of texts"),
        "schema" => wrong::<u16>(name, raw, "wrong type", "a number from 1 to 65535"),
        "data" => {
            let error = Data::from_json(raw).err()?;
            Some(Problem::new(error.kind(), name, error.message()))
        }
        "altered" => {
            let expected = "what an export wrote, or nothing";
            wrong::<Option<Altered>>(name, raw, "is not the story of an event", expected)
        }
        _ => Some(unknown(name)),
    }
}

fn wrong<T: DeserializeOwned>(
    name: &str,
    raw: &str,
    message: &str,
    expected: &str,
) -> Option<Problem> {
    serde_json::from_str::<T>(raw).err()?;
    let shown: String = raw.chars().take(128).collect();
    Some(Problem::new(ErrorKind::Invalid, name, message).value(shown).expected(expected))
}

fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().take(128).collect();
    let message = format!("no field {} in an event", quoted(&shown));
    let problem = Problem::new(ErrorKind::Invalid, &shown, message);
    match nearest(name, FIELDS) {
        Some(meant) => problem.hint(meant),
        None => problem.expected(format!("one of {}", FIELDS.join(", "))),
    }
}
