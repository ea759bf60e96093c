//! Where values come from, as an operator sees it: files, variables, and what was set.

use super::running::Store;

#[test]
fn a_value_is_explained_by_everybody_who_says_something_of_it() {
    let store = Store::new();
    let settings = store.file(
        "settings.toml",
        "# Of the shop.\n[interface]\nmax_results = 200\nquery_timeout_ms = 500\n",
    );
    let file = settings.to_str().expect("is text");
    let mut node = store.command(&["serve", "--settings", file]);
    let node = super::running::Node::of(node.env("FOUNDATION_INTERFACE__MAX_RESULTS", "500"));
    store.ok(&["config", "set", "interface.max_results", "250", "--reason", "launch day"]);
    let told = store.ok(&["config", "explain", "interface.max_results"]);
    let told = redacted(&told.replace(file, "settings.toml"));
    insta::assert_snapshot!(told, @r#"
    interface.max_results = 250  (integer, 1 to 100000: Rows in one page of a query.)
      from    run time     250           version 2  [time]  tester  "launch day"
      shadows environment  500           FOUNDATION_INTERFACE__MAX_RESULTS
      shadows file         200           settings.toml:3:15
      shadows default      1000
    "#);
    let json = store.json(&["config", "explain", "interface.query_timeout_ms"]);
    assert_eq!(json["given"][0]["origin"]["line"], 4);
    // The file is followed, below what was set.
    store.file("settings.toml", "[interface]\nmax_results = 7\nquery_timeout_ms = 600\n");
    while store.json(&["config", "get", "interface.query_timeout_ms"]) != 600 {}
    store.ok(&["config", "unset", "interface.max_results"]);
    assert_eq!(store.json(&["config", "get", "interface.max_results"]), 500);
    // The place is known to whoever has the file.
    drop(node);
    let told = store.ok(&["config", "explain", "interface.max_results"]);
    insta::assert_snapshot!(told, @r#"
    interface.max_results = 500  (integer, 1 to 100000: Rows in one page of a query.)
      from    sources      500           version 1
      shadows default      1000
    "#);
}

/// Without times.
fn redacted(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_time = word.ends_with('Z') && word.starts_with("20") && word.contains('T');
        if is_time { "[time]" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_file_is_checked_with_every_problem_under_its_line() {
    let store = Store::new();
    let good = store.file("good.toml", "[interface]\nmax_results = 7\n");
    let told = store.ok(&["config", "check", good.to_str().expect("is text")]);
    insta::assert_snapshot!(told.replace(good.to_str().expect("is text"), "good.toml"), @r#"
    interface.max_results: 1000 -> 7
    good.toml is right: 1 value other than the defaults
    "#);
    let bad = store.file(
        "bad.toml",
        "[interface]\nmax_resluts = 7\nquery_timeout_ms = \"soon\"\n\n[log]\nlevel = \"loud\"\n",
    );
    let ran = store.run(&["-q", "config", "check", bad.to_str().expect("is text")]);
    assert_eq!(ran.code, Some(6));
    insta::assert_snapshot!(ran.talk.replace(bad.to_str().expect("is text"), "bad.toml"), @r#"
    error[config.unknown_key]: 3 problems
      no key "interface.max_resluts" in document "foundation"
        did you mean interface.max_results?
        --> bad.toml:2:1
        2 | max_resluts
          | ^^^^^^^^^^^
      interface.query_timeout_ms: wrong type, got "soon"
        expected integer, 1 to 3600000
        --> bad.toml:3:20
        3 | query_timeout_ms = "soon"
          |                    ^^^^^^
      log.level: unknown choice, got "loud"
        expected one of off, error, warn, info, debug, trace
        --> bad.toml:6:9
        6 | level = "loud"
          |         ^^^^^^
    "#);
    let broken = store.file("broken.json", "{\"log\": {\"level\": \"info\",}}");
    let ran = store.run(&["config", "check", broken.to_str().expect("is text")]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.talk.contains("line 1"), "{ran:?}");
    assert_eq!(store.run(&["config", "check", "/nowhere.toml"]).code, Some(4));
}

#[test]
fn a_node_does_not_start_on_wrong_settings_and_says_where() {
    let store = Store::new();
    let file = store.file("settings.toml", "[interface]\nmax_results = 0\n");
    let mut command = store.command(&["serve", "--settings", file.to_str().expect("is text")]);
    command.env("FOUNDATION_LOG__LEVLE", "debug");
    let ran = super::running::Ran::of(command.spawn().expect("starts"));
    assert_eq!(ran.code, Some(6), "{ran:?}");
    insta::assert_snapshot!(ran.talk.replace(file.to_str().expect("is text"), "settings.toml"), @r#"
    error[config.unknown_key]: 2 problems
      no field of document "foundation" has the variable FOUNDATION_LOG__LEVLE
        did you mean FOUNDATION_LOG__LEVEL?
        --> environment variable FOUNDATION_LOG__LEVLE
      interface.max_results: out of range, got 0
        expected integer, 1 to 100000
        --> settings.toml:2:15
        2 | max_results = 0
          |               ^
    "#);
}

#[test]
fn a_directory_that_had_a_file_is_not_led_to_its_defaults_by_accident() {
    let store = Store::new();
    let file = store.file("settings.toml", "[interface]\nmax_results = 200\n");
    let file = file.to_str().expect("is text");
    let node = store.serve(&["--settings", file]);
    store.ok(&["config", "set", "interface.max_results", "250"]);
    let ran = store.run(&["config", "get", "interface.max_results"]);
    assert_eq!((ran.code, ran.talk.as_str()), (Some(0), ""), "the node has its file");
    drop(node);
    let ran = store.run(&["config", "explain", "interface.max_results"]);
    assert!(ran.talk.contains("are not known here"), "{ran:?}");
    let told = store.json(&["config", "explain", "interface.max_results"]);
    assert_eq!(told["lacks_sources"], true);
    for verb in ["unset", "reset"] {
        let ran = store.run(&["-q", "config", verb, "interface.max_results"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.talk.contains("config.no_sources"), "{ran:?}");
        assert!(ran.talk.contains("--defaults"), "{ran:?}");
    }
    assert_eq!(store.json(&["config", "get", "interface.max_results"]), 250);
    store.ok(&["config", "unset", "--defaults", "interface.max_results"]);
    assert_eq!(store.json(&["config", "get", "interface.max_results"]), 1_000);
    // What is set without the file is set, also to what it says.
    let node = store.serve(&["--settings", file]);
    drop(node);
    store.ok(&["config", "set", "interface.max_results", "200"]);
    store.file("settings.toml", "[interface]\nmax_results = 300\n");
    let _node = store.serve(&["--settings", file]);
    assert_eq!(store.json(&["config", "get", "interface.max_results"]), 200);
}

#[test]
fn a_map_is_explained_value_by_value_and_the_whole_document_is_changed_only_if_that_is_meant() {
    super::running::both(|store| {
        store.ok(&["config", "set", "interface.max_results", "250", "--reason", "launch day"]);
        let told = redacted(&store.ok(&["config", "explain", "interface"]));
        insta::allow_duplicates! {
            insta::assert_snapshot!(told, @r#"
            interface = {"max_results":250,"query_timeout_ms":10000}  (map of query_timeout_ms, max_results: How queries are answered.)
              interface.max_results       = 250    from run time  version 1  [time]  tester  "launch day"
              interface.query_timeout_ms  = 10000  from default
            "#);
        }
        for words in [&["unset", ""][..], &["reset", ""], &["set", "", "{}"]] {
            let ran = store.run(&[&["config"], words].concat());
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.talk.contains("--all"), "{ran:?}");
        }
        assert_eq!(store.json(&["config", "get", "interface.max_results"]), 250);
        store.ok(&["config", "reset", "", "--all"]);
        assert_eq!(store.json(&["config", "get", "interface.max_results"]), 1_000);
    });
}

#[test]
fn a_file_is_checked_without_a_word_about_the_store() {
    let store = Store::new();
    let good = store.file("good.toml", "[interface]\nmax_results = 7\n");
    let ran = store.run(&["config", "check", good.to_str().expect("is text")]);
    assert_eq!((ran.code, ran.talk.as_str()), (Some(0), ""), "{ran:?}");
}

#[test]
fn a_file_in_yaml_is_checked_like_the_others() {
    let store = Store::new();
    let good = store.file("good.yaml", "# Of the shop.\ninterface:\n  max_results: 7\n");
    let good = good.to_str().expect("is text");
    let told = store.ok(&["config", "check", good]);
    insta::assert_snapshot!(told.replace(good, "good.yaml"), @r#"
    interface.max_results: 1000 -> 7
    good.yaml is right: 1 value other than the defaults
    "#);
    let bad = store.file(
        "bad.yml",
        "log: {level: loud}\ninterface:\n  max_resluts: 7\n  query_timeout_ms: no\n",
    );
    let bad = bad.to_str().expect("is text");
    let ran = store.run(&["-q", "config", "check", bad]);
    assert_eq!(ran.code, Some(6));
    insta::assert_snapshot!(ran.talk.replace(bad, "bad.yml"), @r#"
    error[config.unknown_key]: 3 problems
      no key "interface.max_resluts" in document "foundation"
        did you mean interface.max_results?
        --> bad.yml:3:3
        3 |   max_resluts
          |   ^^^^^^^^^^^
      interface.query_timeout_ms: wrong type, got "no"
        expected integer, 1 to 3600000
        --> bad.yml:4:21
        4 |   query_timeout_ms: no
          |                     ^^
      log.level: unknown choice, got "loud"
        expected one of off, error, warn, info, debug, trace
        --> bad.yml:1:14
        1 |       level: loud
          |              ^^^^
    "#);
    let twice = store.file("twice.yaml", "log:\n  level: debug\n  level: info\n");
    let twice = twice.to_str().expect("is text");
    let ran = store.run(&["-q", "config", "check", twice]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.talk.contains("a key is repeated") && ran.talk.contains("line 3"), "{ran:?}");
}

#[test]
fn what_is_wrong_in_one_long_line_is_told_in_a_few_words_for_each_place() {
    let store = Store::new();
    let entries: Vec<String> = (0..80_000).map(|nth| format!("a{nth}: 1")).collect();
    let long = store.file("long.yaml", format!("{{{}}}", entries.join(", ")));
    let ran = store.run(&["-q", "config", "check", long.to_str().expect("is text")]);
    assert_eq!(ran.code, Some(6));
    assert!(ran.talk.contains("error[config.unknown_key]: 100 problems"), "{}", ran.talk);
    assert!(ran.talk.len() < 64 * 1024, "{} bytes", ran.talk.len());
    let shown =
        |line: &str| line.trim().strip_prefix("1 | …").is_some_and(|key| key.starts_with('a'));
    assert!(ran.talk.lines().any(shown), "{}", ran.talk);
}

#[test]
fn a_key_that_is_written_like_a_path_is_told_from_one() {
    let store = Store::new();
    let dotted = store.file("dotted.yaml", "log.level: debug\n");
    let ran = store.run(&["-q", "config", "check", dotted.to_str().expect("is text")]);
    assert_eq!(ran.code, Some(6));
    insta::assert_snapshot!(ran.talk.replace(dotted.to_str().expect("is text"), "dotted.yaml"), @r#"
    error[config.unknown_key]: no key "log.level" in document "foundation": a dot in a key is no path
      expected each key inside of the one before it
      --> dotted.yaml
    "#);
}
