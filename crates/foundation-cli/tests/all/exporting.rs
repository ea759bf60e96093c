//! Events that leave a store as files, and come back into another one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::real_input::real_lines;
use super::running::{Store, both, objects};

/// The events of a store without their places in it, by id.
fn events(store: &Store) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for mut event in objects(&store.ok(&["events", "query"])) {
        let fields = event.as_object_mut().expect("an object");
        let kind = fields["type"].as_str().expect("text").to_owned();
        for place in ["position", "stream", "version", "recorded"] {
            fields.remove(place);
        }
        let id = fields["id"].as_str().expect("has one").to_owned();
        if !kind.starts_with("foundation.") {
            all.insert(id, event);
        }
    }
    all
}

/// Exports a store and imports that into another one, which is given; the events are the same.
fn there_and_back(store: &Store, format: &str) -> Store {
    let file = store.file("out.ndjson", "");
    let path = file.to_str().expect("is text");
    let words = ["events", "export", "--to", path, "--format", format, "--stream", "events"];
    store.ok(&words);
    let other = Store::new();
    other.ok(&["events", "import", path, "--format", format]);
    assert_eq!(events(store), events(&other));
    other
}

#[test]
fn real_lines_leave_and_come_back_as_they_were() {
    let Some(file) = real_lines() else { return };
    let store = Store::new();
    store.ok(&["events", "import", file.to_str().expect("is text")]);
    assert_eq!(events(&store).len(), 2_000);
    let asked = |store: &Store| {
        let trace = ["events", "trace", "req-addc1839-2ed5-4778-b57e-5854eb7b8b09"];
        let counts = ["events", "aggregate", "--until", "2018-01-01T00:00:00Z"];
        let by = ["--by", "type", "--by", "data.level", "--measure", "p95:data.pid"];
        (store.ok(&trace), store.ok(&[&counts[..], &by[..]].concat()))
    };
    let (trace, counts) = asked(&store);
    assert_eq!(trace.lines().filter(|line| line.contains("─ ")).count(), 398);
    assert!(counts.starts_with("2,000 events from "), "{counts}");
    for format in ["ndjson", "cloudevents"] {
        let other = there_and_back(&store, format);
        assert_eq!(asked(&other), (trace.clone(), counts.clone()), "{format}");
    }
}

