//! What a query asks of a field of the data.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::path::Path;
use crate::value::Value;

/// A condition on one field of the data of an event.
///
/// As text: `status>=500`, `level=ERROR`, `user.name^=ab` for a text that begins so, `user?` for a
/// field that is there. The operators are `=`, `!=`, `<`, `<=`, `>`, `>=`, `^=` and `?`; what comes
/// after is read as JSON if it is some, and as text otherwise.
///
/// ```
/// use foundation_types::{FieldFilter, Value};
/// let failed: FieldFilter = "status>=500".parse()?;
/// assert!(failed.is.admits(Some(&Value::from(503_u64))));
/// assert!(!failed.is.admits(Some(&Value::from("503"))), "a text is no number");
/// assert!(!failed.is.admits(None), "a field that is not there is not compared");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldFilter {
    /// Where in the data.
    pub path: Path,
    /// What is to be there.
    pub is: Comparison,
}

/// What is to be in a field. A field that is not there answers none of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Anything, `null` too.
    Present,
    /// This value.
    Equals(Value),
    /// Another value.
    Differs(Value),
    /// A smaller number, or a text that comes before.
    Below(Value),
    /// As [`Comparison::Below`], or the same.
    AtMost(Value),
    /// A larger number, or a text that comes after.
    Above(Value),
    /// As [`Comparison::Above`], or the same.
    AtLeast(Value),
    /// A text that begins with this one.
    Begins(String),
}

impl Comparison {
    /// Whether a field with this value answers.
    #[must_use]
    pub fn admits(&self, found: Option<&Value>) -> bool {
        let Some(found) = found else { return false };
        let ordered = |with: &Value| order(found, with);
        match self {
            Self::Present => true,
            Self::Equals(with) => is_same(found, with),
            Self::Differs(with) => !is_same(found, with),
            Self::Below(with) => ordered(with).is_some_and(Ordering::is_lt),
            Self::AtMost(with) => ordered(with).is_some_and(Ordering::is_le),
            Self::Above(with) => ordered(with).is_some_and(Ordering::is_gt),
            Self::AtLeast(with) => ordered(with).is_some_and(Ordering::is_ge),
            Self::Begins(with) => {
                matches!(found, Value::Text(text) if text.starts_with(with.as_str()))
            }
        }
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.is_worth(*other),
        _ => one == other,
    }
}

/// Numbers among each other by what they are worth, texts by their characters; nothing else.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.compare(*other),
        (Value::Text(one), Value::Text(other)) => Some(one.as_ref().cmp(other.as_ref())),
        _ => None,
    }
}

/// In this order: those that begin like another come before it.
const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "^=", "=", "<", ">"];

impl FromStr for FieldFilter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = text.char_indices().find_map(|(at, _)| {
            let rest = text.get(at..)?;
            OPERATORS.into_iter().find(|one| rest.starts_with(one)).map(|one| (at, one))
        });
        let Some((at, operator)) = found else {
            let path = text.strip_suffix('?').ok_or_else(|| malformed(text))?;
            return Ok(Self { path: path_of(path, text)?, is: Comparison::Present });
        };
        let (path, rest) = text.split_at(at);
        let with = rest.get(operator.len()..).unwrap_or_default();
        let value = || serde_json::from_str(with).unwrap_or_else(|_| Value::from(with));
        let is = match operator {
            "!=" => Comparison::Differs(value()),
            "<=" => Comparison::AtMost(value()),
            ">=" => Comparison::AtLeast(value()),
            "^=" => Comparison::Begins(with.to_owned()),
            "<" => Comparison::Below(value()),
            ">" => Comparison::Above(value()),
            _ => Comparison::Equals(value()),
        };
        Ok(Self { path: path_of(path, text)?, is })
    }
}

impl fmt::Display for FieldFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.is {
            Comparison::Present => write!(out, "{path}?"),
            Comparison::Equals(with) => write!(out, "{path}={}", with.to_json()),
            Comparison::Differs(with) => write!(out, "{path}!={}", with.to_json()),
            Comparison::Below(with) => write!(out, "{path}<{}", with.to_json()),
            Comparison::AtMost(with) => write!(out, "{path}<={}", with.to_json()),
            Comparison::Above(with) => write!(out, "{path}>{}", with.to_json()),
            Comparison::AtLeast(with) => write!(out, "{path}>={}", with.to_json()),
            Comparison::Begins(with) => write!(out, "{path}^={with}"),
        }
    }
}

/// The place that a condition is about. A text without one is a slip, not a condition on all of the data.
fn path_of(path: &str, text: &str) -> Result<Path> {
    if path.is_empty() {
        return Err(malformed(text));
    }
    place_in(path, text, "no condition on a field")
}

/// The place that a part of a text names. That it is none is a slip of who typed the text, as any other.
pub(super) fn place_in(path: &str, text: &str, what: &str) -> Result<Path> {
    path.parse().map_err(|cause: Error| {
        let shown: String = text.chars().take(128).collect();
        let message = format!("{shown:?} is {what}: {}", cause.message());
        Error::new(ErrorKind::InvalidArgument, message).caused_by(cause)
    })
}

fn malformed(text: &str) -> Error {
    let shown: String = text.chars().take(128).collect();
    let message = format!(
        "{shown:?} is no condition on a field: it needs a path, and one of = != < <= > >= ^= after \
         it, or ? at its end"
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_back_from_its_text() {
        let texts =
            ["a=1", "a.b!=\"x\"", "a<2", "a<=2.5", "a>3", "a>=4", "a^=x=y", "a[0].c?", "a=null"];
        for text in texts {
            let filter: FieldFilter = text.parse().expect(text);
            assert_eq!(filter.to_string(), text);
            let json = serde_json::to_string(&filter).expect("writes");
            assert_eq!(serde_json::from_str::<FieldFilter>(&json).expect("reads"), filter);
        }
        let plain: FieldFilter = "level=ERROR".parse().expect("text");
        assert_eq!(plain.is, Comparison::Equals(Value::from("ERROR")));
        for bad in ["", "?", "=", "!=", "=1?", "a", "a..b=1", "a b?"] {
            let error = bad.parse::<FieldFilter>().expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
        }
    }

    #[test]
    fn numbers_are_compared_by_worth_and_never_with_text() {
        let admits = |text: &str, value: Value| {
            text.parse::<FieldFilter>().expect(text).is.admits(Some(&value))
        };
        assert!(admits("a=1.0", Value::from(1_u64)));
        assert!(admits("a<18446744073709551615", Value::from(u64::MAX - 1)));
        assert!(admits("a>-1", Value::from(u64::MAX)));
        assert!(!admits("a>1", Value::from("2")));
        assert!(admits("a!=1", Value::from("1")));
        assert!(admits("a<b", Value::from("a")));
    }
}
