//! Nothing is read before it is durable, and head goes back to what is.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use foundation_store::journal::Journal;
use foundation_types::ErrorKind;

use super::sample::{Mood, MoodyDisk, open};
use crate::table::Swap;

/// Polls once; the future is expected to wait.
async fn begin<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "it waits");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn readers_see_what_is_durable_and_writers_what_is_on_the_way() {
    let opened = open::<u8, u32>(&MoodyDisk::default());
    let table = &opened.table;
    table.insert(1, 10).await.expect("durable");
    opened.disk.is(Mood::SyncsWait);
    let mut first = pin!(table.insert(1, 11));
    let mut second = pin!(table.update(1, |value| value.map(|value| value + 1)));
    let mut stale = pin!(table.compare_and_swap(1, Some(&10), Some(0)));
    let mut absent = pin!(table.remove(&2));
    begin(first.as_mut()).await;
    begin(second.as_mut()).await;
    begin(stale.as_mut()).await;
    begin(absent.as_mut()).await;
    assert_eq!((table.get(&1).as_deref(), table.version().number()), (Some(&10), 1));
    let held = table.snapshot();
    opened.disk.is(Mood::Works);
    assert_eq!(first.await.expect("durable").as_deref(), Some(&10));
    assert_eq!(second.await.expect("durable").as_deref(), Some(&12));
    let swap = stale.await.expect("durable");
    assert!(matches!(swap, Swap::Differs(Some(value)) if *value == 12));
    assert_eq!(absent.await.expect("durable"), None);
    assert_eq!(
        (table.get(&1).as_deref(), held.get(&1).map(|value| **value)),
        (Some(&12), Some(10))
    );
}

#[tokio::test]
async fn a_failed_sync_sets_head_back_and_nobody_saw_the_value() {
    let opened = open::<u8, u32>(&MoodyDisk::default());
    let table = &opened.table;
    table.insert(1, 10).await.expect("durable");
    opened.disk.is(Mood::SyncsWait);
    let mut first = pin!(table.insert(1, 11));
    let mut second = pin!(table.insert(2, 20));
    let mut stale = pin!(table.compare_and_swap(1, Some(&10), Some(0)));
    begin(first.as_mut()).await;
    begin(second.as_mut()).await;
    begin(stale.as_mut()).await;
    opened.disk.is(Mood::SyncsFail);
    first.await.expect_err("lost");
    second.await.expect_err("lost");
    // That it has something else was learned of what is lost: it is tried anew.
    assert_eq!(stale.await.expect_err("no answer").kind(), ErrorKind::Fenced);
    assert_eq!((table.get(&1).as_deref(), table.len()), (Some(&10), 1));
    assert_eq!(table.insert(1, 12).await.expect_err("fenced").kind(), ErrorKind::Fenced);
    assert_eq!(table.remove(&9).await.expect_err("fenced").kind(), ErrorKind::Fenced);
}

#[tokio::test]
async fn who_stops_waiting_leaves_a_change_that_goes_on_or_is_noticed() {
    let disk = MoodyDisk::default();
    let opened = open::<u8, u32>(&disk);
    let table = &opened.table;
    disk.is(Mood::SyncsWait);
    begin(pin!(table.insert(1, 1))).await;
    disk.is(Mood::Works);
    assert_eq!(table.insert(1, 2).await.expect("durable").as_deref(), Some(&1));
    // Only once nobody waits for it does its write find that there is no space.
    disk.is(Mood::WritesWait);
    begin(pin!(table.insert(1, 3))).await;
    disk.is(Mood::Full);
    while opened.journal.status().waiting > 0 {
        tokio::task::yield_now().await;
    }
    disk.is(Mood::Works);
    let before = table.insert(1, 4).await.expect("there is space");
    assert_eq!(before.as_deref(), Some(&2), "the one that found no space is taken back");
}

#[tokio::test]
async fn who_finds_no_room_before_the_disk_waits_for_it_and_loses_nothing() {
    let opened = open::<u8, (u32, String)>(&MoodyDisk::default());
    let table = &opened.table;
    let filler = "x".repeat(500_000);
    let more = |value: Option<&(u32, String)>| {
        Some((value.map_or(1, |(count, _)| count + 1), filler.clone()))
    };
    opened.disk.is(Mood::SyncsWait);
    // More than may wait for the disk at once, all of them on the same few keys.
    let mut updates: Vec<_> = (0..80).map(|at| Box::pin(table.update(at % 4, more))).collect();
    for update in &mut updates {
        begin(update.as_mut()).await;
    }
    let placed = opened.journal.status().waiting;
    assert!((1..80).contains(&placed), "{placed} found room");
    opened.disk.is(Mood::Works);
    // All at once: room is given to who asked first.
    poll_fn(|context| {
        updates.retain_mut(|update| match update.as_mut().poll(context) {
            Poll::Ready(outcome) => outcome.map(|_| false).expect("there is space"),
            Poll::Pending => true,
        });
        if updates.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let counts: Vec<u32> = table.snapshot().iter().map(|(_, value)| value.0).collect();
    assert_eq!(counts, [20; 4]);
}
