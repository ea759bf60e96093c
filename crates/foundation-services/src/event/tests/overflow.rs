//! The four policies, over a journal that is held back and over one that is in memory only.

use std::future::IntoFuture;

use foundation_types::{ErrorKind, Event, EventQuery};

use super::sample::{World, ids, kind_of, poll, tick};

/// A world in which two events are on their way and no third may be.
async fn full_on_disk(policy: &str) -> World {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 2).await;
    world.set("events.buffer.overflow", policy).await;
    world.set("interface.query_timeout_ms", 1).await;
    world.disk.hold();
    world
}

#[tokio::test]
async fn on_disk_reject_and_drop_newest_say_so_and_count() {
    let rows = [
        ("reject", ErrorKind::BufferFull, [3, 0, 3, 0]),
        ("drop_newest", ErrorKind::EventDropped, [3, 0, 0, 3]),
    ];
    for (policy, kind, ledger) in rows {
        let world = full_on_disk(policy).await;
        let mut one = world.events.append(tick("a")).into_future();
        let mut two = world.events.append(tick("b")).into_future();
        assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
        assert_eq!(kind_of(world.events.append(tick("c")).await), kind);
        let batch = world.events.append_batch(vec![tick("d"), tick("e")]).await;
        assert_eq!(kind_of(batch), kind);
        world.disk.let_go();
        one.await.expect("stored");
        two.await.expect("stored");
        world.events.append(tick("c")).await.expect("there is room");
        assert_eq!(world.ledger(), ledger);
    }
}

#[tokio::test]
async fn on_disk_backpressure_and_drop_oldest_wait_for_a_while() {
    for policy in ["backpressure", "drop_oldest"] {
        let world = full_on_disk(policy).await;
        let mut one = world.events.append(tick("a")).into_future();
        let mut two = world.events.append(tick("b")).into_future();
        assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
        assert_eq!(kind_of(world.events.append(tick("c")).await), ErrorKind::Timeout);
        world.set("interface.query_timeout_ms", 60_000).await;
        let mut three = world.events.append(tick("c")).into_future();
        assert!(poll(&mut three).is_pending());
        world.disk.let_go();
        one.await.expect("stored");
        three.await.expect("there is room now");
        two.await.expect("stored");
        assert_eq!(world.ledger(), [3, 0, 1, 0]);
    }
}

#[tokio::test]
async fn who_waits_goes_on_when_the_bounds_are_raised() {
    let world = full_on_disk("backpressure").await;
    world.set("interface.query_timeout_ms", 60_000).await;
    let mut appends: Vec<_> =
        ["a", "b", "c"].into_iter().map(|id| world.events.append(tick(id)).into_future()).collect();
    assert!(appends.iter_mut().all(|append| poll(append).is_pending()));
    assert_eq!(world.events.0.intake.on_the_way().events, 2);
    world.set("events.buffer.max_events", 3).await;
    assert!(poll(&mut appends[2]).is_pending());
    assert_eq!(world.events.0.intake.on_the_way().events, 3);
    world.disk.let_go();
    for append in appends {
        append.await.expect("stored");
    }
    assert_eq!(world.ledger(), [3, 0, 0, 0]);
}

#[tokio::test]
async fn on_disk_what_leaves_the_buffer_is_no_drop() {
    for policy in ["reject", "drop_newest", "backpressure", "drop_oldest"] {
        let world = full_on_disk(policy).await;
        world.disk.let_go();
        for at in 0..10 {
            world.events.append(tick(&at.to_string())).await.expect("the log takes it");
        }
        let stats = world.settled();
        assert_eq!((stats.stored, stats.buffered_events, stats.evicted), (10, 2, 8));
        assert_eq!(world.all(EventQuery::all()).await.len(), 10);
    }
}

#[tokio::test]
async fn many_at_once_are_not_refused_for_being_many() {
    for policy in ["reject", "drop_newest", "backpressure", "drop_oldest"] {
        let world = full_on_disk(policy).await;
        world.set("interface.query_timeout_ms", 60_000).await;
        world.disk.let_go();
        let outcomes = world.events.append_each(vec![Event::new("tick"); 100]).await;
        assert!(outcomes.into_iter().all(|outcome| outcome.is_ok()));
        let batch = vec![Event::new("tick"); 100];
        world.events.append_batch(batch).await.expect("a large one goes alone");
        assert_eq!(world.ledger(), [200, 0, 0, 0]);
    }
}

