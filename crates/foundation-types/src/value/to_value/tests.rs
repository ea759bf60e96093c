//! What is made of Rust values.

use serde::ser::{SerializeMap, Serializer};

use super::*;

/// Writes these keys in this order, repeated ones too.
struct Keys(&'static [&'static str]);

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        self.0.iter().try_for_each(|key| map.serialize_entry(key, &1))?;
        map.end()
    }
}

#[test]
fn likeness_changes_nothing_in_what_is_written() {
    let like = to_value(&Keys(&["a", "b", "c"])).expect("plain");
    let written: &[&[&str]] = &[
        &["a", "b", "c"],
        &["c", "b", "a"],
        &["a", "b"],
        &["a", "a", "b"],
        &["a", "b", "c", "c"],
        &["a", "b", "d"],
        &["a", "b", "c", "d"],
        &[],
    ];
    for keys in written {
        let plain = to_value(&Keys(keys)).expect("plain");
        assert_eq!(to_value_like(&Keys(keys), &like).expect("plain"), plain, "{keys:?}");
        assert_eq!(
            to_value_like(&[Keys(keys)], &like).expect("plain"),
            to_value(&[&plain]).expect("plain")
        );
    }
}

#[test]
fn what_is_the_same_is_shared() {
    let like = to_value(&Keys(&["a", "b"])).expect("plain");
    let Value::Map(shared) = to_value_like(&Keys(&["b", "a"]), &like).expect("plain") else {
        panic!("a map is written as a map");
    };
    assert!(matches!(like, Value::Map(map) if map.ptr_eq(&shared)));
}
