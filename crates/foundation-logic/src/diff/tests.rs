//! The laws of differences, over trees of any shape.

use foundation_types::value::{List, Map};
use foundation_types::{Number, Value};
use proptest::prelude::*;
use std::sync::Arc;

use super::*;

/// Trees with few keys, so that two of them have places in common.
pub(crate) fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(-1e300)]
            .prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::from)),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| Value::List(items.into_iter().collect::<List>())),
            prop::collection::vec((key(), inner), 0..5).prop_map(|entries| {
                let entries =
                    entries.into_iter().map(|(key, value)| (Arc::<str>::from(key), value));
                Value::Map(entries.collect::<Map>())
            }),
        ]
    })
}

/// Keys that a path can name, digits among them, and some that it cannot.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-d0-2]", 1 => Just("a key".to_owned()), 1 => Just(String::new())]
}

proptest! {
    #[test]
    fn applying_the_difference_leads_there(before in tree(), after in tree()) {
        prop_assert_eq!(apply(&before, &diff(&before, &after)).expect("applies"), after);
    }

    #[test]
    fn applying_the_inverse_leads_back(before in tree(), after in tree()) {
        let back = invert(&diff(&before, &after));
        prop_assert_eq!(apply(&after, &back).expect("applies"), before);
    }

    #[test]
    fn inverting_twice_is_the_same(before in tree(), after in tree()) {
        let edits = diff(&before, &after);
        prop_assert_eq!(invert(&invert(&edits)), edits);
    }

    #[test]
    fn equal_trees_do_not_differ(value in tree()) {
        prop_assert_eq!(diff(&value, &value.clone()), []);
    }

    #[test]
    fn no_edit_lies_in_the_place_of_another(before in tree(), after in tree()) {
        let edits = diff(&before, &after);
        for pair in edits.windows(2) {
            prop_assert!(pair[0].path < pair[1].path);
            prop_assert!(!pair[0].path.overlaps(&pair[1].path));
        }
    }

    #[test]
    fn every_edit_says_what_was_there_and_is_there(before in tree(), after in tree()) {
        for edit in diff(&before, &after) {
            prop_assert_eq!(lens::get(&before, &edit.path), edit.before.as_ref());
            prop_assert_eq!(lens::get(&after, &edit.path), edit.after.as_ref());
            prop_assert_ne!(edit.before, edit.after);
        }
    }
}

#[test]
fn a_key_that_no_path_names_replaces_the_map_around_it() {
    let inner = |value: i64| Value::Map(Map::unit("a key".into(), Value::from(value)));
    let outer = |value: i64| Value::Map(Map::unit("labels".into(), inner(value)));
    let edits = diff(&outer(1), &outer(2));
    let paths: Vec<_> = edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(paths, ["labels"]);
}

#[test]
fn removing_what_is_gone_already_is_no_failure() {
    let edit = Edit { path: "a.b".parse().expect("a path"), before: None, after: None };
    assert_eq!(apply(&Value::empty_map(), &[edit]).expect("nothing to do"), Value::empty_map());
}
