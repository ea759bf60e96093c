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

/// Trees of the same shape, as a document has them.
fn flat() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-e]", 0_i64..4, 0..5).prop_map(|leaves| {
        let leaf = |(key, value): (String, i64)| (std::sync::Arc::from(key), Value::from(value));
        Value::Map(leaves.into_iter().map(leaf).collect::<Map>())
    })
}
