//! Patches as other tools write them, applied to a tree: RFC 7396 and RFC 6902.

use std::borrow::Cow;
use std::sync::Arc;

use foundation_types::config::{Operation, Patch, Pointer};
use foundation_types::limits::{CONFIG_BYTES_MAX, DEPTH_MAX};
use foundation_types::value::{List, Map};
use foundation_types::{Error, ErrorKind, Problem, Result, Value};
use foundation_validate::config::json_bytes;

use crate::lens;

#[cfg(test)]
mod tests;

/// The tree that the patch makes of this one.
///
/// # Errors
/// As [`operate`]; a merge patch fits every tree.
pub fn apply(value: &Value, patch: &Patch) -> Result<Value> {
    match patch {
        Patch::Merge(patch) => Ok(merge(value, patch)),
        Patch::Operations(operations) => operate(value, operations),
    }
}

/// The tree with an RFC 7396 merge patch: maps are merged key by key, `null` removes what is there,
/// and all else replaces it.
///
/// ```
/// use foundation_logic::patch;
/// use foundation_validate::parse;
/// let tree = parse::value(r#"{"log": {"level": "info", "file": "a"}, "tags": [1, 2]}"#)?;
/// let change = parse::value(r#"{"log": {"file": null}, "tags": [3]}"#)?;
/// assert_eq!(patch::merge(&tree, &change).to_json(), r#"{"log":{"level":"info"},"tags":[3]}"#);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn merge(value: &Value, patch: &Value) -> Value {
    let Value::Map(changes) = patch else { return patch.clone() };
    let mut merged = match value {
        Value::Map(map) => map.clone(),
        _ => Map::new(),
    };
    for (key, change) in changes {
        match change {
            Value::Null => drop(merged.remove(&**key)),
            change => {
                let inner = merge(merged.get(&**key).unwrap_or(&Value::Null), change);
                merged.insert(Arc::clone(key), inner);
            }
        }
    }
    Value::Map(merged)
}

/// The tree after these RFC 6902 operations, made one after the other.
///
/// ```
/// use foundation_logic::patch;
/// use foundation_types::config::Patch;
/// use foundation_validate::parse;
/// let tree = parse::value(r#"{"tags": [1, 3]}"#)?;
/// let change = parse::value(
///     r#"[{"op": "test", "path": "/tags/1", "value": 3}, {"op": "add", "path": "/tags/1", "value": 2}]"#,
/// )?;
/// let after = patch::apply(&tree, &Patch::from_value(change)?)?;
/// assert_eq!(after.to_json(), r#"{"tags":[1,2,3]}"#);
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// Of the first operation that cannot be made, with its number from 0 on and its place:
/// `NotFound` where nothing is, `WrongType` where the way leads through what is no map and no
/// list, `InvalidPath` for a place that a list does not have and a move into itself,
/// `TestFailed` where something else is, `TooLarge` if the tree would nest deeper than 64 levels
/// or the operations copy more than 1 MiB, `Invalid` for a test of a secret, whose answer would tell
/// of it.
pub fn operate(value: &Value, operations: &[Operation]) -> Result<Value> {
    let mut made = value.clone();
    let mut room = CONFIG_BYTES_MAX;
    for (number, operation) in operations.iter().enumerate() {
        made = step(&made, operation, &mut room).map_err(|misfit| {
            let message =
                format!("operation {number} ({}) of the patch: {}", operation.name(), misfit.1);
            let place = operation.path().to_string();
            let problem = Problem::new(misfit.0, place, message);
            Error::of_problems(vec![match operation.value() {
                Some(value) if misfit.0 != ErrorKind::Invalid && !value.has_secret() => {
                    problem.value(value)
                }
                _ => problem,
            }])
        })?;
    }
    Ok(made)
}

/// Why an operation cannot be made.
struct Misfit(ErrorKind, Cow<'static, str>);

/// What is done at the end of the way.
enum Act<'a> {
    Add(&'a Value),
    Remove,
    Replace(&'a Value),
}

fn step(value: &Value, operation: &Operation, room: &mut usize) -> Result<Value, Misfit> {
    match operation {
        Operation::Add { path, value: new } => act(value, path, &Act::Add(new)),
        Operation::Remove { path } => act(value, path, &Act::Remove),
        Operation::Replace { path, value: new } => act(value, path, &Act::Replace(new)),
        Operation::Test { path, value: expected } => {
            let there = find(value, path)?;
            if there.has_secret() {
                let message = "what is secret, or has a secret inside, is not tested";
                return Err(Misfit(ErrorKind::Invalid, message.into()));
            }
            if same(there, expected) {
                return Ok(value.clone());
            }
            let shown: String = there.to_json().chars().take(120).collect();
            Err(Misfit(ErrorKind::TestFailed, format!("there is {shown}").into()))
        }
        Operation::Copy { from, path } => {
            let copied = find(value, from)?;
            // What is shared here is written out later: copies of copies would grow without end.
            let bytes = json_bytes(copied);
            *room = room.checked_sub(bytes).ok_or_else(|| {
                let message = format!("the patch copies more than {CONFIG_BYTES_MAX} bytes");
                Misfit(ErrorKind::TooLarge, message.into())
            })?;
            act(value, path, &Act::Add(copied))
        }
        Operation::Move { from, path } => {
            let moved = find(value, from)?;
            if from == path {
                return Ok(value.clone());
            }
            if path.parts().starts_with(from.parts()) {
                let message = format!("it would move {:?} into itself", from.to_string());
                return Err(Misfit(ErrorKind::InvalidPath, message.into()));
            }
            let without = act(value, from, &Act::Remove)?;
            act(&without, path, &Act::Add(moved))
        }
    }
}

/// The value at the place.
fn find<'a>(value: &'a Value, pointer: &Pointer) -> Result<&'a Value, Misfit> {
    pointer.parts().iter().try_fold(value, |value, part| match value {
        Value::Map(map) => map.get(part.as_str()).ok_or_else(|| absent(part)),
        Value::List(list) => list.get(index(part)?).ok_or_else(|| beyond(part, list)),
        scalar => Err(no_way(part, scalar)),
    })
}

