//! The catalogue of bad paths and values as tables: each has its kind of refusal, none panics.

use foundation_types::ErrorKind::{
    InvalidPath, Malformed, OutOfRange, TooLarge, UnknownKey, WrongType,
};
use foundation_types::{
    Document, ErrorKind, ExpectedVersion, Path, Problem, Result, Settings, Shaped, Value,
};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{ChangeRequest, change, document};
use crate::parse;

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

/// A tree with one value at a place, made by hand: what a lens would refuse is wanted here.
fn tree_of(path: &Path, value: Value) -> Value {
    path.segments().iter().rev().fold(value, |inner, step| {
        let key: std::sync::Arc<str> = match step {
            foundation_types::Segment::Key(key) => key.clone(),
            foundation_types::Segment::Index(index) => index.to_string().into(),
        };
        Value::Map([(key, inner)].into_iter().collect())
    })
}

/// What no path is: of file systems, of other languages, of hidden and unwritable characters.
const BAD_PATHS: &[&str] = &[
    "/",
    "//",
    ".",
    "..",
    "a.",
    ".a",
    "a..b",
    "a ",
    " a",
    "a b",
    "a\tb",
    "a\nb",
    "a\0b",
    "%2e%2e",
    "%00",
    "%",
    "a\\b",
    "C:\\x",
    "C:",
    "../LOCK",
    "a/b",
    "*",
    "a.*",
    ">",
    "a.>",
    "?",
    "~",
    "$",
    "${a}",
    "{}",
    "\"a\"",
    "é",
    "e\u{301}",
    "\u{202e}a",
    "a\u{200b}",
    "\u{feff}a",
    "\u{1b}[31m",
    "<script>",
    "[",
    "[]",
    "a[",
    "a[]",
    "a[x]",
    "a[-1]",
    "a[+1]",
    "a[01]",
    "a[0]b",
    "a[0",
    "a]0[",
    "a[4294967296]",
    "a[0].",
    "a[ 0]",
];

#[test]
fn every_path_of_the_catalogue_is_refused_as_it_should_be() {
    let long = |bytes: usize| "a".repeat(bytes);
    let parts = |count: usize| vec!["a"; count].join(".");
    let refused = BAD_PATHS.iter().map(|text| (*text).to_owned()).chain([
        long(129),
        long(513),
        long(64 * 1_024),
        parts(65),
        parts(10_000),
        "[0]".repeat(65),
    ]);
    for text in refused {
        let shown: String = text.chars().take(40).collect();
        assert_eq!(kind(text.parse::<Path>()), Some(InvalidPath), "{shown:?}");
    }
    // Names of files and case twins are keys like any other: nothing is cleaned, nothing folded.
    let taken = ["", "a", "LOCK", "CURRENT", "con", "nul", "-", "_", "0", "a[0][1]", "[0].a"];
    for text in taken.into_iter().map(str::to_owned).chain([long(128), parts(64)]) {
        let path = text.parse::<Path>().unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(path.to_string(), text);
    }
}

#[test]
fn every_key_that_the_document_does_not_have_is_refused() {
    let known = "interface.max_results";
    let rows = [
        ("interface.max_resluts", Some(known)),
        ("interface.Max_Results", Some(known)),
        ("max_results", Some(known)),
        ("interface.max-results", Some(known)),
        ("interface.max_results2", Some(known)),
        ("interfaces.max_results", Some("interface")),
        ("LOCK", None),
        ("log", None),
        ("0", None),
        ("log.level.deep", None),
    ];
    for (text, meant) in rows {
        let path: Path = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let error = document::<Settings>(&tree_of(&path, Value::from(10)), &[]);
        let error = error.expect_err("not a key of a number");
        let expected = match text {
            "log" => WrongType,
            "log.level.deep" => OutOfRange,
            _ => UnknownKey,
        };
        assert_eq!(error.kind(), expected, "{text}");
        assert_eq!(error.problems()[0].hint.as_deref(), meant, "{text}");
    }
}

