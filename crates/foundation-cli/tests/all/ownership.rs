//! One directory, one owner: who waits, who is refused, what is left behind.

use super::running::{Dialogue, Ran, Store};

#[test]
fn reading_makes_no_store() {
    let store = Store::new();
    let ran = store.run(&["config", "get", "log.level"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "info\n"));
    assert!(ran.talk.starts_with("there is no store in "), "{ran:?}");
    assert_eq!(store.ok(&["events", "query"]), "");
    assert_eq!(store.ok(&["config", "history"]), "");
    assert_eq!(store.run(&["events", "get", "a"]).code, Some(4));
    assert_eq!(store.run(&["verify"]).code, Some(4));
    let status = store.json(&["status"]);
    assert_eq!(status["serving"], false);
    assert!(!store.directory().exists());
    let quiet = store.run(&["--quiet", "config", "get", "log.level"]);
    assert_eq!(quiet.talk, "");
}

#[test]
fn a_directory_that_another_process_owns_is_refused_or_waited_for() {
    let store = Store::new();
    let mut owner = Dialogue::start(&store, &["events", "import", "-", "--acks"]);
    owner.tell(b"{\"type\": \"a\", \"id\": \"1\"}\n");
    let position = owner.hear();
    assert!(position.trim().parse::<u64>().is_ok(), "{position}");

    for words in [
        &["config", "set", "log.level", "debug"][..],
        &["events", "query"],
        &["verify"],
        &["serve"],
    ] {
        let refused = store.run(&[&["--lock-timeout", "0"], words].concat());
        assert_eq!(refused.code, Some(7), "{refused:?}");
        assert!(refused.talk.contains("error[locked]"), "{refused:?}");
    }
    let status = store.json(&["--lock-timeout", "0", "status"]);
    assert_eq!((&status["serving"], &status["journal"]["records"]), (&false.into(), &1.into()));

    let words = ["--lock-timeout", "60", "config", "set", "log.level", "debug"];
    let waiting = store.command(&words).spawn().expect("starts");
    let done = owner.end();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.talk.starts_with("accepted 1, "), "the report leaves stdout to acks: {done:?}");
    Ran::of(waiting).ok();
}

#[test]
fn a_node_takes_the_directory_over_from_a_short_command() {
    let store = Store::new();
    let mut owner = Dialogue::start(&store, &["events", "import", "-", "--acks"]);
    owner.tell(b"{\"type\": \"a\", \"id\": \"1\"}\n");
    owner.hear();
    let mut node = store.command(&["--lock-timeout", "60", "serve"]).spawn().expect("starts");
    let reader = store.command(&["--lock-timeout", "60", "events", "get", "1"]).spawn();
    owner.end().ok();
    Ran::of(reader.expect("starts")).ok();
    // Before it serves it may not listen to signals yet.
    let status = || store.json(&["--lock-timeout", "60", "status"]);
    let mut serves = std::iter::repeat_with(|| status()["serving"] == true).take(2_000);
    assert!(serves.any(|serves| serves), "it has the directory");
    super::running::send("TERM", node.id());
    assert!(node.wait().expect("ends").success());
}

#[test]
fn a_node_that_dies_under_an_import_leaves_it_in_doubt() {
    let store = Store::new();
    let node = store.serve(&[]);
    let mut import = Dialogue::start(&store, &["events", "import", "-", "--acks"]);
    import.tell(b"{\"type\": \"a\", \"id\": \"1\"}\n");
    import.hear();
    node.kill_9();
    import.tell(b"{\"type\": \"a\", \"id\": \"2\"}\n");
    let ran = import.end();
    assert_eq!(ran.code, Some(8), "{ran:?}");
    assert!(ran.talk.contains("every line up to 1 is settled"), "{ran:?}");
    let again = "{\"type\": \"a\", \"id\": \"1\"}\n{\"type\": \"a\", \"id\": \"2\"}\n";
    let again = store.feed(&["events", "import", "-"], again).ok();
    assert!(again.starts_with("accepted 1, repeated 1, "), "{again}");
}

#[test]
fn what_is_damaged_is_named_and_left_alone() {
    let store = Store::new();
    store.ok(&["events", "append", "--type", "a", "--payload", "\"some text to hit\""]);
    store.ok(&["events", "append", "--type", "b"]);
    let clean = store.ok(&["verify"]);
    assert!(clean.starts_with("checked 1 segment, 2 records, "), "{clean}");
    assert!(clean.ends_with(": every checksum and chain agrees\n"), "{clean}");

    let segment = std::fs::read_dir(store.directory())
        .expect("is there")
        .map(|entry| entry.expect("is read").path())
        .find(|path| path.extension().is_some_and(|end| end == "seg"))
        .expect("has a segment");
    let mut bytes = std::fs::read(&segment).expect("is read");
    let hit = bytes.windows(9).position(|window| window == b"some text").expect("is in there");
    bytes[hit] ^= 1;
    std::fs::write(&segment, &bytes).expect("is written");

    let found = store.run(&["verify"]);
    assert_eq!(found.code, Some(5), "{found:?}");
    assert!(found.out.contains("acked data is damaged\ndamage  "), "{found:?}");
    let report: serde_json::Value =
        serde_json::from_str(&store.run(&["--output", "json", "verify"]).out).expect("is JSON");
    assert_eq!(report["damaged"], true);
    let refused = store.run(&["events", "query"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.talk.contains(".seg"), "{refused:?}");
    assert_eq!(std::fs::read(&segment).expect("is read"), bytes, "nothing was written");
    // More can be stored and found.
    let receipt = store.ok(&["events", "append", "--type", "c"]);
    let id = receipt.split(' ').next().expect("begins with its id");
    assert!(store.ok(&["events", "get", id]).contains("\"c\""));
}
