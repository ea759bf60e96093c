//! Following the changes of a document that is served, and finding versions by time.

use super::running::{Dialogue, Store, both, objects, redacted, send};

#[test]
fn changes_come_one_a_line_from_a_version_on_and_as_they_are_made() {
    let store = Store::new();
    let _node = store.serve(&[]);
    store.ok(&["config", "set", "interface.max_results", "5"]);
    store.ok(&["config", "set", "log.level", "warn"]);
    let words = ["config", "watch", "interface", "--from", "0"];
    let mut lines = Dialogue::start(&store, &words);
    let mut json = Dialogue::start(&store, &[&["--output", "ndjson"], &words[..]].concat());
    let mut heard = lines.hear();
    assert!(json.hear().contains("\"version\":1"));
    store.ok(&["config", "set", "log.level", "info"]);
    let change = r#"{"interface": {"max_results": 6, "query_timeout_ms": 7}}"#;
    store.ok(&["config", "patch", change, "--reason", "live"]);
    heard.push_str(&lines.hear());
    insta::assert_snapshot!(redacted(&heard, &store), @r#"
    version 1  [time]  tester: interface.max_results: 1000 -> 5
    version 4  [time]  tester  "live": interface.max_results: 5 -> 6; interface.query_timeout_ms: 10000 -> 7
    "#);
    let told = objects(&json.hear());
    assert_eq!((&told[0]["version"], &told[0]["reason"]), (&4.into(), &"live".into()));
    for mut one in [lines, json] {
        send("INT", one.child.id());
        one.input = None;
        let ran = one.end();
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    }
}

#[test]
fn whoever_follows_nobody_is_told_so() {
    let store = Store::new();
    store.ok(&["config", "set", "interface.max_results", "5"]);
    let ran = store.run(&["config", "watch"]);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    insta::assert_snapshot!(redacted(&ran.talk, &store), @r#"
    error[unavailable]: no node serves [data]: there are no changes to follow
      try again when the service is up
    "#);
}

#[test]
fn a_node_that_stops_ends_those_that_follow_it() {
    let store = Store::new();
    let node = store.serve(&[]);
    store.ok(&["config", "set", "interface.max_results", "5"]);
    let mut following = Dialogue::start(&store, &["config", "watch", "--from", "0"]);
    following.hear();
    assert_eq!(node.end_by("TERM").code, Some(0));
    assert_eq!(following.end().code, Some(7));
}

#[test]
fn versions_are_found_by_time() {
    both(|store| {
        for results in ["5", "6", "7"] {
            store.ok(&["config", "set", "interface.max_results", results]);
        }
        let history = objects(&store.ok(&["config", "history"]));
        let times: Vec<&str> =
            history.iter().map(|one| one["time"].as_str().expect("a time")).collect();
        let at = |time| store.ok(&["config", "get", "interface.max_results", "--at-time", time]);
        assert_eq!((&*at(times[0]), &*at(times[1])), ("5\n", "6\n"));
        assert_eq!(at("2000-01-01T00:00:00Z"), "1000\n");
        let versions = |words: &[&str]| -> Vec<u64> {
            let lines = store.ok(&[&["config", "history"], words].concat());
            objects(&lines).iter().map(|one| one["version"].as_u64().expect("a number")).collect()
        };
        assert_eq!(versions(&["--since", times[1]]), [2, 3]);
        assert_eq!(versions(&["--until", times[1]]), [1]);
        assert_eq!(versions(&["--since", times[1], "--until", times[2], "--newest"]), [2]);
        assert!(versions(&["--until", "2000-01-01T00:00:00Z"]).is_empty());
        assert_eq!(store.run(&["config", "history", "--since", "noon"]).code, Some(2));
        assert_eq!(store.run(&["config", "get", "--at", "1", "--at-time", times[0]]).code, Some(2));
    });
}
