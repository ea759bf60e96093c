//! One place in a tree: look at it, set it, remove it.
//!
//! A result shares with its argument all that does not lie on the way to the place, so that it
//! costs the length of the path and not the size of the tree. The laws, which are tested:
//! what was set is what is got; setting what is there changes nothing; the last of two sets wins.

use std::sync::Arc;

use foundation_types::limits::{DEPTH_MAX, PATH_BYTES_MAX, PATH_SEGMENT_BYTES_MAX};
use foundation_types::path::Segment;
use foundation_types::value::{List, MARK_LEVELS, Map};
use foundation_types::{Error, ErrorKind, Path, Result, Value};

#[cfg(test)]
mod tests;

/// The value at the path, if there is one.
///
/// ```
/// use foundation_logic::lens;
/// use foundation_types::Value;
/// let tree = lens::set(&Value::Null, &"servers[0].port".parse()?, Value::from(80))?;
/// assert_eq!(tree.to_json(), r#"{"servers":[{"port":80}]}"#);
/// assert_eq!(lens::get(&tree, &"servers[0].port".parse()?), Some(&Value::from(80)));
/// assert_eq!(lens::get(&tree, &"servers[1].port".parse()?), None);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn get<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.segments().iter().try_fold(value, |value, step| match value {
        Value::Map(map) => match step {
            Segment::Key(key) => map.get(&**key),
            Segment::Index(index) => map.get(&*index.to_string()),
        },
        Value::List(list) => position(step).and_then(|index| list.get(index)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secret(_) => None,
    })
}

/// The value at the path that dotted text names, without making the path, where the text is plain
/// keys and maps lead to the value. `None` says nothing: then [`get`] has the answer.
#[must_use]
pub fn get_plain<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let is_plain =
        |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    if path.len() > PATH_BYTES_MAX || !path.bytes().all(is_plain) {
        return None;
    }
    // A key that is empty or too long for a path is looked for as a path.
    let is_key = |key: &str| (1..=PATH_SEGMENT_BYTES_MAX).contains(&key.len());
    path.split('.').try_fold(value, |value, key| match value {
        Value::Map(map) if is_key(key) => map.get(key),
        _ => None,
    })
}

/// The tree with `new` at the path.
///
/// Maps that are missing on the way are made, and so is a list where the path says `[0]`; `null`
/// counts as missing. An index replaces an item, or adds one right after the last.
///
/// # Errors
/// [`ErrorKind::WrongType`] where the path steps into a scalar, or by key into a list;
/// [`ErrorKind::InvalidPath`] for an index past the end; [`ErrorKind::TooLarge`] if the result
/// would nest deeper than 64 levels.
pub fn set(value: &Value, path: &Path, new: Value) -> Result<Value> {
    if !fits(&new, DEPTH_MAX.saturating_sub(path.segments().len())) {
        let message = format!("the value at {} nests deeper than {DEPTH_MAX} levels", named(path));
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    put(Some(value), path.segments(), path, new)
}

/// The tree with what `change` makes of the value at the path.
///
/// # Errors
/// As [`set`].
pub fn update(
    value: &Value,
    path: &Path,
    change: impl FnOnce(Option<&Value>) -> Value,
) -> Result<Value> {
    set(value, path, change(get(value, path)))
}

/// The tree without the value at the path. Items of a list move up; what becomes empty stays.
///
/// # Errors
/// [`ErrorKind::NotFound`] if nothing is there, [`ErrorKind::InvalidPath`] for the whole tree.
pub fn remove(value: &Value, path: &Path) -> Result<Value> {
    if path.is_root() {
        let message = "the whole value cannot be removed, only set to something else";
        return Err(Error::new(ErrorKind::InvalidPath, message));
    }
    without(value, path.segments())
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is nothing at \"{path}\"")))
}

