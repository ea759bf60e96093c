//! Where a document has secrets, and that no problem tells of one.

use foundation_types::config::{Operation, Patch, Pointer, Shape};
use foundation_types::path::Segment;
use foundation_types::value::SecretValue;
use foundation_types::{Document, HIDDEN, Path, Problem, Value};

use super::change::ChangeRequest;

/// Shorter contents are found in any text by chance.
const TELLING_BYTES_MIN: usize = 4;

/// The value as it is kept at a place of the document: what the fields say is secret is one, also
/// if it came as plain text.
///
/// ```
/// use foundation_types::{Document, Secret, Shaped, Value};
/// use foundation_validate::config::with_secrets;
/// use serde::{Deserialize, Serialize};
/// use validator::Validate;
///
/// #[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
/// #[document(crate = "foundation_types")]
/// struct Shop {
///     key: Secret<String>,
/// }
///
/// let value = with_secrets::<Shop>(&"key".parse()?, "hunter2".into());
/// assert_eq!(value.to_json(), r#"{"$secret":"hidden"}"#);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn with_secrets<T: Document>(path: &Path, value: Value) -> Value {
    marked_at::<T>(path.segments(), value)
}

/// The request with its secrets known as such, before anything can be said of it.
pub(super) fn of_request<T: Document>(mut request: ChangeRequest) -> ChangeRequest {
    if !Shape::Fields(T::FIELDS).has_secret() {
        return request;
    }
    for (path, value) in &mut request.edits {
        *value = value.take().map(|value| with_secrets::<T>(path, value));
    }
    for patch in &mut request.patches {
        *patch = of_patch::<T>(std::mem::replace(patch, Patch::Merge(Value::Null)));
    }
    request
}

/// The patch with its secrets known as such.
#[must_use]
pub fn patch_with_secrets<T: Document>(patch: Patch) -> Patch {
    if Shape::Fields(T::FIELDS).has_secret() { of_patch::<T>(patch) } else { patch }
}

fn of_patch<T: Document>(patch: Patch) -> Patch {
    match patch {
        Patch::Merge(value) => Patch::Merge(marked_at::<T>(&[], value)),
        Patch::Operations(operations) => {
            Patch::Operations(operations.into_iter().map(of_operation::<T>).collect())
        }
    }
}

fn of_operation<T: Document>(mut operation: Operation) -> Operation {
    let steps = steps(operation.path());
    if let Operation::Add { value, .. }
    | Operation::Replace { value, .. }
    | Operation::Test { value, .. } = &mut operation
    {
        *value = marked_at::<T>(&steps, std::mem::take(value));
    }
    operation
}

fn steps(pointer: &Pointer) -> Vec<Segment> {
    let step = |part: &String| match part.parse() {
        Ok(index) => Segment::Index(index),
        Err(_) if part == "-" => Segment::Index(0),
        Err(_) => Segment::Key(part.as_str().into()),
    };
    pointer.parts().iter().map(step).collect()
}

fn marked_at<T: Document>(steps: &[Segment], value: Value) -> Value {
    let root = Shape::Fields(T::FIELDS);
    match root.at(steps) {
        _ if root.leads_into_secret(steps) => as_secret(value),
        Some(shape) if shape.has_secret() => marked(value, shape),
        _ => value,
    }
}

/// What is no secret by its shape, and has no place for one, is one as a whole: it may be one that
/// was put into the wrong form.
fn marked(value: Value, shape: &Shape) -> Value {
    match (shape, value) {
        (Shape::Fields(fields), Value::Map(mut map)) => {
            for field in fields.iter().filter(|field| field.shape.has_secret()) {
                if let Some(value) = map.get(field.name).cloned() {
                    map.insert(field.name.into(), marked(value, &field.shape));
                }
            }
            Value::Map(map)
        }
        (Shape::Map(inner), Value::Map(map)) => {
            Value::Map(map.into_iter().map(|(key, value)| (key, marked(value, inner))).collect())
        }
        (Shape::List(inner), Value::List(list)) => {
            Value::List(list.into_iter().map(|value| marked(value, inner)).collect())
        }
        (_, value) => as_secret(value),
    }
}

fn as_secret(value: Value) -> Value {
    match value {
        Value::Null | Value::Secret(_) => value,
        plain => SecretValue::new(plain).into(),
    }
}

/// Takes out of problems what is secret in the tree that they are about: an application's rule may
/// have put it there.
pub(super) fn hide<T: Document>(tree: &Value, problems: &mut [Problem]) {
    if problems.is_empty() || !tree.has_secret() {
        return;
    }
    let mut words = Vec::new();
    collect(tree, false, &mut words);
    problems.iter_mut().for_each(|problem| hide_in::<T>(problem, &words));
}

fn hide_in<T: Document>(problem: &mut Problem, words: &[String]) {
    let Problem { path, message, value, expected, hint, .. } = problem;
    if is_secret::<T>(path) {
        *value = None;
        let told = [Some(&*message), expected.as_ref(), hint.as_ref()];
        if words.iter().any(|word| told.iter().flatten().any(|text| text.contains(&**word))) {
            "a rule refuses the secret".clone_into(message);
            (*expected, *hint) = (None, None);
        }
        return;
    }
    for word in words.iter().filter(|word| word.len() >= TELLING_BYTES_MIN) {
        for text in [
            Some(&mut *path),
            Some(&mut *message),
            value.as_mut(),
            expected.as_mut(),
            hint.as_mut(),
        ]
        .into_iter()
        .flatten()
        {
            if text.contains(&**word) {
                *text = text.replace(&**word, HIDDEN);
            }
        }
    }
}

/// Whether a place given as text is a secret or inside of one.
pub(super) fn is_secret<T: Document>(place: &str) -> bool {
    place
        .parse::<Path>()
        .is_ok_and(|path| Shape::Fields(T::FIELDS).leads_into_secret(path.segments()))
}

/// The texts and numbers that are secret. Recursion ends with the tree, after 64 levels.
fn collect(value: &Value, secret: bool, words: &mut Vec<String>) {
    match value {
        Value::Secret(inner) => {
            inner.expose().into_iter().for_each(|value| collect(value, true, words))
        }
        Value::List(list) => list.iter().for_each(|value| collect(value, secret, words)),
        Value::Map(map) => {
            for (key, value) in map {
                if secret && !key.is_empty() {
                    words.push(key.to_string());
                }
                collect(value, secret, words);
            }
        }
        Value::Text(text) if secret && !text.is_empty() => words.push(text.to_string()),
        Value::Number(number) if secret => words.push(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}
