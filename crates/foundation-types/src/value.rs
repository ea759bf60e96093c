//! The persistent value tree: what every document is made of.
//!
//! A change gives a new tree that shares all it did not touch with the old one, so that keeping
//! a version costs what the change costs, and a clone costs nothing.

mod from_value;
mod number;
mod parse;
pub mod present;
mod secret;
mod to_value;

pub use from_value::from_value;
pub use number::Number;
pub(crate) use secret::{Hidden, SECRET};
pub use secret::{MARK_LEVELS, Seal, SecretValue};
pub use to_value::{to_value, to_value_like};

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq};

/// A list of values.
pub type List = im::Vector<Value>;
/// A map from keys to values, in the order of keys.
pub type Map = im::OrdMap<Arc<str>, Value>;

/// A tree of JSON's shape: immutable, `Send + Sync`, cloned in O(1).
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that is finite.
    Number(Number),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
    /// A secret of any kind: one leaf, never written as what it is.
    Secret(SecretValue),
}

impl Value {
    /// An empty map.
    #[must_use]
    pub fn empty_map() -> Self {
        Self::Map(Map::new())
    }

    /// What kind of value it is, as said in messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(number) if number.is_integer() => "integer",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Secret(_) => "secret",
        }
    }

    /// Whether a secret is in it, or it is one.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(list) => list.iter().any(Self::has_secret),
            Self::Map(map) => map.values().any(Self::has_secret),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// The JSON text of the value.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(u64::from(value).into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(i64::from(value).into())
    }
}

impl From<SecretValue> for Value {
    fn from(value: SecretValue) -> Self {
        Self::Secret(value)
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => out.serialize_unit(),
            Self::Bool(value) => out.serialize_bool(*value),
            Self::Number(number) => number.serialize(out),
            Self::Text(text) => out.serialize_str(text),
            Self::List(list) => {
                let mut seq = out.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Self::Map(entries) => {
                let mut map = out.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&**key, value)?;
                }
                map.end()
            }
            Self::Secret(secret) => secret.serialize(out),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_json())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_json())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        flag: bool,
        small: i8,
        big: u64,
        low: i64,
        ratio: f64,
        letter: char,
        name: String,
        maybe: Option<u32>,
        unit: (),
        pair: (u8, String),
        items: Vec<Choice>,
        by_name: BTreeMap<String, Choice>,
        by_number: BTreeMap<u16, bool>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        Plain,
        Wrapped(u32),
        Both(u32, String),
        Named { a: i32, b: Option<bool> },
    }

    fn choice() -> impl Strategy<Value = Choice> {
        prop_oneof![
            Just(Choice::Plain),
            any::<u32>().prop_map(Choice::Wrapped),
            (any::<u32>(), ".*").prop_map(|(n, s)| Choice::Both(n, s)),
            (any::<i32>(), any::<Option<bool>>()).prop_map(|(a, b)| Choice::Named { a, b }),
        ]
    }

    prop_compose! {
        fn everything()(
            (flag, small, big, low) in any::<(bool, i8, u64, i64)>(),
            ratio in -1e300..1e300_f64,
            (letter, name, maybe) in (any::<char>(), ".*", any::<Option<u32>>()),
            pair in (any::<u8>(), ".*"),
            items in prop::collection::vec(choice(), 0..5),
            by_name in prop::collection::btree_map("[a-z]{1,5}", choice(), 0..5),
            by_number in prop::collection::btree_map(any::<u16>(), any::<bool>(), 0..5),
        ) -> Everything {
            Everything {
                flag, small, big, low, ratio, letter, name, maybe, unit: (), pair, items,
                by_name, by_number,
            }
        }
    }

    proptest! {
        #[test]
        fn a_struct_survives_the_tree(before in everything()) {
            let tree = to_value(&before).expect("fits");
            let after: Everything = from_value(&tree).expect("comes back");
            prop_assert_eq!(after, before);
        }

        #[test]
        fn the_tree_agrees_with_json(before in everything()) {
            let tree = to_value(&before).expect("fits");
            let json = serde_json::to_value(&before).expect("writes");
            prop_assert_eq!(serde_json::to_value(&tree).expect("writes"), json.clone());
            let parsed: Value = serde_json::from_value(json).expect("parses");
            prop_assert_eq!(parsed, tree);
        }
    }

    #[test]
    fn repeated_keys_are_refused() {
        let error = serde_json::from_str::<Value>("{\"a\":1,\"a\":2}").expect_err("repeats");
        assert!(error.to_string().contains("repeats"), "{error}");
    }

    #[test]
    fn a_float_is_read_as_it_was_written() {
        for float in [1.8446744073704466e36, -9.223372758080369e23, -9.036854775808223e21] {
            let value = Value::Number(Number::from_f64(float).expect("is finite"));
            let read: Value = serde_json::from_str(&value.to_json()).expect("is JSON");
            assert_eq!(read, value);
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        assert!(to_value(&f64::NAN).is_err());
        assert!(to_value(&f32::INFINITY).is_err());
        assert!(serde_json::from_str::<Value>("1e999").is_err());
    }

    #[test]
    fn a_deep_tree_is_refused_before_it_is_built() {
        let text = format!("{}{}", "[".repeat(65), "]".repeat(65));
        assert!(serde_json::from_str::<Value>(&text).is_err());
        let text = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn a_wrong_field_is_named_with_its_path() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only the error is looked at")]
        struct Outer {
            inner: Vec<BTreeMap<String, u8>>,
        }
        let tree: Value = serde_json::from_str("{\"inner\":[{},{\"deep\":300}]}").expect("parses");
        let error = from_value::<Outer>(&tree).expect_err("300 is no u8");
        assert_eq!(error.problems()[0].path, "inner[1].deep");
    }

    #[test]
    fn a_struct_is_read_from_a_map_and_from_nothing_else() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only the error is looked at")]
        struct Pair {
            left: u8,
            right: u8,
        }
        for text in ["[1,2]", "[]", "null", "1", "\"left\""] {
            let tree: Value = serde_json::from_str(text).expect("parses");
            let error = from_value::<Pair>(&tree).expect_err("is no map");
            let problem = &error.problems()[0];
            assert_eq!(problem.expected.as_deref(), Some("a map of its fields"), "{text}");
        }
        for text in ["{\"plain\":null}", "{\"named\":[1,true]}"] {
            let tree: Value = serde_json::from_str(text).expect("parses");
            assert!(from_value::<Choice>(&tree).is_err(), "{text}");
        }
    }
}
