//! One step of a migration, made on what was set.

use std::panic::{AssertUnwindSafe, catch_unwind};

use foundation_types::path::Segment;
use foundation_types::{Error, ErrorKind, Path, Problem, Result, Value};

use super::migrations::{Move, Transform};
use crate::lens;
use crate::overlay::Overlay;

/// What was set with each value in that around it, where one was set around it.
pub(super) fn gathered(set: &Overlay) -> Result<Overlay> {
    let mut gathered = Overlay::default();
    for (path, value) in set.iter() {
        put(path, value.cloned(), &mut gathered)?;
    }
    Ok(gathered)
}

/// Makes the step.
pub(super) fn make(step: &Move, set: &mut Overlay) -> Result<()> {
    match step {
        Move::To { from, to } => moved(from, to, set),
        Move::Away(path) => taken(path, set).map(|_| ()),
        Move::Transform(path, transform) => transformed(path, transform, set),
        Move::Default(path, value) => {
            // What is removed was set, too.
            if set.has_in(path) || set.around(path).is_some_and(|(at, put)| has(at, put, path)) {
                return Ok(());
            }
            put(path, Some(value.clone()), set)
        }
    }
}

/// Whether what is put around a place says what is there.
fn has(at: &Path, put: Option<&Value>, path: &Path) -> bool {
    put.is_none_or(|put| inner(at, path).is_ok_and(|inner| lens::get(put, &inner).is_some()))
}

fn moved(from: &Path, to: &Path, set: &mut Overlay) -> Result<()> {
    let taken = taken(from, set)?;
    if taken.is_empty() {
        return Ok(());
    }
    set.take(to);
    for (path, value) in taken {
        let steps = path.segments().iter().skip(from.segments().len());
        let place = Path::from_segments(to.segments().iter().chain(steps).cloned())
            .map_err(|error| failed(&path, format!("it cannot be moved: {}", error.message())))?;
        put(&place, value, set)?;
    }
    Ok(())
}

fn transformed(path: &Path, transform: &Transform, set: &mut Overlay) -> Result<()> {
    let taken = taken(path, set)?;
    let is_at = taken.first().is_some_and(|(first, _)| first == path);
    if taken.iter().all(|(_, value)| value.is_none()) {
        // Of what was removed nothing can be made.
        return taken.into_iter().try_for_each(|(path, value)| put(&path, value, set));
    }
    let mut one = Overlay::default();
    for (place, value) in taken {
        one.put(inner(path, &place)?, value);
    }
    let value = one.on(&Value::Null)?;
    if value.has_secret() {
        return Err(failed(path, "a secret has no value that could be transformed: move it"));
    }
    let made = catch_unwind(AssertUnwindSafe(|| transform(value)))
        .unwrap_or_else(|_| Err(failed(path, "its transform panicked")));
    let made = made.map_err(|error| match error.kind() {
        ErrorKind::MigrationFailed => error,
        _ => failed(path, format!("its transform failed: {}", error.message())),
    })?;
    match made {
        // What was not set beside it was not set by it.
        Value::Map(map) if !is_at && !map.is_empty() => map.iter().try_for_each(|(key, value)| {
            let place = path.join(Segment::Key(key.clone()));
            let place = place.map_err(|error| failed(path, error.message()))?;
            put(&place, Some(value.clone()), set)
        }),
        made => put(path, Some(made), set),
    }
}

/// Takes out what was set at and in a place, also where it was set with what is around it.
fn taken(path: &Path, set: &mut Overlay) -> Result<Vec<(Path, Option<Value>)>> {
    let around = set.around(path).map(|(at, put)| (at.clone(), put.cloned()));
    if let Some((at, Some(value))) = around {
        let inner = inner(&at, path)?;
        let Some(found) = lens::get(&value, &inner).cloned() else { return Ok(set.take(path)) };
        let rest = pruned(&value, &inner)?;
        let is_empty = matches!(&rest, Value::Map(map) if map.is_empty());
        set.take(path);
        if is_empty && !set.has_inside(&at) {
            set.take(&at);
        } else {
            set.replace(at, Some(rest));
        }
        return Ok(vec![(path.clone(), Some(found))]);
    }
    Ok(set.take(path))
}

/// The value without what is at a place, and without what became empty around it.
fn pruned(value: &Value, place: &Path) -> Result<Value> {
    let mut rest = lens::remove(value, place)?;
    let mut steps = place.segments();
    while let Some((_, outer)) = steps.split_last() {
        let around = Path::from_segments(outer.iter().cloned())?;
        let is_empty = matches!(lens::get(&rest, &around), Some(Value::Map(map)) if map.is_empty());
        if around.is_root() || !is_empty {
            break;
        }
        rest = lens::remove(&rest, &around)?;
        steps = outer;
    }
    Ok(rest)
}

/// Puts a value at a place, inside of what is put around it if something is.
fn put(place: &Path, value: Option<Value>, set: &mut Overlay) -> Result<()> {
    let around = set.around(place).map(|(at, put)| (at.clone(), put.cloned()));
    let Some((at, Some(outer))) = around else {
        set.put(place.clone(), value);
        return Ok(());
    };
    let inner = inner(&at, place)?;
    let outer = match value {
        Some(value) => lens::set(&outer, &inner, value).map_err(|error| {
            failed(place, format!("something is in the way: {}", error.message()))
        })?,
        None if lens::get(&outer, &inner).is_none() => outer,
        None => lens::remove(&outer, &inner)?,
    };
    set.replace(at, Some(outer));
    Ok(())
}

/// The way from one place to another one inside of it.
fn inner(outer: &Path, path: &Path) -> Result<Path> {
    Path::from_segments(path.segments().iter().skip(outer.segments().len()).cloned())
}

fn failed(path: &Path, message: impl Into<String>) -> Error {
    let message = message.into();
    Error::of_problems(vec![Problem::new(ErrorKind::MigrationFailed, path, message)])
}
