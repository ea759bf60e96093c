//! A document as a commented TOML file.

use foundation_types::Value;
use foundation_types::config::Shape;

use super::{Entry, Reference};

pub(super) fn of(reference: &Reference) -> String {
    let Reference { name, doc, fields, defaults } = reference;
    let mut text = String::new();
    let title =
        if doc.is_empty() { format!("The document \"{name}\".") } else { (*doc).to_owned() };
    comment(&title, &mut text);
    comment(
        "Every field has its default: remove the \"#\" before one to give it another value.",
        &mut text,
    );
    section(&Entry::all(fields, Some(defaults)), "", &mut text);
    text
}

/// The values of a map, then the maps inside of it: in TOML a value belongs to the last header.
fn section(entries: &[Entry], path: &str, text: &mut String) {
    let (maps, values): (Vec<_>, Vec<_>) =
        entries.iter().map(|entry| (entry, entry.inside())).partition(|(_, in_it)| in_it.is_some());
    for (entry, _) in values {
        value(entry, text);
    }
    for (entry, inside) in maps {
        let inner =
            if path.is_empty() { key(entry.name) } else { format!("{path}.{}", key(entry.name)) };
        text.push('\n');
        comment(entry.field.doc, text);
        // A map that may be absent is not made by its header.
        let mark = if entry.field.optional { "#" } else { "" };
        text.push_str(&format!("{mark}[{inner}]\n"));
        section(&inside.unwrap_or_default(), &inner, text);
    }
}

fn value(entry: &Entry, text: &mut String) {
    text.push('\n');
    comment(entry.field.doc, text);
    comment(&entry.takes().unwrap_or_default(), text);
    let default = entry.shown_default().and_then(toml);
    if entry.default == Some(&Value::Null) {
        comment("it has no value by default", text);
    }
    let value = default.unwrap_or_else(|| example(&entry.field.shape));
    text.push_str(&format!("#{} = {value}\n", key(entry.name)));
}

fn comment(words: &str, text: &mut String) {
    if !words.is_empty() {
        text.push_str(&format!("# {words}\n"));
    }
}

/// Any value of this shape.
fn example(shape: &Shape) -> String {
    match shape {
        Shape::Flag => "false".to_owned(),
        Shape::Integer { min, max } => 0.clamp(*min, *max).to_string(),
        Shape::Float { min, max } => format!("{:?}", 0.0_f64.max(*min).min(*max)),
        Shape::Choice(words) => quoted(words.first().copied().unwrap_or_default()),
        Shape::List(_) => "[]".to_owned(),
        Shape::Map(_) | Shape::Fields(_) => "{}".to_owned(),
        Shape::Secret(content) => example(content),
        Shape::Text | Shape::Any => "\"\"".to_owned(),
    }
}

/// The value as TOML writes it on one line; TOML has no null.
fn toml(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Secret(_) => None,
        Value::Bool(_) | Value::Number(_) => Some(value.to_json()),
        Value::Text(text) => Some(quoted(text)),
        Value::List(list) => {
            let items: Vec<String> = list.iter().filter_map(toml).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        Value::Map(map) => {
            let pair = |name: &str, value| Some(format!("{} = {}", key(name), toml(value)?));
            let pairs: Vec<String> =
                map.iter().filter_map(|(name, value)| pair(name, value)).collect();
            Some(format!("{{{}}}", pairs.join(", ")))
        }
    }
}

fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A JSON text is a TOML text, but for one character that JSON does not escape.
fn quoted(text: &str) -> String {
    Value::from(text).to_json().replace('\u{7f}', "\\u007f")
}
