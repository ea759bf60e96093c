//! What differs between two trees, as edits that lead from one to the other.
//!
//! The laws, which are tested: `apply(before, diff(before, after)) == after`, and applying the
//! inverse leads back.

use foundation_types::path::Segment;
use foundation_types::value::Map;
use foundation_types::{Edit, Error, Path, Result, Value};
use im::ordmap::DiffItem;

use crate::lens;

#[cfg(test)]
pub(crate) mod tests;

/// The edits that lead from `before` to `after`, in the order of paths, none if they are equal.
///
/// Maps are compared key by key, down to what differs. A list that differs is replaced as a
/// whole: items have no names, so that "the second item changed" and "an item was inserted" look
/// the same, and an edit by index would say something else once another writer has inserted one.
/// A value of another type is one edit.
///
/// Where the path of a difference cannot be written, because a key has other characters than a
/// path allows or the path gets too long, the nearest map around it is replaced as a whole.
///
/// ```
/// use foundation_logic::diff::diff;
/// use foundation_validate::parse;
/// let before = parse::value(r#"{"log": {"level": "info"}, "tags": [1]}"#)?;
/// let after = parse::value(r#"{"log": {"level": "warn"}, "tags": [1, 2]}"#)?;
/// let paths: Vec<_> = diff(&before, &after).iter().map(|edit| edit.path.to_string()).collect();
/// assert_eq!(paths, ["log.level", "tags"]);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<Edit> {
    let mut edits = Vec::new();
    if before != after {
        compare(&Path::root(), before, after, &mut edits);
    }
    edits
}

/// The tree after these edits.
///
/// What an edit says was there before is not looked at, and removing what is not there is no
/// failure: edits say how it is afterwards. So they can be replayed on newer defaults.
///
/// # Errors
/// As [`lens::set`].
pub fn apply(value: &Value, edits: &[Edit]) -> Result<Value> {
    edits.iter().try_fold(value.clone(), |value, edit| match &edit.after {
        Some(after) => lens::set(&value, &edit.path, after.clone()),
        None if lens::get(&value, &edit.path).is_none() => Ok(value),
        None => lens::remove(&value, &edit.path),
    })
}

/// The edits that lead back.
#[must_use]
pub fn invert(edits: &[Edit]) -> Vec<Edit> {
    let back = |edit: &Edit| Edit {
        path: edit.path.clone(),
        before: edit.after.clone(),
        after: edit.before.clone(),
    };
    edits.iter().rev().map(back).collect()
}

/// Compares two values that differ. Recursion ends with the longest path, after 64 steps.
fn compare(path: &Path, before: &Value, after: &Value, edits: &mut Vec<Edit>) {
    if let (Value::Map(ours), Value::Map(theirs)) = (before, after) {
        let already = edits.len();
        if compare_maps(path, ours, theirs, edits).is_ok() {
            return;
        }
        edits.truncate(already);
    }
    edits.push(Edit {
        path: path.clone(),
        before: Some(before.clone()),
        after: Some(after.clone()),
    });
}

/// Compares key by key; fails if the path of a difference cannot be written.
fn compare_maps(
    path: &Path,
    before: &Map,
    after: &Map,
    edits: &mut Vec<Edit>,
) -> Result<(), Error> {
    // Parts of the maps that are shared are skipped without being looked at.
    for item in before.diff(after) {
        let (key, before, after) = match item {
            DiffItem::Add(key, after) => (key, None, Some(after)),
            DiffItem::Remove(key, before) => (key, Some(before), None),
            DiffItem::Update { old: (key, before), new: (_, after) } => {
                (key, Some(before), Some(after))
            }
        };
        let place = path.join(Segment::Key(key.clone()))?;
        match (before, after) {
            (Some(before), Some(after)) => compare(&place, before, after, edits),
            _ => edits.push(Edit { path: place, before: before.cloned(), after: after.cloned() }),
        }
    }
    Ok(())
}
