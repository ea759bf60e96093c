//! From text to data: bounded in size and depth, no key twice, errors with their place.

mod event_line;
mod exported;
#[cfg(test)]
mod exported_tests;
mod file;
#[cfg(test)]
mod file_tests;
mod json_places;
mod toml_file;
#[cfg(feature = "yaml")]
mod yaml_file;
#[cfg(all(test, feature = "yaml"))]
mod yaml_tests;

pub use event_line::event_line;
pub use exported::{cloud_events, exported_line};
pub use file::{Excerpt, FileFormat, FileText, Place, Written};

use foundation_types::limits::{CONFIG_BYTES_MAX, DEPTH_MAX};
use foundation_types::{Error, ErrorKind, Result, Value};
use serde::de::IgnoredAny;

/// The value that a JSON text says.
///
/// ```
/// use foundation_validate::parse;
/// assert_eq!(parse::value("[1, 2.5]")?.to_json(), "[1,2.5]");
/// assert!(parse::value("{\"a\":1,\"a\":2}").is_err());
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond 1 MiB or 64 levels; [`ErrorKind::Malformed`], with line and
/// column as context, if it is not one JSON value, repeats a key, or has a number beyond floats.
pub fn value(text: &str) -> Result<Value> {
    check_size(text)?;
    serde_json::from_str(text).map_err(|cause| refused(text, &cause))
}

/// The value that a person's text says: JSON if it is JSON, otherwise the text itself.
///
/// Text that is JSON but may not enter is refused, it does not become text.
///
/// ```
/// use foundation_types::Value;
/// use foundation_validate::parse;
/// assert_eq!(parse::value_or_text("250")?, Value::from(250));
/// assert_eq!(parse::value_or_text("launch day")?, Value::from("launch day"));
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond 1 MiB or 64 levels; [`ErrorKind::Malformed`] for JSON that
/// repeats a key or has a number beyond floats.
pub fn value_or_text(text: &str) -> Result<Value> {
    check_size(text)?;
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(cause) if cause.is_data() || is_json(text) => Err(refused(text, &cause)),
        Err(_) => Ok(Value::from(text)),
    }
}

fn check_size(text: &str) -> Result<()> {
    if text.len() <= CONFIG_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the value has {} bytes, the limit is {CONFIG_BYTES_MAX}", text.len());
    Err(Error::new(ErrorKind::TooLarge, message))
}

/// Whether the grammar of JSON allows the text, whatever its depth and the size of its numbers.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn refused(text: &str, cause: &serde_json::Error) -> Error {
    let error = if cause.is_data() && depth(text) > DEPTH_MAX {
        Error::new(ErrorKind::TooLarge, format!("the value nests deeper than {DEPTH_MAX} levels"))
    } else {
        Error::new(ErrorKind::Malformed, format!("the text is not a value: {}", reason(cause)))
    };
    located(error, cause)
}

/// What a parser says, without the place, which goes into the context.
fn reason(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    let place = format!(" at line {} column {}", cause.line(), cause.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn located(error: Error, cause: &serde_json::Error) -> Error {
    if cause.line() == 0 {
        return error;
    }
    error.with("line", cause.line()).with("column", cause.column())
}

/// How many lists and maps are open at once at the deepest place of the text.
fn depth(text: &str) -> usize {
    let (mut deepest, mut open, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}
