//! A caller that goes away leaves nothing behind: no claim, no room taken, no open count.

use std::future::IntoFuture;

use foundation_types::Event;

use super::sample::{World, poll, tick};

#[tokio::test]
async fn what_had_its_place_is_stored_although_nobody_waited() {
    let world = World::on_disk();
    world.disk.hold();
    let mut append = world.events.append(tick("a")).into_future();
    let mut batch = world.events.append_batch(vec![tick("b"), tick("c")]).into_future();
    let mut each = world.events.append_each(vec![tick("d"), Event::new("tick")]).into_future();
    assert!(poll(&mut append).is_pending() && poll(&mut batch).is_pending());
    assert!(poll(&mut each).is_pending());
    drop((append, batch, each));
    assert_eq!(world.events.stats().in_flight, 5);
    world.disk.let_go();
    let again = world.events.append(tick("a")).await.expect("it was stored");
    assert!(again.repeated);
    for id in ["b", "c", "d"] {
        assert!(world.events.append(tick(id)).await.expect("it was stored").repeated);
    }
    assert_eq!(world.ledger(), [5, 4, 0, 0]);
}

#[tokio::test]
async fn who_waited_for_the_one_that_went_away_learns_how_it_ended() {
    let world = World::on_disk();
    world.disk.hold();
    let mut first = world.events.append(tick("a")).into_future();
    assert!(poll(&mut first).is_pending());
    let mut second = world.events.append(tick("a")).into_future();
    assert!(poll(&mut second).is_pending());
    drop(first);
    world.disk.let_go();
    assert!(second.await.expect("it was stored").repeated);
    assert_eq!(world.ledger(), [1, 1, 0, 0]);
}

#[tokio::test]
async fn what_waited_for_room_is_refused() {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 1).await;
    world.disk.hold();
    let mut first = world.events.append(tick("a")).into_future();
    let mut second = world.events.append(tick("b")).into_future();
    let mut same = world.events.append(tick("b")).into_future();
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert!(poll(&mut same).is_pending());
    drop(second);
    world.disk.let_go();
    first.await.expect("stored");
    assert!(!same.await.expect("it is the first with its id now").repeated);
    assert_eq!(world.ledger(), [2, 0, 1, 0]);
}

#[tokio::test]
async fn room_that_was_taken_by_one_that_went_away_comes_back() {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 1).await;
    world.disk.hold();
    let mut first = world.events.append(Event::new("tick")).into_future();
    let mut second = world.events.append(Event::new("tick")).into_future();
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    world.disk.let_go();
    second.await.expect("there is room");
    assert_eq!(world.ledger(), [2, 0, 0, 0]);
}

#[tokio::test]
async fn what_failed_after_its_caller_went_away_is_refused() {
    let world = World::on_disk();
    world.disk.hold();
    let mut append = world.events.append(tick("a")).into_future();
    assert!(poll(&mut append).is_pending());
    drop(append);
    world.disk.break_down();
    world.events.append(tick("b")).await.expect_err("the disk is broken");
    assert_eq!(world.ledger(), [0, 0, 2, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_go_away_at_any_moment_leave_nothing() {
    let world = std::sync::Arc::new(World::on_disk());
    let callers: Vec<_> = (0..200_u64)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move {
                let events = (0..20).map(|at| tick(&(number % 7 * 20 + at).to_string())).collect();
                let append = world.events.append_each(events).into_future();
                tokio::select! {
                    biased;
                    () = yields(number % 11) => {}
                    _ = append => {}
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let outcomes = world.events.append_each((0..140).map(|at| tick(&at.to_string())).collect());
    assert!(outcomes.await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(world.settled().stored, 140);
}

async fn yields(count: u64) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}
