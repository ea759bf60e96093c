//! The schema stage: the `validator` rules of a document, told as problems with full paths.

use std::collections::{BTreeMap, HashMap};

use foundation_types::path::Segment;
use foundation_types::{Document, ErrorKind, Problem, Value};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::known::shape;
use super::place::shown;

/// Where `validator` puts what is wrong with a struct as a whole.
const WHOLE_STRUCT: &str = "__all__";

/// Adds what the rules of the document find wrong, in the order of paths.
pub(super) fn check<T: Document>(typed: &T, tree: &Value, found: &mut Vec<Problem>) {
    if let Err(errors) = typed.validate() {
        let place = Place { steps: Vec::new(), value: Some(tree) };
        walk_struct::<T>(&errors, &place, found);
    }
}

/// A place in the document, and the value there if the tree has one.
struct Place<'a> {
    steps: Vec<Segment>,
    value: Option<&'a Value>,
}

impl<'a> Place<'a> {
    /// The field of this name. The rules know the names of the code, the tree those of the
    /// serialised form, which may differ in case and separators.
    fn field(&self, name: &str) -> Self {
        let Some(Value::Map(map)) = self.value else {
            return self.step(Segment::Key(name.into()), None);
        };
        let entry =
            map.get_key_value(name).or_else(|| map.iter().find(|(key, _)| bare(key) == bare(name)));
        match entry {
            Some((key, value)) => self.step(Segment::Key(key.clone()), Some(value)),
            None => self.step(Segment::Key(name.into()), None),
        }
    }

    /// The item with this index. Of a map the rules do not say which entry is meant.
    fn item(&self, index: usize) -> Self {
        match self.value {
            Some(Value::List(list)) => {
                let segment = Segment::Index(u32::try_from(index).unwrap_or(u32::MAX));
                self.step(segment, list.get(index))
            }
            _ => self.step(Segment::Key("*".into()), None),
        }
    }

    fn step(&self, segment: Segment, value: Option<&'a Value>) -> Self {
        let steps = self.steps.iter().cloned().chain([segment]).collect();
        Place { steps, value }
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn walk_struct<T: Document>(errors: &ValidationErrors, place: &Place, found: &mut Vec<Problem>) {
    let sorted: BTreeMap<_, _> = errors.errors().iter().collect();
    for (name, kind) in sorted {
        if name == WHOLE_STRUCT {
            walk_kind::<T>(kind, place, found);
        } else {
            walk_kind::<T>(kind, &place.field(name), found);
        }
    }
}

fn walk_kind<T: Document>(kind: &ValidationErrorsKind, place: &Place, found: &mut Vec<Problem>) {
    match kind {
        ValidationErrorsKind::Struct(errors) => walk_struct::<T>(errors, place, found),
        ValidationErrorsKind::List(items) => {
            for (index, errors) in items {
                walk_struct::<T>(errors, &place.item(*index), found);
            }
        }
        ValidationErrorsKind::Field(errors) => {
            found.extend(errors.iter().map(|error| problem::<T>(error, place)));
        }
    }
}

fn problem<T: Document>(error: &ValidationError, place: &Place) -> Problem {
    let path = shown(&place.steps);
    let kind = match &*error.code {
        "range" | "length" => ErrorKind::OutOfRange,
        _ => ErrorKind::Invalid,
    };
    // The shape of a number has its range; of a text it does not say how long it may be.
    let expected = match &*error.code {
        "range" => shape::<T>(&path).or_else(|| expected(error)),
        _ => expected(error).or_else(|| shape::<T>(&path)),
    };
    let mut problem = Problem::new(kind, path, message(error));
    problem.expected = expected;
    match (place.value, error.params.get("value")) {
        // Problems of a whole struct would repeat the struct.
        (Some(Value::Map(_)), None) => problem,
        (Some(value), _) => problem.value(value),
        (None, Some(value)) => problem.value(value),
        (None, None) => problem,
    }
}

fn message(error: &ValidationError) -> String {
    match (&error.message, &*error.code) {
        (Some(message), _) => message.to_string(),
        (None, "range") => "out of range".to_owned(),
        (None, "length") => "wrong length".to_owned(),
        (None, code) => format!("breaks the rule \"{code}\""),
    }
}

/// What the parameters of a rule say that it accepts.
fn expected(error: &ValidationError) -> Option<String> {
    let unit = if error.code == "length" { "length " } else { "" };
    let bound = |name: &str| bound(&error.params, name);
    let text = match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => match (bound("equal"), bound("exclusive_min"), bound("exclusive_max")) {
            (Some(equal), _, _) => equal,
            (None, Some(min), Some(max)) => format!("more than {min} and less than {max}"),
            (None, Some(min), None) => format!("more than {min}"),
            (None, None, Some(max)) => format!("less than {max}"),
            (None, None, None) => return None,
        },
    };
    Some(format!("{unit}{text}"))
}

fn bound(
    params: &HashMap<std::borrow::Cow<'static, str>, serde_json::Value>,
    name: &str,
) -> Option<String> {
    params.get(name).map(ToString::to_string)
}
