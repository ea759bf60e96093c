//! Consumers, parked events and projections as an operator sees them.

use std::time::Duration;

use foundation::events::{Projection, Recorded};
use foundation::{Error, Event, EventQuery, Foundation};

use super::running::{Store, objects};

struct Count;

impl Projection for Count {
    const NAME: &'static str = "count";
    const VERSION: u32 = 1;
    type State = u64;

    fn apply(state: &mut u64, _: &Recorded) -> Result<(), Error> {
        *state += 1;
        Ok(())
    }
}

/// A store whose consumer has taken one event and parked two.
fn with_parked(store: &Store) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let builder = Foundation::builder(store.directory()).projection::<Count>();
        let foundation = builder.start().await.expect("starts");
        let events = foundation.events();
        for (number, kind) in ["paid", "paid", "sent"].into_iter().enumerate() {
            events
                .append(Event::new(kind).id(format!("e{number}").as_str()))
                .await
                .expect("stored");
        }
        let filter = EventQuery::all().stream("events");
        let consumer = events.consumer("billing").filter(filter).open().await.expect("opens");
        consumer.next().await.expect("one").ack().expect("in time");
        consumer.next().await.expect("one").park("no such account").expect("in time");
        consumer.next().await.expect("one").park("no such account").expect("in time");
        while consumer.status().parked < 2 {
            tokio::task::yield_now().await;
        }
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    });
}

/// The same on a directory and on a node that serves it, each on a store of its own.
fn both(check: impl Fn(&Store)) {
    let store = Store::new();
    with_parked(&store);
    check(&store);
    let store = Store::new();
    with_parked(&store);
    let _node = store.serve(&[]);
    check(&store);
}

#[test]
fn parked_events_are_listed_brought_back_and_dropped() {
    both(|store| {
        let told = store.ok(&["events", "consumers"]);
        assert!(told.starts_with("billing  at "), "{told}");
        assert!(told.contains("  0 in flight  0 waiting  2 parked  not at work"), "{told}");
        let rows = objects(&store.ok(&["--output", "ndjson", "events", "parked", "billing"]));
        assert_eq!((&rows[0]["id"], &rows[1]["id"]), (&"e1".into(), &"e2".into()));
        assert_eq!(rows[0]["cause"], "no such account");
        let told = store.ok(&["events", "parked", "--type", "sent"]);
        assert!(told.contains("  sent  in events  1 attempt until "), "{told}");
        assert_eq!(told.lines().count(), 1);

        let ran = store.run(&["events", "parked", "retry", "billing", "--limit", "1", "--dry-run"]);
        assert!(ran.talk.contains("1 event would be handed out once more"), "{ran:?}");
        let rows = store.json(&["events", "parked"]);
        assert_eq!(rows[0]["retrying"], serde_json::Value::Null);
        let ran = store.run(&["events", "parked", "retry", "billing", "--limit", "1"]);
        assert!(ran.talk.contains("1 event handed out once more"), "{ran:?}");
        assert_eq!(store.json(&["events", "parked"])[0]["retrying"], true);

        let ran = store.run(&["events", "parked", "drop", "--type", "sent"]);
        assert!(ran.talk.contains("1 event dropped"), "{ran:?}");
        assert_eq!(store.json(&["events", "parked"]).as_array().map(Vec::len), Some(1));
        let ran = store.run(&["events", "consumers", "--delete", "biling"]);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert_eq!(store.run(&["events", "consumers", "--release", "billing"]).code, Some(0));
        assert!(store.ok(&["events", "consumers"]).contains("not at work, holds nothing"));
        assert_eq!(store.run(&["events", "consumers", "--delete", "billing"]).code, Some(0));
        assert_eq!(store.ok(&["events", "consumers"]), "");
        assert_eq!(store.ok(&["events", "parked"]), "");
    });
}

#[test]
fn a_slip_in_a_name_or_a_pattern_touches_nothing() {
    both(|store| {
        for words in [
            &["events", "parked", "biling"][..],
            &["events", "parked", "retry", "biling", "--dry-run"],
            &["events", "parked", "retry", "biling"],
            &["events", "parked", "drop", "biling"],
            &["events", "consumers", "--resume", "biling"],
        ] {
            let ran = store.run(words);
            assert_eq!(ran.code, Some(4), "{ran:?}");
            assert!(ran.talk.contains("no consumer \"biling\", did you mean billing?"), "{ran:?}");
        }
        for words in [["parked", "--type", ""], ["parked", "--type", "**"]] {
            assert_eq!(store.run(&[&["events"][..], &words].concat()).code, Some(2), "{words:?}");
        }
        let none = store.run(&["events", "parked", "drop", "--type", "zz*"]);
        assert!(none.talk.contains("0 events dropped"), "{none:?}");
        let ran = store.run(&["events", "parked", "drop", "--type", "pa*"]);
        assert!(ran.talk.contains("1 event dropped"), "{ran:?}");
    });
}

#[test]
fn the_places_of_consumers_are_no_events_that_people_look_for() {
    both(|store| {
        let own = |words: &[&str]| -> (usize, usize) {
            let all = objects(&store.ok(&[&["events", "query"], words].concat()));
            let streams = all.iter().map(|one| one["stream"].as_str().expect("is text"));
            let own = streams.filter(|stream| stream.starts_with("table/foundation.")).count();
            (own, all.len())
        };
        let (none, shown) = own(&[]);
        assert_eq!(none, 0);
        let (hidden, all) = own(&["--all"]);
        assert!(hidden > 0 && hidden + shown == all, "{hidden} of {all}");
        assert_eq!(own(&["--type", "foundation.table.*"]).0, hidden);
        assert!(own(&["--stream", "table/foundation.consumers"]).0 > 0);
        // A limit counts what is shown.
        for limit in 1..=all {
            let text = limit.to_string();
            assert_eq!(own(&["--limit", &text]).1, limit.min(shown), "{limit}");
            assert_eq!(own(&["--limit", &text, "--order", "desc"]).1, limit.min(shown), "{limit}");
        }
        store.ok(&["config", "set", "interface.max_results", "1"]);
        assert_eq!(own(&["--limit", "2", "--stream", "events"]), (0, 2));
        assert_eq!(own(&["--type", "*"]).0, 0);
    });
}

#[test]
fn projections_are_listed_and_own_tables_are_out_of_reach() {
    both(|store| {
        let told = store.ok(&["events", "projections"]);
        assert!(told.starts_with("count  version 1  at "), "{told}");
        assert!(told.trim_end().ends_with("served as it was left"), "{told}");
        assert_eq!(store.ok(&["events", "projections", "show", "count"]).trim(), "3");
        let ran = store.run(&["events", "projections", "rebuild", "count"]);
        assert!(ran.talk.contains("count version 1 is made anew when an application"), "{ran:?}");
        let told = store.ok(&["events", "projections"]);
        assert!(told.trim_end().ends_with("as it was left, made anew at the next start"), "{told}");
        assert_eq!(store.run(&["events", "projections", "rebuild", "cuont"]).code, Some(4));
        assert_eq!(store.run(&["events", "projections", "delete", "count"]).code, Some(0));
        assert_eq!(store.ok(&["events", "projections"]), "");
        assert_eq!(store.ok(&["table", "list"]), "");
        let own = "foundation.consumers";
        assert_eq!(store.run(&["table", "put", own, "a", "1", "--create"]).code, Some(6));
        assert_eq!(store.run(&["table", "remove", own, "billing"]).code, Some(4));
        store.ok(&["checkpoint"]);
        store.ok(&["verify"]);
    });
}
