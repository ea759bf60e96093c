//! A change to a document as other tools write it: RFC 7396 merge patches, RFC 6902 JSON patches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{DEPTH_MAX, POINTER_BYTES_MAX};
use crate::value::Value;

/// A change that is computed on the document as it is when the change has its turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patch {
    /// A merge patch: maps are merged key by key, `null` removes, all else replaces.
    Merge(Value),
    /// A JSON patch: its operations are made one after the other, all or none.
    Operations(Vec<Operation>),
}

impl Patch {
    /// The patch that this JSON is: a list is an RFC 6902 JSON patch, all else an RFC 7396 merge
    /// patch. A merge patch that is a list would make the whole document a list, which no
    /// document can be.
    ///
    /// # Errors
    /// `Malformed` for a list that is no list of operations, with the first that is none.
    pub fn from_value(value: Value) -> Result<Self> {
        let Value::List(items) = value else { return Ok(Self::Merge(value)) };
        let operation = |(at, item): (usize, &Value)| {
            Operation::from_value(item).map_err(|error| {
                let message = format!("operation {at} of the patch is none: {error}");
                Error::new(ErrorKind::Malformed, message)
            })
        };
        items.iter().enumerate().map(operation).collect::<Result<_>>().map(Self::Operations)
    }
}

/// One operation of an RFC 6902 JSON patch. Members that it does not have are left out of account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Puts a value under a key, or inserts it into a list before the item at this place; `-` is
    /// the place after the last item.
    Add {
        /// Where.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Takes away what is there.
    Remove {
        /// Where.
        path: Pointer,
    },
    /// Puts a value in the place of what is there.
    Replace {
        /// Where.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Takes away what is at one place and adds it at another.
    Move {
        /// The place where it is.
        from: Pointer,
        /// The place where it goes; not inside of the first.
        path: Pointer,
    },
    /// Adds what is at one place at another one too.
    Copy {
        /// The place where it is.
        from: Pointer,
        /// Where it goes.
        path: Pointer,
    },
    /// Goes on only if this value is there. Numbers are the same if they are equal, `1` and `1.0`
    /// too.
    Test {
        /// Where.
        path: Pointer,
        /// What has to be there.
        value: Value,
    },
}

impl Operation {
    /// A value that it brings along may be or have a secret, which no reader hands on.
    fn from_value(item: &Value) -> Result<Self> {
        let Value::Map(members) = item else { return crate::value::from_value(item) };
        let Some(brought) = members.get("value") else { return crate::value::from_value(item) };
        let without = members.update("value".into(), Value::Null);
        let mut operation = crate::value::from_value(&Value::Map(without))?;
        if let Self::Add { value, .. } | Self::Replace { value, .. } | Self::Test { value, .. } =
            &mut operation
        {
            *value = brought.clone();
        }
        Ok(operation)
    }

    /// Its name, as the patch has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
            Self::Move { .. } => "move",
            Self::Copy { .. } => "copy",
            Self::Test { .. } => "test",
        }
    }

    /// The place that it is about.
    #[must_use]
    pub fn path(&self) -> &Pointer {
        match self {
            Self::Add { path, .. }
            | Self::Remove { path }
            | Self::Replace { path, .. }
            | Self::Move { path, .. }
            | Self::Copy { path, .. }
            | Self::Test { path, .. } => path,
        }
    }

    /// The value that it brings along.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Add { value, .. } | Self::Replace { value, .. } | Self::Test { value, .. } => {
                Some(value)
            }
            Self::Remove { .. } | Self::Move { .. } | Self::Copy { .. } => None,
        }
    }
}

/// An RFC 6901 JSON pointer of at most 64 parts and 4,096 bytes. Unlike a [`crate::Path`] it names
/// keys of any characters.
///
/// ```
/// use foundation_types::config::Pointer;
/// let pointer: Pointer = "/a~1b/0/~0".parse()?;
/// assert_eq!(pointer.parts(), ["a/b", "0", "~"]);
/// assert_eq!(pointer.to_string(), "/a~1b/0/~0");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Its parts from the root on, unescaped.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Pointer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |reason: &str| {
            let shown: String = text.chars().take(64).collect();
            Error::new(ErrorKind::InvalidPath, format!("{shown:?} is no JSON pointer: {reason}"))
        };
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > POINTER_BYTES_MAX {
            return Err(refused("it is longer than 4096 bytes"));
        }
        let parts =
            text.strip_prefix('/').ok_or_else(|| refused("it does not begin with \"/\""))?;
        if parts.split('/').count() > DEPTH_MAX {
            return Err(refused("it has more than 64 parts"));
        }
        let part = |part| {
            unescaped(part).ok_or_else(|| refused("behind \"~\" there is only \"0\" or \"1\""))
        };
        parts.split('/').map(part).collect::<Result<_>>().map(Self)
    }
}

fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('~');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (escaped, rest) = match piece.as_bytes().first()? {
            b'0' => ('~', piece.get(1..)?),
            b'1' => ('/', piece.get(1..)?),
            _ => return None,
        };
        text.push(escaped);
        text.push_str(rest);
    }
    Some(text)
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|part| write!(out, "/{}", part.replace('~', "~0").replace('/', "~1")))
    }
}

impl Serialize for Pointer {
    fn serialize<S: serde::Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pointer_is_read_back(parts in prop::collection::vec("[a-c~/01é.-]{0,4}", 0..8)) {
            let pointer = Pointer(parts);
            prop_assert_eq!(pointer.to_string().parse::<Pointer>().expect("reads back"), pointer);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = text.parse::<Pointer>();
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        let long = "/a".repeat(65);
        for text in ["a", "/~", "/~2", "/a~/b", &long, &format!("/{}", "a".repeat(5_000))] {
            assert_eq!(text.parse::<Pointer>().unwrap_err().kind(), ErrorKind::InvalidPath);
        }
    }
}
