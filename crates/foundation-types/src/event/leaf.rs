//! One place in the data of an event, read without making a tree of the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Data;
use crate::path::{Path, Segment};

/// What is at one place of an event's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    /// Nothing, or `null`.
    Nothing,
    /// True or false.
    Bool(bool),
    /// A whole number from 0 on.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
    /// A list or a map.
    Many,
}

impl Leaf {
    /// The number that is there, also where it is written as text such as `"0.25"`; `None` for
    /// what is no finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Unsigned(number) => *number as f64,
            Self::Signed(number) => *number as f64,
            Self::Real(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Nothing | Self::Bool(_) | Self::Many => return None,
        };
        number.is_finite().then_some(number)
    }

    /// What is there as text, a number as it is written; `None` where no single value is.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Unsigned(number) => Some(number.to_string()),
            Self::Signed(number) => Some(number.to_string()),
            Self::Real(number) => Some(format!("{number:?}")),
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Many => None,
        }
    }
}

impl Data {
    /// What is at this place: [`Leaf::Nothing`] where the path leads nowhere.
    ///
    /// ```
    /// use foundation_types::Data;
    /// use foundation_types::event::Leaf;
    /// let data = Data::from_json(r#"{"took": {"ms": [3, 4.5]}}"#)?;
    /// assert_eq!(data.leaf(&"took.ms[1]".parse()?), Leaf::Real(4.5));
    /// assert_eq!(data.leaf(&"took.ns".parse()?), Leaf::Nothing);
    /// assert_eq!(data.leaf(&"took".parse()?), Leaf::Many);
    /// # Ok::<(), foundation_types::Error>(())
    /// ```
    #[must_use]
    pub fn leaf(&self, path: &Path) -> Leaf {
        let mut reader = serde_json::Deserializer::from_str(self.as_json());
        // What is kept was checked to be JSON when it came in.
        Walk(path.segments()).deserialize(&mut reader).unwrap_or(Leaf::Nothing)
    }
}

/// Goes the rest of a path, and passes over everything beside it.
struct Walk<'p>(&'p [Segment]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Leaf;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Leaf, D::Error> {
        from.deserialize_any(self)
    }
}

impl Walk<'_> {
    /// A value that has nothing inside: what is wanted, if the path ends here.
    fn end<E>(&self, leaf: impl FnOnce() -> Leaf) -> Result<Leaf, E> {
        Ok(if self.0.is_empty() { leaf() } else { Leaf::Nothing })
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Leaf;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Leaf, E> {
        self.end(|| Leaf::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Leaf, E> {
        self.end(|| Leaf::Signed(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Leaf, E> {
        self.end(|| Leaf::Unsigned(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Leaf, E> {
        self.end(|| Leaf::Real(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Leaf, E> {
        self.end(|| Leaf::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Leaf, E> {
        Ok(Leaf::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Leaf, A::Error> {
        let (wanted, rest, mut found) = match self.0 {
            [] => (None, self.0, Leaf::Many),
            [Segment::Index(index), rest @ ..] => (Some(*index), rest, Leaf::Nothing),
            [Segment::Key(_), ..] => (None, self.0, Leaf::Nothing),
        };
        for at in 0_u32.. {
            if wanted == Some(at) {
                let Some(leaf) = list.next_element_seed(Walk(rest))? else { break };
                found = leaf;
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Leaf, A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Leaf::Many);
        };
        let mut found = Leaf::Nothing;
        while let Some(is_it) = map.next_key_seed(Is(first))? {
            if is_it {
                found = map.next_value_seed(Walk(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a key is the one that a segment names; an index names the key with its digits.
struct Is<'p>(&'p Segment);

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

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
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
    fn a_place_is_read_whatever_stands_beside_it() {
        let text = r#"{"a":[1,{"b":"x"}],"0":-2,"t":true,"n":null,"d":2.0,"big":1e300,"c":{}}"#;
        let data = Data::from_json(text).expect("is JSON");
        for (path, leaf) in [
            ("", Leaf::Many),
            ("a", Leaf::Many),
            ("a[0]", Leaf::Unsigned(1)),
            ("a[1].b", Leaf::Text("x".to_owned())),
            ("a[2]", Leaf::Nothing),
            ("a.b", Leaf::Nothing),
            ("a[0].b", Leaf::Nothing),
            ("[0]", Leaf::Signed(-2)),
            ("t", Leaf::Bool(true)),
            ("n", Leaf::Nothing),
            ("d", Leaf::Real(2.0)),
            ("big", Leaf::Real(1e300)),
            ("c.d", Leaf::Nothing),
            ("absent", Leaf::Nothing),
        ] {
            assert_eq!(data.leaf(&path.parse().expect("a path")), leaf, "{path}");
        }
    }

    #[test]
    fn a_number_is_one_that_is_finite_also_as_text() {
        let text = |text: &str| Leaf::Text(text.to_owned());
        assert_eq!(text(" -0.25 ").number(), Some(-0.25));
        assert_eq!(Leaf::Signed(-3).number(), Some(-3.0));
        for none in ["", "NaN", "inf", "1e999", "0.25 s", "12,5"] {
            assert_eq!(text(none).number(), None, "{none}");
        }
        assert_eq!([Leaf::Bool(true).number(), Leaf::Many.number()], [None, None]);
    }

    #[test]
    fn a_value_as_text_is_as_it_was_written() {
        assert_eq!(Leaf::Real(2.0).into_text().as_deref(), Some("2.0"));
        assert_eq!(Leaf::Unsigned(2).into_text().as_deref(), Some("2"));
        assert_eq!(Leaf::Many.into_text(), None);
    }
}
