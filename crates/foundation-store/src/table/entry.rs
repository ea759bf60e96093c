//! An entry of a table: its value, and the text that the log has of it.
//!
//! The text is kept beside the value, so that what is captured of a table is what its log folds to,
//! byte by byte, whether or not the program has its types.

use std::sync::Arc;

use foundation_types::value::to_value;
use foundation_types::{
    Data, Error, ErrorKind, EventType, Position, Result, TableKey, TableValue, Value,
};
use foundation_validate::table as rules;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::record::{EventView, Record};

/// The value under a key, typed and as text. Cloning is O(1).
#[derive(Debug)]
pub struct Entry<V> {
    /// The value.
    pub value: Arc<V>,
    /// The key as JSON text.
    pub(super) key: Arc<str>,
    /// The value as JSON text.
    pub(super) json: Arc<str>,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            key: Arc::clone(&self.key),
            json: Arc::clone(&self.json),
        }
    }
}

impl<V: TableValue> Entry<V> {
    /// The entry that a value makes under the key with this text, if it may enter.
    ///
    /// # Errors
    /// `TooLarge` beyond the limit of a value; `Malformed` if it cannot be written as JSON or does
    /// not read back.
    pub fn of(key: &Arc<str>, value: &V) -> Result<Self> {
        let json = serde_json::to_string(value).map_err(|cause| {
            let message = "the value cannot be written as JSON";
            Error::new(ErrorKind::Malformed, message).caused_by(cause)
        })?;
        rules::value(&json)?;
        // What is read from here on is what is read after the next start.
        Self::read(Arc::clone(key), &json)
    }

    /// The entry that these texts say.
    pub(super) fn read(key: Arc<str>, json: &str) -> Result<Self> {
        Ok(Self { value: Arc::new(read_as("value", json)?), key, json: json.into() })
    }
}

impl<V> Entry<V> {
    /// This entry under the key with another text.
    #[must_use]
    pub fn under(mut self, key: &Arc<str>) -> Self {
        self.key = Arc::clone(key);
        self
    }

    /// The key as JSON text.
    #[must_use]
    pub fn key_json(&self) -> &str {
        &self.key
    }

    /// The value as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// Whether both are one entry, and not only alike.
    pub(super) fn is_same(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(&one.json, &other.json),
            _ => false,
        }
    }

    /// The data of the record that puts it.
    pub(super) fn put_data(&self) -> Result<Data> {
        Data::from_json(&format!("{{\"key\":{},\"value\":{}}}", self.key, self.json))
    }
}

/// The data of the record that removes a key.
pub(super) fn removed_data(key: &str) -> Result<Data> {
    Data::from_json(&format!("{{\"key\":{key}}}"))
}

/// The text that a key is written as: one for each key, with the names of fields in order.
///
/// # Errors
/// `TooLarge` beyond the limit of a key; `Malformed` if it cannot be written as JSON; `Invalid` if
/// what is written reads back as another key.
pub fn key_text<K: TableKey>(key: &K) -> Result<Arc<str>> {
    let json = to_value(key)
        .map_err(|cause| {
            let message = "the key cannot be written as JSON";
            Error::new(ErrorKind::Malformed, message).caused_by(cause)
        })?
        .to_json();
    rules::key(&json)?;
    if key_of::<K>(&json)? != *key {
        let message = format!("the key is written as {json}, which reads back as another key");
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    Ok(json.into())
}

/// The key that a JSON text says.
///
/// # Errors
/// `Malformed` if it does not fit the type.
pub fn key_of<K: TableKey>(json: &str) -> Result<K> {
    read_as("key", json)
}

fn read_as<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|cause| {
        let name = std::any::type_name::<T>();
        Error::new(ErrorKind::Malformed, format!("the {what} does not fit {name}: {cause}"))
            .caused_by(cause)
    })
}

/// What a record says of a table.
pub(super) enum Logged<'a> {
    Put {
        key: &'a str,
        value: &'a str,
    },
    Removed {
        key: &'a str,
    },
    /// Nothing: it was written by an application, when the stream was none of a table.
    Nothing,
}

#[derive(Deserialize)]
struct PutData<'a> {
    #[serde(borrow)]
    key: &'a RawValue,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
struct RemovedData<'a> {
    #[serde(borrow)]
    key: &'a RawValue,
}

impl<'a> Logged<'a> {
    pub(super) fn read(record: &Record, event: &EventView<'a>) -> Result<Self> {
        let damaged = |cause: serde_json::Error| {
            let message = "a record is not the change of a table that it says it is";
            Error::new(ErrorKind::Corruption, message)
                .with("position", record.position())
                .caused_by(cause)
        };
        Ok(match event.kind {
            EventType::TABLE_PUT => {
                let put: PutData<'a> = serde_json::from_str(event.data).map_err(damaged)?;
                Self::Put { key: put.key.get(), value: put.value.get() }
            }
            EventType::TABLE_REMOVED => {
                let removed: RemovedData<'a> = serde_json::from_str(event.data).map_err(damaged)?;
                Self::Removed { key: removed.key.get() }
            }
            _ => Self::Nothing,
        })
    }
}

/// What of an entry cannot be read, and where it is.
pub(super) fn located(error: Error, key: &str, position: Position) -> Error {
    let shown: String = key.chars().take(128).collect();
    error.with("key", shown).with("position", position)
}

/// The key of a table whose types the program does not have: any JSON value, ordered as its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonKey(Arc<str>);

impl JsonKey {
    /// The key that is this value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        Self(value.to_json().into())
    }

    /// The key as JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for JsonKey {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        value.serialize(out)
    }
}

impl<'de> Deserialize<'de> for JsonKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Value::deserialize(from).map(|value| Self::of(&value))
    }
}
