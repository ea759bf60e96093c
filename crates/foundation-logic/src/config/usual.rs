//! What is usual where a change conflicts that does not say itself what is to happen.

use foundation_types::config::{OnConflict, Operation, Patch, Pointer};
use foundation_types::path::Segment;
use foundation_types::{Path, Value};
use foundation_validate::ChangeRequest;

/// What happens to the request if the document is at another version than it expects.
///
/// Each place that it changes has the way of the innermost place around it, and the ways of all
/// places inside of it; of several the most careful counts: `Refuse`, then `Park`, then `Merge`,
/// then `Overwrite`. Where nothing is usual it is `Refuse`.
#[must_use]
pub fn usual_way(usual: &[(Path, OnConflict)], request: &ChangeRequest) -> OnConflict {
    let places = touched(request);
    let ways = places.iter().map(|place| way_at(usual, place));
    ways.max_by_key(|way| care(*way)).unwrap_or_default()
}

fn care(way: OnConflict) -> u8 {
    match way {
        OnConflict::Overwrite => 0,
        OnConflict::Merge => 1,
        OnConflict::Park => 2,
        OnConflict::Refuse => 3,
    }
}

fn way_at(usual: &[(Path, OnConflict)], place: &Path) -> OnConflict {
    let overlapping = || usual.iter().filter(|(path, _)| path.overlaps(place));
    let depth = |path: &Path| path.segments().len();
    let around = overlapping().filter(|(path, _)| depth(path) <= depth(place));
    let innermost = around.max_by_key(|(path, _)| depth(path)).map(|(_, way)| *way);
    let inside = overlapping().filter(|(path, _)| depth(path) > depth(place)).map(|(_, way)| *way);
    let most_careful = inside.max_by_key(|way| care(*way));
    let outside = innermost.unwrap_or_default();
    most_careful
        .map_or(outside, |inside| if care(inside) > care(outside) { inside } else { outside })
}

/// Every place that the request changes something at, or a place around it.
fn touched(request: &ChangeRequest) -> Vec<Path> {
    let mut places: Vec<Path> = request.edits.iter().map(|(path, _)| path.clone()).collect();
    for patch in &request.patches {
        match patch {
            Patch::Merge(value) => leaves(value, &Path::root(), &mut places),
            Patch::Operations(operations) => {
                for operation in operations {
                    places.push(place_of(operation.path()));
                    if let Operation::Move { from, .. } = operation {
                        places.push(place_of(from));
                    }
                }
            }
        }
    }
    places
}

/// Recursion ends with the deepest value, after 64 steps.
fn leaves(value: &Value, around: &Path, places: &mut Vec<Path>) {
    let Value::Map(map) = value else { return places.push(around.clone()) };
    for (key, inner) in map {
        match around.join(Segment::Key(key.as_ref().into())) {
            Ok(path) => leaves(inner, &path, places),
            // A key that no path can name is part of what is around it.
            Err(_) => places.push(around.clone()),
        }
    }
}

fn place_of(pointer: &Pointer) -> Path {
    let mut place = Path::root();
    for part in pointer.parts() {
        // What may be an item of a list is part of the list.
        if part == "-" || part.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        match place.join(Segment::Key(part.as_str().into())) {
            Ok(inner) => place = inner,
            Err(_) => break,
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use foundation_validate::parse;

    fn of(usual: &[(&str, OnConflict)], edits: &[&str], patch: Option<&str>) -> OnConflict {
        let usual: Vec<(Path, OnConflict)> =
            usual.iter().map(|(path, way)| (path.parse().expect("a path"), *way)).collect();
        let edits = edits.iter().map(|path| (path.parse().expect("a path"), None)).collect();
        let patch = patch.map(|json| parse::value(json).and_then(Patch::from_value));
        let patches = patch.into_iter().map(|patch| patch.expect("a patch")).collect();
        usual_way(&usual, &ChangeRequest { edits, patches, ..ChangeRequest::default() })
    }

    /// What is usual, the edits and the patch of a change, and what happens to it.
    type Row<'a> = (&'a [(&'a str, OnConflict)], &'a [&'a str], Option<&'a str>, OnConflict);

    #[test]
    fn the_innermost_place_around_counts_and_of_several_the_most_careful() {
        use OnConflict::{Merge, Overwrite, Park, Refuse};
        let usual = [("", Merge), ("pay", Park), ("pay.tax", Overwrite), ("log", Overwrite)];
        let rows: [Row<'_>; 12] = [
            (&[], &["a"], None, Refuse),
            (&usual[1..], &["other"], None, Refuse),
            (&usual, &["other"], None, Merge),
            (&usual, &["log.level"], None, Overwrite),
            (&usual, &["pay.rate"], None, Park),
            (&usual, &["pay.tax"], None, Overwrite),
            (&usual, &["pay.tax.eu"], None, Overwrite),
            (&usual, &["log.level", "pay.rate"], None, Park),
            (&usual, &[""], None, Park),
            (&usual, &[], Some(r#"{"log": {"level": 1}}"#), Overwrite),
            (&usual, &[], Some(r#"[{"op": "remove", "path": "/pay/list/0"}]"#), Park),
            (&usual, &[], Some(r#"[{"op": "move", "from": "/pay/a", "path": "/log/a"}]"#), Park),
        ];
        for (usual, edits, patch, expected) in rows {
            assert_eq!(of(usual, edits, patch), expected, "{edits:?} {patch:?}");
        }
    }
}
