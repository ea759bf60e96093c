//! Two changes of one tree, brought together: three-way merge.
//!
//! The laws, which are tested: a side that changed nothing gives way; which side is which makes no
//! difference where nothing clashes; and what clashes is exactly what both sides changed, in
//! different ways.

use foundation_types::error::Clash;
use foundation_types::path::Segment;
use foundation_types::value::Map;
use foundation_types::{Path, Value};

#[cfg(test)]
mod tests;

/// Two trees brought together.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// Both changes; where they clash, what `theirs` has.
    pub tree: Value,
    /// Where both changed the same in different ways, in the order of paths.
    pub clashes: Vec<Clash>,
}

/// What two sides made of the same tree, brought together.
///
/// Maps are merged key by key. All else is one thing that only one side may change: of two lists
/// that differ nobody can say which item is which, see [`crate::diff::diff`]. What both sides
/// changed alike does not clash.
///
/// ```
/// use foundation_logic::merge::three_way;
/// use foundation_validate::parse;
/// let base = parse::value(r#"{"level": "info", "rows": 10, "tags": []}"#)?;
/// let ours = parse::value(r#"{"level": "warn", "rows": 20, "tags": []}"#)?;
/// let theirs = parse::value(r#"{"level": "info", "rows": 30, "tags": [1]}"#)?;
/// let merged = three_way(&base, &ours, &theirs);
/// assert_eq!(merged.tree.to_json(), r#"{"level":"warn","rows":30,"tags":[1]}"#);
/// assert_eq!(merged.clashes[0].path.to_string(), "rows");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[must_use]
pub fn three_way(base: &Value, ours: &Value, theirs: &Value) -> Merged {
    let mut clashes = Vec::new();
    let sides = Sides { base: Some(base), ours: Some(ours), theirs: Some(theirs) };
    let tree = sides.merge(&Path::root(), &mut clashes);
    Merged { tree: tree.unwrap_or_default(), clashes }
}

/// What is at one place: in the tree that both began with, and what each made of it.
#[derive(Clone, Copy)]
struct Sides<'a> {
    base: Option<&'a Value>,
    ours: Option<&'a Value>,
    theirs: Option<&'a Value>,
}

impl Sides<'_> {
    /// Recursion ends with the longest path, after 64 steps.
    fn merge(self, path: &Path, clashes: &mut Vec<Clash>) -> Option<Value> {
        let Self { base, ours, theirs } = self;
        if ours == theirs || ours == base {
            return theirs.cloned();
        }
        if theirs == base {
            return ours.cloned();
        }
        if let (Some(Value::Map(ours)), Some(Value::Map(theirs))) = (ours, theirs) {
            let empty = Map::new();
            // What was no map before, or nothing, has no key that either of them kept.
            let base = match base {
                Some(Value::Map(base)) => base,
                _ => &empty,
            };
            let already = clashes.len();
            if let Some(merged) = merge_maps(path, base, ours, theirs, clashes) {
                return Some(Value::Map(merged));
            }
            clashes.truncate(already);
        }
        clashes.push(Clash {
            path: path.clone(),
            base: base.cloned(),
            ours: ours.cloned(),
            theirs: theirs.cloned(),
        });
        theirs.cloned()
    }
}

/// Merges key by key; nothing if the path of a key that both changed cannot be written.
fn merge_maps(
    path: &Path,
    base: &Map,
    ours: &Map,
    theirs: &Map,
    clashes: &mut Vec<Clash>,
) -> Option<Map> {
    let mut merged = theirs.clone();
    // Only what we changed can differ from what they have.
    for item in base.diff(ours) {
        let key = match item {
            im::ordmap::DiffItem::Add(key, _)
            | im::ordmap::DiffItem::Remove(key, _)
            | im::ordmap::DiffItem::Update { new: (key, _), .. } => key,
        };
        let sides = Sides { base: base.get(key), ours: ours.get(key), theirs: theirs.get(key) };
        let value = if sides.theirs == sides.base {
            sides.ours.cloned()
        } else {
            let place = path.join(Segment::Key(key.clone())).ok()?;
            sides.merge(&place, clashes)
        };
        match value {
            Some(value) => drop(merged.insert(key.clone(), value)),
            None => drop(merged.remove(key)),
        }
    }
    Some(merged)
}
