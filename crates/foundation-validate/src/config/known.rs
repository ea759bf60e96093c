//! Which keys a document has, and which keys of a candidate it does not have.

use foundation_types::config::{Leaf, Shape};
use foundation_types::path::{Segment, dotted};
use foundation_types::value::{from_value, to_value};
use foundation_types::{Document, ErrorKind, Path, Problem, Value};

use super::place::altered;
use crate::nearest::nearest;
use crate::pipeline::PROBLEMS_MAX;

/// Which values a document takes at this path, as said to a person, if that is known.
pub(super) fn shape<T: Document>(path: &str) -> Option<String> {
    let path: Path = path.parse().ok()?;
    Shape::Fields(T::FIELDS).at(path.segments()).and_then(told)
}

/// A shape as said to a person.
pub(super) fn told(shape: &Shape) -> Option<String> {
    match shape {
        // What is wrong with a struct is said better by its type.
        Shape::Fields(_) | Shape::Any => None,
        Shape::Secret(inner) => told(inner),
        shape => Some(shape.to_string()),
    }
}

/// The problem of looking for a key that the document does not have now.
///
/// ```
/// use foundation_types::Settings;
/// use foundation_validate::config::no_such_key;
/// let problem = no_such_key::<Settings>(&"log.levle".parse()?);
/// assert_eq!(problem.hint.as_deref(), Some("log.level"));
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn no_such_key<T: Document>(path: &Path) -> Problem {
    absent::<T>(ErrorKind::NotFound, &path.to_string())
}

/// The problem of a key that the document does not have.
pub(super) fn unknown_key<T: Document>(path: &str) -> Problem {
    absent::<T>(ErrorKind::UnknownKey, path)
}

fn absent<T: Document>(kind: ErrorKind, path: &str) -> Problem {
    let shown: String = path.chars().take(512).collect();
    let message = format!("no key \"{shown}\" in document \"{}\"", T::NAME);
    let problem = Problem::new(kind, &shown, message);
    let known = known_paths::<T>();
    match nearest(path, known.iter().map(String::as_str)) {
        // It is there, and yet it is not known: the text has one key that is written like a path.
        Some(meant) if meant == path => Problem {
            message: format!("{}: a dot in a key is no path", problem.message),
            ..problem.expected("each key inside of the one before it")
        },
        Some(meant) => problem.hint(meant),
        None => problem,
    }
}

/// Every path that the document is known to have: documented ones, then those of its default.
fn known_paths<T: Document>() -> Vec<String> {
    let leaves = Leaf::all(T::FIELDS);
    let mut paths: Vec<String> = leaves.iter().map(|leaf| leaf.path.to_string()).collect();
    if let Ok(tree) = to_value(&T::default()) {
        collect(&tree, &mut Vec::new(), &mut paths);
    }
    paths
}

fn collect(value: &Value, steps: &mut Vec<Segment>, paths: &mut Vec<String>) {
    let Value::Map(map) = value else { return };
    for (key, inner) in map {
        steps.push(Segment::Key(key.clone()));
        paths.push(dotted(steps));
        collect(inner, steps, paths);
        steps.pop();
    }
}

/// The keys of the candidate that its type does not look at.
///
/// A key that is missing from the tree that the type serialises to is only suspected: it may have
/// been renamed, or left out because it is empty. It is unknown if any value does as well there.
pub(super) fn unknown_keys<T: Document>(candidate: &Value, tree: &Value) -> Vec<Problem> {
    let mut suspects = Vec::new();
    suspect(candidate, tree, &mut Vec::new(), &mut suspects);
    suspects.retain(|steps| is_ignored::<T>(candidate, steps));
    suspects.iter().map(|steps| unknown_key::<T>(&dotted(steps))).collect()
}

fn suspect(
    candidate: &Value,
    tree: &Value,
    steps: &mut Vec<Segment>,
    suspects: &mut Vec<Vec<Segment>>,
) {
    if suspects.len() >= PROBLEMS_MAX {
        return;
    }
    match (candidate, tree) {
        (Value::Map(given), Value::Map(known)) => {
            for (key, value) in given {
                steps.push(Segment::Key(key.clone()));
                match known.get(&**key) {
                    Some(known) => suspect(value, known, steps, suspects),
                    None if *value == Value::Null => {}
                    None => suspects.push(steps.clone()),
                }
                steps.pop();
            }
        }
        (Value::List(given), Value::List(known)) => {
            for ((index, value), known) in (0..).zip(given).zip(known) {
                steps.push(Segment::Index(index));
                suspect(value, known, steps, suspects);
                steps.pop();
            }
        }
        _ => {}
    }
}

fn is_ignored<T: Document>(candidate: &Value, steps: &[Segment]) -> bool {
    [Value::Bool(true), Value::List(foundation_types::value::List::new())].iter().all(|probe| {
        altered(candidate, steps, Some(probe)).is_some_and(|trial| from_value::<T>(&trial).is_ok())
    })
}
