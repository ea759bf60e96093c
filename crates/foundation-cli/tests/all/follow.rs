//! Following the events of a store that is served, and finding them by all that they say.

use super::running::{Dialogue, Store, both, objects, redacted, send};

fn append(store: &Store, words: &[&str]) {
    store.ok(&[&["events", "append"], words].concat());
}

#[test]
fn events_come_one_a_line_from_a_position_on_and_as_they_are_recorded() {
    let store = Store::new();
    let _node = store.serve(&[]);
    append(&store, &["--type", "order.placed", "--id", "a", "--tag", "customer:7"]);
    append(&store, &["--type", "noise"]);
    let mut all =
        Dialogue::start(&store, &["events", "follow", "--type", "order.*", "--beginning"]);
    let first = objects(&all.hear());
    assert_eq!((&first[0]["id"], &first[0]["tags"][0]), (&"a".into(), &"customer:7".into()));
    let position = first[0]["position"].to_string();
    let mut later = Dialogue::start(&store, &["events", "follow", "--after", &position]);
    assert_eq!(objects(&later.hear())[0]["type"], "noise");
    append(&store, &["--type", "order.paid", "--id", "b", "--schema", "2"]);
    for dialogue in [&mut all, &mut later] {
        let next = objects(&dialogue.hear());
        assert_eq!((&next[0]["id"], &next[0]["schema"]), (&"b".into(), &2.into()));
    }
    for mut one in [all, later] {
        send("INT", one.child.id());
        one.input = None;
        let ran = one.end();
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    }
}

#[test]
fn who_follows_is_told_of_events_that_were_dropped() {
    let store = Store::new();
    let _node = store.serve(&[]);
    let rule = r#"{"types": "debug.*", "action": "drop_event"}"#;
    store.ok(&["config", "set", "events.rules.debug", rule]);
    let dropped = || store.run(&["events", "append", "--type", "debug.x"]);
    assert!(dropped().talk.starts_with("error[event.dropped]"), "before it began");
    append(&store, &["--type", "order.placed", "--id", "a"]);
    let mut following =
        Dialogue::start(&store, &["events", "follow", "--type", "order.*", "--beginning"]);
    assert_eq!(objects(&following.hear())[0]["id"], "a");
    assert_ne!(dropped().code, Some(0));
    append(&store, &["--type", "order.placed", "--id", "b"]);
    assert_eq!(objects(&following.hear())[0]["id"], "b");
    send("INT", following.child.id());
    following.input = None;
    let ran = following.end();
    assert_eq!((ran.code, ran.talk.as_str()), (Some(0), "gap: 1 event dropped and never stored\n"));
}

/// Nothing comes, and still a pipe that is closed ends the command.
#[test]
fn who_follows_ends_when_nobody_reads_any_more() {
    let store = Store::new();
    let _node = store.serve(&[]);
    append(&store, &["--type", "order.placed"]);
    store.ok(&["config", "set", "interface.max_results", "5"]);
    for words in [&["events", "follow", "--beginning"][..], &["config", "watch", "--from", "0"]] {
        let mut following = Dialogue::start(&store, words);
        following.hear();
        assert_eq!(following.walk_away(), Some(0), "{words:?}");
    }
}

#[test]
fn whoever_follows_nobody_is_told_so() {
    let store = Store::new();
    append(&store, &["--type", "order.placed"]);
    let ran = store.run(&["events", "follow"]);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    insta::assert_snapshot!(redacted(&ran.talk, &store), @r#"
    error[unavailable]: no node serves [data]: there are no events to follow
      try again when the service is up
    "#);
}

#[test]
fn events_are_found_by_all_that_they_say() {
    both(|store| {
        append(store, &["--type", "order.placed", "--id", "a", "--source", "till/4"]);
        append(store, &["--type", "order.paid", "--id", "b", "--parent", "a", "--tag", "big"]);
        let payload = r#"{"status": 503, "user": {"name": "ada"}}"#;
        append(store, &["--type", "call", "--id", "c", "--payload", payload, "--subject", "x"]);
        append(store, &["--type", "call", "--id", "d", "--payload", r#"{"status": 200}"#]);
        let found = |words: &[&str]| -> Vec<String> {
            let lines = store.ok(&[&["events", "query"], words].concat());
            let id = |one: &serde_json::Value| one["id"].as_str().expect("an id").to_owned();
            objects(&lines).iter().map(id).collect()
        };
        let cases: [(&[&str], &[&str]); 11] = [
            (&["--type", "order.*"], &["a", "b"]),
            (&["--type", "order.paid", "--type", "call"], &["b", "c", "d"]),
            (&["--parent", "a"], &["b"]),
            (&["--tag", "big"], &["b"]),
            (&["--tag", "big", "--tag", "small"], &[]),
            (&["--source", "till/4"], &["a"]),
            (&["--subject", "x"], &["c"]),
            (&["--where", "status>=500"], &["c"]),
            (&["--where", "status!=503"], &["d"]),
            (&["--where", "user.name^=a", "--where", "user?"], &["c"]),
            (&["--where", "status<300", "--type", "c*", "--order", "desc"], &["d"]),
        ];
        for (words, ids) in cases {
            assert_eq!(found(words), ids, "{words:?}");
        }
        let ran = store.run(&["events", "query", "--where", "status"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.talk.contains("one of = != < <= > >= ^="), "{ran:?}");
    });
}

#[test]
fn a_query_is_explained_by_what_it_looks_at() {
    both(|store| {
        for number in 0..30 {
            let id = number.to_string();
            let kind = if number % 10 == 0 { "rare" } else { "plenty" };
            append(store, &["--type", kind, "--id", &id, "--correlation", "all"]);
        }
        let explain = |words: &[&str]| -> serde_json::Value {
            let words = [&["--output", "json", "events", "query", "--explain"], words].concat();
            serde_json::from_str(&store.ok(&words)).expect("is JSON")
        };
        // What was written just now is in memory, or in the log of a store that was opened anew.
        let looked = |words: &[&str], way: &str| -> (u64, u64) {
            let explained = explain(words);
            let sum = |what: &dyn Fn(&serde_json::Value) -> u64| {
                what(&explained["memory"]) + what(&explained["log"])
            };
            let at = sum(&|part| part["by"][way].as_u64().unwrap_or_default());
            (at, sum(&|part| part["found"].as_u64().unwrap_or_default()))
        };
        assert_eq!(looked(&["--type", "rare"], "type"), (3, 3));
        assert_eq!(looked(&["--type", "rare", "--correlation", "all"], "type"), (3, 3));
        assert_eq!(looked(&["--type", "none"], "type"), (0, 0));
        let text = store.ok(&["events", "query", "--explain", "--type", "rare"]);
        assert!(text.contains("3 by type; found 3\n"), "{text}");
    });
}
