//! What whoever watches a field is told: values of its type, only of differences, until the end.

use foundation_types::config::{InterfaceSettings, LogLevel};
use foundation_types::limits::CONFIG_CHANGES_BUFFERED;
use foundation_types::{Settings, lens};

use super::sample::node;
use crate::config::FieldNotice;

#[tokio::test]
async fn values_come_as_the_type_of_the_field_until_the_end() {
    let node = node();
    let settings = &node.settings;
    let mut level = settings.watch(&lens!(Settings, log.level));
    let mut interface = settings.watch(&lens!(Settings, interface));
    settings.set("log.level", "warn").actor("ops").reason("calm").await.expect("set");
    settings.set("interface.max_results", 7).await.expect("elsewhere");
    settings.close();
    let Some(FieldNotice::Changed(change)) = level.next().await.expect("typed") else {
        panic!("the level changed")
    };
    assert_eq!((change.before, change.after), (Some(LogLevel::Info), Some(LogLevel::Warn)));
    assert_eq!((change.version.number(), change.actor.as_deref()), (1, Some("ops")));
    assert_eq!(change.reason.as_deref(), Some("calm"));
    assert_eq!(level.next().await.expect("the end"), None);
    let Some(FieldNotice::Changed(change)) = interface.next().await.expect("typed") else {
        panic!("a field of it changed")
    };
    let results = |one: Option<InterfaceSettings>| one.map(|one| one.max_results);
    assert_eq!((results(change.before), results(change.after)), (Some(1_000), Some(7)));
}

#[tokio::test]
async fn whoever_is_too_slow_is_told_how_much_went_by() {
    let node = node();
    let mut results = node.settings.watch(&lens!(Settings, interface.max_results));
    for value in 1..=CONFIG_CHANGES_BUFFERED as u64 + 3 {
        node.settings.set("interface.max_results", value).await.expect("in range");
    }
    let told = results.next().await.expect("told");
    assert_eq!(told, Some(FieldNotice::Lagged { missed: 3 }));
    let Some(FieldNotice::Changed(change)) = results.next().await.expect("told") else {
        panic!("it goes on")
    };
    assert_eq!((change.before, change.after), (Some(3), Some(4)));
}
