//! What bad input gets: a typed error, its exit code, no panic, nothing lost.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use super::running::{Dialogue, Ran, Store, both};

/// What a run has to end with, and what it has to say.
fn assert_refused(ran: &Ran, code: i32, says: &str) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(ran.talk.contains(says), "{says}: {ran:?}");
    assert!(!ran.talk.contains("panicked"), "{ran:?}");
}

#[test]
fn what_was_applied_and_cannot_be_told_is_no_reason_to_try_again() {
    both(|store| {
        let run = |words: &[&str]| {
            let full = std::fs::File::options().write(true).open("/dev/full").expect("is there");
            Ran::of(store.command(words).stdout(full).spawn().expect("starts"))
        };
        store.ok(&["events", "append", "--type", "first"]);
        let last = store.json(&["status"])["journal"]["last"].as_u64().expect("a number");
        let append = run(&["events", "append", "--type", "a"]);
        assert_eq!(append.code, Some(8), "{append:?}");
        let position = format!("it was applied: the event is at position {}", last + 1);
        assert!(append.talk.contains(&position), "{append:?}");
        let set = run(&["config", "set", "log.level", "debug"]);
        assert_eq!(set.code, Some(8), "{set:?}");
        assert!(set.talk.contains("it was applied: the document is at version 1"), "{set:?}");
        let lines = store.file("two.ndjson", "{\"type\":\"a\"}\n{\"type\":\"b\"}\n");
        let lines = lines.to_str().expect("is text");
        for (words, last) in [(&[][..], last + 4), (&["--acks"], last + 6)] {
            let import = run(&[&["events", "import", lines][..], words].concat());
            assert_eq!(import.code, Some(8), "{import:?}");
            let told = format!("it was applied: 2 events stored, the last at position {last}");
            assert!(import.talk.contains(&told), "{import:?}");
        }
        // What changes nothing may be asked again.
        assert_eq!(run(&["config", "get"]).code, Some(7));
    });
}

#[test]
fn bad_words_are_refused_with_their_exit_code() {
    let deep = "[".repeat(100_000);
    let long = vec!["a"; 10_000].join(".");
    let lines = r#"{"type": "a", "id": "kept"}"#;
    let table: &[(&[&str], i32, &str)] = &[
        (
            &["config", "set", "interface.max_resluts", "1"],
            6,
            "did you mean interface.max_results?",
        ),
        (&["config", "set", "interface.max_results", "\"x\""], 6, "error[config.wrong_type]"),
        (&["config", "set", "interface.max_results", "0"], 6, "error[config.out_of_range]"),
        (&["config", "set", "interface.max_results", "1e999"], 6, "error[malformed]"),
        (&["config", "set", "interface", "[1000, 5]"], 6, "expected a map of its fields"),
        (&["config", "set", "log.level", "{\"debug\":null}"], 6, "error[config.wrong_type]"),
        (&["config", "set", "interface.max_results", "{\"a\":1,\"a\":2}"], 6, "error[malformed]"),
        (&["config", "set", "interface.max_results", &deep], 6, "error["),
        (&["config", "set", "interface.max_results", "--resaon"], 2, "is no flag"),
        (&["config", "set", &long, "1"], 6, "error[invalid_path]"),
        (&["config", "get", &long], 6, "error[invalid_path]"),
        (&["config", "get", "a..b"], 6, "error[invalid_path]"),
        (&["config", "get", "log.levle"], 4, "did you mean log.level?"),
        (&["config", "get", "log.level", "--at", "99"], 4, "error[not_found]"),
        (&["config", "get", "--doc", "nobodys"], 4, "error[not_found]"),
        (&["config", "rollback", "99"], 4, "error[not_found]"),
        (&["config", "rollback", "-1"], 2, "error"),
        (&["config", "history", "--limit", "0"], 2, "error"),
        (&["events", "append", "{"], 6, "error[malformed]"),
        (&["events", "append", &deep], 6, "error["),
        (&["events", "append", "[\"a\", \"1\"]"], 6, "error[malformed]"),
        (&["events", "append", "--type", ""], 6, "error[invalid]"),
        (&["events", "append", "--type", "foundation.x"], 6, "error[event.reserved_type]"),
        (&["events", "append", "--type", "a", "--payload", "{"], 6, "error[malformed]"),
        (&["events", "append", "--type", "a", "--time", "soon"], 2, "error[invalid_argument]"),
        (&["events", "append", "--type", "a", "--stream", "config/x"], 6, "error[invalid]"),
        (&["events", "query", "--since", "soon"], 2, "error[invalid_argument]"),
        (&["events", "query", "--limit", "0"], 2, "error[invalid_argument]"),
        (&["events", "query", "--limit", "-1"], 2, "error"),
        (&["events", "query", "--after", "x"], 2, "error[invalid_argument]"),
        (&["events", "get", "nobody"], 4, "error[not_found]"),
        (&["events", "import", "/nowhere/at/all"], 4, "error[not_found]"),
        (&["events", "import", "/"], 2, "error[invalid_argument]"),
        (&["--lock-timeout", "-1", "status"], 2, "error"),
        (&["--lock-timeout", "1e300", "status"], 2, "error"),
        (&["config", "sett"], 2, "error"),
        (&["--data", "", "status"], 2, "error"),
        (&[], 2, "Usage"),
    ];
    both(|store| {
        store.ok(&["events", "append", lines]);
        for (words, code, says) in table {
            assert_refused(&store.run(words), *code, says);
        }
        store.ok(&["events", "get", "kept"]);
        store.ok(&["verify"]);
    });
}

