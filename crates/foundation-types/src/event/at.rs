//! One field of the data of an event, read without making a tree of the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::data::Data;
use crate::path::{Path, Segment};
use crate::value::Value;

impl Data {
    /// The value at a path; `None` if there is none.
    ///
    /// ```
    /// use foundation_types::Data;
    /// let data = Data::from_json(r#"{"lines": [{"sku": "a"}, {"sku": "b", "n": 2}]}"#)?;
    /// assert_eq!(data.at(&"lines[1].n".parse()?), Some(2_u64.into()));
    /// assert_eq!(data.at(&"lines[2].n".parse()?), None);
    /// # Ok::<(), foundation_types::Error>(())
    /// ```
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<Value> {
        field_at(self.as_json(), path)
    }
}

/// The value at a path of JSON text; `None` if there is none.
#[must_use]
pub fn field_at(text: &str, path: &Path) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    At(path.segments()).deserialize(&mut reader).ok().flatten()
}

/// What is at the end of these segments.
struct At<'a>(&'a [Segment]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => serde::Deserialize::deserialize(from).map(Some),
            [_, ..] => from.deserialize_any(self),
        }
    }
}

/// A leaf has nothing below it.
macro_rules! nothing_below {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E: serde::de::Error>(self, _: $type) -> Result<Self::Value, E> {
            Ok(None)
        })*
    };
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Value>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON")
    }

    nothing_below!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(is_wanted) = map.next_key_seed(Is(wanted))? {
            if is_wanted {
                found = map.next_value_seed(At(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut at) = (None, 0);
        loop {
            let read = match self.0.split_first() {
                Some((Segment::Index(wanted), rest)) if at == *wanted => {
                    list.next_element_seed(At(rest))?.map(|value| found = value)
                }
                _ => list.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if read.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }
}

/// Whether a key is the one that a segment names; an index names the key with its digits.
struct Is<'a>(&'a Segment);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        Ok(match self.0 {
            Segment::Key(name) => **name == *key,
            Segment::Index(index) => key == index.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_the_whole_tree_has_there() {
        let data = r#"{"a": {"b": [1, {"c": null}, "x"], "a": true}, "b": 2.5, "7": "k"}"#;
        let cases = [
            ("a.b[0]", Some("1")),
            ("a.b[1]", Some("{\"c\":null}")),
            ("a.b[1].c", Some("null")),
            ("a.b[2]", Some("\"x\"")),
            ("a.b[3]", None),
            ("a.b.c", None),
            ("a.a", Some("true")),
            ("a.a.a", None),
            ("b", Some("2.5")),
            ("b.x", None),
            ("[7]", Some("\"k\"")),
            ("c", None),
        ];
        for (path, expected) in cases {
            let path: Path = path.parse().expect("a path");
            let found = field_at(data, &path).map(|value| value.to_json());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        let whole = field_at(data, &Path::root()).expect("all of it");
        assert_eq!(whole, serde_json::from_str(data).expect("JSON"));
        assert_eq!(field_at("[1,", &"[0]".parse().expect("a path")), None, "no JSON has a field");
    }
}
