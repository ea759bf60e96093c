//! From a typed struct to a value tree.

use std::fmt;
use std::sync::Arc;

use serde::ser::{self, Serialize};

use super::{List, Map, Number, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::DEPTH_MAX;

/// The value tree that `data` serialises to.
///
/// # Errors
/// [`ErrorKind::Malformed`] for numbers that are not finite, bytes, and map keys that are neither
/// text nor numbers nor booleans; [`ErrorKind::TooLarge`] beyond 64 levels.
pub fn to_value<T: Serialize + ?Sized>(data: &T) -> Result<Value> {
    data.serialize(Writer { depth: 0 }).map_err(|Refusal { kind, message }| {
        let name = std::any::type_name::<T>();
        Error::new(kind, format!("{name} cannot be a value: {message}"))
    })
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
struct Writer {
    depth: usize,
}

impl Writer {
    fn inside(self) -> Result<Self, Refusal> {
        if self.depth == DEPTH_MAX {
            let message = format!("it nests deeper than {DEPTH_MAX} levels");
            return Err(Refusal { kind: ErrorKind::TooLarge, message });
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

/// A list that is being written, wrapped in its variant's name if it has one.
struct ListWriter {
    writer: Writer,
    variant: Option<&'static str>,
    list: List,
}

/// A map that is being written, wrapped in its variant's name if it has one.
struct MapWriter {
    writer: Writer,
    variant: Option<&'static str>,
    map: Map,
    key: Option<Arc<str>>,
}

fn wrapped(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Map(Map::unit(name.into(), value)),
        None => value,
    }
}

impl ListWriter {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.list.push_back(value.serialize(self.writer)?);
        Ok(())
    }

    fn finish(self) -> Value {
        wrapped(self.variant, Value::List(self.list))
    }
}

impl MapWriter {
    fn insert<T: Serialize + ?Sized>(&mut self, key: Arc<str>, value: &T) -> Result<(), Refusal> {
        self.map.insert(key, value.serialize(self.writer)?);
        Ok(())
    }

    fn finish(self) -> Value {
        wrapped(self.variant, Value::Map(self.map))
    }
}

impl ser::Serializer for Writer {
    type Ok = Value;
    type Error = Refusal;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeTupleVariant = ListWriter;
    type SerializeMap = MapWriter;
    type SerializeStruct = MapWriter;
    type SerializeStructVariant = MapWriter;

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
        _: &'static str,
        value: &T,
    ) -> Result<Value, Refusal> {
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

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter, Refusal> {
        Ok(ListWriter { writer: self.inside()?, variant: None, list: List::new() })
    }

    fn serialize_tuple(self, length: usize) -> Result<ListWriter, Refusal> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<ListWriter, Refusal> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<ListWriter, Refusal> {
        let writer = self.inside()?.inside()?;
        Ok(ListWriter { writer, variant: Some(variant), list: List::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapWriter, Refusal> {
        Ok(MapWriter { writer: self.inside()?, variant: None, map: Map::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<MapWriter, Refusal> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapWriter, Refusal> {
        let writer = self.inside()?.inside()?;
        Ok(MapWriter { writer, variant: Some(variant), map: Map::new(), key: None })
    }
}

impl ser::SerializeSeq for ListWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for ListWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for ListWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for ListWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeMap for MapWriter {
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
            Some(key) => self.insert(key, value),
            None => Err(ser::Error::custom("a value came without its key")),
        }
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeStruct for MapWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.insert(key.into(), value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for MapWriter {
    type Ok = Value;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.insert(key.into(), value)
    }

    fn end(self) -> Result<Value, Refusal> {
        Ok(self.finish())
    }
}