/// Puts `new` below the steps that are left; recursion ends with the path, after 64 steps.
fn put(value: Option<&Value>, left: &[Segment], path: &Path, new: Value) -> Result<Value> {
    let Some((step, rest)) = left.split_first() else { return Ok(new) };
    match value {
        Some(Value::Map(map)) => put_in_map(map, step, rest, path, new),
        Some(Value::List(list)) => put_in_list(list, step, rest, path, new),
        None | Some(Value::Null) => match step {
            Segment::Key(_) => put_in_map(&Map::new(), step, rest, path, new),
            Segment::Index(_) => put_in_list(&List::new(), step, rest, path, new),
        },
        Some(scalar) => {
            let reason = format!("is of type {}, not a map or a list", scalar.type_name());
            Err(stopped(ErrorKind::WrongType, path, left, &reason))
        }
    }
}

fn put_in_map(
    map: &Map,
    step: &Segment,
    rest: &[Segment],
    path: &Path,
    new: Value,
) -> Result<Value> {
    let key = key(step);
    let inner = put(map.get(&*key), rest, path, new)?;
    Ok(Value::Map(map.update(key, inner)))
}

fn put_in_list(
    list: &List,
    step: &Segment,
    rest: &[Segment],
    path: &Path,
    new: Value,
) -> Result<Value> {
    let left = path.segments().get(path.segments().len() - rest.len() - 1..).unwrap_or_default();
    let Some(index) = position(step) else {
        return Err(stopped(ErrorKind::WrongType, path, left, "is a list, not a map"));
    };
    if index > list.len() {
        let reason = format!("is a list of {} items", list.len());
        return Err(stopped(ErrorKind::InvalidPath, path, left, &reason));
    }
    let inner = put(list.get(index), rest, path, new)?;
    let mut list = list.clone();
    match list.get_mut(index) {
        Some(item) => *item = inner,
        None => list.push_back(inner),
    }
    Ok(Value::List(list))
}

fn without(value: &Value, steps: &[Segment]) -> Option<Value> {
    let (step, rest) = steps.split_first()?;
    match value {
        Value::Map(map) => {
            let key = key(step);
            let inner = map.get(&*key)?;
            Some(Value::Map(match rest {
                [] => map.without(&*key),
                _ => map.update(key, without(inner, rest)?),
            }))
        }
        Value::List(list) => {
            let index = position(step)?;
            let inner = list.get(index)?;
            let mut list = list.clone();
            match rest {
                [] => drop(list.remove(index)),
                _ => drop(list.set(index, without(inner, rest)?)),
            }
            Some(Value::List(list))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secret(_) => None,
    }
}

/// Whether lists and maps nest at most `room` deep; looks no deeper than that.
pub(crate) fn fits(value: &Value, room: usize) -> bool {
    match value {
        Value::List(_) | Value::Map(_) if room == 0 => false,
        Value::List(list) => list.iter().all(|inner| fits(inner, room - 1)),
        Value::Map(map) => map.values().all(|inner| fits(inner, room - 1)),
        // Written it is a map in a map.
        Value::Secret(_) => room >= MARK_LEVELS,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => true,
    }
}

fn position(step: &Segment) -> Option<usize> {
    match step {
        Segment::Index(index) => usize::try_from(*index).ok(),
        Segment::Key(_) => None,
    }
}

/// The key that a step means on a map.
fn key(step: &Segment) -> Arc<str> {
    match step {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string().into(),
    }
}

/// The error of a path that cannot be followed; `left` are the steps that were not made.
fn stopped(kind: ErrorKind, path: &Path, left: &[Segment], reason: &str) -> Error {
    let made = path.segments().len().saturating_sub(left.len());
    let place = Path::from_segments(path.segments().iter().take(made).cloned());
    let place = place.map_or_else(|_| "a part of it".to_owned(), |place| named(&place));
    Error::new(kind, format!("\"{path}\" cannot be set: {place} {reason}"))
}

fn named(path: &Path) -> String {
    if path.is_root() { "the whole value".to_owned() } else { format!("\"{path}\"") }
}
