//! A lens and the text of its path are the same place.

use foundation_types::config::{BufferSettings, LogLevel};
use foundation_types::{ErrorKind, Settings, Value, lens};
use proptest::prelude::*;

use super::sample::node;
use crate::config::Notice;

#[tokio::test]
async fn a_lens_goes_wherever_a_path_goes() {
    let node = node();
    let settings = &node.settings;
    let level = lens!(Settings, log.level);
    let most = lens!(Settings, events.buffer).then(lens!(BufferSettings, max_events));
    let mut told = settings.subscribe(&level).expect("is a place");
    let first = settings.set(&level, LogLevel::Debug).await.expect("a level").version;
    assert_eq!(settings.value(&level).expect("is there"), Value::from("debug"));
    assert_eq!(level.get(&settings.get()), &LogLevel::Debug);
    let both = settings.transaction().set(most.clone(), 7).reset(lens!(Settings, log));
    both.expect_unchanged(&level, first).await.expect("nobody was quicker");
    assert_eq!(*most.get(&settings.get()), 7);
    let stale = settings.transaction().unset(&most).expect_unchanged(&level, first).await;
    assert_eq!(stale.expect_err("it was reset").kind(), ErrorKind::VersionConflict);
    settings.unset(most).await.expect("has a default");
    assert_eq!(settings.get().events.buffer, BufferSettings::default());
    for after in ["debug", "info"] {
        let Some(Notice::Changed(change)) = told.next().await.expect("is told") else {
            panic!("nothing was too fast")
        };
        assert_eq!((&change.path, change.after), (level.path(), Some(after.into())));
    }
    let refused = settings.set(lens!(Settings, interface.max_results), 0).await;
    let refused = refused.expect_err("is out of range");
    assert_eq!(refused.kind(), ErrorKind::OutOfRange);
    assert_eq!(refused.problems()[0].expected.as_deref(), Some("integer, 1 to 100000"));
}

proptest! {
    #[test]
    fn what_a_lens_puts_the_text_puts_too(rows in 1_u64..=100_000, wait in 1_u64..=3_600_000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        runtime.block_on(async {
            let (typed, text) = (node(), node());
            let update = typed.settings.transaction();
            let update = update.set(lens!(Settings, interface.max_results), rows);
            let lensed = update.set(lens!(Settings, interface.query_timeout_ms), wait).await;
            let update = text.settings.transaction().set("interface.max_results", rows);
            let named = update.set("interface.query_timeout_ms", wait).await;
            prop_assert_eq!(lensed.expect("in range"), named.expect("in range"));
            let (typed, text) = (typed.settings.get(), text.settings.get());
            prop_assert_eq!(typed.tree(), text.tree());
            Ok(())
        })?;
    }
}
