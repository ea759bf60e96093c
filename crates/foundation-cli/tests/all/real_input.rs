//! Two thousand real log lines: stored, found, and there after a kill.

use std::io::Write;
use std::path::PathBuf;

use super::running::{Store, objects, shared};

const TYPE: &str = "nova.virt.libvirt.imagecache";
const CORRELATION: &str = "req-addc1839-2ed5-4778-b57e-5854eb7b8b09";

/// The real lines, where this machine has them.
fn real_lines() -> Option<PathBuf> {
    let found = shared("data/openstack_2k.ndjson");
    if found.is_none() {
        // Past the capture of the test runner: a test that does nothing says so.
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no shared/data/openstack_2k.ndjson");
    }
    found
}

fn assert_counts(store: &Store) {
    let count = |words: &[&str]| objects(&store.ok(&[&["events", "query"], words].concat())).len();
    assert_eq!(count(&["--type", TYPE]), 336);
    assert_eq!(count(&["--correlation", CORRELATION]), 398);
    assert_eq!(count(&["--type", TYPE, "--limit", "7"]), 7);
}

#[test]
fn real_lines_are_stored_in_a_directory() {
    let Some(file) = real_lines() else { return };
    let store = Store::new();
    let words = ["--output", "json", "events", "import", file.to_str().expect("is UTF-8")];
    let report: serde_json::Value = serde_json::from_str(&store.ok(&words)).expect("is one object");
    assert_eq!(report["accepted"], 2_000);
    assert_counts(&store);
    let trace = store.ok(&["events", "trace", CORRELATION]);
    assert_eq!(trace.lines().count(), 399, "a header and a line for each event");
}

#[test]
fn real_lines_survive_the_kill_of_the_node_that_acked_them() {
    let Some(file) = real_lines() else { return };
    let store = Store::new();
    let node = store.serve(&[]);
    let words = ["events", "import", file.to_str().expect("is UTF-8"), "--acks"];
    let acks = store.ok(&words);
    let mut positions: Vec<u64> =
        acks.lines().map(|line| line.parse().expect("a position")).collect();
    assert_counts(&store);
    node.kill_9();
    assert_counts(&store);
    positions.dedup();
    assert_eq!(positions.len(), 2_000);
    store.ok(&["verify"]);
    let node = store.serve(&[]);
    assert_counts(&store);
    node.kill_9();
}

#[test]
fn real_lines_with_ids_are_stored_once() {
    let Some(file) = real_lines() else { return };
    let lines = std::fs::read_to_string(file).expect("is read");
    let with_id =
        |(nth, line): (usize, &str)| line.replacen('{', &format!("{{\"id\": \"l-{nth}\", "), 1);
    let lines: Vec<String> = lines.lines().enumerate().map(with_id).collect();
    let store = Store::new();
    let import = |lines: &[String]| store.feed(&["events", "import", "-"], lines.join("\n"));
    assert!(import(&lines).ok().starts_with("accepted 2,000, repeated 0, refused 0 "));
    let node = store.serve(&[]);
    assert!(import(&lines).ok().starts_with("accepted 0, repeated 2,000, refused 0 "));
    let mut changed = lines[..10].to_vec();
    changed[4] = changed[4].replace("\"level\": \"INFO\"", "\"level\": \"WARN\"");
    let ran = import(&changed);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.out.starts_with("accepted 0, repeated 9, refused 1 "), "{ran:?}");
    assert!(ran.talk.contains("line 5: refused[event.id_reused]"), "{ran:?}");
    assert_counts(&store);
    drop(node);
}
