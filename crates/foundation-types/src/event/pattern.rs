//! Which types of events a query asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::EventType;

/// One type, or all types that begin alike.
///
/// As text, a `*` at the end stands for any rest: `order.placed` is one type, `order.*` all that
/// begin with `order.`, and `*` every type. A type that itself ends in `*` is named with a `\` before it:
/// `order\*` is the type `order*`.
///
/// ```
/// use foundation_types::TypePattern;
/// let orders = TypePattern::from("order.*");
/// assert!(orders.admits("order.placed") && !orders.admits("orders"));
/// let odd = TypePattern::from(r"order\*");
/// assert!(odd.admits("order*") && !odd.admits("orders"));
/// assert_eq!(odd.to_string(), r"order\*");
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
    if let Some(start) = pattern.strip_suffix(ESCAPED) {
        return name.strip_suffix('*') == Some(start);
    }
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// A `*` at the end that stands for itself.
const ESCAPED: &str = r"\*";

impl From<&str> for TypePattern {
    fn from(text: &str) -> Self {
        if let Some(start) = text.strip_suffix(ESCAPED) {
            return Self::Exact(format!("{start}*").as_str().into());
        }
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
            Self::Exact(kind) => match kind.as_str().strip_suffix('*') {
                Some(start) => write!(out, "{start}{ESCAPED}"),
                None => kind.fmt(out),
            },
            Self::Prefix(start) => write!(out, "{start}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_type_can_be_asked_for_exactly(kind in r"[a\\*.]{1,6}", other in r"[a\\*.]{1,6}") {
            let exact = TypePattern::Exact(kind.as_str().into());
            let text = exact.to_string();
            prop_assert_eq!(&TypePattern::from(text.as_str()), &exact);
            for asked in [kind.as_str(), other.as_str()] {
                prop_assert_eq!(exact.admits(asked), asked == kind);
                prop_assert_eq!(pattern_admits(&text, asked), asked == kind);
            }
        }
    }
}
