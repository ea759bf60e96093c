//! The schema stage: the `validator` rules of a document, told as problems with full paths.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use foundation_types::config::Shape;
use foundation_types::path::{Segment, dotted};
use foundation_types::{Document, ErrorKind, Problem, Value};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::known::told;

/// Where `validator` puts what is wrong with a struct as a whole.
const WHOLE_STRUCT: &str = "__all__";

/// Adds what the rules of the document find wrong, in the order of paths.
pub(super) fn check<T: Document>(typed: &T, tree: &Value, found: &mut Vec<Problem>) {
    if let Err(errors) = typed.validate() {
        let place = Place { steps: Vec::new(), value: Some(tree), shape: Shape::Fields(T::FIELDS) };
        walk_struct(&errors, &place, found);
    }
}

/// A place in the document, the value there if the tree has one, and what is known of it.
struct Place<'a> {
    steps: Vec<Segment>,
    value: Option<&'a Value>,
    shape: Shape,
}

impl<'a> Place<'a> {
    /// The field of this name. The rules know the names of the code, the tree those of the
    /// serialised form. Which is which the document says if its fields are known; otherwise they
    /// are taken to differ in case and separators only.
    fn field(&self, name: &str) -> Self {
        let known = self.shape.fields().iter().find(|field| field.ident == Some(name));
        let shape = known.map_or(Shape::Any, |field| field.shape);
        let name = known.map_or(name, |field| field.name);
        let Some(Value::Map(map)) = self.value else {
            return self.step(Segment::Key(name.into()), None, shape);
        };
        let entry =
            map.get_key_value(name).or_else(|| map.iter().find(|(key, _)| bare(key) == bare(name)));
        match entry {
            Some((key, value)) => self.step(Segment::Key(key.clone()), Some(value), shape),
            None => self.step(Segment::Key(name.into()), None, shape),
        }
    }

    /// The item with this index. Of a map the rules do not say which entry is meant.
    fn item(&self, index: usize) -> Self {
        let segment = Segment::Index(u32::try_from(index).unwrap_or(u32::MAX));
        let shape = self.shape.at(std::slice::from_ref(&segment)).copied().unwrap_or(Shape::Any);
        match self.value {
            Some(Value::List(list)) => self.step(segment, list.get(index), shape),
            _ => self.step(Segment::Key("*".into()), None, shape),
        }
    }

    fn step(&self, segment: Segment, value: Option<&'a Value>, shape: Shape) -> Self {
        let steps = self.steps.iter().cloned().chain([segment]).collect();
        Place { steps, value, shape }
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn walk_struct(errors: &ValidationErrors, place: &Place, found: &mut Vec<Problem>) {
    let sorted: BTreeMap<_, _> = errors.errors().iter().collect();
    for (name, kind) in sorted {
        if name == WHOLE_STRUCT {
            walk_kind(kind, place, found);
        } else {
            walk_kind(kind, &place.field(name), found);
        }
    }
}

fn walk_kind(kind: &ValidationErrorsKind, place: &Place, found: &mut Vec<Problem>) {
    match kind {
        ValidationErrorsKind::Struct(errors) => walk_struct(errors, place, found),
        ValidationErrorsKind::List(items) => {
            for (index, errors) in items {
                walk_struct(errors, &place.item(*index), found);
            }
        }
        ValidationErrorsKind::Field(errors) => {
            found.extend(errors.iter().map(|error| problem(error, place)));
        }
    }
}

fn problem(error: &ValidationError, place: &Place) -> Problem {
    let path = dotted(&place.steps);
    let is_secret =
        matches!(place.shape, Shape::Secret(_)) || place.value.is_some_and(Value::has_secret);
    let kind = match &*error.code {
        "range" | "length" => ErrorKind::OutOfRange,
        _ => ErrorKind::Invalid,
    };
    // The shape of a number has its range; of a text it does not say how long it may be.
    let expected = match &*error.code {
        "range" if !is_secret => told(&place.shape).or_else(|| expected(error)),
        _ => expected(error).or_else(|| told(&place.shape)),
    };
    let mut problem = Problem::new(kind, path, message(error));
    problem.expected = expected;
    if is_secret {
        // A message that was put together may have been put together from the secret.
        if matches!(error.message, Some(Cow::Owned(_))) || matches!(error.code, Cow::Owned(_)) {
            "breaks a rule".clone_into(&mut problem.message);
        }
        return problem;
    }
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

fn bound(params: &HashMap<Cow<'static, str>, serde_json::Value>, name: &str) -> Option<String> {
    params.get(name).map(ToString::to_string)
}
