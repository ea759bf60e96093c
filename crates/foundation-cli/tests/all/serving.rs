//! A node in the foreground: what it says, how it is changed while it runs, how it ends.

use std::process::{Command, Stdio};

use super::running::{Node, Store, objects, redacted, send};

#[test]
fn a_node_stops_cleanly_by_either_signal() {
    for signal in ["INT", "TERM"] {
        let store = Store::new();
        let node = store.serve(&[]);
        let pid = node.pid();
        let status = store.json(&["status"]);
        assert_eq!((&status["serving"], &status["pid"]), (&true.into(), &pid.into()));
        let ended = node.end_by(signal);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.talk.ends_with("stopped, everything is durable\n"), "{ended:?}");
        let status = store.json(&["status"]);
        assert_eq!(status["serving"], false);
        let events = objects(&store.ok(&["events", "query"]));
        assert_eq!(events[0]["data"]["pid"], pid);
        let types: Vec<_> =
            events.iter().map(|event| event["type"].as_str().expect("text").to_owned()).collect();
        assert_eq!(types, ["foundation.node.started", "foundation.node.stopping"]);
    }
}

#[test]
fn a_signal_that_is_sent_twice_at_once_is_one_wish() {
    let store = Store::new();
    let mut node = store.serve(&[]);
    send("STOP", node.pid());
    send("INT", node.pid());
    send("TERM", node.pid());
    send("CONT", node.pid());
    node.says(|line| line == "stopping\n");
    node.says(|line| line == "stopped, everything is durable\n");
}

#[test]
fn a_node_that_cannot_write_any_more_says_so_in_its_log() {
    let store = Store::new();
    // The limit is larger than a new segment and smaller than what is written.
    let mut node = Node::in_shell("trap '' XFSZ; ulimit -f 1024", &store.command(&["serve"]));
    let line = format!("{{\"type\": \"a\", \"data\": \"{}\"}}\n", "x".repeat(1_000));
    let ran = store.feed(&["events", "import", "-"], line.repeat(3_000));
    assert!(matches!(ran.code, Some(7 | 8)), "{ran:?}");
    node.says(|line| line.contains("ERROR") && line.contains("journal"));
    assert_eq!(store.json(&["status"])["health"]["state"], "failed");
    store.ok(&["events", "query", "--limit", "1"]);
}

#[test]
fn a_directory_is_served_once() {
    let store = Store::new();
    let _node = store.serve(&[]);
    let second = store.run(&["--lock-timeout", "0", "serve"]);
    assert_eq!(second.code, Some(7), "{second:?}");
}

#[test]
fn the_log_follows_its_level() {
    let store = Store::new();
    let mut node = store.serve(&[]);
    store.ok(&["config", "set", "log.level", "debug"]);
    node.says(|line| line.contains("the log level was changed level=Debug"));
    store.ok(&["config", "set", "interface.max_results", "7"]);
    node.says(|line| line.contains("DEBUG"));
    store.ok(&["config", "set", "log.level", "off"]);
    store.ok(&["config", "set", "interface.max_results", "8"]);
    let ended = node.end_by("TERM");
    assert_eq!(ended.talk.lines().last(), Some("stopped, everything is durable"), "{ended:?}");
    let after = ended.talk.split("version=3").nth(1).unwrap_or_default();
    assert!(!after.contains("version=4"), "off means off: {ended:?}");
}

#[test]
fn a_log_that_nobody_reads_does_not_end_the_node() {
    let store = Store::new();
    let mut node = store.serve(&[]);
    node.hang_up();
    store.ok(&["config", "set", "log.level", "trace"]);
    for id in ["1", "2", "3"] {
        store.ok(&["events", "append", "--type", "a", "--id", id]);
    }
    let status = store.json(&["status"]);
    assert_eq!((&status["serving"], &status["health"]["state"]), (&true.into(), &"ok".into()));
    let ended = node.end_by("TERM");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn metrics_live_in_a_running_node_and_are_kept_when_it_stops() {
    let store = Store::new();
    let none = store.run(&["metrics", "show"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.talk.contains("no node serves"), "{none:?}");
    let node = store.serve(&[]);
    store.ok(&["events", "append", "--type", "a"]);
    let all = store.json(&["metrics", "show"]);
    assert!(all.as_array().expect("a list").len() > 3);
    let some = store.ok(&["metrics", "show", "foundation.events.append"]);
    assert!(some.starts_with("foundation.events.append_seconds  count "), "{some}");
    assert_eq!(some.lines().count(), 1);
    assert_eq!(store.ok(&["metrics", "show", "nothing"]), "");
    node.end_by("TERM");
    store.ok(&["events", "append", "--type", "a"]);
    let kept = store.run(&["metrics", "show", "foundation.events.append"]);
    assert!(kept.out.starts_with("foundation.events.append_seconds  count "), "{kept:?}");
    assert!(kept.talk.contains("this is what one had counted from "), "{kept:?}");
}

#[test]
fn a_status_is_for_people_too() {
    let store = Store::new();
    store.ok(&["events", "append", "--type", "a"]);
    let text = redacted(&store.ok(&["status"]), &store);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("journal")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    serving   no
    health    ok
    store     [id] in [data]
    document  foundation at version 0
    events    the last at position 1, 0 in memory
    ");
}

#[test]
fn the_demo_shows_something_and_says_what_to_type_next() {
    let store = Store::new();
    let mut node = store.serve(&["--demo"]);
    let shown = node.says(|line| line.contains("config set"));
    assert!(shown.contains("host.process.observed"), "{shown}");
    assert!(shown.contains("foundation.host.memory_bytes"), "{shown}");
    let next: Vec<&str> =
        shown.split("next, in another terminal\n").nth(1).expect("is said").lines().collect();
    assert_eq!(next.len(), 3, "{shown}");
    for line in next {
        let ran = Command::new("sh").arg("-c").arg(line).stdin(Stdio::null()).output();
        let ran = ran.expect("there is a shell");
        assert!(ran.status.success(), "{line}: {ran:?}");
        assert!(!ran.stdout.is_empty(), "{line}: {ran:?}");
    }
    let count = |node: &mut Node, text: &str| -> u64 {
        let said = node.says(|line| line.contains("known before"));
        let (_, number) = said.split_once(text).expect("is said");
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    assert_eq!(node.end_by("TERM").code, Some(0));
    let mut node = store.serve(&["--demo"]);
    assert!(count(&mut node, " new, ") > 0, "the same process is not stored twice");
}
