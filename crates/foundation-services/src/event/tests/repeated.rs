//! An id is stored once, whoever comes with it, however many at a time.

use foundation_types::{ErrorKind, Event, EventQuery, Position, Timestamp};
use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::task::Poll;

use super::sample::{World, kind_of, poll, tick};

fn full(id: &str) -> Event {
    Event::new("order.placed")
        .id(id)
        .at(Timestamp::UNIX_EPOCH)
        .source("shop")
        .subject("order-7")
        .correlation("req")
        .parent("p")
        .data(&BTreeMap::from([("items", 3)]))
        .expect("plain data")
}

#[tokio::test]
async fn another_body_in_any_field_is_another_event_and_is_refused() {
    for world in [World::in_memory(), World::on_disk()] {
        let first = world.events.append(full("a")).await.expect("stored");
        let without_time = Event { time: None, ..full("a") };
        let others = [
            Event { kind: "order.paid".into(), ..full("a") },
            full("a").at(Timestamp::from_unix_micros(1)),
            without_time,
            full("a").source("till"),
            full("a").subject("order-8"),
            full("a").correlation("req-2"),
            full("a").parent("q"),
            full("a").data(&BTreeMap::from([("items", 4)])).expect("plain data"),
        ];
        for other in others {
            let error = world.events.append(other).await.expect_err("it says something else");
            assert_eq!(error.kind(), ErrorKind::IdReused);
            let position = ("position".to_owned(), first.position.to_string());
            assert!(error.context().contains(&position), "{error}");
        }
        // The order of keys and white space say nothing.
        let data = foundation_types::Data::from_json(" { \"items\" : 3 } ").expect("JSON");
        let again = world.events.append(Event { data, ..full("a") }).await.expect("the same");
        assert_eq!((again.position, again.repeated), (first.position, true));
        assert_eq!(world.ledger(), [1, 1, 8, 0]);
    }
}

#[tokio::test]
async fn a_time_that_was_not_given_is_not_the_time_of_recording() {
    let world = World::in_memory();
    let first = world.events.append(tick("a")).await.expect("stored");
    let given = world.events.append(tick("a").at(first.recorded)).await;
    assert_eq!(kind_of(given), ErrorKind::IdReused);
    assert!(world.events.append(tick("a")).await.expect("the same").repeated);
}

#[tokio::test]
async fn a_repeat_is_recognised_after_the_event_left_the_buffer() {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 1).await;
    let first = world.events.append(tick("a")).await.expect("stored");
    world.events.append(tick("b")).await.expect("stored");
    let again = world.events.append(tick("a")).await.expect("the same");
    assert_eq!(again.position, first.position);
    let other = world.events.append(tick("a").subject("s")).await;
    assert_eq!(kind_of(other), ErrorKind::IdReused);
    assert_eq!(world.ledger(), [2, 1, 1, 0]);
}

#[tokio::test]
async fn in_memory_an_id_is_new_again_once_its_event_is_gone() {
    let world = World::keeping(400);
    world.set("events.buffer.max_events", 1).await;
    world.events.append(tick("a")).await.expect("stored");
    for at in 0..20 {
        world.events.append(tick(&at.to_string())).await.expect("stored");
    }
    assert_eq!(kind_of(world.events.get("a").await), ErrorKind::NotFound);
    let again = world.events.append(tick("a")).await.expect("stored as a new one");
    assert!(!again.repeated);
    assert_eq!(world.events.get("a").await.expect("is kept").position, again.position);
    assert!(world.events.append(tick("a")).await.expect("known").repeated);
    assert_eq!(world.ledger(), [22, 1, 0, 0]);
}

#[tokio::test]
async fn a_batch_leaves_out_what_is_stored_and_what_comes_twice() {
    let world = World::in_memory();
    let first = world.events.append(tick("a")).await.expect("stored");
    let batch = vec![tick("b"), tick("a"), tick("b"), tick("c")];
    let receipts = world.events.append_batch(batch).await.expect("stored");
    let rows: Vec<(u64, bool)> =
        receipts.iter().map(|receipt| (receipt.position.to_engine(), receipt.repeated)).collect();
    let old = first.position.to_engine();
    assert_eq!(rows, [(old + 1, false), (old, true), (old + 1, true), (old + 2, false)]);
    let all_known = world.events.append_batch(vec![tick("c"), tick("a")]).await.expect("known");
    assert!(all_known.iter().all(|receipt| receipt.repeated));
    let differing = vec![tick("d"), tick("e"), tick("d").subject("s")];
    assert_eq!(kind_of(world.events.append_batch(differing).await), ErrorKind::IdReused);
    let reusing = vec![tick("f"), tick("a").subject("s")];
    assert_eq!(kind_of(world.events.append_batch(reusing).await), ErrorKind::IdReused);
    assert_eq!(world.all(EventQuery::all()).await.len(), 3);
    assert_eq!(world.ledger(), [3, 4, 5, 0]);
}

