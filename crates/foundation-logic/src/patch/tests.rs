//! The cases of the two RFCs, others that tools are known to get wrong, and the laws.

use foundation_validate::parse;
use proptest::prelude::*;

use super::*;
use crate::diff::tests::tree;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The lines of a list of cases: what there is, the patch, and what comes of it.
fn cases(list: &'static str) -> impl Iterator<Item = [&'static str; 3]> {
    list.lines().filter(|line| !line.is_empty()).map(|line| {
        let parts: Vec<&str> = line.split(" ~ ").collect();
        parts.try_into().unwrap_or_else(|_| panic!("{line} is no case"))
    })
}

/// The appendix of RFC 7396.
const MERGES: &str = r#"
{"a":"b"} ~ {"a":"c"} ~ {"a":"c"}
{"a":"b"} ~ {"b":"c"} ~ {"a":"b","b":"c"}
{"a":"b"} ~ {"a":null} ~ {}
{"a":"b","b":"c"} ~ {"a":null} ~ {"b":"c"}
{"a":["b"]} ~ {"a":"c"} ~ {"a":"c"}
{"a":"c"} ~ {"a":["b"]} ~ {"a":["b"]}
{"a":{"b":"c"}} ~ {"a":{"b":"d","c":null}} ~ {"a":{"b":"d"}}
{"a":[{"b":"c"}]} ~ {"a":[1]} ~ {"a":[1]}
["a","b"] ~ ["c","d"] ~ ["c","d"]
{"a":"b"} ~ ["c"] ~ ["c"]
{"a":"foo"} ~ null ~ null
{"a":"foo"} ~ "bar" ~ "bar"
{"e":null} ~ {"a":1} ~ {"a":1,"e":null}
[1,2] ~ {"a":"b","c":null} ~ {"a":"b"}
{} ~ {"a":{"bb":{"ccc":null}}} ~ {"a":{"bb":{}}}
"#;

#[test]
fn a_merge_patch_does_what_rfc_7396_says() {
    for [before, patch, after] in cases(MERGES) {
        assert_eq!(merge(&value(before), &value(patch)), value(after), "{before} + {patch}");
    }
}

