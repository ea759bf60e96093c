//! Callers that stop waiting, and a journal that refuses: head is what the journal has.

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use foundation_types::{ErrorKind, Version};

use super::sample::{node, node_with_door};

/// Polls once; the future is expected to wait.
async fn begin<F: Future + Unpin>(future: &mut F) {
    poll_fn(|context| {
        assert!(Pin::new(&mut *future).poll(context).is_pending(), "it waits");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn who_stops_waiting_for_room_has_changed_nothing() {
    let node = node_with_door();
    let mut first = node.settings.set("interface.max_results", 250).into_future();
    begin(&mut first).await;
    drop(first);
    assert_eq!(node.state.head().snapshot.version, Version::NONE);
    node.journal.door.close();
    let second = node.settings.set("interface.max_results", 300).await.expect("the lane is free");
    assert_eq!(second.version, Version::new(1));
    assert_eq!(node.journal.tried.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn who_stops_waiting_in_line_lets_the_next_one_through() {
    let node = node_with_door();
    let mut first = node.settings.set("interface.max_results", 1).into_future();
    let mut second = node.settings.set("interface.max_results", 2).into_future();
    let mut third = node.settings.set("interface.max_results", 3).into_future();
    begin(&mut first).await;
    begin(&mut second).await;
    begin(&mut third).await;
    drop(second);
    node.journal.door.close();
    assert_eq!(first.await.expect("in range").version, Version::new(1));
    assert_eq!(third.await.expect("in range").version, Version::new(2));
    assert_eq!(node.settings.get().interface.max_results, 3);
}

#[tokio::test]
async fn a_refused_append_sets_head_back_and_the_next_one_goes_on() {
    let node = node();
    node.settings.set("interface.max_results", 1).await.expect("in range");
    node.journal.refuses.store(true, Ordering::SeqCst);
    let refused = node.settings.set("interface.max_results", 2).await.expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::DiskFull);
    assert_eq!(node.state.head().snapshot.version, Version::new(1));
    assert_eq!(node.settings.get().interface.max_results, 1);
    node.journal.refuses.store(false, Ordering::SeqCst);
    let again = node.settings.set("interface.max_results", 2).await.expect("there is space again");
    assert_eq!(again.version, Version::new(2));
}

#[tokio::test]
async fn who_reads_while_a_writer_waits_reads_what_is_durable() {
    let node = node_with_door();
    let mut waiting = node.settings.set("interface.max_results", 250).into_future();
    begin(&mut waiting).await;
    assert_eq!(node.settings.get().interface.max_results, 1_000);
    assert_eq!(node.settings.version(), Version::NONE);
    node.journal.door.close();
    waiting.await.expect("in range");
    assert_eq!(node.settings.get().interface.max_results, 250);
}
