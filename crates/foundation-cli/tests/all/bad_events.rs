//! The catalogue of bad input of events, as the program meets it: exit code, message, nothing changed.
//!
//! What does not apply: there is no CSV, so that no cell begins a formula and no field needs a
//! delimiter escaped; an archive is files of our own format under names of our own, so that no path,
//! link or ratio is taken from it.

use std::path::Path;

use super::running::{Ran, Store, both};

/// Words, input, exit code, a part of what is said.
type Row<'a> = (&'a [&'a str], Option<&'a [u8]>, i32, &'a str);

fn assert_rows(store: &Store, rows: &[Row<'_>]) {
    store.ok(&["events", "append", r#"{"type":"a","id":"kept","tags":["x:1"],"data":{"n":1}}"#]);
    let state = || {
        let status = store.json(&["status"])["journal"]["last"].clone();
        (store.ok(&["events", "query"]), status)
    };
    let before = state();
    for (words, input, code, says) in rows {
        let ran = match input {
            Some(input) => store.feed(words, input),
            None => store.run(words),
        };
        assert_refused(&ran, *code, says);
        assert_eq!(state(), before, "{words:?}");
    }
    store.ok(&["verify"]);
}

fn assert_refused(ran: &Ran, code: i32, says: &str) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(ran.talk.contains(says), "{says}: {ran:?}");
    assert!(!ran.talk.contains("panicked"), "{ran:?}");
    let drives = |c: char| c.is_control() && c != '\n';
    assert!(!ran.talk.contains(drives) && !ran.out.contains(drives), "{ran:?}");
}

#[test]
fn events_that_may_not_enter() {
    let long = "x".repeat(129);
    let rows: &[Row<'_>] = &[
        (&["events", "append", ""], None, 6, "error[malformed]"),
        (&["events", "append", "-"], Some(b""), 6, "error[malformed]"),
        (&["events", "append", "-"], Some(b"{\"type\":\"\xff\"}"), 6, "UTF-8"),
        (&["events", "append", "--type", "a\r\nforged"], None, 6, "error[invalid]"),
        (&["events", "append", "--type", "\u{1b}[31mred"], None, 6, "error[invalid]"),
        (&["events", "append", "--type", &long], None, 6, "error[too_large]"),
        (&["events", "append", "--type", "a", "--id", ""], None, 6, "error[invalid]"),
        (&["events", "append", "--type", "a", "--tag", ""], None, 6, "tags[0]"),
        (&["events", "append", "--type", "a", "--tag", "x", "--tag", "x"], None, 6, "comes twice"),
        (&["events", "append", "--type", "a", "--schema", "0"], None, 2, "1..=65535"),
        (&["events", "append", "--type", "a", "--schema", "65536"], None, 2, "65536"),
        (&["events", "append", "--type", "a", "--schema", "-1"], None, 2, "error"),
        (&["events", "append", "--type", "a", "--time", "9999-12-31T23:59:59Z"], None, 2, "time"),
        (&["events", "append", "--type", "a", "--id", "kept"], None, 3, "error[event.id_reused]"),
        (&["events", "append", "--type", "a", "--if-version", "7"], None, 3, "version_conflict"),
        (&["events", "append", "--type", "a", "--stream", "a*"], None, 6, "error[invalid]"),
        (&["events", "append", "--type", "a", "--stream", "%2e%2e"], None, 6, "error[invalid]"),
        (&["events", "append", "--type", "a", "--stream", "table/x"], None, 6, "error[invalid]"),
        (&["events", "append", "--type", "a", "--payload", "1e999"], None, 6, "error[malformed]"),
        (&["events", "append", "--type", "a", "--payload", "{\"a\":1,\"a\":2}"], None, 6, "error["),
    ];
    both(|store| assert_rows(store, rows));
}

#[test]
fn questions_that_can_mean_nothing() {
    let rows: &[Row<'_>] = &[
        (&["events", "query", "--type", ""], None, 2, "types"),
        (&["events", "query", "--tag", ""], None, 2, "tags"),
        (&["events", "query", "--parent", ""], None, 2, "parent_id"),
        (&["events", "query", "--where", ""], None, 2, "no condition"),
        (&["events", "query", "--where", "level"], None, 2, "no condition"),
        (&["events", "query", "--where", "a..b=1"], None, 2, "no condition"),
        (&["events", "query", "--where", "?"], None, 2, "no condition"),
        (&["events", "query", "--where", "="], None, 2, "no condition"),
        (&["events", "query", "--type", "**"], None, 2, "has a * before the one at its end"),
        (&["events", "query", "--where", "\u{1b}[31m?"], None, 2, "no condition"),
        (&["events", "query", "--limit", "18446744073709551616"], None, 2, "error"),
        (&["events", "query", "--after", "-1"], None, 2, "error"),
        (
            &[
                "events",
                "query",
                "--since",
                "2026-01-02T00:00:00Z",
                "--until",
                "2026-01-01T00:00:00Z",
            ],
            None,
            2,
            "is later than until",
        ),
        (&["events", "aggregate", "--measure", "median"], None, 2, "median"),
        (&["events", "aggregate", "--measure", "p101:data.n"], None, 2, "p101"),
        (&["events", "aggregate", "--by", "colour"], None, 2, "colour"),
        (&["events", "aggregate", "--window", "0s"], None, 2, "error"),
        (&["events", "aggregate", "--window", "9000d"], None, 2, "error"),
        (&["events", "aggregate", "--by", "type", "--by", "type"], None, 2, "twice"),
        (&["events", "get", ""], None, 4, "error[not_found]"),
        (&["events", "trace", ""], None, 2, "correlation_id"),
    ];
    both(|store| assert_rows(store, rows));
}

#[test]
fn files_that_are_none_of_an_export() {
    let clouds = &["events", "import", "-", "--format", "cloudevents"][..];
    let lines = &["events", "import", "-"][..];
    let rows: &[Row<'_>] = &[
        (lines, Some(b"{\"dedup_id\":\"1/s/1\",\"position\":7,\"str"), 6, "refused[malformed]"),
        (lines, Some(b"{\"type\":\"a\"\n"), 6, "line 1: refused[malformed]"),
        (lines, Some(b"\n\xef\xbb\xbf{\"type\":\"a\"}\n"), 6, "line 2: refused[malformed]"),
        (lines, Some(b"type,id\na,1\n"), 6, "line 2: refused[malformed]"),
        (lines, Some(b"{\"type\":\"\\u001b[31m\"}\n"), 6, "refused[invalid]"),
        (lines, Some(b"{\"type\":\"b\",\"id\":\"kept\"}\n"), 6, "refused[event.id_reused]"),
        (clouds, Some(b"{\"specversion\":\"0.3\",\"id\":\"a\",\"source\":\"s\",\"type\":\"t\"}"), 6, "specversion"),
        (clouds, Some(b"{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\"}"), 6, "`id`"),
        (clouds, Some(b"[7]"), 6, "[0] is no CloudEvent"),
        (clouds, Some(b"{\"specversion\":\"1.0\",\"id\":\"a\",\"sou"), 6, "refused[malformed]"),
        (
            clouds,
            Some(b"{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":\"t\",\"data_base64\":\"AA==\"}"),
            6,
            "is binary",
        ),
    ];
    both(|store| assert_rows(store, rows));
}

#[test]
fn places_that_an_export_may_not_write_to() {
    both(|store| {
        let taken = store.file("taken.ndjson", "somebody's line\n");
        let link = taken.with_file_name("link.ndjson");
        let target = store.file("target", "");
        std::os::unix::fs::symlink(&target, &link).expect("is made");
        let below = taken.join("file.ndjson");
        let pipe = taken.with_file_name("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs");
        assert!(made.success());
        let text = |path: &Path| path.to_str().expect("is text").to_owned();
        let to = |path: &Path| ["events", "export", "--to", &text(path)].map(str::to_owned);
        let places: [(&Path, &[i32], &str); 5] = [
            (&taken, &[2], "is not empty"),
            (&link, &[2, 7], "link.ndjson"),
            (&below, &[2, 4, 7], "taken.ndjson"),
            (&pipe, &[2, 7], "pipe"),
            (Path::new("/dev/full"), &[7], "not a regular file"),
        ];
        store.ok(&["events", "append", "--type", "a", "--id", "kept"]);
        let before = store.ok(&["events", "query"]);
        for (path, codes, says) in places {
            let words = to(path);
            let ran = store.run(&words.each_ref().map(String::as_str));
            let code = ran.code.expect("ends by itself");
            assert!(codes.contains(&code), "{path:?}: {ran:?}");
            assert_refused(&ran, code, says);
            assert_eq!(store.ok(&["events", "query"]), before, "{path:?}");
        }
        assert_eq!(std::fs::read(&taken).expect("reads"), b"somebody's line\n");
        assert_eq!(std::fs::read(&target).expect("reads"), b"", "nobody writes through a link");
    });
}

#[test]
fn what_needs_a_store_makes_none() {
    let words: &[&[&str]] = &[
        &["events", "archive", "restore"],
        &["events", "archive", "--older-than", "1d"],
        &["events", "prune", "--keep", "1"],
        &["events", "export", "--name", "audit"],
        &["events", "export", "pause", "audit"],
        &["events", "export", "reset", "audit", "0"],
        &["events", "parked", "retry"],
        &["events", "parked", "drop"],
        &["events", "consumers", "--delete", "mail"],
        &["events", "forget", "ann", "--reason", "asked"],
        &["config", "rollback", "1"],
        &["table", "remove", "visits", "ada"],
        &["table", "put", "visits", "ada", "1"],
        &["checkpoint"],
    ];
    let (missing, empty) = (Store::new(), Store::new());
    std::fs::create_dir(empty.directory()).expect("is made");
    for words in words {
        for store in [&missing, &empty] {
            let ran = store.run(words);
            assert_refused(&ran, 4, "there is no store in ");
        }
        assert!(!missing.directory().exists(), "{words:?}");
        let left = std::fs::read_dir(empty.directory()).expect("lists").count();
        assert_eq!(left, 0, "{words:?}");
    }
}