#[test]
fn words_that_are_not_text_are_refused() {
    let store = Store::new();
    let bad = OsStr::from_bytes(b"\xff\xfe");
    for words in [
        [OsStr::new("config"), OsStr::new("get"), bad],
        [OsStr::new("events"), OsStr::new("get"), bad],
        [OsStr::new("events"), OsStr::new("append"), bad],
    ] {
        assert_refused(&store.run(&words), 2, "UTF-8");
    }
    let named = store.run(&[OsStr::new("events"), OsStr::new("import"), bad]);
    assert_refused(&named, 4, "error[not_found]");
}

#[test]
fn a_usage_error_is_json_where_json_is_asked_for() {
    let ran = Store::new().run(&["--output", "json", "config", "sett"]);
    assert_eq!(ran.code, Some(2));
    let report: serde_json::Value = serde_json::from_str(&ran.talk).expect("one object");
    assert_eq!(report["category"], "usage");
}

#[test]
fn bad_lines_are_refused_and_lose_nothing_of_the_others() {
    let good = |id: u32| format!("{{\"type\": \"a\", \"id\": \"{id}\"}}\n").into_bytes();
    both(|store| {
        let lines: &[(&[u8], &str)] = &[
            (b"{\"type\": \"a\xff\"}\n", "refused[malformed]: the line is not UTF-8"),
            (&[b"[".repeat(100_000), b"\n".to_vec()].concat(), "refused[malformed]"),
            (
                &[b"{\"type\":\"a\",\"data\":".to_vec(), b"[".repeat(100_000), b"\n".to_vec()]
                    .concat(),
                "refused[",
            ),
            (
                &[
                    b"{\"type\":\"a\",\"data\":\"".to_vec(),
                    b"x".repeat(1_200_000),
                    b"\"}\n".to_vec(),
                ]
                .concat(),
                "refused[too_large]",
            ),
            (b"{\"type\": \"a\", \"type\": \"b\"}\n", "refused[malformed]"),
            (b"{\"type\": \"a\"} {\"type\": \"b\"}\n", "refused[malformed]"),
            (b"\0\0\0\n", "refused[malformed]"),
            (
                b"[\"a\",\"list\",null,null,null,null,null,null]\n",
                "refused[malformed]: the line is JSON, but not an object",
            ),
            (
                b"{\"type\":\"a\",\"time\":\"9999-12-31T23:59:59Z\"}\n",
                "refused[invalid]: time: not a time, got \"9999-12-31T23:59:59Z\", expected an RFC \
                 3339 time such as 2026-11-24T09:00:00Z, at most 9999-12-30T22:00:00Z",
            ),
        ];
        for ((bad, says), nth) in lines.iter().zip(0..) {
            let input = [good(2 * nth), bad.to_vec(), good(2 * nth + 1)].concat();
            let ran = store.feed(&["events", "import", "-"], input);
            assert_refused(&ran, 6, &format!("line 2: {says}"));
            assert!(ran.out.starts_with("accepted 2, repeated 0, refused 1 "), "{ran:?}");
        }
    });
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused_without_being_kept() {
    let store = Store::new();
    let mut import = Dialogue::start(&store, &["events", "import", "-", "--acks"]);
    let part = vec![b'x'; 1_000_000];
    for _ in 0..100 {
        import.tell(&part);
    }
    import.tell(b"\n{\"type\": \"a\", \"id\": \"1\"}\n");
    assert!(import.hear().trim().parse::<u64>().is_ok());
    let status = std::fs::read_to_string(format!("/proc/{}/status", import.child.id()));
    let most = status.expect("is there").lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    assert!(most.expect("is said") < 64 * 1024, "{most:?} KiB");
    let ran = import.end();
    assert_refused(&ran, 6, "line 1: refused[too_large]: the line has 100000000 bytes");
}

#[test]
fn a_directory_of_a_newer_format_is_left_alone() {
    let store = Store::new();
    store.ok(&["events", "append", "--type", "a"]);
    let identity = store.directory().join("STORE");
    let mut bytes = std::fs::read(&identity).expect("is read");
    bytes[8] = 2;
    std::fs::write(&identity, &bytes).expect("is written");
    for words in [&["events", "query"][..], &["config", "set", "log.level", "debug"], &["serve"]] {
        assert_refused(&store.run(words), 5, "error[unknown_format]");
    }
    assert_eq!(std::fs::read(&identity).expect("is read"), bytes);
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let store = Store::new();
    let file = store.file("data", "not a directory");
    for words in
        [&["config", "get"][..], &["events", "append", "--type", "a"], &["status"], &["verify"]]
    {
        assert_refused(&store.run(words), 7, "error[disk]");
    }
    assert_eq!(std::fs::read(file).expect("is read"), b"not a directory");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    both(|store| {
        let line = format!("{{\"type\": \"a\", \"data\": \"{}\"}}\n", "x".repeat(1_000));
        store.feed(&["events", "import", "-"], line.repeat(1_000)).ok();
        let mut child = store.command(&["events", "query"]).spawn().expect("starts");
        drop(child.stdout.take());
        let ran = Ran::of(child);
        assert_eq!((ran.code, ran.talk.as_str()), (Some(0), ""));
    });
}

#[test]
fn an_import_whose_acks_nobody_reads_goes_on_to_its_end() {
    let store = Store::new();
    let words = ["events", "import", "-", "--acks"];
    let mut child = store.command(&words).stdin(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let line = |nth: u32| format!("{{\"type\": \"a\", \"id\": \"{nth}\"}}\n");
    let lines: String = (0..2_000).map(line).collect();
    child.stdin.take().expect("is piped").write_all(lines.as_bytes()).expect("is read");
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.talk.starts_with("accepted 2,000, "), "{ran:?}");
    store.ok(&["events", "get", "1999"]);
}

#[test]
fn a_listener_that_goes_away_is_no_failure() {
    let store = Store::new();
    let mut child =
        store.command(&["events", "import", "-"]).stdin(Stdio::piped()).spawn().expect("starts");
    drop(child.stderr.take());
    let mut stdin = child.stdin.take().expect("is piped");
    stdin.write_all(b"bad\n{\"type\": \"a\"}\n").expect("is read");
    drop(stdin);
    assert_eq!(Ran::of(child).code, Some(6));
}

#[test]
fn help_and_version_are_answers() {
    let store = Store::new();
    for words in [&["--help"][..], &["--version"], &["config", "set", "--help"]] {
        let ran = store.run(words);
        assert_eq!((ran.code, ran.talk.as_str()), (Some(0), ""));
        assert!(!ran.out.is_empty());
    }
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused_and_not_waited_for() {
    for name in ["STORE", "WATERMARK", "00000000000000000001.seg", "LOCK"] {
        let store = Store::new();
        store.ok(&["events", "append", "--type", "a"]);
        let file = store.directory().join(name);
        std::fs::remove_file(&file).expect("is removed");
        let made = std::process::Command::new("mkfifo").arg(&file).status().expect("runs");
        assert!(made.success());
        for words in [&["verify"][..], &["config", "get"], &["config", "set", "log.level", "warn"]]
        {
            let ran = store.run(words);
            assert!(matches!(ran.code, Some(5 | 7)), "{name} {words:?}: {ran:?}");
        }
    }
}
