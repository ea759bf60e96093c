//! Fold and candidate.

use foundation_types::{ErrorKind, Timestamp, Version};
use foundation_validate::config::change;
use proptest::prelude::*;

use super::*;
use crate::diff::tests::tree;

fn logged(version: u64, before: &Value, after: &Value) -> Change {
    Change {
        document: "shop".to_owned(),
        version: Version::new(version),
        schema: 1,
        time: Timestamp::UNIX_EPOCH,
        actor: None,
        reason: None,
        layer: foundation_types::config::Layer::RunTime,
        withdrawn: Vec::new(),
        until: None,
        changes: diff::diff(before, after),
    }
}

proptest! {
    #[test]
    fn the_fold_of_a_log_is_its_last_tree(trees in prop::collection::vec(tree(), 1..8)) {
        let log: Vec<Change> = (1..)
            .zip(trees.windows(2))
            .map(|(version, pair)| logged(version, &pair[0], &pair[1]))
            .collect();
        for end in 0..trees.len() {
            prop_assert_eq!(&fold(&trees[0], &log[..end]).expect("folds"), &trees[end]);
        }
    }

    #[test]
    fn a_log_is_the_same_after_json(before in tree(), after in tree()) {
        let change = logged(1, &before, &after);
        let text = serde_json::to_string(&change).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Change>(&text).expect("reads"), change);
    }
}

#[test]
fn every_edit_that_cannot_be_made_is_named() {
    let head: Value = serde_json::from_str(r#"{"a":1,"list":[]}"#).expect("parses");
    let path = |text: &str| text.parse::<Path>().expect("a path");
    let request = change(ChangeRequest {
        edits: vec![
            (path("a.b"), Some(Value::from(1))),
            (path("list[3]"), Some(Value::from(2))),
            (path("c"), None),
            (path("d"), Some(Value::from(3))),
        ],
        ..ChangeRequest::default()
    });
    let error = candidate(&head, &head, &request.expect("well put")).expect_err("refused");
    let found: Vec<_> = error.problems().iter().map(|p| (p.kind, p.path.as_str())).collect();
    assert_eq!(
        found,
        [
            (ErrorKind::WrongType, "a.b"),
            (ErrorKind::InvalidPath, "list[3]"),
            (ErrorKind::NotFound, "c"),
        ]
    );
}