/// The appendix of RFC 6902, and cases around it.
const PATCHES: &str = r#"
{"foo":"bar"} ~ [{"op":"add","path":"/baz","value":"qux"}] ~ {"baz":"qux","foo":"bar"}
{"foo":["bar","baz"]} ~ [{"op":"add","path":"/foo/1","value":"qux"}] ~ {"foo":["bar","qux","baz"]}
{"baz":"qux","foo":"bar"} ~ [{"op":"remove","path":"/baz"}] ~ {"foo":"bar"}
{"foo":["bar","qux","baz"]} ~ [{"op":"remove","path":"/foo/1"}] ~ {"foo":["bar","baz"]}
{"baz":"qux"} ~ [{"op":"replace","path":"/baz","value":"boo"}] ~ {"baz":"boo"}
{"foo":{"a":1,"b":2},"qux":{"c":3}} ~ [{"op":"move","from":"/foo/b","path":"/qux/d"}] ~ {"foo":{"a":1},"qux":{"c":3,"d":2}}
{"foo":[1,2,3,4]} ~ [{"op":"move","from":"/foo/1","path":"/foo/3"}] ~ {"foo":[1,3,4,2]}
{"foo":["a",2,"c"]} ~ [{"op":"test","path":"/foo/0","value":"a"},{"op":"test","path":"/foo/1","value":2}] ~ {"foo":["a",2,"c"]}
{"foo":"bar"} ~ [{"op":"add","path":"/child","value":{"grandchild":{}}}] ~ {"foo":"bar","child":{"grandchild":{}}}
{"foo":"bar"} ~ [{"op":"add","path":"/baz","value":"qux","xyz":123}] ~ {"foo":"bar","baz":"qux"}
{"/":9,"~1":10} ~ [{"op":"test","path":"/~01","value":10}] ~ {"/":9,"~1":10}
{"foo":["bar"]} ~ [{"op":"add","path":"/foo/-","value":["abc","def"]}] ~ {"foo":["bar",["abc","def"]]}
{} ~ [] ~ {}
[] ~ [{"op":"add","path":"/0","value":"foo"}] ~ ["foo"]
{"foo":1} ~ [{"op":"add","path":"/","value":2}] ~ {"":2,"foo":1}
{"foo":"bar"} ~ [{"op":"add","path":"","value":{"baz":"qux"}}] ~ {"baz":"qux"}
{"foo":"bar"} ~ [{"op":"replace","path":"","value":{"baz":"qux"}}] ~ {"baz":"qux"}
{"foo":null} ~ [{"op":"replace","path":"/foo","value":"truthy"}] ~ {"foo":"truthy"}
{"foo":null} ~ [{"op":"move","from":"/foo","path":"/bar"}] ~ {"bar":null}
{"foo":"bar"} ~ [{"op":"replace","path":"/foo","value":null}] ~ {"foo":null}
{"foo":1} ~ [{"op":"move","from":"/foo","path":"/foo"}] ~ {"foo":1}
{"foo":1} ~ [{"op":"test","path":"/foo","value":1.0}] ~ {"foo":1}
{"baz":[{"qux":"hello"}]} ~ [{"op":"copy","from":"/baz/0","path":"/boo"}] ~ {"baz":[{"qux":"hello"}],"boo":{"qux":"hello"}}
{"1e0":"foo"} ~ [{"op":"test","path":"/1e0","value":"foo"}] ~ {"1e0":"foo"}
{"foo":{"a":1,"b":[1,2]}} ~ [{"op":"test","path":"/foo","value":{"b":[1,2],"a":1}}] ~ {"foo":{"a":1,"b":[1,2]}}
{"foo":{"a":1}} ~ [{"op":"test","path":"","value":{"foo":{"a":1}}}] ~ {"foo":{"a":1}}
[[1],[2]] ~ [{"op":"move","from":"/0/0","path":"/1/0"}] ~ [[],[1,2]]
"#;

#[test]
fn operations_do_what_rfc_6902_says() {
    for [before, patch, after] in cases(PATCHES) {
        let parsed =
            Patch::from_value(value(patch)).unwrap_or_else(|error| panic!("{patch}: {error}"));
        let made =
            apply(&value(before), &parsed).unwrap_or_else(|error| panic!("{patch}: {error}"));
        assert_eq!(made, value(after), "{before} + {patch}");
    }
}

/// What there is, the patch, and the code of the refusal.
const REFUSED: &str = r#"
{"baz":"qux"} ~ [{"op":"test","path":"/baz","value":"bar"}] ~ config.test_failed
{"~1":10} ~ [{"op":"test","path":"/~01","value":"10"}] ~ config.test_failed
{"foo":[1]} ~ [{"op":"test","path":"/foo","value":[1,2]}] ~ config.test_failed
{"foo":"bar"} ~ [{"op":"add","path":"/baz/bat","value":"qux"}] ~ not_found
{"foo":1} ~ [{"op":"remove","path":"/baz"}] ~ not_found
{"foo":1} ~ [{"op":"replace","path":"/baz","value":1}] ~ not_found
{"foo":1} ~ [{"op":"copy","from":"/bar","path":"/baz"}] ~ not_found
{"foo":{"a":1}} ~ [{"op":"move","from":"/foo","path":"/foo/a"}] ~ invalid_path
{"foo":1} ~ [{"op":"add","path":"/foo/a","value":1}] ~ config.wrong_type
["a","b"] ~ [{"op":"add","path":"/3","value":1}] ~ invalid_path
["a","b"] ~ [{"op":"replace","path":"/2","value":1}] ~ invalid_path
["a","b"] ~ [{"op":"remove","path":"/-"}] ~ invalid_path
["a","b"] ~ [{"op":"test","path":"/00","value":"a"}] ~ invalid_path
["a","b"] ~ [{"op":"test","path":"/1e0","value":"b"}] ~ invalid_path
["a","b"] ~ [{"op":"add","path":"/-1","value":1}] ~ invalid_path
{"foo":1} ~ [{"op":"remove","path":""}] ~ invalid_path
{"foo":1} ~ [{"op":"remove","path":"/foo"},{"op":"test","path":"/foo","value":1}] ~ not_found
"#;

