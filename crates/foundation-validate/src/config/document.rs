//! Whether a tree may become the next version of a document.

use std::sync::Arc;

use foundation_types::limits::CONFIG_BYTES_MAX;
use foundation_types::path::Segment;
use foundation_types::value::{from_value, to_value, to_value_like};
use foundation_types::{Document, ErrorKind, HIDDEN, Path, Problem, Result, Value};

use super::known::{shape, unknown_key, unknown_keys};
use super::place::{altered, at_text};
use super::{json_bytes, json_bytes_at_most, schema, secrets};
use crate::pipeline::{PROBLEMS_MAX, Pipeline};
use crate::validated::Validated;

/// A rule of the application over a whole document: what it finds wrong, or nothing.
///
/// A finding of severity `Warning` is kept and refuses nothing.
pub type BusinessRule<T> = Arc<dyn Fn(&T) -> Vec<Problem> + Send + Sync>;

/// The document that the tree says, if it passes all four stages.
///
/// - type: it reads as `T` and has no key that `T` does not have;
/// - schema: the `validator` rules of `T` hold;
/// - business: `rules` find nothing;
/// - integrity: it is no larger than 1 MiB as JSON and reads back as it was written.
///
/// ```
/// use foundation_types::{Settings, Value};
/// use foundation_validate::{config, parse};
/// let candidate = parse::value(r#"{"interface": {"max_resluts": 10}}"#)?;
/// let error = config::document::<Settings>(&candidate, &[]).unwrap_err();
/// assert_eq!(error.code(), "config.unknown_key");
/// assert_eq!(error.problems()[0].hint.as_deref(), Some("interface.max_results"));
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// All problems of the first stage that found one, each with its path: of kind
/// [`ErrorKind::WrongType`], [`ErrorKind::UnknownKey`], [`ErrorKind::OutOfRange`],
/// [`ErrorKind::Invalid`], [`ErrorKind::TooLarge`], or what a rule chose.
pub fn document<T: Document>(candidate: &Value, rules: &[BusinessRule<T>]) -> Result<Validated<T>> {
    stored(candidate, rules).map(|valid| valid.map(|stored| stored.document))
}

/// A document with the tree that it is stored as: all its fields, under the names it writes.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// The document as the application's type.
    pub document: T,
    /// The document as a tree.
    pub tree: Value,
}

/// As [`document`], with the tree that the document is stored as.
///
/// # Errors
/// As [`document`].
pub fn stored<T: Document>(
    candidate: &Value,
    rules: &[BusinessRule<T>],
) -> Result<Validated<Stored<T>>> {
    let pipeline = Pipeline {
        schema: &|read: &Read<T>, found| {
            let already = found.len();
            schema::check(&read.stored.document, &read.stored.tree, found);
            secrets::hide::<T>(&read.stored.tree, &mut found[already..]);
        },
        business: &|read, found| {
            let already = found.len();
            rules.iter().for_each(|rule| found.extend(rule(&read.stored.document)));
            secrets::hide::<T>(&read.stored.tree, &mut found[already..]);
        },
        integrity: &|read, found| found.extend(misfit_after_storing(read)),
    };
    pipeline.run(read(candidate)).map(|valid| valid.map(|read| read.stored))
}

/// A candidate that was read.
struct Read<T> {
    stored: Stored<T>,
    /// Whether the candidate is the tree that the document is stored as. Then no key of it is
    /// unknown, and reading it back is what was just done.
    is_as_stored: bool,
}

fn read<T: Document>(candidate: &Value) -> Result<Read<T>, Vec<Problem>> {
    let document = typed::<T>(candidate)?;
    // What did not change is shared with the candidate, which shares it with the version before.
    let tree = to_value_like(&document, candidate)
        .map_err(|error| vec![Problem::new(error.kind(), "", error.message())])?;
    let is_as_stored = *candidate == tree;
    let unknown = if is_as_stored { Vec::new() } else { unknown_keys::<T>(candidate, &tree) };
    let stored = Stored { document, tree };
    if unknown.is_empty() { Ok(Read { stored, is_as_stored }) } else { Err(unknown) }
}

