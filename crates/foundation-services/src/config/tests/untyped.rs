//! Documents as tools see them, with and without their type.

use std::sync::Arc;

use foundation_types::{Edit, ErrorKind, Path, Value, Version};
use foundation_validate::ChangeRequest;

use super::recovered::written_elsewhere;
use super::sample::node;
use crate::config::{AnyConfig, HistoryQuery, Notice, UnlinkedConfig};

fn request(path: &str, value: impl Into<Value>) -> ChangeRequest {
    let edits = vec![(path.parse().expect("a path"), Some(value.into()))];
    ChangeRequest { edits, ..ChangeRequest::default() }
}

#[tokio::test]
async fn a_document_is_worked_with_without_its_type() {
    let node = node();
    let any: Arc<dyn AnyConfig> = Arc::new(node.settings.clone());
    let results: Path = "interface.max_results".parse().expect("a path");
    let mut told = any.subscribe(&results);
    any.update(request("interface.max_results", 250)).await.expect("in range");
    any.update(request("interface.max_results", 300)).await.expect("in range");
    let cause = ChangeRequest { reason: Some("too many".into()), ..ChangeRequest::default() };
    let back = any.rollback(Version::new(1), cause).await.expect("was valid");
    assert_eq!(
        (any.name(), any.version(), back.version.number()),
        ("foundation", Version::new(3), 3)
    );
    assert_eq!(any.value(&results).expect("known"), Value::from(250));
    assert_eq!(any.tree(), any.tree_at(Version::new(1)).await.expect("kept"));
    assert_eq!(any.diff(Version::new(1), Version::new(3)).await.expect("kept"), []);
    let history = any.history(HistoryQuery::newest(1)).await.expect("kept");
    assert_eq!(history[0].reason.as_deref(), Some("too many"));
    assert!(matches!(told.next().await, Ok(Some(Notice::Changed(_)))));
}

#[tokio::test]
async fn a_document_without_its_type_is_read_and_never_written() {
    let node = node();
    for (version, limit) in [(1, 100), (2, 200)] {
        let after = Some(Value::from(limit));
        let path = "rate.limit".parse().expect("a path");
        written_elsewhere(&node, "shop", version, vec![Edit { path, before: None, after }]);
    }
    assert_eq!(node.documents.names(), ["foundation", "shop"]);
    assert!(!node.documents.is_linked("shop"));
    let timeline = node.documents.timeline("shop").expect("in the log");
    let shop = UnlinkedConfig::new(timeline, node.journal.clone());
    assert_eq!(shop.tree().to_json(), r#"{"rate":{"limit":200}}"#);
    assert_eq!(shop.fields()[0].path.to_string(), "rate.limit");
    assert_eq!(
        shop.tree_at(Version::new(1)).await.expect("kept").to_json(),
        r#"{"rate":{"limit":100}}"#
    );
    assert_eq!(shop.history(HistoryQuery::default()).await.expect("kept").len(), 2);
    let refused = shop.update(request("rate.limit", 1)).await.expect_err("no type");
    assert_eq!(refused.kind(), ErrorKind::ReadOnly);
    let absent = shop.value(&"colour".parse().expect("a path")).expect_err("nothing there");
    assert_eq!(absent.kind(), ErrorKind::NotFound);
}
