//! What a change that may not enter is told, and that it changes nothing.

use foundation_types::{Path, Result, Value};

use super::sample::node;
use crate::config::Updated;

fn told(outcome: Result<Updated>) -> String {
    let error = outcome.expect_err("refused");
    let problems: Vec<String> =
        error.problems().iter().map(|problem| format!("\n  {problem}")).collect();
    format!("{}: {error}{}", error.code(), problems.concat())
}

#[tokio::test]
async fn what_the_document_refuses_names_path_value_and_what_was_expected() {
    let node = node();
    let settings = &node.settings;
    let results = "interface.max_results";
    let text = [
        told(settings.set("interface.max_resluts", 10).await),
        told(settings.set("max_results", 10).await),
        told(settings.set("colour", "red").await),
        told(settings.set(results, "many").await),
        told(settings.set(results, 0).await),
        told(settings.set(results, -1).await),
        told(settings.set(results, 1.5).await),
        told(settings.set(results, Value::Null).await),
        told(settings.set("interface", "all").await),
        told(settings.set("interface.max_results.deep", 1).await),
        told(settings.set("log.level", "loud").await),
        told(settings.set(Path::root(), 1).await),
    ]
    .join("\n");
    insta::assert_snapshot!(text, @r#"
    config.unknown_key: interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results? [stage type]
      interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?
    config.unknown_key: max_results: no key "max_results" in document "foundation", did you mean interface.max_results? [stage type]
      max_results: no key "max_results" in document "foundation", did you mean interface.max_results?
    config.unknown_key: colour: no key "colour" in document "foundation" [stage type]
      colour: no key "colour" in document "foundation"
    config.wrong_type: interface.max_results: wrong type, got "many", expected integer, 1 to 100000 [stage type]
      interface.max_results: wrong type, got "many", expected integer, 1 to 100000
    config.out_of_range: interface.max_results: out of range, got 0, expected integer, 1 to 100000 [stage schema]
      interface.max_results: out of range, got 0, expected integer, 1 to 100000
    config.out_of_range: interface.max_results: out of range, got -1, expected integer, 1 to 100000 [stage type]
      interface.max_results: out of range, got -1, expected integer, 1 to 100000
    config.wrong_type: interface.max_results: wrong type, got 1.5, expected integer, 1 to 100000 [stage type]
      interface.max_results: wrong type, got 1.5, expected integer, 1 to 100000
    config.wrong_type: interface.max_results: wrong type, got null, expected integer, 1 to 100000 [stage type]
      interface.max_results: wrong type, got null, expected integer, 1 to 100000
    config.wrong_type: interface: wrong type, got "all", expected a map of its fields [stage type]
      interface: wrong type, got "all", expected a map of its fields
    config.wrong_type: interface.max_results.deep: "interface.max_results.deep" cannot be set: "interface.max_results" is of type integer, not a map or a list, got 1
      interface.max_results.deep: "interface.max_results.deep" cannot be set: "interface.max_results" is of type integer, not a map or a list, got 1
    config.out_of_range: log.level: unknown choice, got "loud", expected one of off, error, warn, info, debug, trace [stage type]
      log.level: unknown choice, got "loud", expected one of off, error, warn, info, debug, trace
    config.wrong_type: wrong type, got 1, expected a map of its fields [stage type]
      wrong type, got 1, expected a map of its fields
    "#);
    assert!(node.changes().await.is_empty());
    assert_eq!(settings.version().number(), 0);
}

#[tokio::test]
async fn what_is_put_wrongly_is_refused_with_what_would_be_right() {
    let node = node();
    let settings = &node.settings;
    let results = "interface.max_results";
    let text = [
        told(settings.set(results, f64::NAN).await),
        told(settings.set("interface..max_results", 1).await),
        told(settings.set("interface.max results", 1).await),
        told(settings.set("a.".repeat(400), 1).await),
        told(settings.set("log.level[x]", 1).await),
        told(settings.unset("interface.max_resluts").await),
        told(settings.reset("interface.max_resluts").await),
        told(settings.transaction().await),
        told(settings.set(results, 1).set(results, 2).await),
        told(settings.set("interface", 1).set(results, 2).await),
        told(settings.set(results, 1).reason("x".repeat(1_025)).await),
        told(settings.set(results, 1).actor("o\nps").await),
        told(settings.set(results, 0).set("log.levle", "warn").set("log.level", 7).await),
        told(settings.set("log.level", "x".repeat(1_048_577)).await),
    ]
    .join("\n");
    insta::assert_snapshot!(text, @r#"
    malformed: interface.max_results: f64 cannot be a value: NaN is not a finite number
      interface.max_results: f64 cannot be a value: NaN is not a finite number
    invalid_path: the path is refused: it has an empty part (after interface)
      the path is refused: it has an empty part (after interface)
    invalid_path: the path is refused: its part "max results" has characters other than A-Z a-z 0-9 _ - (after interface)
      the path is refused: its part "max results" has characters other than A-Z a-z 0-9 _ - (after interface)
    invalid_path: the path is refused: it is 800 bytes long, the limit is 512
      the path is refused: it is 800 bytes long, the limit is 512
    invalid_path: the path is refused: [x] is not an index from 0 to 4294967295 (after log.level)
      the path is refused: [x] is not an index from 0 to 4294967295 (after log.level)
    not_found: interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?
      interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?
    not_found: interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?
      interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?
    invalid: the change has no edits, expected 1 to 1000 edits
      the change has no edits, expected 1 to 1000 edits
    invalid: interface.max_results: is changed twice in one transaction
      interface.max_results: is changed twice in one transaction
    invalid: interface.max_results: lies inside interface, which the same transaction changes
      interface.max_results: lies inside interface, which the same transaction changes
    too_large: reason: has 1025 bytes, expected at most 1024 bytes without control characters
      reason: has 1025 bytes, expected at most 1024 bytes without control characters
    invalid: actor: has the character '\n', got "o\nps", expected at most 1024 bytes without control characters
      actor: has the character '\n', got "o\nps", expected at most 1024 bytes without control characters
    config.wrong_type: log.level: wrong type, got 7, expected one of off, error, warn, info, debug, trace (and 1 more problem) [stage type]
      log.level: wrong type, got 7, expected one of off, error, warn, info, debug, trace
      log.levle: no key "log.levle" in document "foundation", did you mean log.level?
    too_large: log.level: the value has 1048579 bytes as JSON, expected at most 1048576 bytes
      log.level: the value has 1048579 bytes as JSON, expected at most 1048576 bytes
    "#);
    assert!(node.changes().await.is_empty());
    assert_eq!(settings.version().number(), 0);
}

#[test]
fn reading_what_is_not_there_tells_the_nearest_key() {
    let settings = node().settings;
    let told = |path: &str| {
        let error = settings.value(path).expect_err("not there");
        format!("{}: {error}", error.code())
    };
    insta::assert_snapshot!(told("interface.max_resluts"), @r#"not_found: interface.max_resluts: no key "interface.max_resluts" in document "foundation", did you mean interface.max_results?"#);
    insta::assert_snapshot!(told("colour"), @r#"not_found: colour: no key "colour" in document "foundation""#);
    insta::assert_snapshot!(told("a b"), @r#"invalid_path: the path is refused: its part "a b" has characters other than A-Z a-z 0-9 _ -"#);
}
