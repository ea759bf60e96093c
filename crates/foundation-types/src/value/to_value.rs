//! From a typed struct to a value tree.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::ser::{self, Serialize};

use super::secret::{Answer, Reveal};
use super::{List, MARK_LEVELS, Map, Number, SECRET, SecretValue, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::DEPTH_MAX;

/// The value tree that `data` serialises to.
///
/// # Errors
/// [`ErrorKind::Malformed`] for numbers that are not finite, bytes, and map keys that are neither
/// text nor numbers nor booleans, and for the key `$secret`, by which a secret is marked;
/// [`ErrorKind::TooLarge`] beyond 64 levels, of which the mark of a secret takes two.
pub fn to_value<T: Serialize + ?Sized>(data: &T) -> Result<Value> {
    write(data, None)
}

/// As [`to_value`], sharing with `like` the maps that are the same: for data that was mostly read
/// from that tree, which is then neither built nor kept twice.
///
/// # Errors
/// As [`to_value`].
pub fn to_value_like<T: Serialize + ?Sized>(data: &T, like: &Value) -> Result<Value> {
    write(data, Some(like))
}

fn write<T: Serialize + ?Sized>(data: &T, like: Option<&Value>) -> Result<Value> {
    data.serialize(Writer { depth: 0, secret: Place::Open, like }).map_err(
        |Refusal { kind, message }| {
            let name = std::any::type_name::<T>();
            Error::new(kind, format!("{name} cannot be a value: {message}"))
        },
    )
}

/// Why a piece of data has no place in a tree.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Refusal {
    kind: ErrorKind,
    message: String,
}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { kind: ErrorKind::Malformed, message: message.to_string() }
    }
}

#[derive(Clone, Copy)]
struct Writer<'a> {
    depth: usize,
    secret: Place,
    /// What stands at this place of a tree that is probably the same.
    like: Option<&'a Value>,
}

/// Whether a secret is around what is written.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Open,
    InSecret,
}

impl<'a> Writer<'a> {
    /// The writer of what is inside, where nothing is known to be the same.
    fn inside(self) -> Result<Self, Refusal> {
        if self.depth == DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(Self { depth: self.depth + 1, like: None, ..self })
    }

    /// A secret as one leaf, or as what it is if another secret is around it.
    fn write_secret<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Refusal> {
        if self.depth + MARK_LEVELS > DEPTH_MAX {
            return Err(too_deep());
        }
        let there = match self.like {
            Some(Value::Secret(there)) => Some(there),
            _ => None,
        };
        let asked = Reveal::ask();
        let like = there.and_then(SecretValue::expose);
        let content = value.serialize(Self { secret: Place::InSecret, like, ..self })?;
        let secret = match asked.answer() {
            Answer::Content => SecretValue::new(content),
            Answer::Itself(secret) => secret,
            Answer::Nothing => {
                let message = "a secret stands in what is flattened, untagged or tagged inside";
                return Err(ser::Error::custom(message));
            }
        };
        match (self.secret, there, secret.expose()) {
            (Place::InSecret, _, Some(content)) => Ok(content.clone()),
            (Place::InSecret, _, None) => {
                Err(ser::Error::custom("a secret that is not known here stands in another one"))
            }
            // The seal of the other one is good for this one.
            (Place::Open, Some(there), _) if secret.seal().is_none() && *there == secret => {
                Ok(Value::Secret(there.clone()))
            }
            (Place::Open, ..) => Ok(Value::Secret(secret)),
        }
    }

    fn map(self) -> Result<MapWriter<'a>, Refusal> {
        let like = match self.like {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        };
        let room = like.map_or(0, Map::len);
        let (writer, entries) = (self.inside()?, Vec::with_capacity(room));
        Ok(MapWriter { writer, variant: None, like, alike: 0, entries, key: None })
    }
}

/// A list that is being written, wrapped in its variant's name if it has one.
struct ListWriter<'a> {
    writer: Writer<'a>,
    variant: Option<&'static str>,
    list: List,
}

/// A map that is being written, wrapped in its variant's name if it has one.
struct MapWriter<'a> {
    writer: Writer<'a>,
    variant: Option<&'static str>,
    /// A map that is probably the same, and how many of the entries are as in it.
    like: Option<&'a Map>,
    alike: usize,
    entries: Vec<(Arc<str>, Value)>,
    key: Option<Arc<str>>,
}

fn too_deep() -> Refusal {
    let message = format!("it nests deeper than {DEPTH_MAX} levels");
    Refusal { kind: ErrorKind::TooLarge, message }
}

fn wrapped(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Map(Map::unit(name.into(), value)),
        None => value,
    }
}

