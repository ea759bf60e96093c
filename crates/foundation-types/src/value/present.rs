//! Tells an absent value from one that is present and `null`, in a field that may be left out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;

/// Writes the value; an absent one is to be left out by the field.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(value: &Option<Value>, out: S) -> Result<S::Ok, S::Error> {
    value.as_ref().unwrap_or(&Value::Null).serialize(out)
}

/// Reads a value that is there, `null` included.
///
/// # Errors
/// Those of the format.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}
