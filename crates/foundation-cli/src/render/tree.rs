//! Values, changes and fields of a document.

use foundation::config::{Edit, FieldRow};
use foundation::{HIDDEN, Path, Value, parse};

use super::table::{Align, table};

/// A value by itself: text bare, so that a script can use it, anything else as JSON. Of a secret there
/// is only that it is one.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Secret(secret) => secret.to_string(),
        other => other.to_json(),
    }
}

/// What stands at a path: a value by itself, or a line for each value of a map.
pub(crate) fn tree(path: &Path, value: &Value) -> Vec<String> {
    match value {
        Value::Map(map) if !map.is_empty() => {
            let mut lines = Vec::new();
            collect(&path.to_string(), value, &mut lines);
            lines
        }
        other => vec![scalar(other)],
    }
}

/// Recursion ends with the tree, after 64 levels.
fn collect(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, inner) in map {
                let dot = if path.is_empty() { "" } else { "." };
                collect(&format!("{path}{dot}{key}"), inner, lines);
            }
        }
        other => lines.push(format!("{path} = {}", typed(other))),
    }
}

/// A value as it would have to be typed: text is quoted only where it would be taken for JSON.
fn typed(value: &Value) -> String {
    let text = match value {
        Value::Text(text) => text,
        Value::Secret(secret) => return secret.to_string(),
        other => return other.to_json(),
    };
    let is_itself = !text.is_empty()
        && text.trim() == &**text
        && !text.contains(char::is_control)
        && parse::value_or_text(text).is_ok_and(|parsed| parsed == *value);
    if is_itself { text.to_string() } else { value.to_json() }
}

/// What is on one side of a difference.
pub(crate) fn side(value: &Option<Value>) -> String {
    value.as_ref().map_or("(nothing)".to_owned(), typed)
}

/// A line for each path that differs, with what is there after the change.
pub(crate) fn edits(edits: &[Edit], shown: Shown) -> Vec<String> {
    let line = |edit: &Edit| {
        let path =
            if edit.path.is_root() { "(document)".to_owned() } else { edit.path.to_string() };
        match (shown, &edit.after) {
            (Shown::After, Some(after)) => format!("{path} = {}", typed(after)),
            (Shown::After, None) => format!("{path} removed"),
            (Shown::Both, _) if edit.before == edit.after => {
                format!("{path}: {}, as it was, but set", side(&edit.after))
            }
            (Shown::Both, _) => format!("{path}: {} -> {}", side(&edit.before), side(&edit.after)),
        }
    };
    edits.iter().map(line).collect()
}

/// What is shown of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What is there now.
    After,
    /// What was there and what is there.
    Both,
}

/// The reference of a document: one row a field.
pub(crate) fn fields(rows: &[FieldRow]) -> Vec<String> {
    let cells = |row: &FieldRow| {
        let default = if row.value == row.default {
            String::new()
        } else {
            format!("(default {})", typed(&row.default))
        };
        let value = if row.secret { HIDDEN.to_owned() } else { typed(&row.value) };
        let value = format!("= {value}");
        [row.path.to_string(), value, default, row.shape.clone(), row.doc.clone()]
    };
    let cells: Vec<_> = rows.iter().map(cells).collect();
    table([Align::Left; 5], &cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_shown_as_what_could_be_typed() {
        let value = parse::value(
            r#"{"a": {"b": 1, "c": "plain text", "d": "250", "e": "", "f": {}}, "g": [1, "x"]}"#,
        )
        .expect("is JSON");
        let path: Path = "root".parse().expect("a path");
        assert_eq!(
            tree(&path, &value),
            [
                "root.a.b = 1",
                "root.a.c = plain text",
                "root.a.d = \"250\"",
                "root.a.e = \"\"",
                "root.a.f = {}",
                "root.g = [1,\"x\"]",
            ]
        );
        assert_eq!(tree(&path, &Value::from("250")), ["250"]);
    }
}