fn act(value: &Value, pointer: &Pointer, act: &Act<'_>) -> Result<Value, Misfit> {
    if let Act::Add(new) | Act::Replace(new) = act
        && !lens::fits(new, DEPTH_MAX.saturating_sub(pointer.parts().len()))
    {
        let message = format!("the result would nest deeper than {DEPTH_MAX} levels");
        return Err(Misfit(ErrorKind::TooLarge, message.into()));
    }
    at(value, pointer.parts(), act)
}

/// Does it below the parts that are left; recursion ends with the pointer, after 64 parts.
fn at(value: &Value, parts: &[String], act: &Act<'_>) -> Result<Value, Misfit> {
    let Some((part, rest)) = parts.split_first() else {
        return match act {
            Act::Add(new) | Act::Replace(new) => Ok((*new).clone()),
            Act::Remove => {
                Err(Misfit(ErrorKind::InvalidPath, "the whole cannot be removed".into()))
            }
        };
    };
    match value {
        Value::Map(map) => in_map(map, part, rest, act).map(Value::Map),
        Value::List(list) => in_list(list, part, rest, act).map(Value::List),
        scalar => Err(no_way(part, scalar)),
    }
}

fn in_map(map: &Map, part: &str, rest: &[String], act: &Act<'_>) -> Result<Map, Misfit> {
    if let (Act::Add(new), []) = (act, rest) {
        return Ok(map.update(part.into(), (*new).clone()));
    }
    let (key, inner) = map.get_key_value(part).ok_or_else(|| absent(part))?;
    match (act, rest) {
        (Act::Remove, []) => Ok(map.without(part)),
        _ => Ok(map.update(Arc::clone(key), at(inner, rest, act)?)),
    }
}

fn in_list(list: &List, part: &str, rest: &[String], act: &Act<'_>) -> Result<List, Misfit> {
    let mut list = list.clone();
    if let (Act::Add(new), []) = (act, rest) {
        let place = if part == "-" { list.len() } else { index(part)? };
        if place > list.len() {
            return Err(beyond(part, &list));
        }
        list.insert(place, (*new).clone());
        return Ok(list);
    }
    let place = index(part)?;
    let inner = list.get(place).ok_or_else(|| beyond(part, &list))?;
    match (act, rest) {
        (Act::Remove, []) => drop(list.remove(place)),
        _ => {
            let inner = at(inner, rest, act)?;
            drop(list.set(place, inner));
        }
    }
    Ok(list)
}

/// An index as RFC 6901 writes it: digits, without a zero before others.
fn index(part: &str) -> Result<usize, Misfit> {
    let canonical = part == "0" || !part.starts_with('0');
    let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let index = if canonical && digits { part.parse().ok() } else { None };
    index.ok_or_else(|| {
        let message = format!("{} is no place of a list", shown(part));
        Misfit(ErrorKind::InvalidPath, message.into())
    })
}

/// Whether two values are the same as RFC 6902 compares them: numbers by what they are worth.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.is_worth(*other),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let agrees = |(key, one): (&Arc<str>, &Value)| {
                other.get(key).is_some_and(|other| same(one, other))
            };
            one.len() == other.len() && one.iter().all(agrees)
        }
        _ => one == other,
    }
}

fn absent(key: &str) -> Misfit {
    Misfit(ErrorKind::NotFound, format!("there is no key {}", shown(key)).into())
}

fn beyond(part: &str, list: &List) -> Misfit {
    let message = format!("place {} is beyond a list of {} items", shown(part), list.len());
    Misfit(ErrorKind::InvalidPath, message.into())
}

fn no_way(part: &str, scalar: &Value) -> Misfit {
    let message = format!("{} is looked for in what is {}", shown(part), scalar.type_name());
    Misfit(ErrorKind::WrongType, message.into())
}

fn shown(part: &str) -> String {
    format!("{:?}", part.chars().take(64).collect::<String>())
}