#[test]
fn every_value_of_the_catalogue_is_refused_as_it_should_be() {
    let path: Path = "interface.max_results".parse().expect("a path");
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let rows: Vec<(String, Option<ErrorKind>)> = [
        ("250", None),
        ("1", None),
        ("100000", None),
        ("0", Some(OutOfRange)),
        ("100001", Some(OutOfRange)),
        ("-1", Some(OutOfRange)),
        ("-9223372036854775808", Some(OutOfRange)),
        ("18446744073709551615", Some(OutOfRange)),
        ("18446744073709551616", Some(WrongType)),
        ("1.5", Some(WrongType)),
        ("1e999", Some(Malformed)),
        ("-1e999", Some(Malformed)),
        ("NaN", Some(Malformed)),
        ("Infinity", Some(Malformed)),
        ("0x10", Some(Malformed)),
        ("1_000", Some(Malformed)),
        ("1,5", Some(Malformed)),
        ("+1", Some(Malformed)),
        ("01", Some(Malformed)),
        ("", Some(Malformed)),
        (" ", Some(Malformed)),
        ("\u{feff}1", Some(Malformed)),
        ("1 2", Some(Malformed)),
        ("1\0", Some(Malformed)),
        ("\"\\ud800\"", Some(Malformed)),
        ("{\"a\":1,\"a\":2}", Some(Malformed)),
        ("\"250\"", Some(WrongType)),
        ("\"\"", Some(WrongType)),
        ("true", Some(WrongType)),
        ("null", Some(WrongType)),
        ("[]", Some(WrongType)),
        ("[1]", Some(WrongType)),
        ("{}", Some(WrongType)),
        ("{\"a\":1}", Some(WrongType)),
    ]
    .into_iter()
    .map(|(text, expected)| (text.to_owned(), expected))
    .chain([
        (deep(65), Some(TooLarge)),
        (deep(100_000), Some(TooLarge)),
        ("[".repeat(100_000), Some(TooLarge)),
        (format!("\"{}\"", "x".repeat(1_048_576)), Some(TooLarge)),
    ])
    .collect();
    for (text, expected) in rows {
        let outcome =
            parse::value(&text).and_then(|value| document::<Settings>(&tree_of(&path, value), &[]));
        let shown: String = text.chars().take(40).collect();
        assert_eq!(kind(outcome), expected, "{shown:?}");
    }
}

#[test]
fn every_change_that_is_put_wrongly_is_refused() {
    let edit = |path: &str, value: Value| {
        (path.parse::<Path>().unwrap_or_else(|error| panic!("{error}")), Some(value))
    };
    let many = |count: u32| (0..count).map(|n| edit(&format!("k{n}"), 1.into())).collect();
    let half = Value::from("x".repeat(600 * 1_024));
    let rows: Vec<(&str, Vec<_>, Option<ErrorKind>)> = vec![
        ("none", Vec::new(), Some(ErrorKind::Invalid)),
        ("1,000", many(1_000), None),
        ("1,001", many(1_001), Some(TooLarge)),
        ("twice", vec![edit("a", 1.into()), edit("a", 2.into())], Some(ErrorKind::Invalid)),
        ("inside", vec![edit("a.b", 1.into()), edit("a", 2.into())], Some(ErrorKind::Invalid)),
        (
            "key and index",
            vec![edit("a.0", 1.into()), edit("a[0]", 2.into())],
            Some(ErrorKind::Invalid),
        ),
        ("with the root", vec![edit("", 1.into()), edit("a", 2.into())], Some(ErrorKind::Invalid)),
        (
            "twins in name only",
            vec![edit("a", 1.into()), edit("ab", 2.into()), edit("A", 3.into())],
            None,
        ),
        ("too large together", vec![edit("a", half.clone()), edit("b", half)], Some(TooLarge)),
    ];
    for (name, edits, expected) in rows {
        let request = ChangeRequest { edits, ..ChangeRequest::default() };
        assert_eq!(kind(change(request)), expected, "{name}");
    }
    let texts = [
        ("launch day", None),
        ("", None),
        ("\u{1b}[31mred", Some(ErrorKind::Invalid)),
        ("two\r\nlines", Some(ErrorKind::Invalid)),
        ("nul\0", Some(ErrorKind::Invalid)),
    ];
    for (text, expected) in texts {
        let request = ChangeRequest {
            lasts: None,
            patches: Vec::new(),
            on_conflict: Some(foundation_types::config::OnConflict::Refuse),
            unchanged: Vec::new(),
            withdrawn: Vec::new(),
            defaults: false,
            edits: vec![edit("a", 1.into())],
            expected: ExpectedVersion::Absent,
            actor: Some(text.to_owned()),
            reason: Some(text.to_owned()),
        };
        assert_eq!(kind(change(request)), expected, "{text:?}");
    }
}

/// A document whose fields are called otherwise in the code than in the tree.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
#[document(crate = "foundation_types")]
#[serde(default)]
struct Shop {
    #[serde(rename = "limit")]
    #[validate(range(max = 10))]
    rate_limit: u32,
    #[validate(length(max = 3))]
    name: String,
    #[serde(rename = "hosts")]
    #[validate(nested)]
    servers: Vec<Server>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "foundation_types")]
#[serde(default)]
struct Server {
    #[serde(rename = "at")]
    #[validate(range(min = 1))]
    port: u16,
}

#[test]
fn a_broken_rule_is_told_with_the_names_of_the_tree() {
    let tree = parse::value(r#"{"limit": 11, "name": "corner", "hosts": [{"at": 1}, {"at": 0}]}"#);
    let error = document::<Shop>(&tree.expect("is a tree"), &[]).expect_err("breaks rules");
    let told =
        |problem: &Problem| (problem.path.clone(), problem.expected.clone().unwrap_or_default());
    let told: Vec<(String, String)> = error.problems().iter().map(told).collect();
    let expected = [
        ("name", "length at most 3"),
        ("limit", "integer, 0 to 10"),
        ("hosts[1].at", "integer, 1 to 65535"),
    ];
    assert_eq!(told, expected.map(|(path, shape)| (path.to_owned(), shape.to_owned())));
}
