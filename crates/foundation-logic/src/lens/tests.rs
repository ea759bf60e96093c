//! The laws of a lens, and what a path that cannot be followed is told.

use proptest::prelude::*;

use super::*;
use crate::diff::tests::tree;

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        3 => "[a-d]".prop_map(|key| Segment::Key(key.as_str().into())),
        1 => (0_u32..3).prop_map(Segment::Index),
    ];
    prop::collection::vec(step, 0..4).prop_map(|steps| Path::from_segments(steps).expect("short"))
}

proptest! {
    #[test]
    fn what_was_set_is_what_is_got(before in tree(), path in path(), new in tree()) {
        if let Ok(after) = set(&before, &path, new.clone()) {
            prop_assert_eq!(get(&after, &path), Some(&new));
        }
    }

    #[test]
    fn setting_what_is_there_changes_nothing(before in tree(), path in path()) {
        if let Some(there) = get(&before, &path) {
            prop_assert_eq!(&set(&before, &path, there.clone()).expect("is there"), &before);
        }
    }

    #[test]
    fn the_last_of_two_sets_wins(
        before in tree(), path in path(), first in tree(), second in tree(),
    ) {
        if let Ok(once) = set(&before, &path, first) {
            let twice = set(&once, &path, second.clone()).expect("as before");
            prop_assert_eq!(twice, set(&before, &path, second).expect("as before"));
        }
    }

    #[test]
    fn what_was_removed_from_a_map_is_not_there(before in tree(), path in path()) {
        if let Ok(after) = remove(&before, &path) {
            let around = path.segments().split_last().map(|(_, around)| around.to_vec());
            let around = Path::from_segments(around.unwrap_or_default()).expect("short");
            if matches!(get(&before, &around), Some(Value::Map(_))) {
                prop_assert_eq!(get(&after, &path), None);
            }
        } else {
            prop_assert!(path.is_root() || get(&before, &path).is_none());
        }
    }

    #[test]
    fn a_set_leaves_other_places_alone(
        before in tree(), path in path(), other in path(), new in tree(),
    ) {
        prop_assume!(!path.overlaps(&other));
        // An index and a key of the same digits are one place of a map.
        prop_assume!(!path.to_pointer().starts_with(&other.to_pointer()));
        prop_assume!(!other.to_pointer().starts_with(&path.to_pointer()));
        if let (Some(there), Ok(after)) = (get(&before, &other), set(&before, &path, new)) {
            prop_assert_eq!(get(&after, &other), Some(there));
        }
    }

    #[test]
    fn update_sets_what_the_function_makes(before in tree(), path in path(), new in tree()) {
        let updated = update(&before, &path, |_| new.clone());
        prop_assert_eq!(updated.ok(), set(&before, &path, new).ok());
    }
}

#[test]
fn a_path_that_cannot_be_followed_says_where_it_stops() {
    let tree: Value = serde_json::from_str(r#"{"a":{"b":1},"list":[1]}"#).expect("parses");
    let refused = |path: &str| {
        let path = path.parse().expect("a path");
        format!("{:?}", set(&tree, &path, Value::Null).expect_err("refused"))
    };
    insta::assert_snapshot!(refused("a.b.c"), @r#"config.wrong_type: "a.b.c" cannot be set: "a.b" is of type integer, not a map or a list"#);
    insta::assert_snapshot!(refused("list.x"), @r#"config.wrong_type: "list.x" cannot be set: "list" is a list, not a map"#);
    insta::assert_snapshot!(refused("list[2]"), @r#"invalid_path: "list[2]" cannot be set: "list" is a list of 1 items"#);
}

#[test]
fn a_value_that_nests_too_deep_at_its_place_is_refused() {
    let deep =
        (0..64).fold(Value::Null, |inner, _| Value::List([inner].into_iter().collect::<List>()));
    let path = "a".parse().expect("a path");
    let error = set(&Value::empty_map(), &path, deep).expect_err("65 levels");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

proptest! {
    #[test]
    fn plain_text_leads_where_its_path_leads(before in tree(), text in r"[a-d0.\[\]/-]{0,6}") {
        if let Some(there) = get_plain(&before, &text) {
            let path: Path = text.parse().expect("what was found has a path");
            prop_assert_eq!(get(&before, &path), Some(there));
        }
    }

    #[test]
    fn plain_keys_are_found_without_a_path(before in tree(), path in path()) {
        let is_key = |step: &Segment| matches!(step, Segment::Key(_));
        if !path.is_root() && path.segments().iter().all(is_key) {
            prop_assert_eq!(get_plain(&before, &path.to_string()), get(&before, &path));
        }
    }
}
