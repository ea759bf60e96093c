//! What events come to: rows for people and programs, and what is refused.

use super::running::{Store, both, objects};

/// Six orders: a minute apart, the last one late, one without a number.
fn orders(store: &Store) {
    let lines = [
        r#"{"type": "paid", "time": "2026-01-01T00:00:00Z", "source": "web", "data": {"ms": 10, "ok": true}}"#,
        r#"{"type": "paid", "time": "2026-01-01T00:01:00Z", "source": "web", "data": {"ms": "30", "ok": true}}"#,
        r#"{"type": "paid", "time": "2026-01-01T00:01:30Z", "source": "app", "data": {"ms": 20.5, "ok": false}}"#,
        r#"{"type": "sent", "time": "2026-01-01T00:02:00Z", "data": {"ms": "soon"}}"#,
        r#"{"type": "paid", "time": "2026-01-01T00:09:00Z", "source": "web"}"#,
        r#"{"type": "paid", "time": "2026-01-01T00:00:30Z", "source": "web", "data": {"ms": 40}}"#,
    ];
    store.feed(&["events", "import", "-"], lines.join("\n")).ok();
}

#[test]
fn rows_are_shown_as_a_table() {
    both(|store| {
        orders(store);
        let shown = |words: &str| {
            let line = format!("events aggregate --until 2026-01-02T00:00:00Z {words}");
            store.ok(&line.split(' ').collect::<Vec<_>>())
        };
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown("--by type --by data.ok"), @r"
            6 events from 2026-01-01T00:00:00Z to 2026-01-01T00:09:00Z
            type  data.ok  count
            paid  -            2
            paid  true         2
            paid  false        1
            sent  -            1
            ");
            insta::assert_snapshot!(
                shown("--measure count --measure mean:data.ms --measure p50:data.ms --window 2m"), @r"
                6 events from 2026-01-01T00:00:00Z to 2026-01-01T00:09:00Z
                from                  to                    count  mean:data.ms  p50:data.ms
                2026-01-01T00:00:00Z  2026-01-01T00:02:00Z      4        25.125         20.5
                2026-01-01T00:02:00Z  2026-01-01T00:04:00Z      1             -            -
                2026-01-01T00:08:00Z  2026-01-01T00:10:00Z      1             -            -
                data.ms: 4 numbers, missing 1, something else 1
                ");
            insta::assert_snapshot!(shown("--by type --session-gap 5m --measure rate"), @r"
            6 events from 2026-01-01T00:00:00Z to 2026-01-01T00:09:00Z
            from                  to                    type      rate
            2026-01-01T00:00:00Z  2026-01-01T00:01:30Z  paid  0.044444
            2026-01-01T00:02:00Z  2026-01-01T00:02:00Z  sent         -
            2026-01-01T00:09:00Z  2026-01-01T00:09:00Z  paid         -
            ");
            insta::assert_snapshot!(shown("--lateness 1m --late row"), @r"
            6 events from 2026-01-01T00:00:00Z to 2026-01-01T00:09:00Z, 1 late
                    count
                        5
            (late)      1
            ");
            insta::assert_snapshot!(shown("--type nothing"), @"0 events");
        }
    });
}

#[test]
fn rows_are_data_for_programs() {
    both(|store| {
        orders(store);
        let words = ["events", "aggregate", "--type", "paid", "--by", "source", "--window", "2m"];
        let words = [&words[..], &["--slide", "1m", "--measure", "max:data.ms"]].concat();
        let rows = objects(&store.ok(&[&["--output", "ndjson"], &words[..]].concat()));
        assert_eq!(rows.len(), 7, "{rows:?}");
        assert_eq!(
            rows[0],
            serde_json::json!({
                "from": "2025-12-31T23:59:00Z", "to": "2026-01-01T00:01:00Z", "source": "web",
                "max:data.ms": 40.0,
            })
        );
        let whole = store.json(&words);
        assert_eq!(whole["rows"].as_array().map(Vec::len), Some(7));
        assert_eq!(whole["places"][0]["numbers"], 4);
        assert_eq!((&whole["events"], &whole["late"]), (&5.into(), &0.into()));
    });
}

#[test]
fn what_means_nothing_is_refused_with_advice() {
    both(|store| {
        for (words, said) in [
            ("--by level", "\"level\" is no group: expected type, source"),
            ("--measure p95", "\"p95\" is no measure: expected count, rate"),
            ("--measure p200:data.a", "is no measure"),
            ("--by data.", "is no group"),
            ("--window 1m --slide 2m", "longer than the window"),
            ("--window 1h --slide 1s", "puts each event into 3600 windows"),
            ("--window 400d", "expected 1 ms to 366 days"),
            ("--window 0s", "expected 1 ms to 366 days"),
            ("--by type --by type", "names type twice"),
            ("--lateness 1m --order desc", "means nothing where the newest come first"),
            ("--window soon", "is no time: write it as 90s"),
            ("--slide 1m", "--window"),
            ("--window 1m --session-gap 1m", "cannot be used with"),
            ("--late row", "--lateness"),
        ] {
            let line = format!("events aggregate {words}");
            let ran = store.run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!(ran.code, Some(2), "{words}: {ran:?}");
            assert!(ran.talk.contains(said), "{words}: {ran:?}");
        }
    });
}

#[test]
fn text_of_events_cannot_steer_the_terminal() {
    both(|store| {
        let bad = r#"{"type": "t", "source": "a\u001b[2Jb", "data": {"x": "c\u009bd"}}"#;
        store.ok(&["events", "append", bad]);
        let words = ["events", "aggregate", "--type", "t", "--by", "source", "--by", "data.x"];
        let shown = store.ok(&words);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(shown.contains("1"), "{shown}");
    });
}
