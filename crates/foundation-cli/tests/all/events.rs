//! Events: appended once, found, followed, and shown without harm.

use super::running::{Store, both, objects};

#[test]
fn an_event_is_appended_once_and_found() {
    both(|store| {
        let words = ["events", "append", "--type", "order.placed", "--id", "o-1", "--correlation"];
        let words = [&words[..], &["r-1", "--payload", "{\"items\":3}"]].concat();
        let receipt = store.json(&words);
        assert_eq!((&receipt["id"], receipt.get("repeated")), (&"o-1".into(), None));
        assert_eq!(store.json(&words)["repeated"], true);
        let other = store.run(&["events", "append", "--type", "order.paid", "--id", "o-1"]);
        assert_eq!(other.code, Some(3), "{other:?}");
        assert!(other.talk.starts_with("error[event.id_reused]"), "{other:?}");

        let event = store.json(&["events", "get", "o-1"]);
        assert_eq!(event["position"], receipt["position"]);
        assert_eq!((&event["type"], &event["data"]["items"]), (&"order.placed".into(), &3.into()));
        assert!(event["recorded"].is_string());
        assert_eq!(store.run(&["events", "get", "o-2"]).code, Some(4));
    });
}

#[test]
fn the_stage_of_an_event_is_told_and_stages_are_counted() {
    both(|store| {
        store.ok(&["events", "append", "--type", "debug.x", "--id", "o-1"]);
        assert_eq!(store.ok(&["events", "stage", "o-1"]), "available\n");
        let stage: serde_json::Value = store.json(&["events", "stage", "o-1"]);
        assert_eq!(stage, "available");
        assert_eq!(store.run(&["events", "stage", "o-2"]).code, Some(4));
        let rule = r#"{"types": "debug.*", "seconds": 1}"#;
        store.ok(&["config", "set", "events.ttl.debug", rule]);
        let stages = std::iter::repeat_with(|| store.ok(&["events", "stage", "o-1"])).take(2_000);
        assert!({ stages }.any(|stage| stage == "expiring\n"), "a second is over");
        let stats = store.ok(&["events", "stats"]);
        // Only a node has counted.
        let told = stats.contains("stages: invalid 0, failed 0, storage failed 0, ");
        assert_eq!(told, stats.contains("offered "), "{stats}");
        let stats = store.json(&["events", "stats"]);
        assert!(stats["stages"]["available"].as_u64() > Some(0), "{stats}");
    });
}

#[test]
fn an_event_comes_as_json_too() {
    both(|store| {
        let event = r#"{"type": "a", "id": "1", "time": "2017-05-16T02:00:00+02:00"}"#;
        store.ok(&["events", "append", event]);
        assert!(store.feed(&["events", "append", "-"], event).ok().contains("stored before"));
        assert_eq!(store.json(&["events", "get", "1"])["time"], "2017-05-16T00:00:00Z");
        assert_eq!(store.run(&["events", "append", event, "--type", "b"]).code, Some(2));
        assert_eq!(store.run(&["events", "append"]).code, Some(2));
    });
}

#[test]
fn a_stream_is_appended_to_at_an_expected_version() {
    both(|store| {
        let append = |version| {
            let words = ["events", "append", "--type", "a", "--stream", "s", "--if-version"];
            store.run(&[&words[..], &[version]].concat()).code
        };
        assert_eq!(append("0"), Some(0));
        assert_eq!(append("0"), Some(3));
        assert_eq!(append("1"), Some(0));
        let found = objects(&store.ok(&["events", "query", "--stream", "s"]));
        assert_eq!(found.len(), 2);
    });
}

