//! YAML says what the same JSON and TOML say, at its own places, and is refused where it could say
//! something else to somebody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_types::value::{List, Number};
use foundation_types::{ErrorKind, Path, Value};
use proptest::prelude::*;

use super::{FileFormat, FileText, Written};

fn read(text: &str, format: FileFormat) -> foundation_types::Result<Written> {
    FileText::of(text.as_bytes().to_vec())?.read(format)
}

fn yaml(text: &str) -> Written {
    read(text, FileFormat::Yaml).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[test]
fn one_document_is_the_same_tree_in_each_format() {
    let in_yaml = "---\n# the shop\ntop: 1\nshop:\n  till:\n    user: ada # who\n    note: |\n      two\n      lines\n    door: {open: true, code: '12''4'}\n  list:\n  - 1\n  - [2.5, \"\\u00e9\", -7]\n  - name: x\n    on: no\nlast: 0xff\n...\n";
    let in_toml = "top = 1\nlast = 0xff\n[shop]\nlist = [1, [2.5, \"\u{e9}\", -7], {name = \"x\", on = \"no\"}]\n[shop.till]\nuser = \"ada\"\nnote = \"two\\nlines\\n\"\ndoor = {open = true, code = \"12'4\"}\n";
    let tree = yaml(in_yaml).tree;
    assert_eq!(tree, read(in_toml, FileFormat::Toml).expect("is TOML").tree);
    assert_eq!(tree, read(&tree.to_json(), FileFormat::Json).expect("is JSON").tree);
    assert_eq!(tree, yaml(&tree.to_json()).tree, "JSON is YAML");
}

#[test]
fn plain_text_is_read_by_the_core_schema_of_1_2() {
    let rows = [
        ("no", Value::from("no")),
        ("On", Value::from("On")),
        ("y", Value::from("y")),
        ("TRUE", Value::from(true)),
        ("tRue", Value::from("tRue")),
        ("~", Value::Null),
        ("", Value::Null),
        ("1:30", Value::from("1:30")),
        ("1_000", Value::from("1_000")),
        ("2026-11-25", Value::from("2026-11-25")),
        ("0o17", Value::from(15)),
        ("+5", Value::from(5)),
        ("-9223372036854775808", Value::from(i64::MIN)),
        ("18446744073709551615", Value::from(u64::MAX)),
        ("'5'", Value::from("5")),
        ("\"\"", Value::from("")),
        (".", Value::from(".")),
        ("e5", Value::from("e5")),
        (".e5", Value::from(".e5")),
        ("5e", Value::from("5e")),
        ("1.2.3", Value::from("1.2.3")),
        ("0x", Value::from("0x")),
        ("-0x1", Value::from("-0x1")),
    ];
    for (text, expected) in rows {
        let expected = map([("key".to_owned(), expected)].into_iter().collect());
        assert_eq!(yaml(&format!("key: {text}")).tree, expected, "{text}");
    }
    for (text, expected) in [("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-2e3", -2000.0)] {
        let expected = format!("{{\"key\":{expected:?}}}");
        let expected = read(&expected, FileFormat::Json).expect("is JSON").tree;
        assert_eq!(yaml(&format!("key: {text}")).tree, expected, "{text}");
    }
}

#[test]
fn nothing_but_comments_is_an_empty_map() {
    for text in ["", " \n", "# a\n", "---\n", "---\n# a\n", "{}", "\u{feff}# a\n---"] {
        assert_eq!(yaml(text).tree, Value::empty_map(), "{text:?}");
    }
    let empty = |text: &str| FileText::of(text.as_bytes().to_vec()).expect("is text").is_empty();
    assert!(empty("---\n# a\n") && !empty("---\na: 1"));
}

#[test]
fn a_value_has_its_line_and_nothing_else_of_the_line_is_shown() {
    let text = "# first\ntop: 1\nshop:\n  till:\n    code: '1234'\n    open: true\n  door: {code: 12, \"open\" : [1, 22]}\n  list:\n  - a\n  - secret: 1\n  nothing:\nlast: |\n  two\n  lines\n";
    let rows = [
        ("top", (2, 6), "top: 1"),
        ("shop", (3, 1), "shop"),
        ("shop.till", (4, 3), "  till"),
        ("shop.till.open", (6, 11), "    open: true"),
        ("shop.door.open", (7, 29), "                   \"open\" : [1, 22]"),
        ("shop.door.open[1]", (7, 33), "                                22"),
        ("shop.list[0]", (9, 5), "    a"),
        ("shop.list[1]", (10, 5), "    "),
        ("shop.nothing", (11, 3), "  nothing"),
        ("last", (12, 1), "last"),
    ];
    let file = FileText::of(text.as_bytes().to_vec()).expect("is text");
    let written = file.read(FileFormat::Yaml).expect("is well written");
    for (path, position, excerpt) in rows {
        let path: Path = path.parse().expect("a path");
        let place = written.places.get(&path).expect("is there");
        let found = (file.line_and_column(place.value.start), file.excerpt(place).text);
        assert_eq!(found, (position, excerpt.to_owned()), "{path}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_its_place() {
    let deep_flow = format!("a: {}1{}", "[".repeat(70), "]".repeat(70));
    let deeper_flow = format!("a: {}", "[".repeat(100_000));
    let deep_block: String = (0..70).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let deep_dashes = format!("a:\n{}1", "- ".repeat(100_000));
    let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n";
    let rows: [(&str, ErrorKind, &str); 33] = [
        ("a:\n\tb: 1", ErrorKind::Malformed, "2:2"),
        ("a:\n  b: 1\n\tc: 2", ErrorKind::Malformed, "2:6"),
        ("a: 1\na: 2", ErrorKind::Malformed, "2:1"),
        ("a: {b: 1, 'b': 2}", ErrorKind::Malformed, "1:11"),
        ("a: [1, 2", ErrorKind::Malformed, "1:4"),
        ("a: {b: 1", ErrorKind::Malformed, "1:4"),
        ("a: \"b", ErrorKind::Malformed, "1:4"),
        ("a: 'b", ErrorKind::Malformed, "1:4"),
        (bomb, ErrorKind::Malformed, "1:7"),
        ("a: *b", ErrorKind::Malformed, "1:4"),
        ("a: &b 1", ErrorKind::Malformed, "1:7"),
        ("<<: {a: 1}", ErrorKind::Malformed, "1:1"),
        ("a: !!str 5", ErrorKind::Malformed, "1:10"),
        ("a: !secret x", ErrorKind::Malformed, "1:12"),
        ("1: a", ErrorKind::Malformed, "1:1"),
        ("true: a", ErrorKind::Malformed, "1:1"),
        ("~: a", ErrorKind::Malformed, "1:1"),
        ("? [a]\n: b", ErrorKind::Malformed, "1:3"),
        ("{[a]: b}", ErrorKind::Malformed, "1:2"),
        ("a: 1\n---\nb: 2", ErrorKind::Malformed, "2:1"),
        ("%YAML 1.1\n---\na: 1", ErrorKind::Malformed, "1:1"),
        ("a: .nan", ErrorKind::Malformed, "1:4"),
        ("a: -.inf", ErrorKind::Malformed, "1:4"),
        ("a: 1e999", ErrorKind::Malformed, "1:4"),
        ("a: 18446744073709551616", ErrorKind::Malformed, "1:4"),
        ("a: 0x10000000000000000", ErrorKind::Malformed, "1:4"),
        ("a: 010", ErrorKind::Malformed, "1:4"),
        ("- a", ErrorKind::Malformed, ""),
        ("text", ErrorKind::Malformed, ""),
        (&deep_flow, ErrorKind::TooLarge, "1:67"),
        (&deeper_flow, ErrorKind::TooLarge, "1:259"),
        (&deep_block, ErrorKind::TooLarge, "65:65"),
        (&deep_dashes, ErrorKind::TooLarge, "2:127"),
    ];
    let mut wrong = Vec::new();
    for (text, kind, place) in rows {
        let found = match read(text, FileFormat::Yaml) {
            Ok(written) => format!("{:?}", written.tree),
            Err(error) => {
                let numbers = error.context().iter().map(|(_, number)| number.as_str());
                format!("{:?} {}", error.kind(), numbers.collect::<Vec<_>>().join(":"))
            }
        };
        if found != format!("{kind:?} {place}") {
            wrong.push(format!("{}: {found}, not {place}", &text[..text.len().min(40)]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_refusal_says_nothing_of_the_text() {
    let canary = "hunter2";
    let texts = [
        format!("key: \"{canary}"),
        format!("key: \"{canary}\\q\""),
        format!("{canary}: 1\n{canary}: 2"),
        format!("key: *{canary}"),
        format!("key: &{canary} 1"),
        format!("key: !{canary} 1"),
        format!("key: !{canary}!x 1"),
        format!("key: @{canary}"),
        format!("key: {canary}: x"),
        format!("key: [{canary}"),
        format!("%{canary}\n---\na: 1"),
        format!("- {canary}"),
    ];
    for text in texts {
        let error = read(&text, FileFormat::Yaml).err().expect("is refused");
        assert!(!format!("{error} {error:?}").contains(canary), "{text}: {error:?}");
    }
}

fn map(entries: BTreeMap<String, Value>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (Arc::from(key), value)).collect())
}

fn number(float: f64) -> Value {
    Number::from_f64(float).map(Value::Number).unwrap_or_default()
}

/// The value in block style, as a person writes it.
fn in_blocks(value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    match value {
        Value::Map(map) if !map.is_empty() => {
            let entry = |(key, value): (&Arc<str>, &Value)| {
                let key = Value::Text(key.clone()).to_json();
                format!("\n{blanks}{key}: {}", in_blocks(value, indent + 2))
            };
            map.iter().map(entry).collect()
        }
        Value::List(list) if !list.is_empty() => {
            let item = |value| format!("\n{blanks}- {}", in_blocks(value, indent + 2));
            list.iter().map(item).collect()
        }
        other => other.to_json(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(|float: f64| number(float)),
        "[ -~\u{e0}-\u{17f}\n\t]{0,20}".prop_map(|text| Value::from(text.as_str())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| Value::List(items.into_iter().collect::<List>())),
            prop::collection::btree_map("[ -~]{0,12}", inner, 0..5).prop_map(map),
        ]
    })
}

proptest! {
    #[test]
    fn what_json_says_yaml_says_too(entries in prop::collection::btree_map("[ -~]{0,12}", values(), 0..6)) {
        let value = map(entries);
        let json = value.to_json();
        let expected = read(&json, FileFormat::Json).expect("is JSON").tree;
        prop_assert_eq!(&yaml(&json).tree, &expected, "{}", json);
        let blocks = in_blocks(&value, 0);
        let written = yaml(&blocks);
        prop_assert_eq!(&written.tree, &expected, "{}", blocks);
        let text = FileText::of(blocks.into_bytes()).expect("is text");
        for place in written.places.values() {
            prop_assert!(text.line_and_column(place.key.start) <= text.line_and_column(place.value.start));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-a1 :\\[\\]{},\n\t\"'|>&*!%#?~.0]{0,60}") {
        if let Ok(file) = FileText::of(text.into_bytes())
            && let Ok(written) = file.read(FileFormat::Yaml)
        {
            for place in written.places.values() {
                prop_assert!(file.excerpt(place).text.lines().count() <= 1);
            }
        }
    }
}
