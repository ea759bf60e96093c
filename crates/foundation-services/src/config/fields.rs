//! The fields of a document as rows of a reference: where, what now, what by default, what for.

use foundation_logic::lens;
use foundation_types::config::Leaf;
use foundation_types::path::Segment;
use foundation_types::{Document, Path, Value};
use serde::{Deserialize, Serialize};

/// One field of a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldRow {
    /// Where.
    pub path: Path,
    /// Its value now; none of a secret.
    pub value: Value,
    /// Its value by default; none of a secret.
    pub default: Value,
    /// Whether it is a secret, or has one inside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
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
    let mut rows = Vec::new();
    for Leaf { path, field, secret } in Leaf::all(T::FIELDS) {
        let shown = |tree: &Value| if secret { Value::Null } else { at(tree, &path) };
        let (value, default) = (shown(tree), shown(defaults));
        let doc = field.doc.to_owned();
        rows.push(FieldRow { path, value, default, secret, shape: field.takes(), doc });
    }
    let documented: Vec<Path> = rows.iter().map(|row| row.path.clone()).collect();
    for path in leaves(tree) {
        if !documented.iter().any(|known| path.segments().starts_with(known.segments())) {
            let (value, default) = (at(tree, &path), at(defaults, &path));
            let secret = value.has_secret();
            rows.push(FieldRow { path, value, default, secret, ..FieldRow::default() });
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