impl ListWriter<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.list.push_back(value.serialize(self.writer)?);
        Ok(())
    }

    fn finish(self) -> Value {
        wrapped(self.variant, Value::List(self.list))
    }
}

impl MapWriter<'_> {
    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Refusal> {
        let there = self.like.and_then(|map| map.get_key_value(key));
        let writer = Writer { like: there.map(|(_, value)| value), ..self.writer };
        let value = value.serialize(writer)?;
        self.alike += usize::from(there.is_some_and(|(_, there)| *there == value));
        self.entries.push((there.map_or_else(|| key.into(), |(key, _)| key.clone()), value));
        Ok(())
    }

    fn finish(self) -> Result<Value, Refusal> {
        let has_mark = self.entries.iter().any(|(key, _)| SecretValue::is_taken(key));
        let map: Map = match self.like {
            Some(like) if self.is_like(like) => like.clone(),
            _ => self.entries.into_iter().collect(),
        };
        if !has_mark {
            return Ok(wrapped(self.variant, Value::Map(map)));
        }
        // It is the mark of a secret, in what another format has written, or nothing that can be.
        let secret = SecretValue::of_mark(&map).map(Value::Secret);
        let message = "the key \"$secret\" is taken: it marks a secret";
        Ok(wrapped(self.variant, secret.ok_or_else(|| ser::Error::custom(message))?))
    }

    /// Whether the entries are those of the other map, each once.
    fn is_like(&self, like: &Map) -> bool {
        if self.alike != like.len() || self.entries.len() != like.len() {
            return false;
        }
        // All keys are the other map's own, so that a key that was written twice is the same text
        // in memory.
        let place = |(key, _): &(Arc<str>, Value)| Arc::as_ptr(key).cast::<u8>();
        let mut keys: Vec<_> = self.entries.iter().map(place).collect();
        keys.sort_unstable();
        keys.windows(2).all(|pair| pair[0] != pair[1])
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = Value;
    type Error = Refusal;
    type SerializeSeq = ListWriter<'a>;
    type SerializeTuple = ListWriter<'a>;
    type SerializeTupleStruct = ListWriter<'a>;
    type SerializeTupleVariant = ListWriter<'a>;
    type SerializeMap = MapWriter<'a>;
    type SerializeStruct = MapWriter<'a>;
    type SerializeStructVariant = MapWriter<'a>;

    fn serialize_bool(self, value: bool) -> Result<Value, Refusal> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Refusal> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Refusal> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, Refusal> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, Refusal> {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Refusal> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Refusal> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, Refusal> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Refusal> {
        Ok(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Refusal> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Refusal> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| ser::Error::custom(format_args!("{value} is not a finite number")))
    }

    fn serialize_char(self, value: char) -> Result<Value, Refusal> {
        Ok(value.to_string().into())
    }

    fn serialize_str(self, value: &str) -> Result<Value, Refusal> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Refusal> {
        let list: List = value.iter().map(|byte| Value::from(u32::from(*byte))).collect();
        Ok(Value::List(list))
    }

    fn serialize_none(self) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Refusal> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Refusal> {
        if name == SECRET {
            return self.write_secret(value);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Refusal> {
        Ok(wrapped(Some(variant), value.serialize(self.inside()?)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter<'a>, Refusal> {
        Ok(ListWriter { writer: self.inside()?, variant: None, list: List::new() })
    }

    fn serialize_tuple(self, length: usize) -> Result<ListWriter<'a>, Refusal> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<ListWriter<'a>, Refusal> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<ListWriter<'a>, Refusal> {
        let writer = self.inside()?.inside()?;
        Ok(ListWriter { writer, variant: Some(variant), list: List::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapWriter<'a>, Refusal> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<MapWriter<'a>, Refusal> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapWriter<'a>, Refusal> {
        Ok(MapWriter { variant: Some(variant), ..self.inside()?.map()? })
    }
}

impl ser::SerializeSeq for ListWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for ListWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for ListWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for ListWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeMap for MapWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.key = Some(match key.serialize(self.writer)? {
            Value::Text(text) => text,
            Value::Number(number) if number.is_integer() => number.to_string().into(),
            Value::Bool(flag) => flag.to_string().into(),
            other => {
                let message = format!("a {} cannot be the key of a map", other.type_name());
                return Err(ser::Error::custom(message));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        match self.key.take() {
            Some(key) => self.insert(&key, value),
            None => Err(ser::Error::custom("a value came without its key")),
        }
    }

    fn end(self) -> Result<Value, Refusal> {
        self.finish()
    }
}

impl ser::SerializeStruct for MapWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, Refusal> {
        self.finish()
    }
}

impl ser::SerializeStructVariant for MapWriter<'_> {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, Refusal> {
        self.finish()
    }
}
