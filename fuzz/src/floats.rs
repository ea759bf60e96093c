//! Floats are not always read as they were written: what has one is not compared.
//!
//! `serde_json` reads the last digit of a float right only with its feature `float_roundtrip`. Once
//! the workspace has that, this file goes.

use foundation_types::Value;
use foundation_validate::parse;

/// Whether there is a float in this JSON text.
#[must_use]
pub(crate) fn are_in(json: &str) -> bool {
    parse::value(json).is_ok_and(|value| has_one(&value))
}

fn has_one(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_integer(),
        Value::List(list) => list.iter().any(has_one),
        Value::Map(map) => map.values().any(has_one),
        _ => false,
    }
}
