//! Text that people and programs send: values, lines of events, queries, paths, times.

use foundation_logic::{diff, patch};
use foundation_types::config::Patch;
use foundation_types::{Data, EventQuery, Path, Timestamp, Value};
use foundation_validate::{event, parse};

/// The input is what it is read as, and the text.
///
/// # Panics
/// If what was read is written and read again as something else.
pub fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    if kind % 7 == 1 {
        return line(bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kind % 7 {
        0 => value(text),
        2 => query(text),
        3 => path(text),
        4 => time(text),
        5 => data(text),
        _ => patch(text),
    }
}

fn value(text: &str) {
    let _ = parse::value_or_text(text);
    let Ok(value) = parse::value(text) else { return };
    let again = parse::value(&value.to_json()).expect("what was written is read");
    assert!(again == value, "{again:?} is not {value:?}");
    assert_eq!(parse::value_or_text(text).expect("is a value"), value);
}

fn line(bytes: &[u8]) {
    let Ok(read) = parse::event_line(bytes) else { return };
    let written = serde_json::to_string(&read).expect("an event is JSON");
    let again = parse::event_line(written.as_bytes()).expect("what was written is read");
    assert_eq!(again, read);
    let _ = event::event(read, event::Origin::Application);
}

fn query(text: &str) {
    let Ok(query) = serde_json::from_str::<EventQuery>(text) else { return };
    let written = serde_json::to_string(&query).expect("a query is JSON");
    let again: EventQuery = serde_json::from_str(&written).expect("what was written is read");
    assert_eq!(again, query);
    let _ = event::query(&query);
}

fn path(text: &str) {
    if let Ok(path) = text.parse::<Path>() {
        let again: Path = path.to_string().parse().expect("what was written is read");
        assert_eq!(again, path);
        let again = Path::from_pointer(&path.to_pointer()).expect("what was written is read");
        assert_eq!(again.to_pointer(), path.to_pointer());
    }
    if let Ok(path) = Path::from_pointer(text) {
        let again: Path = path.to_string().parse().expect("what was written is read");
        assert_eq!(again.to_string(), path.to_string());
    }
}

fn time(text: &str) {
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse::<Timestamp>().expect("is read"), time);
        let (seconds, nanoseconds) = time.to_parts();
        assert_eq!(Timestamp::from_parts(seconds, nanoseconds), Some(time));
    }
}

fn data(text: &str) {
    if let Ok(data) = Data::from_json(text) {
        let again = Data::from_json(data.as_json()).expect("what was written is read");
        assert_eq!(again, data);
        assert!(data.says_the_same(&again));
        let _ = parse::value(data.as_json());
    }
}

/// The text is a list of a tree and a patch.
fn patch(text: &str) {
    let Ok(Value::List(both)) = parse::value(text) else { return };
    let (Some(tree), Some(change)) = (both.front(), both.get(1)) else { return };
    let merged = patch::merge(tree, change);
    assert!(patch::merge(&merged, change) == merged, "merging twice is merging once");
    let Ok(patch) = Patch::from_value(change.clone()) else { return };
    let Ok(made) = patch::apply(tree, &patch) else { return };
    let edits = diff::diff(tree, &made);
    assert!(diff::apply(tree, &edits).expect("applies") == made, "a difference leads there");
}

/// One of each kind that is right, and some that are not.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let texts: [(u8, &str); 24] = [
        (0, r#"{"a":[1,2.5,-0.0,1e300,null,true,"x\u00e9\n"],"b":{"c":{}}}"#),
        (0, "18446744073709551615"),
        (0, "-9223372036854775808"),
        (0, r#"{"a":1,"a":2}"#),
        (0, "launch day"),
        (
            1,
            r#"{"type":"order.placed","id":"1","time":"2026-11-24T09:00:00Z","source":"s","subject":"t","correlation_id":"c","parent_id":"p","data":{"n":1}}"#,
        ),
        (1, r#"{"type":7,"tyme":"x","data":[1}"#),
        (1, r#"{"type":"a","time":null,"data":"\ud83d\ude00"}"#),
        (1, r#"["a"]"#),
        (
            2,
            r#"{"types":["a","b.*"],"tags":["x:1"],"source":"s","fields":[{"path":"a[0].b","is":{"at_least":1.5}},{"path":"c","is":"present"}],"correlation_id":"b","parent_id":"p","stream":"c","since":"2026-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z","order":"desc","limit":5,"after":9}"#,
        ),
        (2, "{}"),
        (2, r#"{"limit":0,"types":[""]}"#),
        (3, "a.b[3].\"c d\""),
        (3, "/a/~0~1/3"),
        (3, ""),
        (3, "a[18446744073709551615]"),
        (4, "2017-05-16T02:00:00.008+02:00"),
        (4, "-009999-01-01T00:00:00Z"),
        (4, "9999-12-30T22:00:00Z"),
        (4, "2016-12-31T23:59:60Z"),
        (5, r#" { "b" : [ 1 , 2 ] , "a" : "\/" } "#),
        (5, "[[[[[[1]]]]]]"),
        (6, r#"[{"a":{"b":1,"c":[1,2]}},{"a":{"b":null,"c":[3]},"d":{"e":null}}]"#),
        (
            6,
            r#"[{"a":{"b":1,"c":[1,2]},"~":0},[{"op":"test","path":"/a/b","value":1.0},{"op":"add","path":"/a/c/-","value":{}},{"op":"move","from":"/a/c/0","path":"/~0"},{"op":"copy","from":"","path":"/a/d"},{"op":"remove","path":"/a/b"},{"op":"replace","path":"/a/d/a","value":null}]]"#,
        ),
    ];
    texts.iter().map(|(kind, text)| [&[*kind], text.as_bytes()].concat()).collect()
}