fn line() -> impl Strategy<Value = Value> {
    let field = || prop::option::of("\\PC{1,8}");
    let tags = prop::collection::vec("[a-z]{1,4}:[0-9]", 0..3);
    ("[a-z]{2,5}\\.[a-z]{2,5}", field(), field(), tags, 1_u16..9, -5_i64..5).prop_map(
        |(kind, source, subject, tags, schema, data)| {
            let mut event = serde_json::json!({
                "type": kind, "tags": tags, "schema": schema, "data": {"n": [data, 2.50]},
                "time": "2026-11-25T09:00:00.123456789Z",
            });
            for (name, text) in [("source", source), ("subject", subject)] {
                if let Some(text) = text {
                    event[name] = text.into();
                }
            }
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn any_events_leave_and_come_back_as_they_were(lines in prop::collection::vec(line(), 1..40)) {
        let store = Store::new();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        store.feed(&["events", "import", "-"], text).ok();
        there_and_back(&store, "ndjson");
        there_and_back(&store, "cloudevents");
    }
}

fn append(store: &Store, ids: &[&str]) {
    for id in ids {
        store.ok(&["events", "append", "--type", "order.placed", "--id", id]);
    }
}

fn lines(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("reads");
    objects(&text).iter().map(|one| one["id"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn an_export_with_a_name_goes_on_where_it_ended() {
    both(|store| {
        append(store, &["a", "b"]);
        let file = store.file("out.ndjson", "");
        let path = file.to_str().expect("is text");
        let export = || {
            store.run(&["events", "export", "--to", path, "--name", "audit", "--type", "order.*"])
        };
        let ran = export();
        assert!(ran.talk.contains("2 events exported"), "{}", ran.talk);
        append(store, &["c"]);
        assert!(export().talk.contains("1 event exported"));
        assert!(export().talk.contains("0 events exported"));
        assert_eq!(lines(&file), ["a", "b", "c"]);

        // What was half written is taken back, and what is there is not written again.
        let mut text = std::fs::read_to_string(&file).expect("reads");
        text.truncate(text.len() - 7);
        std::fs::write(&file, text).expect("writes");
        store.ok(&["events", "export", "reset", "audit", "0"]);
        assert_eq!(export().code, Some(0));
        assert_eq!(lines(&file), ["a", "b", "c"]);

        let told = store.ok(&["events", "export", "list"]);
        assert!(told.starts_with("audit  at ") && told.contains("not at work"), "{told}");
        store.ok(&["events", "export", "pause", "audit"]);
        assert!(store.ok(&["events", "export", "list"]).contains("paused"));
        let refused = export();
        assert_eq!(refused.code, Some(2), "{}", refused.talk);
        assert!(refused.talk.contains("is paused: resume it first"), "{}", refused.talk);
        for flag in ["--resume", "--release", "--delete"] {
            let refused = store.run(&["events", "consumers", flag, "audit"]);
            assert_eq!(refused.code, Some(2), "{flag}: {}", refused.talk);
            assert!(refused.talk.contains("\"audit\" is an export"), "{}", refused.talk);
        }
        store.ok(&["events", "export", "resume", "audit"]);
        store.ok(&["events", "export", "delete", "audit"]);
        assert_eq!(store.ok(&["events", "export", "list"]), "");
        let unknown = store.run(&["events", "export", "pause", "audit"]);
        assert!(unknown.talk.contains("there is no export \"audit\""), "{}", unknown.talk);
    });
}

#[test]
fn an_export_with_a_name_has_what_lived_its_time_before_it_was_passed_on() {
    both(|store| {
        append(store, &["a"]);
        let file = store.file("out.ndjson", "");
        let path = file.to_str().expect("is text");
        let words = ["events", "export", "--to", path, "--name", "audit", "--type", "order.*"];
        assert!(store.run(&words).talk.contains("1 event exported"));
        append(store, &["b", "c"]);
        let rule = r#"{"types": "order.*", "seconds": 1}"#;
        store.ok(&["config", "set", "events.ttl.order", rule]);
        let stages = std::iter::repeat_with(|| store.ok(&["events", "stage", "c"])).take(2_000);
        assert!({ stages }.any(|stage| stage == "expiring\n"), "a second is over");
        // Readers do not see it, and neither does who writes a file once.
        assert_eq!(store.ok(&["events", "export", "--type", "order.*"]), "");
        let ran = store.run(&words);
        assert!(ran.talk.contains("2 events exported"), "{}", ran.talk);
        assert_eq!(lines(&file), ["a", "b", "c"]);
        assert!(store.run(&words).talk.contains("0 events exported"));
    });
}

#[test]
fn an_export_to_standard_output_and_one_that_would_write_twice() {
    both(|store| {
        append(store, &["a"]);
        let words = ["events", "export", "--type", "order.*", "--format", "cloudevents"];
        let told = objects(&store.ok(&words));
        assert_eq!(told[0]["specversion"], "1.0");
        assert_eq!(told[0]["id"], "a");
        let file = store.file("out.ndjson", "a line of somebody\n");
        let path = file.to_str().expect("is text");
        let refused = store.run(&["events", "export", "--to", path]);
        assert_eq!(refused.code, Some(2), "{}", refused.talk);
        assert!(refused.talk.contains("is not empty"), "{}", refused.talk);
    });
}

#[test]
fn an_export_that_follows_writes_what_comes() {
    let store = Store::new();
    append(&store, &["a"]);
    let refused = store.run(&["events", "export", "--follow"]);
    assert_eq!(refused.code, Some(2), "{}", refused.talk);
    let _node = store.serve(&[]);
    let words = ["events", "export", "--follow", "--type", "order.*"];
    let mut following = store.command(&words).spawn().expect("starts");
    let out = following.stdout.take().expect("is piped");
    let mut out = std::io::BufRead::lines(std::io::BufReader::new(out));
    let mut next = || out.next().expect("goes on").expect("reads");
    assert!(next().contains(r#""id":"a""#));
    append(&store, &["b"]);
    assert!(next().contains(r#""id":"b""#));
    following.kill().expect("ends");
    following.wait().expect("ends");
}

#[test]
fn an_export_with_a_name_keeps_its_filter_until_it_is_reset() {
    both(|store| {
        append(store, &["a", "b"]);
        let file = store.file("out.ndjson", "");
        let path = file.to_str().expect("is text");
        let export = |filter: &[&str]| {
            let words = ["events", "export", "--to", path, "--name", "audit"];
            store.run(&[&words[..], filter].concat())
        };
        let orders = ["--type", "order.*", "--where", "n?", "--where", "n>1"];
        let turned = ["--where", "n>1", "--type", "order.*", "--where", "n?"];
        export(&orders).ok();
        export(&turned).ok();
        let refused = export(&["--type", "bill.*"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let says = "export \"audit\" began with type order.*, where n>1, where n?, and is asked for \
                    with type bill.*: events would be missed or come twice. Choose another name, or \
                    have it begin anew: events export reset audit POSITION";
        let told = refused.talk.replace("where n?, where n>1", "where n>1, where n?");
        assert!(told.contains(says), "{refused:?}");
        assert_eq!(export(&[]).code, Some(2));
        store.ok(&["events", "export", "reset", "audit", "0"]);
        assert!(export(&[]).talk.contains("exported"), "a reset takes another one");
        assert_eq!(export(&orders).code, Some(2));
    });
}

#[test]
fn names_of_exports_and_what_only_a_node_knows_of_them() {
    both(|store| {
        append(store, &["a"]);
        let bad = store.run(&["events", "export", "--name", "a b"]);
        assert_eq!(bad.code, Some(6), "{bad:?}");
        assert!(bad.talk.contains("export") && !bad.talk.contains("table"), "{bad:?}");
        store.ok(&["events", "export", "--name", "audit"]);
        let list = store.ok(&["events", "export", "list"]);
        assert!(!list.contains("delivered"), "nobody here has counted them: {list}");
        assert!(list.contains("  0 records behind  "), "its own place is no event for it: {list}");
        append(store, &["b"]);
        let list = store.ok(&["events", "export", "list"]);
        assert!(!list.contains("  0 records behind  "), "{list}");
        let slip = store.run(&["events", "export", "pause", "audti"]);
        assert_eq!(slip.code, Some(4), "{slip:?}");
        assert!(slip.talk.contains("did you mean audit?"), "{slip:?}");
    });
}

#[test]
fn a_full_disk_under_an_export_is_told_as_one() {
    let store = Store::new();
    append(&store, &["a"]);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("is there");
    let child = store.command(&["events", "export"]).stdout(full).spawn().expect("starts");
    let ran = super::running::Ran::of(child);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.talk.starts_with("error[disk_full]"), "{ran:?}");
}
