//! An overlay is what all edits come to.

use foundation_types::value::Map;
use proptest::prelude::*;

use super::*;
use crate::diff::tests::tree;
use crate::diff::{apply, diff};

proptest! {
    #[test]
    fn putting_the_overlay_on_is_applying_every_edit(trees in prop::collection::vec(tree(), 1..6)) {
        let (base, mut now) = (trees[0].clone(), trees[0].clone());
        let mut overlay = Overlay::default();
        for next in &trees[1..] {
            let edits = diff(&now, next);
            now = apply(&now, &edits).expect("applies");
            overlay.add(&edits, &now);
        }
        prop_assert_eq!(overlay.on(&base).expect("applies"), now);
    }

    #[test]
    fn on_newer_defaults_it_is_the_replay(
        trees in prop::collection::vec(flat(), 1..6), newer in flat(),
    ) {
        let mut overlay = Overlay::default();
        let (mut now, mut replayed) = (trees[0].clone(), newer.clone());
        for next in &trees[1..] {
            let edits = diff(&now, next);
            now = apply(&now, &edits).expect("applies");
            overlay.add(&edits, &now);
            replayed = apply(&replayed, &edits).expect("applies");
        }
        prop_assert_eq!(overlay.on(&newer).expect("applies"), replayed);
    }
}

/// One step of a document over its sources.
#[derive(Clone, Debug)]
enum Step {
    /// Readers see this tree, by what is set at run time.
    Set(Value),
    /// What was set in this place is taken away.
    Withdraw(Path),
    /// The sources say this.
    Sources(Value),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => tree().prop_map(Step::Set),
        2 => prop::collection::vec("[a-c]", 0..3).prop_map(|keys| {
            let steps = keys.iter().map(|key| Segment::Key(key.as_str().into()));
            Step::Withdraw(Path::from_segments(steps).expect("short"))
        }),
        1 => tree().prop_map(Step::Sources),
    ]
}

fn map(value: Value) -> Value {
    if matches!(value, Value::Map(_)) { value } else { Value::empty_map() }
}

proptest! {
    /// What the log says is what readers saw, whatever is set, taken away, or said by the sources.
    #[test]
    fn the_log_and_the_overlay_agree(base in tree(), steps in prop::collection::vec(step(), 1..8)) {
        let (base, mut sources) = (map(base.clone()), map(base));
        let (mut now, mut overlay) = (base.clone(), Overlay::default());
        let mut folded = base;
        for step in steps {
            let mut change = Change {
                document: "d".to_owned(),
                version: Default::default(),
                schema: 1,
                time: foundation_types::Timestamp::UNIX_EPOCH,
                actor: None,
                reason: None,
                layer: Layer::RunTime,
                withdrawn: Vec::new(),
        until: None,
                changes: Vec::new(),
            };
            let next = match step {
                Step::Set(tree) => map(tree),
                Step::Withdraw(path) => {
                    let below = lens::get(&sources, &path).cloned();
                    let next = match below {
                        Some(below) => lens::set(&now, &path, below),
                        None if lens::get(&now, &path).is_none() => Ok(now.clone()),
                        None => lens::remove(&now, &path),
                    };
                    change.withdrawn.push(path);
                    match next {
                        Ok(next) => map(next),
                        Err(_) => continue,
                    }
                }
                Step::Sources(tree) => {
                    change.layer = Layer::Sources;
                    match overlay.on(&map(tree.clone())) {
                        Ok(next) => { sources = map(tree); next }
                        Err(_) => continue,
                    }
                }
            };
            change.changes = diff(&now, &next);
            folded = apply(&folded, &change.changes).expect("applies");
            overlay.follow(&change, &next);
            now = next;
            prop_assert_eq!(&folded, &now);
            if let Ok(overlaid) = overlay.on(&sources) {
                prop_assert_eq!(overlaid, now.clone());
            }
        }
    }
}

/// Trees of the same shape, as a document has them.
fn flat() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-e]", 0_i64..4, 0..5).prop_map(|leaves| {
        let leaf = |(key, value): (String, i64)| (std::sync::Arc::from(key), Value::from(value));
        Value::Map(leaves.into_iter().map(leaf).collect::<Map>())
    })
}
