//! Changes that wait for somebody to decide, by the program: parked, listed, decided, and there after
//! a kill.

use super::running::{Store, both, objects, redacted};

const LATE: [&str; 8] =
    ["config", "set", "interface.max_results", "7", "--if-version", "0", "--on-conflict", "park"];

/// Parks a change of what somebody else changed, on behalf of somebody; what it waits as.
fn parked(store: &Store, actor: &str) -> String {
    let late = store.run(&[&["--output", "json"], &LATE[..], &["--actor", actor]].concat());
    assert_eq!(late.code, Some(3), "{late:?}");
    let told: serde_json::Value = serde_json::from_str(&late.talk).expect("is JSON");
    assert_eq!(told["code"], "config.parked");
    told["conflict"]["parked"].as_str().expect("an id").to_owned()
}

/// The text without an id.
fn shown(text: &str, id: &str, store: &Store) -> String {
    redacted(&text.replace(id, "ID"), store)
}

#[test]
fn a_change_that_conflicts_waits_and_is_listed() {
    both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250", "--reason", "launch day"]);
        let late = store.run(&[&LATE[..], &["--reason", "fewer rows"]].concat());
        assert_eq!(late.code, Some(3), "{late:?}");
        let listed = objects(&store.ok(&["--output", "ndjson", "config", "conflicts"]));
        let id = listed[0]["id"].as_str().expect("an id");
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&late.talk, id, store), @r#"
            error[config.parked]: document "foundation" is at version 1, not at the expected version 0, and both changed "interface.max_results"; it waits for somebody to decide
              parked ID
              version 1  [time]  tester  "launch day"
                interface.max_results: 1000 -> 250
              interface.max_results: it was 1000, this change says 7, others said 250
              decide about it with `config resolve`; `config conflicts` lists what waits
            nothing was changed
            "#);
            insta::assert_snapshot!(shown(&store.ok(&["config", "conflicts"]), id, store), @r#"
            ID  [time]  tester  "fewer rows": for version 0, it was at 1
              interface.max_results: it was 1000, this change says 7, others said 250
              wants interface.max_results = 7
            "#);
        }
        assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "250\n");
    });
}

#[test]
fn each_choice_is_made_once() {
    both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250"]);
        let [ours, theirs, edited] = ["one", "two", "three"].map(|actor| parked(store, actor));
        let resolve =
            |id: &str, words: &[&str]| store.run(&[&["config", "resolve", id][..], words].concat());
        assert_eq!(parked(store, "one"), ours, "the same of the same waits once");
        assert!(store.ok(&["status"]).contains("3 changes wait for a decision"));
        let stale = resolve(&theirs, &["--theirs", "--if-version", "0"]);
        assert_eq!(stale.code, Some(3), "{stale:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(resolve(&theirs, &["--theirs"]).ok(), @"decided: the document stays at version 1");
            insta::assert_snapshot!(resolve(&ours, &["--ours", "--reason", "agreed"]).ok(), @"interface.max_results = 7 (version 2)");
            let edit = ["--edit", "interface.max_results=9", "--edit", "log.level=warn"];
            insta::assert_snapshot!(resolve(&edited, &edit).ok(), @r#"
            interface.max_results = 9 (version 3)
            log.level = warn (version 3)
            "#);
            let again = resolve(&ours, &["--theirs"]);
            assert_eq!(again.code, Some(4), "{again:?}");
            insta::assert_snapshot!(shown(&again.talk, &ours, store), @r#"
            error[not_found]: no change of document "foundation" waits as ID: tester made version 2 of it at [time]
              decided_by tester
              decided_at [time]
              check the name or the id
            nothing was changed
            "#);
        }
        assert_eq!(store.ok(&["config", "conflicts"]), "");
        assert!(!store.ok(&["status"]).contains("for a decision"));
        for words in [&[][..], &["--ours", "--theirs"], &["--ours", "--edit", "a=1"]] {
            assert_eq!(resolve(&ours, words).code, Some(2), "{words:?}");
        }
        assert_eq!(resolve(&ours, &["--edit", "a"]).code, Some(2));
    });
}

#[test]
fn what_waits_and_what_was_decided_survives_a_kill() {
    let store = Store::new();
    let node = store.serve(&[]);
    store.ok(&["config", "set", "interface.max_results", "250"]);
    let (waits, made, given_up) =
        (parked(&store, "one"), parked(&store, "two"), parked(&store, "three"));
    store.ok(&["config", "resolve", &made, "--ours"]);
    store.ok(&["config", "resolve", &given_up, "--theirs"]);
    node.kill_9();
    let ids = || -> Vec<String> {
        let listed = objects(&store.ok(&["--output", "ndjson", "config", "conflicts"]));
        listed.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(), [&*waits]);
    let node = store.serve(&[]);
    store.ok(&["checkpoint"]);
    for decided in [&made, &given_up] {
        assert_eq!(store.run(&["config", "resolve", decided, "--ours"]).code, Some(4));
    }
    node.kill_9();
    assert_eq!(ids(), [&*waits], "also from a snapshot");
    let node = store.serve(&[]);
    store.ok(&["config", "resolve", &waits, "--edit", "interface.max_results=9"]);
    node.kill_9();
    assert!(ids().is_empty());
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "9\n");
    store.ok(&["verify"]);
}

#[test]
fn a_backup_has_what_waits() {
    let store = Store::new();
    store.ok(&["config", "set", "interface.max_results", "250"]);
    let id = parked(&store, "one");
    let copy = store.directory().with_file_name("copy");
    let copy = copy.to_str().expect("is UTF-8");
    store.ok(&["backup", copy]);
    let other = Store::new();
    other.ok(&["restore", copy]);
    let listed = objects(&other.ok(&["--output", "ndjson", "config", "conflicts"]));
    assert_eq!(listed[0]["id"], id.as_str());
}
