//! What is set to the value that is in force already.

use foundation_types::{Edit, Value};
use foundation_validate::ChangeRequest;

use crate::lens;
use crate::overlay::Overlay;

/// Edits that set what the tree has already by its sources or defaults alone: nothing differs for
/// readers, and from here on it stays whatever the sources say.
///
/// A map is no such place: what is written back as it was read is not meant key by key.
#[must_use]
pub fn pins(request: &ChangeRequest, set: &Overlay, before: &Value, after: &Value) -> Vec<Edit> {
    let pin = |(path, value): &(_, Option<Value>)| {
        let there = lens::get(before, path)?;
        let is_pinned = value.as_ref() == Some(there)
            && lens::get(after, path) == Some(there)
            && !matches!(there, Value::Map(_))
            && !set.touches(path);
        let there = Some(there.clone());
        is_pinned.then(|| Edit { path: path.clone(), before: there.clone(), after: there })
    };
    request.edits.iter().filter_map(pin).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use foundation_types::Path;
    use foundation_types::value::Map;
    use proptest::prelude::*;

    use super::*;
    use crate::diff::{apply, diff};

    fn path(key: &str) -> Path {
        key.parse().expect("a path")
    }

    fn flat(leaves: &[i64]) -> Value {
        let leaf =
            |(at, value): (usize, &i64)| (Arc::<str>::from(format!("k{at}")), Value::from(*value));
        Value::Map(leaves.iter().enumerate().map(leaf).collect::<Map>())
    }

    proptest! {
        /// What was set by hand stays, whatever the sources say later; the log folds to what readers
        /// saw. Without the pins of values that were in force the first of the two breaks.
        #[test]
        fn what_was_set_stays_whatever_the_sources_say(
            sources in prop::collection::vec(0_i64..3, 3),
            sets in prop::collection::vec((0_usize..3, 0_i64..3), 1..6),
            later in prop::collection::vec(0_i64..3, 3),
        ) {
            let (base, later) = (flat(&sources), flat(&later));
            let (mut now, mut folded, mut set) = (base.clone(), base, Overlay::default());
            let mut wanted = later.clone();
            for (at, value) in sets {
                let place = path(&format!("k{at}"));
                let edits = vec![(place.clone(), Some(Value::from(value)))];
                let request = ChangeRequest { edits, ..ChangeRequest::default() };
                let next = lens::set(&now, &place, Value::from(value)).expect("a map");
                let mut edits = diff(&now, &next);
                edits.extend(pins(&request, &set, &now, &next));
                folded = apply(&folded, &edits).expect("applies");
                set.add(&edits, &next);
                now = next;
                prop_assert_eq!(&folded, &now);
                wanted = lens::set(&wanted, &place, Value::from(value)).expect("a map");
            }
            prop_assert_eq!(set.on(&later).expect("applies"), wanted);
        }
    }

    #[test]
    fn a_map_and_what_is_set_already_are_not_pinned() {
        let tree = lens::set(&flat(&[1]), &path("inner.a"), Value::from(1)).expect("a map");
        let edits = [path("inner"), path("k0")].map(|path| {
            let value = lens::get(&tree, &path).cloned();
            (path, value)
        });
        let request = ChangeRequest { edits: edits.to_vec(), ..ChangeRequest::default() };
        let mut set = Overlay::default();
        let pinned = pins(&request, &set, &tree, &tree);
        assert_eq!(pinned.iter().map(|edit| edit.path.clone()).collect::<Vec<_>>(), [path("k0")]);
        set.put(path("k0"), Some(Value::from(1)));
        assert!(pins(&request, &set, &tree, &tree).is_empty());
    }
}
