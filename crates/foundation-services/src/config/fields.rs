//! The fields of a document as rows of a reference: where, what now, what by default, what for.

use foundation_logic::lens;
use foundation_types::config::Leaf;
use foundation_types::path::Segment;
use foundation_types::{Document, Path, Value};
use serde::{Deserialize, Serialize};

/// One field of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRow {
    /// Where.
    pub path: Path,
    /// Its value now.
    pub value: Value,
    /// Its value by default.
    pub default: Value,
    /// Which values it takes, as said to a person; empty if nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shape: String,
    /// One sentence on what it does; empty if nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
}

/// The documented fields in their order, then whatever else the tree has.
pub(super) fn rows<T: Document>(tree: &Value, defaults: &Value) -> Vec<FieldRow> {
    let at = |tree: &Value, path: &Path| lens::get(tree, path).cloned().unwrap_or_default();
    let row = |path: Path, shape: String, doc: &str| FieldRow {
        value: at(tree, &path),
        default: at(defaults, &path),
        path,
        shape,
        doc: doc.to_owned(),
    };
    let mut rows = Vec::new();
    for Leaf { path, field } in Leaf::all(T::FIELDS) {
        rows.push(row(path, field.shape.to_string(), field.doc));
    }
    let documented: Vec<Path> = rows.iter().map(|row| row.path.clone()).collect();
    for path in leaves(tree) {
        if !documented.iter().any(|known| path.segments().starts_with(known.segments())) {
            rows.push(row(path, String::new(), ""));
        }
    }
    rows
}

/// The paths of all that is no map, or an empty one, in order.
pub(super) fn leaves(tree: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    collect(tree, &Path::root(), &mut paths);
    paths
}

/// Recursion ends with the tree, after 64 levels.
fn collect(value: &Value, path: &Path, paths: &mut Vec<Path>) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, inner) in map {
                // A key that no path can name is part of the map around it.
                match path.join(Segment::Key(key.clone())) {
                    Ok(place) => collect(inner, &place, paths),
                    Err(_) => {
                        if paths.last() != Some(path) {
                            paths.push(path.clone());
                        }
                    }
                }
            }
        }
        _ => paths.push(path.clone()),
    }
}
