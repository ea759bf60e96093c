//! Places in a tree: found, shown, and altered for a trial.

use foundation_types::path::Segment;
use foundation_types::{Path, Value};

/// The value at these steps.
pub(super) fn at<'a>(value: &'a Value, steps: &[Segment]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Map(map), Segment::Key(key)) => map.get(&**key),
        (Value::Map(map), Segment::Index(index)) => map.get(&*index.to_string()),
        (Value::List(list), Segment::Index(index)) => list.get(usize::try_from(*index).ok()?),
        _ => None,
    })
}

/// The value at a place given as text, if the text is a path.
pub(super) fn at_text<'a>(value: &'a Value, place: &str) -> Option<&'a Value> {
    at(value, place.parse::<Path>().ok()?.segments())
}

/// The tree with another value at these steps, or without what is there.
///
/// `None` if nothing is there, or if an item of a list would go, which would move the others.
pub(super) fn altered(value: &Value, steps: &[Segment], with: Option<&Value>) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return with.cloned() };
    match (value, step) {
        (Value::Map(map), Segment::Key(key)) => {
            let inner = map.get(&**key)?;
            if rest.is_empty() && with.is_none() {
                return Some(Value::Map(map.without(&**key)));
            }
            Some(Value::Map(map.update(key.clone(), altered(inner, rest, with)?)))
        }
        (Value::List(list), Segment::Index(index)) => {
            let index = usize::try_from(*index).ok()?;
            let inner = altered(list.get(index)?, rest, with)?;
            Some(Value::List(list.update(index, inner)))
        }
        _ => None,
    }
}

/// The tree with a value at these steps, which are keys; maps are made on the way.
pub(super) fn put(tree: &Value, steps: &[Segment], value: Value) -> Value {
    let Some((Segment::Key(key), rest)) = steps.split_first() else { return value };
    let map = match tree {
        Value::Map(map) => map.clone(),
        _ => foundation_types::value::Map::new(),
    };
    let inner = put(map.get(&**key).unwrap_or(&Value::Null), rest, value);
    Value::Map(map.update(key.clone(), inner))
}
