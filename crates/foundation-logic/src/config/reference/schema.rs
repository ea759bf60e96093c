//! A document as JSON Schema, draft 2020-12.

use foundation_types::Value;
use foundation_types::config::Shape;
use foundation_types::value::{List, Map, Number};

use super::{Entry, Reference};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn of(reference: &Reference) -> Value {
    let Reference { name, doc, fields, defaults } = reference;
    let mut schema = object(Entry::all(fields, Some(defaults)), !fields.is_empty());
    put(&mut schema, "$schema", DRAFT);
    put(&mut schema, "title", name.as_str());
    put_doc(&mut schema, doc);
    Value::Map(schema)
}

/// A map with these entries. It takes no others if all are known.
fn object(entries: Vec<Entry>, is_known: bool) -> Map {
    let mut schema = of_type("object");
    let mut properties = Map::new();
    for entry in entries {
        put(&mut properties, entry.name, Value::Map(property(&entry)));
    }
    put(&mut schema, "properties", Value::Map(properties));
    if is_known {
        put(&mut schema, "additionalProperties", false);
    }
    schema
}

fn property(entry: &Entry) -> Map {
    let field = &entry.field;
    let inside = entry.inside();
    // What is inside has its defaults itself.
    let default = entry.shown_default().filter(|_| inside.is_none());
    let is_known = matches!(field.shape, Shape::Fields(_));
    let mut schema = inside.map_or_else(|| shape(&field.shape), |inside| object(inside, is_known));
    if field.optional {
        or_null(&mut schema);
    }
    put_doc(&mut schema, field.doc);
    if field.secret || matches!(entry.default, Some(Value::Secret(_))) {
        put(&mut schema, "writeOnly", true);
    }
    if let Some(default) = default {
        put(&mut schema, "default", default.clone());
    }
    schema
}

fn shape(shape: &Shape) -> Map {
    match shape {
        Shape::Flag => of_type("boolean"),
        Shape::Integer { min, max } => {
            let mut schema = of_type("integer");
            put_number(&mut schema, "minimum", integer(*min));
            put_number(&mut schema, "maximum", integer(*max));
            schema
        }
        Shape::Float { min, max } => {
            let mut schema = of_type("number");
            put_number(&mut schema, "minimum", Number::from_f64(*min));
            put_number(&mut schema, "maximum", Number::from_f64(*max));
            schema
        }
        Shape::Text => of_type("string"),
        Shape::Choice(words) => {
            let mut schema = of_type("string");
            let words: List = words.iter().map(|word| Value::from(*word)).collect();
            put(&mut schema, "enum", Value::List(words));
            schema
        }
        Shape::List(item) => {
            let mut schema = of_type("array");
            put(&mut schema, "items", Value::Map(self::shape(item)));
            schema
        }
        Shape::Map(inner) => {
            let mut schema = of_type("object");
            put(&mut schema, "additionalProperties", Value::Map(self::shape(inner)));
            schema
        }
        Shape::Fields(fields) => object(Entry::all(fields, None), true),
        Shape::Secret(content) => {
            let mut schema = self::shape(content);
            put(&mut schema, "writeOnly", true);
            schema
        }
        Shape::Any => Map::new(),
    }
}

/// The same values, and none.
fn or_null(schema: &mut Map) {
    if let Some(of) = schema.get("type").cloned() {
        put(schema, "type", Value::List([of, "null".into()].into_iter().collect()));
    }
    if let Some(Value::List(words)) = schema.get("enum").cloned() {
        put(schema, "enum", Value::List(words.into_iter().chain([Value::Null]).collect()));
    }
}

fn of_type(name: &str) -> Map {
    let mut schema = Map::new();
    put(&mut schema, "type", name);
    schema
}

fn put(schema: &mut Map, key: &str, value: impl Into<Value>) {
    schema.insert(key.into(), value.into());
}

fn put_doc(schema: &mut Map, doc: &str) {
    if !doc.is_empty() {
        put(schema, "description", doc);
    }
}

/// What no number of a tree can be is no bound for one.
fn put_number(schema: &mut Map, key: &str, number: Option<Number>) {
    if let Some(number) = number {
        put(schema, key, number);
    }
}

fn integer(number: i128) -> Option<Number> {
    let small = i64::try_from(number).map(Number::from);
    small.or_else(|_| u64::try_from(number).map(Number::from)).ok()
}
