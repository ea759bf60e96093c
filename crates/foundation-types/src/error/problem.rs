//! What is wrong with a piece of input, and what a writer missed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::{ErrorKind, Severity};
use crate::config::{Change, Origin};
use crate::event::Recorded;
use crate::id::EventId;
use crate::path::Path;
use crate::value::{Value, present};
use crate::version::Version;

/// One finding about a piece of input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// Where in the value, as dotted text; empty for the value as a whole.
    pub path: String,
    /// What is wrong, without the path and the value.
    pub message: String,
    /// The offending value as JSON text, shortened, absent if it is secret or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What would have been accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What the writer may have meant, for example the nearest known key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where what is wrong was written, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The line of the file in which it was written, up to the end of what is wrong and with blanks
    /// before its key, which is all that is shown of one that is not known; absent if it is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The column with which the excerpt begins, where much of the line stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt_from: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
}

impl Problem {
    /// A problem of this kind at `path`.
    pub fn new(kind: ErrorKind, path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: in_one_line(path.to_string()),
            message: in_one_line(message.into()),
            value: None,
            expected: None,
            hint: None,
            origin: None,
            excerpt: None,
            excerpt_from: None,
            severity: Severity::Error,
        }
    }

    /// This problem with the offending value, shortened to 120 characters.
    #[must_use]
    pub fn value(mut self, value: impl fmt::Display) -> Self {
        let text = value.to_string();
        self.value = Some(match text.char_indices().nth(120) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        });
        self
    }

    /// This problem with what would have been accepted.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// This problem with where what is wrong was written.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// This problem with what the writer may have meant.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The text without line breaks and other characters that a terminal or a log takes for its own: a key
/// of a file may have them.
fn in_one_line(text: String) -> String {
    if !text.contains(breaks_a_line) {
        return text;
    }
    let shown = |character: char| match breaks_a_line(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Controls, and the separators of lines and paragraphs that Unicode has beside them.
fn breaks_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(out, "{}: ", self.path)?;
        }
        out.write_str(&self.message)?;
        if let Some(value) = &self.value {
            write!(out, ", got {value}")?;
        }
        if let Some(expected) = &self.expected {
            write!(out, ", expected {expected}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, ", did you mean {hint}?")?;
        }
        if let Some(origin) = &self.origin {
            write!(out, " ({origin})")?;
        }
        Ok(())
    }
}

/// Why an expectation failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The version that the writer expected.
    pub expected: Version,
    /// The version that is there.
    pub actual: Version,
    /// The changes of the document between the two, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Change>,
    /// The events that the writer missed, oldest first: those of the stream between the two
    /// versions, or those that answer what nothing was to answer. At most 100, the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Recorded>,
    /// Where a merge found that both sides changed the same, in different ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clashes: Vec<Clash>,
    /// What the change waits as for somebody to decide about it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<EventId>,
}

/// A place that two writers changed in different ways: the marker of a merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clash {
    /// Where.
    pub path: Path,
    /// What both began with; absent if there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub base: Option<Value>,
    /// What the writer wants; absent to have it removed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub ours: Option<Value>,
    /// What the others made of it; absent if they removed it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub theirs: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_write_a_line_of_its_own() {
        let problem =
            Problem::new(ErrorKind::UnknownKey, "x\nINFO all is well", "no key \"x\n\u{1b}[2J\"");
        assert_eq!(problem.to_string(), "x\\nINFO all is well: no key \"x\\n\\u{1b}[2J\"");
        let problem = Problem::new(ErrorKind::UnknownKey, "", "no key \"a\u{2028}b\u{2029}c\"");
        assert_eq!(problem.to_string(), "no key \"a\\u{2028}b\\u{2029}c\"");
    }
}
