//! Configuration: read, changed, refused, followed back, restored.

use super::running::{Store, both, objects, redacted};

#[test]
fn what_is_set_is_read_back_by_scripts_and_by_people() {
    both(|store| {
        let told =
            store.ok(&["config", "set", "interface.max_results", "250", "--reason", "launch"]);
        assert_eq!(told, "interface.max_results = 250 (version 1)\n");
        assert_eq!(store.ok(&["config", "get", "interface.max_results"]), "250\n");
        assert_eq!(store.json(&["config", "get", "interface.max_results"]), 250);
        assert_eq!(store.json(&["config", "get", "log.level"]), "info");
        insta::allow_duplicates! {
            insta::assert_snapshot!(store.ok(&["config", "get", "interface"]), @r"
            interface.max_results = 250
            interface.query_timeout_ms = 10000
            ");
        }
        let at = store.json(&["config", "get", "interface.max_results", "--at", "0"]);
        assert_eq!(at, 1_000);
        assert_eq!(
            store.json(&["config", "set", "interface.max_results", "250"])["position"],
            serde_json::Value::Null,
            "nothing had to change"
        );
    });
}

#[test]
fn a_value_comes_from_standard_input_too() {
    both(|store| {
        let ran = store.feed(&["config", "set", "log.level", "-"], "debug\n");
        assert_eq!(ran.ok(), "log.level = debug (version 1)\n");
    });
}

#[test]
fn a_patch_is_one_change() {
    both(|store| {
        let merge = r#"{"log":{"level":"debug"},"interface":{"max_results":7}}"#;
        assert_eq!(
            store.ok(&["config", "patch", merge, "--reason", "launch"]),
            "interface.max_results = 7 (version 1)\nlog.level = debug (version 1)\n"
        );
        let operations = r#"[{"op":"test","path":"/log/level","value":"debug"},
            {"op":"replace","path":"/log/level","value":"warn"}]"#;
        let ran = store.feed(&["config", "patch", "-"], operations);
        assert_eq!(ran.ok(), "log.level = warn (version 2)\n");
        let again = store.feed(&["config", "patch", "-", "--dry-run"], operations);
        assert_eq!(again.code, Some(3));
        insta::allow_duplicates! {
            insta::assert_snapshot!(again.talk, @r#"
            error[config.test_failed]: /log/level: operation 0 (test) of the patch: there is "warn", got "debug"
              read the document as it is now, and send a patch that fits it
            "#);
        }
        let unset = store.ok(&["config", "patch", r#"{"interface":{"max_results":null}}"#]);
        assert_eq!(unset, "interface.max_results = 1000 (version 3)\n");
    });
}

#[test]
fn a_rehearsal_changes_nothing() {
    both(|store| {
        let told = store.ok(&["config", "set", "log.level", "debug", "--dry-run"]);
        assert_eq!(told, "log.level: info -> debug (would change version 0)\n");
        assert_eq!(store.ok(&["config", "get", "log.level"]), "info\n");
    });
    let store = Store::new();
    store.ok(&["config", "set", "log.level", "debug", "--dry-run"]);
    assert!(!store.directory().exists(), "a rehearsal makes no store");
}

#[test]
fn history_diff_and_rollback_agree() {
    both(|store| {
        store.ok(&["config", "set", "log.level", "debug", "--reason", "why", "--actor", "ops"]);
        store.ok(&["config", "set", "interface.max_results", "7"]);
        let history = objects(&store.ok(&["config", "history"]));
        assert_eq!(history.len(), 2);
        assert_eq!(history[0]["version"], 1);
        assert_eq!((&history[0]["actor"], &history[0]["reason"]), (&"ops".into(), &"why".into()));
        assert!(history[0]["time"].is_string());
        assert_eq!(history[0]["changes"][0]["path"], "log.level");
        assert_eq!(history[1]["actor"], "tester", "the user, if nobody is named");
        let newest = objects(&store.ok(&["config", "history", "--newest", "--limit", "1"]));
        assert_eq!((newest.len(), &newest[0]["version"]), (1, &2.into()));

        insta::allow_duplicates! {
            insta::assert_snapshot!(store.ok(&["config", "diff", "0", "2"]), @r"
            interface.max_results: 1000 -> 7
            log.level: info -> debug
            ");
        }
        let told = store.ok(&["config", "rollback", "1", "--reason", "too few"]);
        assert_eq!(told, "interface.max_results = 1000 (version 3)\n");
        assert_eq!(store.ok(&["config", "diff", "1", "3"]), "");
        assert_eq!(store.ok(&["config", "reset", "log.level"]), "log.level = info (version 4)\n");
    });
}

/// More versions than one answer about the history has.
async fn make_versions(store: &Store, count: u64) -> foundation::Result<()> {
    let foundation = foundation::Foundation::builder(store.directory()).start().await?;
    for value in 1..=count {
        foundation.settings().set("interface.query_timeout_ms", value).await?;
    }
    foundation.shutdown(std::time::Duration::from_secs(60)).await.into_result()
}

#[test]
fn a_history_longer_than_an_answer_is_written_whole() {
    let store = Store::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("starts").block_on(make_versions(&store, 1_005)).expect("versions are made");
    let versions = |order: &[&str]| -> Vec<u64> {
        let lines = store.ok(&[&["config", "history"], order].concat());
        objects(&lines).iter().map(|one| one["version"].as_u64().expect("a number")).collect()
    };
    assert_eq!(versions(&[]), (1..=1_005).collect::<Vec<_>>());
    assert_eq!(versions(&["--limit", "1001"]), (1..=1_001).collect::<Vec<_>>());
    assert_eq!(versions(&["--newest"]), (1..=1_005).rev().collect::<Vec<_>>());
    assert_eq!(versions(&["--newest", "--limit", "3"]), [1_005, 1_004, 1_003]);
}

#[test]
fn somebody_else_was_first() {
    both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250", "--reason", "launch day"]);
        let late = store.run(&["config", "set", "interface.max_results", "7", "--if-version", "0"]);
        assert_eq!(late.code, Some(3), "{late:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(redacted(&late.talk, store), @r#"
            error[version_conflict]: document "foundation" is at version 1, not at the expected version 0
              version 1  [time]  tester  "launch day"
                interface.max_results: 1000 -> 250
              read the newer version, decide again, and send its number
            nothing was changed
            "#);
        }
        store.ok(&["config", "set", "interface.max_results", "7", "--if-version", "1"]);
        let late = store.run(&["config", "rollback", "1", "--if-version", "1"]);
        assert_eq!(late.code, Some(3), "{late:?}");
    });
}

#[test]
fn who_was_later_can_merge_and_is_told_where_that_is_impossible() {
    both(|store| {
        store.ok(&["config", "patch", r#"{"interface":{"max_results":5}}"#, "--reason", "launch"]);
        let merge = ["--if-version", "0", "--on-conflict", "merge"];
        let set = |path, value| [&["config", "set", path, value][..], &merge].concat();
        assert_eq!(store.ok(&set("log.level", "warn")), "log.level = warn (version 2)\n");
        let late = store.run(&set("interface.max_results", "7"));
        assert_eq!(late.code, Some(3), "{late:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(redacted(&late.talk, store), @r#"
            error[version_conflict]: document "foundation" is at version 2, not at the expected version 0, and both changed "interface.max_results"
              version 1  [time]  tester  "launch"
                interface.max_results: 1000 -> 5
              version 2  [time]  tester
                log.level: info -> warn
              interface.max_results: it was 1000, this change says 7, others said 5
              read the newer version, decide again, and send its number
            nothing was changed
            "#);
        }
        let path = |seen| ["config", "set", "log.level", "info", "--if-unchanged", seen];
        let late = store.run(&path("interface=0"));
        assert_eq!(late.code, Some(3), "{late:?}");
        assert_eq!(store.ok(&path("interface=1")), "log.level = info (version 3)\n");
        assert_eq!(store.run(&path("interface")).code, Some(2));
    });
}

#[test]
fn a_refused_change_says_what_is_right_and_changes_nothing() {
    both(|store| {
        let refused = |words: &[&str]| {
            let ran = store.run(words);
            assert_eq!((ran.code, ran.out.as_str()), (Some(6), ""), "{ran:?}");
            ran.talk
        };
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused(&["config", "set", "interface.max_resluts", "10"]), @r#"
            error[config.unknown_key]: no key "interface.max_resluts" in document "foundation"
              did you mean interface.max_results?
            nothing was changed
            "#);
            insta::assert_snapshot!(refused(&["config", "set", "interface.max_results", "-5"]), @r"
            error[config.out_of_range]: interface.max_results: out of range, got -5
              expected integer, 1 to 100000
            nothing was changed
            ");
            insta::assert_snapshot!(refused(&["config", "set", "interface.max_results", "many"]), @r#"
            error[config.wrong_type]: interface.max_results: wrong type, got "many"
              expected integer, 1 to 100000
            nothing was changed
            "#);
        }
        let report = store.run(&["--output", "json", "config", "set", "log.level", "loud"]);
        assert_eq!(report.code, Some(6));
        let report: serde_json::Value = serde_json::from_str(&report.talk).expect("one object");
        assert_eq!(report["category"], "validation");
        assert_eq!(report["problems"][0]["path"], "log.level");
        assert_eq!(store.json(&["config", "get", "interface.max_results"]), 1_000);
        assert_eq!(store.ok(&["config", "history"]), "");
    });
}

#[test]
fn every_field_is_explained() {
    both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250"]);
        let rows = store.json(&["config", "fields"]);
        let row = rows.as_array().expect("a list").iter();
        let mut row = row.filter(|row| row["path"] == "interface.max_results");
        let row = row.next().expect("is a field");
        assert_eq!((&row["value"], &row["default"]), (&250.into(), &1_000.into()));
        let text = store.ok(&["config", "fields"]);
        assert!(text.contains("(default 1000)"), "{text}");
    });
}

#[test]
fn a_document_is_written_down_for_editors_and_for_files() {
    both(|store| {
        let schema = store.json(&["config", "schema"]);
        let rows = &schema["properties"]["interface"]["properties"]["max_results"];
        assert_eq!((&rows["default"], &rows["maximum"]), (&1_000.into(), &100_000.into()));
        let of_name = store.json(&["config", "schema", "--doc", "foundation"]);
        assert_eq!(of_name, schema);
        let template = store.ok(&["config", "template"]);
        assert!(template.contains("[interface]\n"), "{template}");
        assert!(template.contains("# integer, 1 to 100000\n#max_results = 1000\n"), "{template}");
    });
}
