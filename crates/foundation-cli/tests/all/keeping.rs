//! Looking after a store: verified, copied, restored and replayed as a person does it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::running::{Store, both};

/// A directory beside the store, not made yet.
fn beside(store: &Store, name: &str) -> PathBuf {
    store.directory().with_file_name(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("is text")
}

fn fill(store: &Store) {
    store.ok(&["config", "set", "interface.max_results", "250"]);
    store.ok(&["events", "append", "--type", "order.placed", "--id", "a"]);
    store.ok(&["table", "put", "visits", "ada", "1", "--create"]);
}

/// What was told, without what differs from run to run.
fn shown(told: &str, store: &Store) -> String {
    let folder = store.directory();
    let folder = folder.parent().expect("is in a folder");
    let told = told.replace(text(folder), "…");
    match (told.split_once("  "), told.split_once(" as of ")) {
        (Some((place, _)), Some((_, rest))) => format!("{place}  … files, … as of {rest}"),
        _ => told,
    }
}

#[test]
fn a_backup_is_taken_while_a_node_serves_and_without_one() {
    both(|store| {
        fill(store);
        let copy = beside(store, "copy");
        let last = store.json(&["status"])["journal"]["last"].clone();
        let told = store.ok(&["backup", text(&copy)]);
        let expected = format!("…/copy  … files, … as of position {last}\n");
        assert_eq!(shown(&told, store), expected);
        let mode = std::fs::metadata(&copy).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let manifest = std::fs::read_to_string(copy.join("MANIFEST")).expect("is there");
        assert!(manifest.starts_with("{\n  \"format\": 1,\n  \"store\": \""), "{manifest}");

        let again = store.run(&["backup", text(&copy)]);
        assert_eq!(again.code, Some(2), "{again:?}");
        assert!(again.talk.contains("is not empty"), "{again:?}");
        let inside = store.run(&["backup", text(&store.directory().join("copy"))]);
        assert_eq!(inside.code, Some(2), "{inside:?}");
        assert!(inside.talk.contains("lies in the directory of the store"), "{inside:?}");

        let elsewhere = beside(store, "elsewhere");
        let words = ["restore", text(&copy), "--data", text(&elsewhere)];
        let report = store.json(&words);
        assert_eq!((&report["position"], &report["epoch"]), (&last, &2.into()));
        let there = ["--data", text(&elsewhere)];
        let limit = store.ok(&[&["config", "get", "interface.max_results"][..], &there].concat());
        assert_eq!(limit, "250\n");
        let visits = store.ok(&[&["table", "get", "visits", "ada"][..], &there].concat());
        assert_eq!(visits, "1\n");
        store.ok(&[&["verify"][..], &there].concat());
    });
}

#[test]
fn a_restore_keeps_what_it_replaces_and_asks_before_it_gives_up_records() {
    let store = Store::new();
    fill(&store);
    let copy = beside(&store, "copy");
    store.ok(&["backup", text(&copy)]);
    store.ok(&["events", "append", "--type", "order.placed", "--id", "b"]);
    let refused = store.run(&["restore", text(&copy)]);
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(shown(&refused.talk, &store), @r"
    error[invalid_argument]: the store has records up to position 4, and would end at 3: to give them up, say --allow-rollback
      correct the argument that the message names
    nothing was changed
    ");
    store.ok(&["events", "get", "b"]);
    let told = store.ok(&["restore", text(&copy), "--allow-rollback"]);
    assert!(told.contains("/data  position 3, epoch 2, of "), "{told}");
    assert!(told.ends_with("/data.replaced-4\n"), "{told}");
    assert_eq!(store.run(&["events", "get", "b"]).code, Some(4));
    let kept = beside(&store, "data.replaced-4");
    store.ok(&["events", "get", "b", "--data", text(&kept)]);

    let until = store.ok(&["restore", text(&copy), "--allow-rollback", "--until", "1"]);
    assert!(until.contains("  position 1, epoch 3, "), "{until}");
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "250\n");
    assert_eq!(store.run(&["events", "get", "a"]).code, Some(4));
}

#[test]
fn no_empty_store_takes_the_place_of_one_whose_restore_was_interrupted() {
    let store = Store::new();
    fill(&store);
    let (kept, making) = (beside(&store, "data.replaced-3"), beside(&store, "data.restoring"));
    std::fs::rename(store.directory(), &kept).expect("is renamed");
    std::fs::create_dir(&making).expect("is made");
    let words: [&[&str]; 3] =
        [&["config", "get"], &["config", "set", "log.level", "debug"], &["serve"]];
    for words in words {
        let refused = store.run(words);
        assert_eq!(refused.code, Some(5), "{refused:?}");
        let typed = format!("mv {} {}", kept.display(), store.directory().display());
        assert!(refused.talk.contains(&typed), "{refused:?}");
        assert!(!store.directory().exists());
    }
    std::fs::rename(&kept, store.directory()).expect("is renamed");
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "250\n");
}

