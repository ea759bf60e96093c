//! What an application's configuration struct has to be.

use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::Validate;

/// A configuration document: a struct of the application's that is stored by its changes.
///
/// ```
/// use foundation_types::Document;
/// use serde::{Deserialize, Serialize};
/// use validator::Validate;
///
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
/// #[serde(default, deny_unknown_fields)]
/// struct Shop {
///     #[validate(range(min = 0, max = 10_000))]
///     rate_limit: u32,
/// }
///
/// impl Document for Shop {
///     const NAME: &'static str = "shop";
/// }
/// ```
pub trait Document:
    Clone + Default + Serialize + DeserializeOwned + Validate + Send + Sync + 'static
{
    /// The name of the document: 1 to 64 bytes of `[A-Za-z0-9_-]`, unique in a store.
    const NAME: &'static str;

    /// What is known of its fields, for messages and reference pages; may be empty.
    const FIELDS: &'static [Field] = &[];
}

/// What is known of one field of a document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Where, as dotted text.
    pub path: &'static str,
    /// Which values it takes.
    pub shape: Shape,
    /// One sentence on what it does.
    pub doc: &'static str,
}

/// Which values a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A whole number in this range, both ends included.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer { min, max } => write!(out, "integer, {min} to {max}"),
            Self::Choice(words) => write!(out, "one of {}", words.join(", ")),
            Self::Text => out.write_str("text"),
            Self::Flag => out.write_str("true or false"),
        }
    }
}
