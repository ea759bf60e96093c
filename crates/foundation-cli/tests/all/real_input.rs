//! Two thousand real log lines: stored, found, and there after a kill.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::running::{Store, objects, shared};

const TYPE: &str = "nova.virt.libvirt.imagecache";
const CORRELATION: &str = "req-addc1839-2ed5-4778-b57e-5854eb7b8b09";

/// The real lines, where this machine has them.
pub(crate) fn real_lines() -> Option<PathBuf> {
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
    let lines = trace.lines().filter(|line| line.contains("─ "));
    assert_eq!(lines.count(), 398, "a line for each event");
}

/// How many lines have each of these values, counted without the program.
fn naive(file: &Path, group: impl Fn(&Value) -> Vec<String>) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(file).expect("is read").lines() {
        let line: Value = serde_json::from_str(line).expect("is JSON");
        *counts.entry(group(&line)).or_insert(0) += 1;
    }
    counts
}

/// The counts of the program's rows by what is under these names.
fn told(rows: &str, names: &[&str]) -> BTreeMap<Vec<String>, u64> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| {
        let group = names.iter().map(|name| text(row, name)).collect();
        (group, row["count"].as_u64().expect("a count"))
    };
    objects(rows).iter().map(row).collect()
}

#[test]
fn real_lines_are_counted_as_a_plain_count_does() {
    let Some(file) = real_lines() else { return };
    let store = Store::new();
    store.ok(&["events", "import", file.to_str().expect("is UTF-8")]);
    let _node = store.serve(&[]);
    let rows = |words: &[&str]| {
        store.ok(&[&["--output", "ndjson", "events", "aggregate"], words].concat())
    };
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let lines = ["--until", "2018-01-01T00:00:00Z"];
    let by = ["--by", "type", "--by", "data.level"];
    let expected = naive(&file, |line| vec![text(&line["type"]), text(&line["data"]["level"])]);
    assert_eq!(told(&rows(&[&lines[..], &by[..]].concat()), &["type", "data.level"]), expected);
    let by = ["--by", "source", "--window", "1m"];
    let expected = naive(&file, |line| {
        let minute: String = text(&line["time"]).chars().take(16).collect();
        vec![format!("{minute}:00Z"), text(&line["source"])]
    });
    assert_eq!(told(&rows(&[&lines[..], &by[..]].concat()), &["from", "source"]), expected);
    let expected = naive(&file, |line| vec![text(&line["correlation_id"])]);
    assert_eq!(
        told(&rows(&[&lines[..], &["--by", "correlation"]].concat()), &["correlation"]),
        expected
    );

    let shown = |words: &[&str]| store.ok(&[&["events", "aggregate"], &lines[..], words].concat());
    insta::assert_snapshot!(shown(&["--by", "source", "--by", "data.level", "--measure", "count",
        "--measure", "rate"]), @r"
        2,000 events from 2017-05-16T00:00:00.008Z to 2017-05-16T00:14:47.687Z
        source          data.level  count      rate
        nova-api        INFO        1,060   1.19413
        nova-compute    INFO          902   1.01613
        nova-compute    WARNING        31  0.034923
        nova-scheduler  INFO            7  0.007886
        ");
    insta::assert_snapshot!(shown(&["--type", "nova.osapi_compute.wsgi.server", "--window", "5m",
        "--measure", "count", "--measure", "p50:data.pid", "--measure", "max:data.message"]), @r"
        809 events from 2017-05-16T00:00:00.008Z to 2017-05-16T00:14:47.687Z
        from                  to                    count  p50:data.pid  max:data.message
        2017-05-16T00:00:00Z  2017-05-16T00:05:00Z    278         25751                 -
        2017-05-16T00:05:00Z  2017-05-16T00:10:00Z    270         25746                 -
        2017-05-16T00:10:00Z  2017-05-16T00:15:00Z    261         25746                 -
        data.message: 0 numbers, missing 0, something else 809
        ");
    insta::assert_snapshot!(shown(&["--type", "nova.scheduler.host_manager", "--session-gap", "2m",
        "--by", "source"]), @r"
        7 events from 2017-05-16T00:00:57.129Z to 2017-05-16T00:13:09.162Z
        from                      to                        source          count
        2017-05-16T00:00:57.129Z  2017-05-16T00:00:57.129Z  nova-scheduler      1
        2017-05-16T00:02:58.484Z  2017-05-16T00:02:58.484Z  nova-scheduler      1
        2017-05-16T00:04:59.397Z  2017-05-16T00:04:59.397Z  nova-scheduler      1
        2017-05-16T00:07:00.405Z  2017-05-16T00:07:00.405Z  nova-scheduler      1
        2017-05-16T00:09:04.153Z  2017-05-16T00:09:04.153Z  nova-scheduler      1
        2017-05-16T00:11:05.153Z  2017-05-16T00:11:05.153Z  nova-scheduler      1
        2017-05-16T00:13:09.162Z  2017-05-16T00:13:09.162Z  nova-scheduler      1
        ");
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