#[tokio::test]
async fn a_journal_without_room_is_as_good_as_a_full_buffer() {
    let large = |at: usize| {
        let event = Event::new("large").id(at.to_string());
        event.data(&"x".repeat(1_000_000)).expect("plain data")
    };
    let rows = [
        ("reject", ErrorKind::BufferFull),
        ("drop_newest", ErrorKind::EventDropped),
        ("backpressure", ErrorKind::Timeout),
        ("drop_oldest", ErrorKind::Timeout),
    ];
    let world = World::on_disk();
    world.set("events.buffer.max_bytes", 1_u64 << 30).await;
    world.disk.hold();
    let mut appends: Vec<_> =
        (0..33).map(|at| world.events.append(large(at)).into_future()).collect();
    assert!(appends.iter_mut().all(|append| poll(append).is_pending()));
    for (policy, kind) in rows {
        world.set("events.buffer.overflow", policy).await;
        world.set("interface.query_timeout_ms", 1).await;
        assert_eq!(kind_of(world.events.append(large(99)).await), kind);
    }
    world.disk.let_go();
    for append in appends {
        append.await.expect("stored");
    }
    assert_eq!(world.ledger(), [33, 0, 3, 1]);
}

#[tokio::test]
async fn in_memory_the_buffer_is_all_there_is() {
    let rows = [
        ("reject", Some(ErrorKind::BufferFull), [3, 0, 2, 0]),
        ("drop_newest", Some(ErrorKind::EventDropped), [3, 0, 0, 2]),
        ("backpressure", Some(ErrorKind::Timeout), [3, 0, 2, 0]),
        ("drop_oldest", None, [5, 0, 0, 0]),
    ];
    for (policy, refused, ledger) in rows {
        let world = World::in_memory();
        world.set("events.buffer.max_events", 3).await;
        world.set("events.buffer.overflow", policy).await;
        world.set("interface.query_timeout_ms", 1).await;
        for id in ["a", "b", "c"] {
            world.events.append(tick(id)).await.expect("there is room");
        }
        let one = world.events.append(tick("d")).await;
        let each = world.events.append_each(vec![tick("e")]).await.remove(0);
        assert_eq!(one.err().map(|error| error.kind()), refused);
        assert_eq!(each.err().map(|error| error.kind()), refused);
        assert_eq!(world.ledger(), ledger);
        let stats = world.settled();
        assert_eq!(stats.buffered_events, 3);
        assert_eq!(stats.evicted, if refused.is_some() { 0 } else { 2 });
    }
}

#[tokio::test]
async fn in_memory_the_bytes_count_to_the_last_one() {
    let world = World::in_memory();
    world.set("events.buffer.max_bytes", 65_536).await;
    world.set("events.buffer.overflow", "reject").await;
    let mut stored = Vec::new();
    while let Ok(receipt) = world.events.append(Event::new("tick").subject("s".repeat(500))).await {
        stored.push(receipt);
    }
    let stats = world.settled();
    let each = stats.buffered_bytes / stats.buffered_events;
    assert!(stats.buffered_bytes <= 65_536 && stats.buffered_bytes + each > 65_536, "{stats:?}");
    assert_eq!((stats.evicted, stats.buffered_events), (0, stored.len() as u64));
}

#[tokio::test]
async fn in_memory_who_waits_goes_on_when_there_is_room() {
    let world = World::in_memory();
    world.set("events.buffer.max_events", 1).await;
    world.set("events.buffer.overflow", "backpressure").await;
    world.events.append(tick("a")).await.expect("there is room");
    let mut second = world.events.append(tick("b")).into_future();
    assert!(poll(&mut second).is_pending());
    world.set("events.buffer.max_events", 2).await;
    second.await.expect("there is room");
    assert_eq!(ids(&world.all(EventQuery::all()).await), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_memory_many_at_once_never_push_one_another_out() {
    let world = std::sync::Arc::new(World::in_memory());
    world.set("events.buffer.max_events", 500).await;
    world.set("events.buffer.overflow", "reject").await;
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    let _ = world.events.append(Event::new("tick")).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let stats = world.settled();
    assert_eq!((stats.offered, stats.evicted), (800, 0));
    assert_eq!(stats.buffered_events, stats.stored);
    assert!(stats.stored >= 490, "{stats:?}");
}
