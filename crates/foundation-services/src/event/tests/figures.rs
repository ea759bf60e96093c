//! Figures: what an append costs above the log, for an event of 190 bytes as JSON.

use std::future::IntoFuture;
use std::time::Instant;

use foundation_types::{Event, EventQuery};

use super::sample::World;

fn event(number: u64) -> Event {
    Event::new(["order.placed", "order.paid", "order.sent"][number as usize % 3])
        .correlation(format!("req-{:07}", number / 10))
        .data(&(number, "abcdefghijklmnopqrstuvwxyz", 12_345))
        .expect("plain data")
}

fn report(name: &str, nanoseconds: f64) {
    eprintln!("{name:<44} {nanoseconds:>10.0} ns/event");
}

/// Nanoseconds an event, the median of 200 rounds of 1,000 that are made beforehand, as callers
/// have them at hand.
async fn time(name: &str, size: usize, each: bool, with_ids: bool) {
    let world = World::in_memory();
    let mut number = 0;
    let mut rounds = Vec::new();
    for _ in 0..200 {
        let mut input: Vec<Vec<Event>> = Vec::new();
        for _ in 0..1_000 / size {
            let some = (0..size).map(|_| {
                number += 1;
                let event = event(number);
                if with_ids { event.id(format!("order-{number:012}")) } else { event }
            });
            input.push(some.collect());
        }
        let start = Instant::now();
        for mut events in input {
            match size {
                1 => drop(world.events.append(events.remove(0)).await.expect("stored")),
                _ if each => drop(world.events.append_each(events).await),
                _ => drop(world.events.append_batch(events).await.expect("stored")),
            }
        }
        rounds.push(start.elapsed().as_nanos() as f64 / 1_000.0);
    }
    rounds.sort_by(f64::total_cmp);
    report(name, rounds[100]);
}

#[tokio::test]
#[ignore = "measures; run it alone, in release, with --nocapture"]
async fn time_to_append() {
    let world = World::in_memory();
    let future = world.events.append(event(1)).into_future();
    report("bytes of the future of one append", std::mem::size_of_val(&future) as f64);
    time("append, one by one", 1, false, false).await;
    time("append, one by one, ids given", 1, false, true).await;
    time("append_batch of 100", 100, false, false).await;
    time("append_batch of 100, ids given", 100, false, true).await;
    time("append_each of 1,000", 1_000, true, false).await;
    time("append_each of 1,000, ids given", 1_000, true, true).await;
}

#[tokio::test]
#[ignore = "measures; run it alone, in release, with --nocapture"]
async fn time_to_query() {
    let world = World::in_memory();
    let events = (0..100_000).map(event).collect();
    assert!(world.events.append_each(events).await.iter().all(Result::is_ok));
    let start = Instant::now();
    for number in 0..10_000_u64 {
        let correlation = format!("req-{:07}", number * 7 % 10_000);
        let page = world.events.query(EventQuery::all().correlation(correlation)).await;
        assert_eq!(page.expect("answered").events.len(), 10);
    }
    report("query by correlation, 10 hits, decoded", start.elapsed().as_nanos() as f64 / 10_000.0);
}
