//! What is said of a person: readable until the person is forgotten.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The only key of an object that stands for a sealed value.
pub const SEALED_MARK: &str = "$sealed";
/// The only key of an object that stands for a value whose subject was forgotten.
pub const FORGOTTEN_MARK: &str = "$forgotten";

/// A personal value in the data of an event, as its reader meets it.
///
/// What is written is the value; it is sealed at append if the builder was told that its place is
/// personal.
///
/// ```
/// use foundation_types::event::Personal;
/// let known: Personal<String> = serde_json::from_str("\"Ann\"")?;
/// assert_eq!(known, Personal::Known("Ann".to_owned()));
/// let gone: Personal<String> = serde_json::from_str(r#"{"$forgotten": true}"#)?;
/// assert_eq!(gone, Personal::Forgotten);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Personal<T> {
    /// The value.
    Known(T),
    /// Its key was destroyed: nobody reads it any more.
    #[default]
    Forgotten,
    /// It is sealed, and the program has no key for it.
    Sealed,
}

impl<T> Personal<T> {
    /// The value, if it can be read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Forgotten | Self::Sealed => None,
        }
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(out),
            Self::Forgotten => out.collect_map([(FORGOTTEN_MARK, true)]),
            // What it stands for is not known here, so that it cannot be written.
            Self::Sealed => Err(serde::ser::Error::custom("a sealed value cannot be written")),
        }
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        if let serde_json::Value::Object(map) = &value {
            if map.len() == 1 && map.contains_key(FORGOTTEN_MARK) {
                return Ok(Self::Forgotten);
            }
            if map.len() == 1 && map.contains_key(SEALED_MARK) {
                return Ok(Self::Sealed);
            }
        }
        serde_json::from_value(value).map(Self::Known).map_err(D::Error::custom)
    }
}