#[test]
fn what_an_interrupted_backup_left_is_told_from_what_somebody_else_has_there() {
    let store = Store::new();
    fill(&store);
    let copy = beside(&store, "copy");
    std::fs::create_dir(&copy).expect("is made");
    for name in ["STORE", "00000000000000000001.seg", "MANIFEST.new"] {
        std::fs::write(copy.join(name), "x").expect("is written");
    }
    let refused = store.run(&["backup", text(&copy)]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.talk.contains(&format!("rm -r {}", copy.display())), "{refused:?}");
    for there in [store.directory(), store.file("mine", "x").with_file_name("")] {
        let refused = store.run(&["backup", text(&there)]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(!refused.talk.contains("rm -r"), "{refused:?}");
    }
}

#[test]
fn a_restore_is_refused_while_a_node_serves_and_for_what_is_no_backup() {
    let store = Store::new();
    fill(&store);
    let copy = beside(&store, "copy");
    store.ok(&["backup", text(&copy)]);
    let node = store.serve(&[]);
    let refused = store.run(&["--lock-timeout", "0", "restore", text(&copy)]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    drop(node);
    assert!(!beside(&store, "data.restoring").exists());

    let missing = store.run(&["restore", text(&beside(&store, "nowhere"))]);
    assert_eq!(missing.code, Some(4), "{missing:?}");
    let unfinished = store.run(&["restore", text(&store.directory())]);
    assert_eq!(unfinished.code, Some(4), "{unfinished:?}");
    assert!(unfinished.talk.contains("it has no manifest"), "{unfinished:?}");

    let segment = copy.join("00000000000000000001.seg");
    let bytes = std::fs::read(&segment).expect("is there");
    std::fs::remove_file(&segment).expect("is removed");
    let kept = store.file("kept.seg", &bytes);
    std::os::unix::fs::symlink(&kept, &segment).expect("is made");
    let linked = store.run(&["restore", text(&copy), "--replace"]);
    assert_eq!(linked.code, Some(5), "{linked:?}");
    assert!(linked.talk.contains("is no file"), "{linked:?}");
    std::fs::remove_file(&segment).expect("is removed");
    std::fs::create_dir(&segment).expect("is made");
    assert_eq!(store.run(&["restore", text(&copy), "--replace"]).code, Some(5));
    std::fs::remove_dir(&segment).expect("is removed");
    std::fs::write(&segment, &bytes).expect("is written");
    std::fs::write(copy.join("notes.txt"), "mine").expect("is written");
    let extra = store.run(&["restore", text(&copy), "--replace"]);
    assert_eq!(extra.code, Some(5), "{extra:?}");
    assert!(extra.talk.contains("notes.txt"), "{extra:?}");
    store.ok(&["verify"]);
}

#[test]
fn a_replay_is_every_record_in_order() {
    both(|store| {
        fill(store);
        let lines = store.ok(&["replay"]);
        let types: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("is JSON"))
            .map(|record| format!("{} {}", record["position"], record["type"]))
            .collect();
        // A node tells of its start first.
        let first = types.len() - 3;
        let number = |at: usize| first + at;
        assert_eq!(
            types[first..],
            [
                format!("{} \"foundation.config.changed\"", number(1)),
                format!("{} \"order.placed\"", number(2)),
                format!("{} \"foundation.table.put\"", number(3)),
            ]
        );
        assert_eq!(store.ok(&["replay", "--from", "2", "--until", "2"]).lines().count(), 1);
        assert_eq!(store.ok(&["replay", "--from", "9"]), "");
        let list = store.json(&["replay", "--until", "2"]);
        assert_eq!(list.as_array().map(Vec::len), Some(2));
    });
}

#[test]
fn verification_compares_what_is_derived_and_keeps_to_a_rate() {
    both(|store| {
        fill(store);
        let clean = store.ok(&["verify", "--rate", "1GiB"]);
        assert!(clean.ends_with(": every checksum and chain agrees\n"), "{clean}");
        let refused = store.run(&["verify", "--rate", "0"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
    });
    let store = Store::new();
    fill(&store);
    let index = store.directory().join("00000000000000000001.idx");
    let mut bytes = std::fs::read(&index).expect("is there");
    bytes[5_000] ^= 1;
    std::fs::write(&index, &bytes).expect("is written");
    std::fs::write(store.directory().join("notes.txt"), "mine").expect("is written");
    std::fs::write(store.directory().join("INDEX.new"), "half").expect("is written");
    let found = store.run(&["verify"]);
    assert_eq!(found.code, Some(5));
    let findings: Vec<&str> = found.out.lines().skip(1).collect();
    insta::assert_snapshot!(findings.join("\n"), @r"
    damage  00000000000000000001.idx 5000..5001  an index is not what its segment gives; it can be made again
    note  INDEX.new 0..0  left from a write that was not finished
    note  notes.txt 0..0  it does not belong to the store
    ");
    assert!(found.out.contains(": every record is right, what is derived is not\n"), "{found:?}");
    // What is derived is made again, and nothing was lost.
    store.ok(&["events", "get", "a"]);
}

#[test]
fn a_repair_is_told_then_done_and_recorded() {
    let store = Store::new();
    fill(&store);
    assert_eq!(store.ok(&["repair"]), "there is nothing to repair\n");
    let index = store.directory().join("00000000000000000001.idx");
    std::fs::write(&index, "nonsense").expect("is written");
    std::fs::write(store.directory().join("INDEX.new"), "half").expect("is written");
    std::fs::write(store.directory().join("notes.txt"), "mine").expect("is written");
    let plan = store.ok(&["repair", "--dry-run"]);
    insta::assert_snapshot!(plan, @r"
    would be made again  00000000000000000001.idx 0..8  the index of a segment is damaged: it is cut short; it can be made again
    would be removed  INDEX.new 0..0  left from a write that was not finished
    ");
    assert_eq!(std::fs::read(&index).expect("is there"), b"nonsense");
    let node = store.serve(&[]);
    assert_eq!(store.run(&["--lock-timeout", "0", "repair"]).code, Some(7));
    drop(node);
    std::fs::write(&index, "nonsense").expect("is written");
    let done = store.json(&["repair"]);
    assert_eq!(done["actions"][0]["remedy"], "make_again", "{done}");
    assert!(store.directory().join("notes.txt").exists());
    std::fs::remove_file(store.directory().join("notes.txt")).expect("is removed");
    let clean = store.ok(&["verify"]);
    assert!(clean.ends_with(": every checksum and chain agrees\n"), "{clean}");
    let told = store.ok(&["events", "query", "--type", "foundation.store.repaired"]);
    assert!(told.contains("00000000000000000001.idx"), "{told}");
    assert_eq!(store.ok(&["repair"]), "there is nothing to repair\n");

    let segment = store.directory().join("00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).expect("is there");
    bytes[200] ^= 1;
    std::fs::write(&segment, &bytes).expect("is written");
    assert_eq!(store.run(&["events", "query"]).code, Some(5));
    let plan = store.ok(&["repair", "--dry-run"]);
    assert!(plan.contains("would be bridged  00000000000000000001.seg 64.."), "{plan}");
    let done = store.json(&["repair"]);
    assert_eq!(done["actions"][0]["records_lost"], 1, "{done}");
    let kept = done["actions"][0]["quarantine"].as_str().expect("is kept");
    assert_eq!(kept, "quarantine-00000000000000000001-1");
    assert_eq!(std::fs::read(store.directory().join(kept)).expect("is there"), bytes);
    // The change was lost, what came of it is in the snapshot.
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "250\n");
    let history = store.json(&["config", "history"]);
    assert_eq!(history.as_array().map(Vec::len), Some(0), "{history}");
    store.ok(&["events", "get", "a"]);
    let found = store.ok(&["verify"]);
    assert!(found.contains("positions 1 to 1 were lost to damage"), "{found}");
}

#[test]
fn the_newest_snapshot_is_what_the_log_folds_to() {
    both(|store| {
        let none = store.run(&["replay", "--check"]);
        assert!(matches!(none.code, Some(0 | 4)), "{none:?}");
        fill(store);
        store.ok(&["backup", text(&beside(store, "first"))]);
        store.ok(&["config", "set", "log.level", "debug"]);
        store.ok(&["backup", text(&beside(store, "second"))]);
        let told = store.ok(&["replay", "--check"]);
        assert!(told.starts_with("folded "), "{told}");
        assert!(told.contains(": the snapshot agrees\nagrees  config  sha256 "), "{told}");
        let report = store.json(&["replay", "--check"]);
        assert_eq!(
            (&report["agrees"], &report["states"][1]["name"]),
            (&true.into(), &"tables".into())
        );
    });
}

#[test]
fn a_document_goes_on_behind_a_change_that_was_lost() {
    let store = Store::new();
    for results in ["101", "102", "103"] {
        store.ok(&["config", "set", "interface.max_results", results]);
        store.ok(&["table", "put", "visits", results, "1", "--create"]);
    }
    for entry in std::fs::read_dir(store.directory()).expect("is there") {
        let path = entry.expect("is read").path();
        if path.extension().is_some_and(|end| end == "snap" || end == "idx") {
            std::fs::remove_file(path).expect("is removed");
        }
    }
    let segment = store.directory().join("00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).expect("is there");
    for lost in [&b"\"after\":102"[..], &b"\"key\":102"[..]] {
        let window = bytes.windows(lost.len()).position(|window| window == lost);
        bytes[window.expect("is in there")] ^= 1;
    }
    std::fs::write(&segment, &bytes).expect("is written");
    let done = store.json(&["repair"]);
    let lost: u64 = done["actions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|action| action["records_lost"].as_u64().expect("a number"))
        .sum();
    assert_eq!(lost, 2, "{done}");
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "103\n");
    assert_eq!(store.ok(&["config", "get", "interface.max_results", "--at", "1"]), "101\n");
    let history = store.json(&["config", "history"]);
    let versions: Vec<u64> = history
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| change["version"].as_u64().expect("a number"))
        .collect();
    assert_eq!(versions, [1, 3], "the second was lost");
    assert_eq!(store.json(&["config", "history", "--limit", "2"]), history);
    let refused = store.run(&["config", "get", "interface.max_results", "--at", "2"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.talk.contains("lost to damage"), "{refused:?}");
    assert_eq!(store.ok(&["table", "get", "visits", "103"]), "1\n");
    assert_eq!(store.run(&["table", "get", "visits", "102"]).code, Some(4));
    store.ok(&["config", "set", "interface.max_results", "104"]);
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "104\n");
    assert!(store.ok(&["replay", "--check"]).contains(": the snapshot agrees"));
}

#[test]
fn a_checkpoint_tells_up_to_where_a_start_need_not_read() {
    both(|store| {
        store.ok(&["config", "set", "log.level", "warn"]);
        let position = store.json(&["checkpoint"]);
        assert!(position.as_u64() >= Some(1), "{position}");
        let told = store.ok(&["checkpoint"]);
        assert!(told.starts_with("everything up to position "), "{told}");
        store.ok(&["verify"]);
    });
}

#[test]
fn a_directory_with_the_name_of_a_snapshot_or_an_index_is_in_nobodys_way() {
    let store = Store::new();
    store.ok(&["config", "set", "interface.max_results", "7"]);
    store.ok(&["config", "set", "log.level", "warn"]);
    let names = std::fs::read_dir(store.directory()).expect("is there");
    for name in names.map(|entry| entry.expect("reads").path()) {
        if name.extension().is_some_and(|kind| kind == "snap" || kind == "idx") {
            std::fs::remove_file(&name).expect("is removed");
            std::fs::create_dir(&name).expect("is made");
        }
    }
    assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "7\n");
    store.ok(&["config", "set", "log.level", "debug"]);
    assert_eq!(store.ok(&["config", "get", "log.level"]), "debug\n");
    let snapshots = || {
        let names = std::fs::read_dir(store.directory()).expect("is there");
        let files = names.filter_map(|one| one.ok()).filter(|one| one.path().is_file());
        files.filter(|one| one.path().extension().is_some_and(|kind| kind == "snap")).count()
    };
    assert_eq!(snapshots(), 1, "the next snapshot is taken all the same");
}
