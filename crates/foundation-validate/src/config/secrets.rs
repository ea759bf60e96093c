//! Where a document has secrets, and that no problem tells of one.

use foundation_types::config::{Operation, Patch, Pointer, Shape};
use foundation_types::path::Segment;
use foundation_types::value::SecretValue;
use foundation_types::{Change, Document, HIDDEN, Path, Problem, Value};

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

/// The tree of a document whose secrets were logged as plain text, before its type said that they are
/// secrets: nothing is told of them.
#[must_use]
pub fn without_plain_secrets<T: Document>(tree: Value) -> Value {
    let hidden = marked(&tree, &Shape::Fields(T::FIELDS), |_| SecretValue::hidden());
    hidden.unwrap_or(tree)
}

/// The change with what was logged as plain text of a secret hidden.
#[must_use]
pub fn change_with_secrets<T: Document>(mut change: Change) -> Change {
    for edit in &mut change.changes {
        for value in [&mut edit.before, &mut edit.after] {
            *value = value.take().map(|value| with_secrets::<T>(&edit.path, value));
        }
    }
    change
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
    let marked = match root.at(steps) {
        _ if root.leads_into_secret(steps) => as_secret(&value, SecretValue::new),
        Some(shape) => marked(&value, shape, SecretValue::new),
        None => None,
    };
    marked.unwrap_or(value)
}

/// What a secret is made of its content.
type Make = fn(Value) -> SecretValue;

/// The value with its secrets; nothing if it has them already. What is no secret by its shape, and has
/// no place for one, is one as a whole: it may be one that was put into the wrong form.
fn marked(value: &Value, shape: &Shape, make: Make) -> Option<Value> {
    match (shape, value) {
        _ if !shape.has_secret() => None,
        (Shape::Fields(fields), Value::Map(map)) => {
            let mut new = None;
            for field in *fields {
                let there = map.get(field.name);
                if let Some(value) = there.and_then(|value| marked(value, &field.shape, make)) {
                    new.get_or_insert_with(|| map.clone()).insert(field.name.into(), value);
                }
            }
            new.map(Value::Map)
        }
        (Shape::Map(inner), Value::Map(map)) => {
            let mut new = None;
            for (key, value) in map {
                if let Some(value) = marked(value, inner, make) {
                    new.get_or_insert_with(|| map.clone()).insert(key.clone(), value);
                }
            }
            new.map(Value::Map)
        }
        (Shape::List(inner), Value::List(list)) => {
            let mut new = None;
            for (index, value) in list.iter().enumerate() {
                if let Some(value) = marked(value, inner, make) {
                    new.get_or_insert_with(|| list.clone()).set(index, value);
                }
            }
            new.map(Value::List)
        }
        (_, value) => as_secret(value, make),
    }
}

fn as_secret(value: &Value, make: Make) -> Option<Value> {
    match value {
        Value::Null | Value::Secret(_) => None,
        plain => Some(make(plain.clone()).into()),
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
