//! From a value tree to a typed struct; an error names the path of what does not fit.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::{Map, Number, SECRET, Value};
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::secret::{HIDDEN, MISFIT};

/// The `T` that the tree says.
///
/// # Errors
/// One problem of kind [`ErrorKind::WrongType`] or [`ErrorKind::UnknownKey`] that names the path
/// of the value that does not fit, the value, and what was expected. Of a secret that does not fit
/// neither the value nor what is inside is told. [`ErrorKind::SecretUnknown`] for a secret without
/// content, [`ErrorKind::WrongType`] for one where `T` has none.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T> {
    let trail = Trail::default();
    T::deserialize(Reader { value, trail: &trail }).map_err(|misfit| {
        let mut place = trail.0.into_inner();
        if let Some(key) = &misfit.key {
            place.extend(if place.is_empty() { ["", key] } else { [".", key] });
        }
        let mut problem = Problem::new(misfit.kind, place, misfit.message);
        problem.value = misfit.value;
        problem.expected = misfit.expected;
        Error::of_problems(vec![problem])
    })
}

/// Where the reader stands. It is left standing where the first misfit was met.
#[derive(Default)]
struct Trail(RefCell<String>);

impl Trail {
    /// Goes one step in, and back out again only if all went well.
    fn within<T>(
        &self,
        step: &Step<'_>,
        act: impl FnOnce() -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        let length = self.0.borrow().len();
        match step {
            Step::Key(key) if length == 0 => self.0.borrow_mut().push_str(key),
            Step::Key(key) => self.0.borrow_mut().extend([".", *key]),
            Step::Index(index) => self.0.borrow_mut().push_str(&format!("[{index}]")),
        }
        let outcome = act()?;
        self.0.borrow_mut().truncate(length);
        Ok(outcome)
    }
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// What does not fit, before its place is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Misfit {
    kind: ErrorKind,
    message: String,
    /// The unknown key that stands below the trail.
    key: Option<String>,
    value: Option<String>,
    expected: Option<String>,
}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        Self { kind: ErrorKind::WrongType, message, key: None, value: None, expected: None }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self {
            kind: ErrorKind::WrongType,
            message: "wrong type".to_owned(),
            key: None,
            value: Some(found.to_string()),
            expected: Some(expected.to_string()),
        }
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self {
            message: "out of range".to_owned(),
            kind: ErrorKind::OutOfRange,
            ..Self::invalid_type(found, expected)
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            kind: ErrorKind::OutOfRange,
            message: "unknown choice".to_owned(),
            key: None,
            value: Some(format!("{variant:?}")),
            expected: Some(format!("one of {}", expected.join(", "))),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            kind: ErrorKind::UnknownKey,
            message: format!("unknown key {field:?}"),
            key: Some(field.to_owned()),
            value: None,
            expected: Some(format!("one of {}", expected.join(", "))),
        }
    }
}

impl Misfit {
    /// Of a secret: what serde has to say of it may have it.
    fn of_secret(kind: ErrorKind, message: &str) -> Self {
        let message = message.to_owned();
        Self { kind, message, key: None, value: Some(HIDDEN.to_owned()), expected: None }
    }

    fn no_secret() -> Self {
        Self::of_secret(ErrorKind::WrongType, "a secret stands where none is kept")
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    trail: &'a Trail,
}

impl Reader<'_> {
    /// The content of a secret, or what stands there as it is: as in a file.
    fn secret<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let value = match self.value {
            Value::Secret(secret) => secret.expose().ok_or_else(|| {
                Misfit::of_secret(ErrorKind::SecretUnknown, "the secret is not known here")
            })?,
            plain => plain,
        };
        // A path inside of a secret may tell of it.
        let length = self.trail.0.borrow().len();
        let read = visitor.visit_newtype_struct(Reader { value, ..self });
        read.map_err(|_| {
            self.trail.0.borrow_mut().truncate(length);
            Misfit::of_secret(ErrorKind::WrongType, MISFIT)
        })
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Misfit> {
    if let Some(value) = number.as_u64() {
        visitor.visit_u64(value)
    } else if let Some(value) = number.as_i64() {
        visitor.visit_i64(value)
    } else {
        visitor.visit_f64(number.as_f64())
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visit_number(*number, visitor),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(list) => {
                visitor.visit_seq(Items { items: list.iter().enumerate(), trail: self.trail })
            }
            Value::Map(map) => {
                visitor.visit_map(Entries { entries: map.iter(), value: None, trail: self.trail })
            }
            Value::Secret(_) => Err(Misfit::no_secret()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == SECRET {
            return self.secret(visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    /// What nobody looks at may be anything.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Text(name) => visitor.visit_enum((&**name).into_deserializer()),
            Value::Map(map) if map.len() == 1 => {
                visitor.visit_enum(Variant { map, trail: self.trail })
            }
            Value::Secret(_) => Err(Misfit::no_secret()),
            other => Err(de::Error::invalid_type(
                de::Unexpected::Other(&other.to_json()),
                &"the name of a choice",
            )),
        }
    }

    /// A struct is a map: serde would also take a list of its fields in the order of the code.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Map(_) | Value::Secret(_) => self.deserialize_any(visitor),
            other => Err(de::Error::invalid_type(
                de::Unexpected::Other(&other.to_json()),
                &"a map of its fields",
            )),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'a, I> {
    items: I,
    trail: &'a Trail,
}

impl<'de, 'a, I: Iterator<Item = (usize, &'a Value)>> de::SeqAccess<'de> for Items<'a, I> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let reader = Reader { value, trail: self.trail };
        self.trail.within(&Step::Index(index), || seed.deserialize(reader)).map(Some)
    }
}

struct Entries<'a, I> {
    entries: I,
    value: Option<(&'a Arc<str>, &'a Value)>,
    trail: &'a Trail,
}

impl<'de, 'a, I: Iterator<Item = (&'a Arc<str>, &'a Value)>> de::MapAccess<'de> for Entries<'a, I> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        self.value = self.entries.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let Some((key, value)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let reader = Reader { value, trail: self.trail };
        self.trail.within(&Step::Key(key), || seed.deserialize(reader))
    }
}

/// A key: text, or a number or boolean where the struct's map has such keys.
struct Key<'a>(&'a str);

macro_rules! parsed_keys {
    ($($deserialize:ident $visit:ident $kind:ty;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.0.parse::<$kind>() {
                Ok(key) => visitor.$visit(key),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    parsed_keys! {
        deserialize_bool visit_bool bool;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A choice that carries something: a map with the one entry of its name.
struct Variant<'a> {
    map: &'a Map,
    trail: &'a Trail,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = Misfit;
    type Variant = Content<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'a>), Misfit> {
        let Some((name, value)) = self.map.iter().next() else {
            return Err(de::Error::custom("a choice without a name"));
        };
        let chosen = seed.deserialize(Key(name))?;
        Ok((chosen, Content { name, reader: Reader { value, trail: self.trail } }))
    }
}

struct Content<'a> {
    name: &'a str,
    reader: Reader<'a>,
}

impl<'de> de::VariantAccess<'de> for Content<'_> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Err(de::Error::invalid_type(de::Unexpected::Map, &"the name of the choice alone"))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Misfit> {
        self.reader.trail.within(&Step::Key(self.name), || seed.deserialize(self.reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        let act = || self.reader.deserialize_any(visitor);
        self.reader.trail.within(&Step::Key(self.name), act)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let act = || self.reader.deserialize_struct("", fields, visitor);
        self.reader.trail.within(&Step::Key(self.name), act)
    }
}
