//! The data of an event: JSON text that was checked once and is carried as it is.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{DEPTH_MAX, EVENT_BYTES_MAX};

/// JSON text of at most 1 MiB and 64 levels, without repeated keys and without line breaks.
///
/// It is text, not a tree, because most events are written, kept and passed on without anybody
/// looking inside: numbers and key order stay exactly as given. Cloning is O(1).
///
/// ```
/// use foundation_types::Data;
/// let data = Data::from_json("{\"big\": 12345678901234567890123}")?;
/// assert_eq!(data.as_json(), "{\"big\": 12345678901234567890123}");
/// assert!(Data::from_json("{\"a\":1,\"a\":2}").is_err());
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Data(Arc<str>);

impl Data {
    /// The JSON value `null`: nothing to say.
    #[must_use]
    pub fn null() -> Self {
        Self("null".into())
    }

    /// Checks JSON text and takes it as it is, less any line breaks between tokens.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if it is not one JSON value or repeats a key,
    /// [`ErrorKind::TooLarge`] beyond 1 MiB or 64 levels.
    pub fn from_json(text: &str) -> Result<Self> {
        check(text)?;
        if text.bytes().any(|byte| byte == b'\n' || byte == b'\r') {
            return Ok(Self(without_line_breaks(text).into()));
        }
        Ok(Self(text.into()))
    }

    /// Takes text that [`Data::from_json`] made before: for engines that read back what they
    /// wrote under a checksum.
    #[must_use]
    pub fn from_checked(text: &str) -> Self {
        Self(text.into())
    }

    /// The data that `value` serialises to.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if it does not serialise to JSON, and as [`Data::from_json`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(|cause| {
            Error::new(ErrorKind::Malformed, "the data cannot be written as JSON").caused_by(cause)
        })?;
        Self::from_json(&text)
    }

    /// The JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The data as a type of the caller's.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if it does not fit the type.
    pub fn to<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|cause| {
            let name = std::any::type_name::<T>();
            Error::new(ErrorKind::Malformed, format!("the data does not fit {name}"))
                .caused_by(cause)
        })
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// Whether both say the same, whatever the order of keys and the white space.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let parsed = |data: &Self| serde_json::from_str::<serde_json::Value>(&data.0).ok();
        self == other || parsed(self) == parsed(other)
    }
}

impl Default for Data {
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for Data {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0)
            .map_err(serde::ser::Error::custom)?
            .serialize(out)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

fn check(text: &str) -> Result<()> {
    if text.len() > EVENT_BYTES_MAX {
        let message = format!("the data has {} bytes, the limit is {EVENT_BYTES_MAX}", text.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let mut deep = false;
    let mut reader = serde_json::Deserializer::from_str(text);
    let checked =
        Checker { depth: 0, deep: &mut deep }.deserialize(&mut reader).and_then(|()| reader.end());
    match checked {
        Ok(()) => Ok(()),
        Err(_) if deep => {
            let message = format!("the data nests deeper than {DEPTH_MAX} levels");
            Err(Error::new(ErrorKind::TooLarge, message))
        }
        Err(cause) => {
            let message = format!("the data is not JSON that can be kept: {cause}");
            Err(Error::new(ErrorKind::Malformed, message))
        }
    }
}

fn without_line_breaks(text: &str) -> String {
    // Inside a JSON string a line break is always written as an escape, so every raw one is
    // white space between tokens.
    text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect()
}

/// Walks a JSON value without keeping it, and refuses repeated keys and deep nesting.
struct Checker<'a> {
    depth: usize,
    deep: &'a mut bool,
}

impl Checker<'_> {
    fn inner<E: serde::de::Error>(&mut self) -> Result<Checker<'_>, E> {
        if self.depth == DEPTH_MAX {
            *self.deep = true;
            return Err(E::custom("nested too deep"));
        }
        Ok(Checker { depth: self.depth + 1, deep: self.deep })
    }
}

impl<'de> DeserializeSeed<'de> for Checker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checker<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if let Some(repeated) = seen.insert(key.into_owned()) {
                return Err(serde::de::Error::custom(format_args!("key {repeated:?} repeats")));
            }
            map.next_value_seed(self.inner()?)?;
        }
        Ok(())
    }
}

/// The keys of one object: compared one by one while few, hashed once there are many.
#[derive(Default)]
struct Seen {
    few: Vec<String>,
    many: HashSet<String>,
}

impl Seen {
    const FEW: usize = 16;

    /// Gives the key back if it was there before.
    fn insert(&mut self, key: String) -> Option<String> {
        if self.few.len() < Self::FEW && self.many.is_empty() {
            if self.few.contains(&key) {
                return Some(key);
            }
            self.few.push(key);
            return None;
        }
        self.many.extend(self.few.drain(..));
        if self.many.contains(&key) {
            return Some(key);
        }
        self.many.insert(key);
        None
    }
}
