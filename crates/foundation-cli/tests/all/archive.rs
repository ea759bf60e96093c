//! The archive of the log: filled, listed, verified, read and emptied as a person does it.

use std::fmt::Write;

use super::running::{Store, both, redacted};

/// Events so large that they fill a file of the log, and snapshots that have it.
fn fill(store: &Store) {
    let mut lines = String::new();
    for number in 10..40 {
        let text = format!("{number} ").repeat(280_000);
        writeln!(lines, r#"{{"type":"order.placed","id":"order-{number}","data":"{text}"}}"#)
            .expect("memory takes it");
    }
    let file = store.file("orders.ndjson", lines);
    store.ok(&["events", "import", file.to_str().expect("is text")]);
    for id in ["a", "b"] {
        store.ok(&["events", "append", "--type", "order.sent", "--id", id]);
        store.ok(&["checkpoint"]);
    }
}

/// The text without what depends on how bytes are compressed.
fn shown(told: &str, store: &Store) -> String {
    let told = redacted(told, store);
    let mut words: Vec<&str> = told.split(' ').collect();
    for at in 1..words.len() {
        if words[at].trim_end() == "kB" || words[at].trim_end() == "KiB" {
            words[at - 1] = "[size]";
        }
    }
    words.join(" ")
}

#[test]
fn a_full_file_goes_to_the_archive_is_read_there_and_comes_back() {
    both(|store| {
        fill(store);
        let first = store.ok(&["events", "get", "order-13"]);
        let refused = store.run(&["events", "archive"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.talk.contains("--keep-segments 4"), "{refused:?}");
        let none = store.ok(&["events", "archive", "--older-than", "1d"]);
        assert_eq!(none, "nothing goes to the archive now\n");
        let plan = store.ok(&["events", "archive", "--keep-segments", "0", "--dry-run"]);
        assert!(plan.starts_with("would archive 1 segment, "), "{plan}");
        let (data, archive) = (store.directory(), store.directory().join("archive"));
        let file = |suffix| format!("00000000000000000001.{suffix}");
        assert!(!archive.exists() && data.join(file("seg")).exists());

        let told = store.ok(&["events", "archive", "--keep-segments", "0"]);
        assert!(told.starts_with("archived 1 segment, "), "{told}");
        assert!(archive.join(file("arc")).exists() && !data.join(file("seg")).exists());
        assert_eq!(store.ok(&["events", "get", "order-13"]), first);
        let rows = store.json(&["events", "archive", "list"]);
        assert_eq!((&rows[0]["name"], &rows[0]["first"]), (&file("arc").into(), &1.into()));
        assert!(rows[0]["stored"].as_u64() < rows[0]["bytes"].as_u64());
        let list = shown(&store.ok(&["events", "archive", "list"]), store);
        assert!(list.starts_with("00000000000000000001.arc  1 to "), "{list}");
        assert!(list.ends_with(" MiB  [size] KiB  up to [time]\n"), "{list}");
        let events = store.ok(&["events", "query", "--type", "foundation.log.archived"]);
        assert!(events.contains(&file("seg")), "{events}");
        let status = store.json(&["status"]);
        assert_eq!(status["journal"]["archived_segments"], 1);
        for words in [&["events", "archive", "verify"][..], &["verify"]] {
            assert!(store.ok(words).contains("every checksum and chain agrees"), "{words:?}");
        }

        let away = archive.with_file_name("elsewhere");
        std::fs::rename(&archive, &away).expect("is moved");
        let missing = store.run(&["events", "get", "order-13"]);
        assert_eq!(missing.code, Some(7), "{missing:?}");
        assert!(missing.talk.contains("error[archive_missing]"), "{missing:?}");
        assert_eq!(store.run(&["events", "archive", "verify"]).code, Some(5));
        let status = store.json(&["status"]);
        assert_eq!(status["journal"]["archive_missing"][0], file("arc"));
        assert_eq!(status["health"]["state"], "degraded");
        store.ok(&["events", "get", "b"]);
        std::fs::rename(&away, &archive).expect("is moved");

        let told = store.ok(&["events", "archive", "restore"]);
        assert!(told.starts_with("brought back 1 segment, "), "{told}");
        assert!(!archive.join(file("arc")).exists() && data.join(file("seg")).exists());
        assert_eq!(store.ok(&["events", "get", "order-13"]), first);
        store.ok(&["verify"]);
        let copy = store.directory().with_file_name("copy");
        store.ok(&["events", "archive", "--keep-segments", "0"]);
        store.ok(&["backup", copy.to_str().expect("is text")]);
        assert!(copy.join(file("seg")).exists());
    });
}

#[test]
fn a_damaged_file_that_does_not_come_back_is_told_with_what_did() {
    both(|store| {
        fill(store);
        store.ok(&["events", "archive", "--keep-segments", "0"]);
        let archived = store.directory().join("archive").join("00000000000000000001.arc");
        let mut bytes = std::fs::read(&archived).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&archived, bytes).expect("writes");
        let ran = store.run(&["events", "archive", "restore"]);
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert!(
            ran.talk.contains("nothing came back; 1 did not, 00000000000000000001.arc"),
            "{ran:?}"
        );
    });
}

#[test]
fn a_repair_gives_up_nothing_of_an_archive_that_is_away_unless_told_to() {
    let store = Store::new();
    fill(&store);
    store.ok(&["events", "archive", "--keep-segments", "0"]);
    let first = store.ok(&["events", "get", "order-13"]);
    let (data, archive) = (store.directory(), store.directory().join("archive"));
    let manifest = std::fs::read(data.join("ARCHIVE")).expect("reads");
    let away = archive.with_file_name("elsewhere");
    std::fs::remove_file(data.join("ARCHIVE")).expect("is removed");
    std::fs::rename(&archive, &away).expect("is moved");
    let unopened = store.run(&["events", "get", "order-13"]);
    assert_eq!(unopened.code, Some(5), "{unopened:?}");
    assert!(unopened.talk.contains("ARCHIVE, which says "), "{unopened:?}");
    assert!(unopened.talk.contains("foundation repair --dry-run"), "{unopened:?}");
    for words in [&["repair", "--dry-run"][..], &["repair"], &["repair"]] {
        let left = store.run(words);
        assert_eq!(left.code, Some(5), "{words:?} {left:?}");
        let told = left.out.contains("left  00000000000000000001.arc 0..0  positions 1 to ");
        assert!(told && left.out.contains("repair --give-up-archived"), "{left:?}");
        assert!(!left.out.contains("lost"), "{left:?}");
    }
    std::fs::rename(&away, &archive).expect("is moved back");
    let done = store.ok(&["repair"]);
    assert!(done.starts_with("made again  ARCHIVE "), "{done}");
    assert_eq!(std::fs::read(data.join("ARCHIVE")).expect("reads"), manifest);
    assert_eq!(store.ok(&["events", "get", "order-13"]), first);

    std::fs::remove_dir_all(&archive).expect("is removed");
    assert_eq!(store.run(&["repair"]).code, Some(5));
    let plan = store.ok(&["repair", "--give-up-archived", "--dry-run"]);
    assert!(plan.contains("would be bridged  00000000000000000001.seg "), "{plan}");
    let done = store.ok(&["repair", "--give-up-archived"]);
    assert_eq!(done.replace("made", "would be made").replace("bridged", "would be bridged"), plan);
    assert_eq!(store.run(&["events", "get", "order-13"]).code, Some(4));
    store.ok(&["events", "get", "b"]);
    assert_eq!(store.ok(&["repair"]), "there is nothing to repair\n");
}