#[tokio::test]
async fn who_comes_while_the_first_is_on_its_way_waits_for_it() {
    let world = World::on_disk();
    world.disk.hold();
    let mut first = world.events.append(tick("a")).into_future();
    let mut same = world.events.append(tick("a")).into_future();
    let mut other = world.events.append(tick("a").subject("s")).into_future();
    let mut batch = world.events.append_batch(vec![tick("b"), tick("a")]).into_future();
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut same).is_pending() && poll(&mut other).is_pending());
    assert!(poll(&mut batch).is_pending());
    world.disk.let_go();
    let first = first.await.expect("stored");
    let same = same.await.expect("the same");
    assert_eq!((same.position, same.repeated), (first.position, true));
    assert_eq!(kind_of(other.await), ErrorKind::IdReused);
    let batch = batch.await.expect("one is new");
    assert_eq!((batch[0].repeated, batch[1].position), (false, first.position));
    assert_eq!(world.ledger(), [2, 2, 1, 0]);
}

#[tokio::test]
async fn who_waits_for_one_that_fails_is_told_of_the_failure_too() {
    let world = World::on_disk();
    world.events.append(tick("before")).await.expect("stored");
    world.disk.hold();
    let mut first = world.events.append(tick("a")).into_future();
    let mut same = world.events.append(tick("a")).into_future();
    assert!(poll(&mut first).is_pending() && poll(&mut same).is_pending());
    world.disk.break_down();
    assert_eq!(kind_of(first.await), ErrorKind::Indeterminate);
    assert_eq!(kind_of(same.await), ErrorKind::Fenced);
    assert_eq!(world.ledger(), [1, 0, 2, 0]);
}

#[tokio::test]
async fn who_waits_does_not_depend_on_the_first_being_asked_again() {
    let world = World::on_disk();
    world.disk.hold();
    let mut first = world.events.append(tick("a")).into_future();
    assert!(poll(&mut first).is_pending());
    world.disk.let_go();
    let same = world.events.append(tick("a")).await.expect("the same");
    assert!(same.repeated);
    assert_eq!(first.await.expect("stored").position, same.position);
    assert_eq!(world.ledger(), [1, 1, 0, 0]);
}

#[tokio::test]
async fn an_append_that_was_only_made_did_nothing() {
    let world = World::in_memory();
    drop(world.events.append(tick("a")).into_future());
    assert_eq!(world.settled().offered, 0);
    assert!(matches!(poll(&mut world.events.append(tick("a")).into_future()), Poll::Ready(Ok(_))));
}

/// One of many callers that all come with the same ids, each in its own order and manner.
async fn caller(world: &World, number: usize, count: usize) -> BTreeMap<String, Position> {
    let mut order: Vec<usize> = (0..count).map(|at| (at * 11 + number * 7) % count).collect();
    if number.is_multiple_of(2) {
        order.reverse();
    }
    let mut positions = BTreeMap::new();
    for some in order.chunks(5) {
        let events: Vec<Event> = some.iter().map(|at| tick(&at.to_string())).collect();
        let receipts = match number % 3 {
            0 => world.events.append_each(events).await.into_iter().map(Result::unwrap).collect(),
            1 => world.events.append_batch(events).await.expect("all say the same"),
            _ => {
                let mut receipts = Vec::new();
                for event in events {
                    receipts.push(world.events.append(event).await.expect("all say the same"));
                }
                receipts
            }
        };
        for receipt in receipts {
            positions.insert(receipt.id.to_string(), receipt.position);
        }
    }
    positions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_with_the_same_ids_store_each_once_and_agree_on_where() {
    const CALLERS: usize = 24;
    const IDS: usize = 105;
    for (world, kept) in [(World::in_memory(), 1_000), (World::on_disk(), 20)] {
        world.set("events.buffer.max_events", kept).await;
        let world = std::sync::Arc::new(world);
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let world = world.clone();
                tokio::spawn(async move { caller(&world, number, IDS).await })
            })
            .collect();
        let mut agreed = None;
        for caller in callers {
            let positions = caller.await.expect("no caller panics");
            assert_eq!(*agreed.get_or_insert(positions.clone()), positions);
        }
        assert_eq!(world.all(EventQuery::all()).await.len(), IDS);
        let (ids, all) = (IDS as u64, (CALLERS * IDS) as u64);
        assert_eq!(world.ledger(), [ids, all - ids, 0, 0]);
    }
}

#[tokio::test]
async fn in_memory_an_id_is_known_as_long_as_its_event_is_kept_and_memory_is_bounded() {
    let world = World::keeping(100_000);
    world.set("events.buffer.max_events", 100).await;
    for round in 0..50 {
        let many = (0..1_000).map(|at| tick(&format!("{round}.{at}"))).collect();
        world.events.append_batch(many).await.expect("stored");
    }
    let ids = world.events.0.log.stats().ids;
    assert!(ids < 12_000, "{ids} ids of 50,000 events");
    let known = world.events.append(tick("49.999")).await.expect("is kept");
    assert!(known.repeated);
    let again = world.events.append(tick("0.0")).await.expect("was let go of: it is a new one");
    assert!(!again.repeated);
}