/// Times a minute apart, ids `0` to `n - 1`.
fn import(store: &Store, count: usize) {
    let line = |nth: usize| {
        let time = format!("2026-01-01T00:{nth:02}:00Z");
        format!(r#"{{"type": "t", "id": "{nth}", "time": "{time}", "correlation_id": "c"}}"#)
    };
    let lines: Vec<String> = (0..count).map(line).collect();
    let ran = store.feed(&["events", "import", "-"], lines.join("\n"));
    assert!(ran.out.starts_with(&format!("accepted {count}, ")), "{ran:?}");
}

#[test]
fn a_query_is_answered_exactly_whatever_the_size_of_a_page() {
    both(|store| {
        import(store, 25);
        store.ok(&["config", "set", "interface.max_results", "4"]);
        let ids = |words: &[&str]| -> Vec<u64> {
            let words = [&["events", "query", "--type", "t"], words].concat();
            let number = |one: &serde_json::Value| one["id"].as_str()?.parse().ok();
            objects(&store.ok(&words)).iter().map(|one| number(one).expect("a number")).collect()
        };
        assert_eq!(ids(&[]), (0..25).collect::<Vec<_>>());
        assert_eq!(ids(&["--order", "desc"]), (0..25).rev().collect::<Vec<_>>());
        for limit in [1, 3, 4, 5, 8, 9, 25, 26] {
            let expected: Vec<u64> = (0..25).take(limit).collect();
            assert_eq!(ids(&["--limit", &limit.to_string()]), expected);
        }
        let times = ["--since", "2026-01-01T00:03:00Z", "--until", "2026-01-01T00:06:00Z"];
        assert_eq!(ids(&times), [3, 4, 5]);
        let fourth = store.json(&["events", "get", "4"])["position"].to_string();
        assert_eq!(ids(&["--after", &fourth, "--limit", "2"]), [5, 6]);
        assert_eq!(ids(&["--after", &fourth, "--order", "desc", "--limit", "2"]), [3, 2]);
    });
}

#[test]
fn a_story_is_told_as_a_tree() {
    both(|store| {
        let lines = [
            r#"{"type": "asked", "id": "a", "time": "2026-01-01T00:00:00Z", "source": "web", "correlation_id": "r"}"#,
            r#"{"type": "paid", "id": "b", "time": "2026-01-01T00:00:00.5Z", "source": "bank", "correlation_id": "r", "parent_id": "a"}"#,
        ];
        store.feed(&["events", "import", "-"], lines.join("\n")).ok();
        insta::allow_duplicates! {
            insta::assert_snapshot!(store.ok(&["events", "trace", "r"]), @r"
            r  2 events, 2 sources, 500 ms
            └─ web      asked    0 ms
               └─ bank  paid   500 ms  ◀ critical path
            time by source  bank 100 %
            time by type    paid 100 %
            ");
            insta::assert_snapshot!(store.ok(&["events", "trace", "r", "--format", "mermaid"]), @r#"
            flowchart TD
                e0["web<br/>asked<br/>0 ms"]
                e1["bank<br/>paid<br/>500 ms"]
                e0 ==> e1
            "#);
        }
        let told = store.json(&["events", "trace", "r"]);
        assert_eq!(told["spans"][0]["children"][0], 1);
        assert_eq!(told["figures"]["critical_path"][1]["step_us"], 500_000);
        let json = store.ok(&["events", "trace", "r", "--format", "json"]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("is JSON"), told);
        let twice = ["--output", "json", "events", "trace", "r", "--format", "mermaid"];
        assert_eq!(store.run(&twice).code, Some(2));
        assert_eq!(store.run(&["events", "trace", "nobody"]).code, Some(4));
    });
}

#[test]
fn a_file_that_is_wrong_in_each_line_is_told_in_a_hundred() {
    both(|store| {
        let line = "{\"type\": \"a\", \"id\": \"1\", \"data\": 2, \"wrong\": 1}\n";
        let ran = store.feed(&["events", "import", "-"], line.repeat(1_234));
        assert_eq!(ran.code, Some(6));
        let told = |number: u64| ran.talk.contains(&format!("line {number}: refused["));
        assert!(told(1) && told(100) && !told(101), "{}", ran.talk);
        let rest = "and 1,134 further lines refused, which are not told one by one";
        assert!(ran.talk.contains(rest), "{}", ran.talk);
        assert!(ran.out.contains("refused 1,234 in "), "{}", ran.out);
        let ran = store.feed(&["events", "import", "-"], line.repeat(100));
        assert!(!ran.talk.contains("further"), "{}", ran.talk);
    });
}

#[test]
fn each_line_is_settled_by_itself() {
    both(|store| {
        let lines = [
            r#"{"type": "a", "id": "1"}"#,
            "",
            "not JSON",
            r#"{"type": "a", "id": "1"}"#,
            r#"{"type": "a", "id": "1", "data": 2}"#,
            r#"{"typ": "a"}"#,
            r#"{"type": "foundation.mine"}"#,
            r#"{"type": "b", "time": "yesterday"}"#,
            r#"{"type": "b"}"#,
        ];
        let words = ["--output", "json", "events", "import", "-"];
        let ran = store.feed(&words, lines.join("\r\n"));
        assert_eq!(ran.code, Some(6), "{ran:?}");
        let report: serde_json::Value = serde_json::from_str(&ran.out).expect("one object");
        let counts = ["accepted", "repeated", "refused"].map(|name| report[name].as_u64());
        assert_eq!(counts, [Some(2), Some(1), Some(5)]);
        let refusals = report["refusals"].as_array().expect("a list");
        let refused: Vec<_> = refusals
            .iter()
            .map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap()))
            .collect();
        assert_eq!(
            refused,
            [
                (3, "malformed"),
                (5, "event.id_reused"),
                (6, "invalid"),
                (7, "event.reserved_type"),
                (8, "invalid"),
            ]
        );
        for line in [3, 5, 6, 7, 8] {
            assert!(ran.talk.contains(&format!("line {line}: refused[")), "{ran:?}");
        }
        assert_eq!(objects(&store.ok(&["events", "query", "--type", "a"])).len(), 1);
        assert_eq!(objects(&store.ok(&["events", "query", "--type", "b"])).len(), 1);
    });
}

#[test]
fn nothing_stored_can_steer_the_terminal() {
    both(|store| {
        let bad = r#"{"type": "t", "id": "1", "source": "a\u001b[2Jb", "subject": "c\u009bd", "correlation_id": "r", "data": "x\u009by"}"#;
        store.ok(&["events", "append", bad]);
        let trace = store.ok(&["events", "trace", "r"]);
        let line = store.ok(&["events", "query", "--type", "t"]);
        for shown in [&trace, &line] {
            assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        }
        assert_eq!(objects(&line)[0]["data"], "x\u{9b}y", "JSON stays what it was");
        let absent = store.run(&["events", "get", "\u{1b}[2J"]);
        assert_eq!(absent.code, Some(4));
        assert!(!absent.talk.contains('\u{1b}'), "{absent:?}");
    });
}

#[test]
fn counts_by_type_are_shown() {
    both(|store| {
        import(store, 3);
        assert_eq!(store.json(&["events", "stats"])["by_type"]["t"], 3);
        assert!(store.ok(&["events", "stats"]).contains("3  t\n"));
    });
}

#[test]
fn rows_are_one_json_value_where_that_is_asked_for() {
    both(|store| {
        let query = ["events", "query", "--type", "t"];
        assert_eq!(store.json(&query), serde_json::json!([]));
        assert_eq!(store.json(&["config", "history"]), serde_json::json!([]));
        import(store, 3);
        store.ok(&["config", "set", "interface.max_results", "2"]);
        store.ok(&["config", "set", "log.level", "warn"]);
        let rows = store.json(&query);
        assert_eq!(rows, serde_json::Value::from(objects(&store.ok(&query))));
        assert_eq!(rows.as_array().expect("a list").len(), 3);
        let changes = store.json(&["config", "history"]);
        assert_eq!(changes, serde_json::Value::from(objects(&store.ok(&["config", "history"]))));
        assert_eq!(objects(&store.ok(&["--output", "ndjson", "config", "history"])).len(), 2);
    });
}

#[test]
fn a_repeat_says_in_which_stream_the_event_is() {
    both(|store| {
        store.ok(&["events", "append", "--type", "a", "--id", "1", "--stream", "first"]);
        let words = ["events", "append", "--type", "a", "--id", "1", "--stream", "other"];
        let receipt = store.json(&words);
        assert_eq!((&receipt["stream"], &receipt["repeated"]), (&"first".into(), &true.into()));
        let told = store.ok(&words);
        assert!(told.starts_with("1 was stored before, at position "), "{told}");
        assert!(told.ends_with(" in stream first\n"), "{told}");
    });
}

#[test]
fn a_stored_id_forges_no_line() {
    both(|store| {
        let bad = r#"{"type": "t", "id": "1\nforged stored at position 9", "tags": ["a\nb"]}"#;
        let told = store.ok(&["events", "append", bad]);
        assert!(told.starts_with("1\\nforged stored at position 9 stored at position "), "{told}");
        assert_eq!(told.lines().count(), 1);
        let told = store.ok(&["events", "append", bad]);
        assert_eq!(told.lines().count(), 1, "{told}");
        let line = store.ok(&["events", "query", "--type", "t"]);
        assert_eq!(objects(&line)[0]["id"], "1\nforged stored at position 9");
    });
}

#[test]
fn a_type_that_ends_in_a_star_is_asked_for_exactly() {
    both(|store| {
        for kind in ["a*", "ab", "*"] {
            store.ok(&["events", "append", "--type", kind]);
        }
        let count = |kind: &str| objects(&store.ok(&["events", "query", "--type", kind])).len();
        assert_eq!((count("a*"), count(r"a\*"), count(r"\*"), count("ab")), (2, 1, 1, 1));
    });
}

#[test]
fn a_conflict_names_what_was_missed() {
    both(|store| {
        for id in ["1", "2", "3", "4", "5", "6", "7"] {
            store.ok(&["events", "append", "--type", "a", "--stream", "s", "--id", id]);
        }
        let words = ["events", "append", "--type", "a", "--stream", "s", "--if-version", "0"];
        let ran = store.run(&words);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let rows: Vec<&str> = ran.talk.lines().filter(|row| row.contains("  a in s  ")).collect();
        assert_eq!(rows.len(), 5, "{ran:?}");
        assert!(rows[0].starts_with("  position ") && rows[0].ends_with("  1"), "{ran:?}");
        assert!(ran.talk.contains("  a in s  5\n  and 2 further ones\n"), "{ran:?}");
    });
}

#[test]
fn an_event_that_a_rule_drops_ends_with_the_code_of_what_may_not_enter() {
    both(|store| {
        let rule = r#"{"types": "debug.*", "action": "drop_event"}"#;
        store.ok(&["config", "set", "events.rules.debug", rule]);
        let ran = store.run(&["events", "append", "--type", "debug.x"]);
        assert_eq!(ran.code, Some(6), "{ran:?}");
        let ran = store.feed(&["events", "import", "-"], r#"{"type": "debug.x"}"#);
        assert_eq!(ran.code, Some(6), "{ran:?}");
    });
}

#[test]
fn what_only_a_node_counts_is_not_told_as_zero() {
    let store = Store::new();
    store.ok(&["events", "append", "--type", "a"]);
    assert!(!store.ok(&["events", "stats"]).contains("offered"));
    let _node = store.serve(&[]);
    let offered = || store.json(&["events", "stats"])["offered"].as_u64().expect("a number");
    let before = offered();
    assert!(store.ok(&["events", "stats"]).contains(&format!("offered {before}: stored ")));
    store.ok(&["events", "append", "--type", "a"]);
    assert_eq!(offered(), before + 1);
}
