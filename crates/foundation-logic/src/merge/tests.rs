//! The laws of merging, over trees of any shape.

use foundation_types::Edit;
use proptest::prelude::*;

use super::*;
use crate::diff::tests::tree;
use crate::diff::{apply, diff};
use crate::lens;

fn flipped(clash: &Clash) -> Clash {
    Clash { ours: clash.theirs.clone(), theirs: clash.ours.clone(), ..clash.clone() }
}

/// Whether one of the edits is at the path, in it or around it.
fn touches(edits: &[Edit], path: &Path) -> bool {
    edits.iter().any(|edit| edit.path.overlaps(path))
}

proptest! {
    #[test]
    fn a_side_that_changed_nothing_gives_way(base in tree(), other in tree()) {
        for merged in [
            three_way(&base, &other, &base),
            three_way(&base, &base, &other),
            three_way(&base, &other, &other),
        ] {
            prop_assert_eq!(merged, Merged { tree: other.clone(), clashes: Vec::new() });
        }
    }

    #[test]
    fn which_side_is_which_matters_only_in_what_clashes(
        base in tree(), ours in tree(), theirs in tree(),
    ) {
        let merged = three_way(&base, &ours, &theirs);
        let other = three_way(&base, &theirs, &ours);
        prop_assert_eq!(&other.clashes, &merged.clashes.iter().map(flipped).collect::<Vec<_>>());
        let mut settled = merged.tree;
        for clash in &merged.clashes {
            let edit = Edit { path: clash.path.clone(), before: None, after: clash.ours.clone() };
            settled = apply(&settled, &[edit]).expect("there is such a place");
        }
        prop_assert_eq!(settled, other.tree);
    }

    #[test]
    fn what_clashes_was_changed_by_both_in_different_ways(
        base in tree(), ours in tree(), theirs in tree(),
    ) {
        let (by_us, by_them) = (diff(&base, &ours), diff(&base, &theirs));
        for clash in three_way(&base, &ours, &theirs).clashes {
            prop_assert_ne!(&clash.ours, &clash.theirs);
            prop_assert!(touches(&by_us, &clash.path) && touches(&by_them, &clash.path));
            prop_assert_eq!(lens::get(&ours, &clash.path), clash.ours.as_ref());
            prop_assert_eq!(lens::get(&theirs, &clash.path), clash.theirs.as_ref());
            prop_assert_eq!(lens::get(&base, &clash.path), clash.base.as_ref());
        }
    }

    #[test]
    fn changes_of_different_places_are_both_kept(base in tree(), ours in tree(), theirs in tree()) {
        let (by_us, by_them) = (diff(&base, &ours), diff(&base, &theirs));
        let merged = three_way(&base, &ours, &theirs);
        if by_us.iter().all(|edit| !touches(&by_them, &edit.path)) {
            prop_assert_eq!(&merged.clashes, &[]);
            prop_assert_eq!(&apply(&theirs, &by_us).expect("applies"), &merged.tree);
            prop_assert_eq!(&apply(&ours, &by_them).expect("applies"), &merged.tree);
        }
    }
}