#[test]
fn what_cannot_be_made_is_refused() {
    for [before, patch, code] in cases(REFUSED) {
        let parsed = Patch::from_value(value(patch)).expect("is a patch");
        let error = apply(&value(before), &parsed).expect_err(patch);
        assert_eq!(error.code(), code, "{before} + {patch}: {error}");
    }
}

#[test]
fn a_refusal_tells_the_number_and_the_place_of_the_operation() {
    let operations = r#"[{"op":"add","path":"/a","value":1},{"op":"test","path":"/a","value":2}]"#;
    let patch = Patch::from_value(value(operations)).expect("is a patch");
    let error = apply(&value("{}"), &patch).expect_err("is refused");
    let told = error.problems().first().map(ToString::to_string);
    assert_eq!(told.as_deref(), Some("/a: operation 1 (test) of the patch: there is 1, got 2"));
}

#[test]
fn what_is_no_operation_is_malformed() {
    for patch in [
        r#"[{"op":"spam","path":"/a"}]"#,
        r#"[{"path":"/a","value":1}]"#,
        r#"[{"op":"add","path":"/a"}]"#,
        r#"[{"op":"add","value":1}]"#,
        r#"[{"op":"copy","path":"/a"}]"#,
        r#"[{"op":"add","path":"a","value":1}]"#,
        r#"[{"op":null,"path":"/a","value":1}]"#,
        r#"[{"op":"add","path":null,"value":1}]"#,
        "[1]",
    ] {
        let error = Patch::from_value(value(patch)).expect_err(patch);
        assert_eq!(error.kind(), ErrorKind::Malformed, "{patch}");
    }
    assert!(parse::value(r#"[{"op":"add","path":"/a","value":1,"op":"remove"}]"#).is_err());
}

#[test]
fn copies_of_copies_do_not_grow_without_end_and_nothing_nests_too_deep() {
    let refused = |tree: &str, operations: &[String]| {
        let patch = value(&format!("[{}]", operations.join(",")));
        let patch = Patch::from_value(patch).expect("is a patch");
        apply(&value(tree), &patch).expect_err("is refused").kind()
    };
    let copy = |name: String| format!(r#"{{"op":"copy","from":"","path":"/{name}"}}"#);
    let doubled: Vec<String> = (0..60).map(|number| copy(number.to_string())).collect();
    assert_eq!(refused(r#"{"a":"aaaaaaaaaaaaaaaa"}"#, &doubled), ErrorKind::TooLarge);
    let inside = vec![copy("a".to_owned()); 70];
    assert_eq!(refused("{}", &inside), ErrorKind::TooLarge);
}

proptest! {
    #[test]
    fn merging_twice_is_merging_once(before in tree(), patch in tree()) {
        let once = merge(&before, &patch);
        prop_assert_eq!(merge(&once, &patch), once);
    }

    #[test]
    fn an_empty_patch_changes_nothing(before in tree()) {
        if matches!(before, Value::Map(_)) {
            prop_assert_eq!(merge(&before, &Value::empty_map()), before.clone());
        }
        prop_assert_eq!(operate(&before, &[]).expect("applies"), before);
    }

    #[test]
    fn what_was_added_is_there_and_removing_it_leads_back(before in tree(), new in tree()) {
        let Value::Map(map) = &before else { return Ok(()) };
        prop_assume!(!map.contains_key("new"));
        let place: Pointer = "/new".parse().expect("is a pointer");
        let added = operate(&before, &[
            Operation::Add { path: place.clone(), value: new.clone() },
            Operation::Test { path: place.clone(), value: new },
        ]).expect("applies");
        let back = operate(&added, &[Operation::Remove { path: place }]).expect("applies");
        prop_assert_eq!(back, before);
    }
}