/// Reads the candidate as `T`. What does not fit is noted and taken out, and the rest is read
/// again, so that all misfits are reported and not only the first.
pub(super) fn typed<T: Document>(candidate: &Value) -> Result<T, Vec<Problem>> {
    let mut rest = candidate.clone();
    let mut found: Vec<Problem> = Vec::new();
    loop {
        let error = match from_value::<T>(&rest) {
            Ok(typed) if found.is_empty() => return Ok(typed),
            Ok(_) => return Err(found),
            Err(error) => error,
        };
        let first = error.problems().first().cloned();
        let misfit = first.unwrap_or_else(|| Problem::new(error.kind(), "", error.message()));
        if is_echo(&misfit, &found) || found.len() >= PROBLEMS_MAX {
            return Err(found);
        }
        let less = without(&rest, &misfit.path);
        found.push(told::<T>(misfit, &rest));
        let Some(less) = less else { return Err(found) };
        rest = less;
    }
}

/// Whether a misfit is only about the absence of what was taken out: it then stands where what
/// was taken out stood, or around it.
fn is_echo(misfit: &Problem, found: &[Problem]) -> bool {
    let Ok(place) = misfit.path.parse::<Path>() else { return false };
    let around = |earlier: &Problem| {
        earlier.path.parse::<Path>().is_ok_and(|path| path.segments().starts_with(place.segments()))
    };
    found.iter().any(around)
}

fn without(value: &Value, place: &str) -> Option<Value> {
    let path: Path = place.parse().ok()?;
    match path.segments().last() {
        Some(Segment::Key(_)) => altered(value, path.segments(), None),
        Some(Segment::Index(_)) | None => None,
    }
}

/// The misfit as it is told: with the value as JSON, and what the document says it expects.
fn told<T: Document>(mut misfit: Problem, tree: &Value) -> Problem {
    if misfit.kind == ErrorKind::UnknownKey {
        return unknown_key::<T>(&misfit.path);
    }
    let there = at_text(tree, &misfit.path);
    let is_secret = there.is_some_and(Value::has_secret) || secrets::is_secret::<T>(&misfit.path);
    if is_secret || misfit.value.as_deref() == Some(HIDDEN) {
        return told_of_secret::<T>(misfit);
    }
    match there {
        // A misfit that says nothing of a value is about a missing part of it.
        Some(Value::Map(_) | Value::List(_)) if misfit.value.is_none() => {}
        Some(value) => misfit = misfit.value(value),
        None => {}
    }
    if let Some(shape) = shape::<T>(&misfit.path) {
        misfit.expected = Some(shape);
    }
    misfit
}

/// The misfit of what is secret, or of a value that has a secret inside: without the value.
fn told_of_secret<T: Document>(mut misfit: Problem) -> Problem {
    misfit.value = None;
    misfit.expected = shape::<T>(&misfit.path);
    misfit
}

fn misfit_after_storing<T: Document>(read: &Read<T>) -> Option<Problem> {
    let tree = &read.stored.tree;
    // Few documents are so large that their bytes have to be counted.
    let is_large = json_bytes_at_most(tree) > CONFIG_BYTES_MAX;
    let bytes = if is_large { json_bytes(tree) } else { 0 };
    if bytes > CONFIG_BYTES_MAX {
        let message = format!("the document has {bytes} bytes as JSON");
        let expected = format!("at most {CONFIG_BYTES_MAX} bytes");
        return Some(Problem::new(ErrorKind::TooLarge, "", message).expected(expected));
    }
    if read.is_as_stored {
        return None;
    }
    let again = from_value::<T>(&read.stored.tree).and_then(|typed| to_value(&typed));
    match again {
        Ok(tree) if tree == read.stored.tree => None,
        Ok(_) => Some(unstable("", "the document reads back as another one")),
        Err(error) => {
            let place = error.problems().first().map_or("", |problem| &problem.path);
            Some(unstable(place, &format!("what is written here cannot be read back: {error}")))
        }
    }
}

fn unstable(place: &str, message: &str) -> Problem {
    Problem::new(ErrorKind::Invalid, place, message)
}
