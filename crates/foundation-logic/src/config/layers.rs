//! Defaults, files and environment, one on top of the other.

use foundation_types::config::{Field, Merge, Origin, Shape};
use foundation_types::path::Segment;
use foundation_types::value::{List, Map};
use foundation_types::{Document, Error, Path, Value};
use foundation_validate::config::{Said, placed};

use crate::lens;

/// What the sources of a document say, weakest first, and what they come to.
///
/// Maps are merged key by key. A list, and a field that is a map by its type, is replaced as a whole
/// by a stronger source, unless its field says otherwise: see [`Merge`].
#[derive(Clone, Debug)]
pub struct Layers {
    defaults: Value,
    fields: &'static [Field],
    said: Vec<Said>,
    tree: Value,
}

/// A value that a source gives for a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Where it is written.
    pub origin: Origin,
    /// The value.
    pub value: Value,
}

impl Layers {
    /// The defaults of a document with what the sources say on top of them, weakest first.
    #[must_use]
    pub fn new<T: Document>(defaults: Value, said: Vec<Said>) -> Self {
        let tree = said.iter().fold(defaults.clone(), |tree, one| on::<T>(&tree, one));
        Self { defaults, fields: T::FIELDS, said, tree }
    }

    /// What they come to.
    #[must_use]
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// What the sources say, weakest first, without the defaults.
    #[must_use]
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// The fields of the document.
    #[must_use]
    pub fn fields(&self) -> Shape {
        Shape::Fields(self.fields)
    }

    /// A refusal of what they come to, with where each problem is written.
    #[must_use]
    pub fn placed<T: Document>(&self, error: Error) -> Error {
        match error.problems() {
            [] => error,
            found => Error::of_problems(placed::<T>(found.to_vec(), &self.said)),
        }
    }

    /// Every value that is given for a path, the strongest first.
    #[must_use]
    pub fn given(&self, path: &Path) -> Vec<Given> {
        let said = self.said.iter().rev().filter_map(|one| {
            let value = lens::get(one.tree(), path)?.clone();
            Some(Given { origin: one.origin(path), value })
        });
        let default = lens::get(&self.defaults, path).cloned();
        said.chain(default.map(|value| Given { origin: Origin::Default, value })).collect()
    }
}

/// A tree with what one source says on top of it.
#[must_use]
pub fn on<T: Document>(tree: &Value, said: &Said) -> Value {
    merged(tree, said.tree(), Shape::Fields(T::FIELDS), Merge::Replace)
}

/// Recursion ends with the trees, after 64 levels.
fn merged(below: &Value, above: &Value, shape: Shape, merge: Merge) -> Value {
    match (below, above) {
        (Value::Map(below), Value::Map(above)) => {
            // A map by its type has no fields of its own: whose entries it has is the field's say.
            if matches!(shape, Shape::Map(_)) && merge == Merge::Replace {
                return Value::Map(above.clone());
            }
            Value::Map(merged_maps(below, above, shape))
        }
        (Value::List(below), Value::List(above)) => match merge {
            Merge::Replace => Value::List(above.clone()),
            Merge::Append => Value::List(below.iter().chain(above).cloned().collect()),
            Merge::Union => {
                let mut all = below.clone();
                let new: List =
                    above.iter().filter(|item| !below.contains(item)).cloned().collect();
                all.append(new);
                Value::List(all)
            }
        },
        _ => above.clone(),
    }
}

fn merged_maps(below: &Map, above: &Map, shape: Shape) -> Map {
    let mut all = below.clone();
    for (key, value) in above {
        let field = shape.fields().iter().find(|field| *field.name == **key);
        let inner = shape.at(&[Segment::Key(key.clone())]).copied().unwrap_or(Shape::Any);
        let merge = field.map_or(Merge::Replace, |field| field.merge);
        let value = match below.get(key) {
            Some(below) => merged(below, value, inner, merge),
            None => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    all
}
