//! Which types of events a query asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::EventType;

/// One type, or all types that begin alike.
///
/// As text, a `*` at the end stands for any rest: `order.placed` is one type, `order.*` all that
/// begin with `order.`, and `*` every type.
///
/// ```
/// use foundation_types::TypePattern;
/// let orders = TypePattern::from("order.*");
/// assert!(orders.admits("order.placed") && !orders.admits("orders"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TypePattern {
    /// This type.
    Exact(EventType),
    /// Every type that begins with this text.
    Prefix(String),
}

impl TypePattern {
    /// Whether the type is one of those that are asked for.
    #[must_use]
    pub fn admits(&self, kind: &str) -> bool {
        match self {
            Self::Exact(one) => one.as_str() == kind,
            Self::Prefix(start) => kind.starts_with(start.as_str()),
        }
    }
}

/// Whether the name is the one that `pattern` says, or begins as it does if a `*` is behind it.
#[must_use]
pub fn pattern_admits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

impl From<&str> for TypePattern {
    fn from(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(start) => Self::Prefix(start.to_owned()),
            None => Self::Exact(text.into()),
        }
    }
}

impl From<String> for TypePattern {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for TypePattern {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<EventType> for TypePattern {
    fn from(kind: EventType) -> Self {
        Self::Exact(kind)
    }
}

impl From<&EventType> for TypePattern {
    fn from(kind: &EventType) -> Self {
        Self::Exact(kind.clone())
    }
}

impl From<TypePattern> for String {
    fn from(pattern: TypePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(kind) => kind.fmt(out),
            Self::Prefix(start) => write!(out, "{start}*"),
        }
    }
}
