//! Letting go of old records: planned, held back, forced.

use std::fmt::Write;
use std::time::Duration;

use foundation::{EventQuery, Foundation};

use super::running::{Store, both, objects, redacted};

/// A consumer that has had nothing.
fn with_consumer(store: &Store) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let foundation = Foundation::builder(store.directory()).start().await.expect("starts");
        let filter = EventQuery::all().stream("events");
        drop(foundation.events().consumer("billing").filter(filter).open().await.expect("opens"));
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    });
}

/// A full file of the log, and snapshots that have it.
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

#[test]
fn what_nobody_holds_goes_and_what_a_consumer_holds_goes_by_force_only() {
    let gaps = std::cell::Cell::new(0);
    both(|store| {
        fill(store);
        assert_eq!(store.run(&["events", "prune"]).code, Some(2));
        let none = store.ok(&["events", "prune", "--older-than", "1d"]);
        assert_eq!(none, "nothing goes: only full files of the log do, and none is beyond that\n");
        let plan = store.ok(&["events", "prune", "--keep", "3", "--dry-run"]);
        assert!(plan.starts_with("would let go of 1 segment, "), "{plan}");
        store.ok(&["events", "get", "order-13"]);
        let told = store.ok(&["events", "prune", "--keep", "3"]);
        assert!(told.starts_with("let go of 1 segment, "), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert_eq!(store.run(&["events", "get", "order-13"]).code, Some(4));
        let first = store.run(&["events", "query", "--limit", "1"]);
        // A node that runs still has in memory what its log let go of.
        let is_whole = objects(&first.out)[0]["position"] == 1;
        assert_eq!(first.talk.is_empty(), is_whole, "{first:?}");
        assert!(is_whole || first.talk.starts_with("gap: events up to position "), "{first:?}");
        gaps.set(gaps.get() + usize::from(!is_whole));
        let events = store.ok(&["events", "query", "--type", "foundation.log.dropped"]);
        assert_eq!(events.lines().count(), 1, "{events}");
        store.ok(&["verify"]);
    });
    assert!(gaps.get() > 0, "on a directory the gap is told");
}

#[test]
fn a_consumer_is_named_and_gone_past_only_if_that_is_said() {
    let serve = [false, true];
    for is_served in serve {
        let store = Store::new();
        with_consumer(&store);
        fill(&store);
        let _node = is_served.then(|| store.serve(&[]));
        let held = redacted(&store.ok(&["events", "prune", "--keep", "3"]), &store);
        let lines: Vec<&str> = held.lines().collect();
        assert!(lines[0].starts_with("nothing goes: "), "{held}");
        assert!(lines[0].ends_with(" records are held back"), "{held}");
        assert!(
            lines[1].starts_with("held back: consumer billing needs what comes after"),
            "{held}"
        );
        assert_eq!(lines.len(), 2, "{held}");

        let plan = store.json(&["events", "prune", "--keep", "3", "--dry-run", "--force"]);
        assert_eq!((&plan["applied"], &plan["segments"]), (&false.into(), &1.into()));
        assert_eq!(plan["held_by"][0]["kind"], "consumer");
        store.ok(&["events", "get", "order-13"]);
        let told = store.ok(&["events", "prune", "--keep", "3", "--force"]);
        assert!(told.contains("gone past: consumer billing has had nothing after"), "{told}");
        let missed = plan["missed"][0]["records"].as_u64().expect("a number");
        assert!(told.contains(&format!("consumer billing misses {missed} records")), "{told}");
        let event = store.json(&["events", "query", "--type", "foundation.consumer.skipped"]);
        assert_eq!(event[0]["subject"], "billing");
        assert_eq!(event[0]["data"]["records"].as_u64(), Some(missed));
        assert_eq!(store.run(&["events", "get", "order-13"]).code, Some(4));
        store.ok(&["verify"]);
    }
}

#[test]
fn what_lived_its_time_is_let_go_of_on_demand() {
    both(|store| {
        let ttl = r#"{"types": "order.placed", "seconds": 1}"#;
        fill(store);
        let lives = store.ok(&["events", "prune", "--expired"]);
        assert_eq!(lives, "nothing goes: only full files of the log do, and none is beyond that\n");
        store.ok(&["config", "set", "events.ttl.order", ttl]);
        // Recorded before, and a second is over some time.
        let plan = || store.json(&["events", "prune", "--expired", "--dry-run"]);
        let planned = std::iter::repeat_with(plan).take(2_000);
        let mut found = planned.filter(|plan| plan["records"].as_u64() > Some(0));
        let plan = found.next().expect("a second is over");
        assert!(plan["expired"].as_u64() > Some(10), "{plan}");
        let told = store.ok(&["events", "prune", "--expired"]);
        assert!(told.starts_with("let go of 1 segment, "), "{told}");
        assert!(told.contains("events had lived their time"), "{told}");
        let event =
            store.json(&["events", "query", "--type", "foundation.events.cleanup_complete"]);
        assert_eq!(event[0]["data"]["expired"], plan["expired"]);
        store.ok(&["verify"]);
    });
}

#[test]
fn the_history_of_a_document_outlives_the_log_as_long_as_its_setting_says() {
    both(|store| {
        for results in ["7", "8", "9"] {
            store.ok(&["config", "set", "interface.max_results", results, "--reason", "try"]);
        }
        let history = || store.ok(&["config", "history", "--limit", "100"]);
        let before = history();
        assert!(before.lines().count() >= 3, "{before}");
        fill(store);
        let told = store.ok(&["events", "prune", "--keep", "3"]);
        assert!(told.starts_with("let go of 1 segment, "), "{told}");
        assert_eq!(history(), before);
        assert_eq!(store.json(&["config", "get", "interface.max_results", "--at", "2"]), 8);
        store.ok(&["verify"]);
        // Without a history beside the log it begins where the log does.
        store.ok(&["config", "set", "config.history.versions", "0"]);
        // A node that is running follows its settings a moment later.
        let mut ran = std::iter::repeat_with(|| {
            store.run(&["config", "get", "interface.max_results", "--at", "2"])
        });
        let ran = ran.find(|ran| ran.code != Some(0)).expect("goes on");
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.talk.contains("the first change that is kept made version 4"), "{ran:?}");
    });
}
