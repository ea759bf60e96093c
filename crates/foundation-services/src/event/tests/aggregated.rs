//! What events come to, read page by page from the buffer and the log, and parents elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_logic::event::{AggregateRow, Aggregated, Figure, Link};
use foundation_types::event::{Aggregation, By, Late, Window};
use foundation_types::{ErrorKind, Event, EventQuery, Timestamp};

use super::sample::{World, kind_of, tick};

/// As many events as fill several pages, of three types, a second apart.
async fn filled(world: &World, count: u64) {
    let event = |at: u64| {
        let time = Timestamp::from_unix_micros(at as i64 * 1_000_000);
        let event = Event::new(format!("type-{}", at % 3)).at(time);
        event.id(at.to_string()).data(&at).expect("plain data")
    };
    let outcomes = world.events.append_each((0..count).map(event).collect()).await;
    assert!(outcomes.iter().all(Result::is_ok));
}

fn counts(counted: &Aggregated) -> BTreeMap<String, u64> {
    let count = |value: Option<Figure>| match value {
        Some(Figure::Count(count)) => count,
        other => panic!("{other:?} is no count"),
    };
    let row = |row: &AggregateRow| (row.group[0].clone().unwrap_or_default(), count(row.values[0]));
    counted.rows.iter().map(row).collect()
}

#[tokio::test]
async fn every_event_counts_once_wherever_it_is() {
    for (world, buffered) in [(World::in_memory(), 10_000), (World::on_disk(), 900)] {
        world.set("events.buffer.max_events", buffered).await;
        filled(&world, 3_500).await;
        let asked =
            Aggregation::count().measure("sum:data".parse().expect("a measure")).by(By::Type);
        let counted = world.events.aggregate(EventQuery::all(), asked).await.expect("answered");
        let of_type =
            |at: u64| (format!("type-{at}"), (0..3_500).filter(|one| one % 3 == at).count() as u64);
        assert_eq!(counts(&counted), BTreeMap::from([0, 1, 2].map(of_type)));
        assert_eq!(counted.events, 3_500);
        let sum = |row: &AggregateRow| match row.values[1] {
            Some(Figure::Real(sum)) => sum,
            other => panic!("{other:?} is no sum"),
        };
        assert_eq!(
            counted.rows.iter().map(sum).sum::<f64>(),
            (0..3_500_u32).map(f64::from).sum::<f64>()
        );
    }
}

#[tokio::test]
async fn a_limit_and_an_order_hold_for_what_is_counted() {
    let world = World::on_disk();
    filled(&world, 2_500).await;
    let largest = Aggregation::count().measure("min:data".parse().expect("a measure"));
    let newest = EventQuery::all().newest_first().limit(1_700);
    let counted = world.events.aggregate(newest, largest).await.expect("answered");
    assert_eq!(counted.rows[0].values, [Some(Figure::Count(1_700)), Some(Figure::Real(800.0))]);
    let windows = Aggregation::count().window(Window::tumbling(Duration::from_secs(1_000)));
    let counted = world.events.aggregate(EventQuery::all(), windows).await.expect("answered");
    let events: Vec<u64> = counted.rows.iter().map(|row| row.events).collect();
    assert_eq!(events, [1_000, 1_000, 500]);
}

#[tokio::test]
async fn one_that_takes_too_long_ends() {
    let world = World::on_disk();
    filled(&world, 2_500).await;
    world.set("interface.query_timeout_ms", 50).await;
    world.clock.step_by(Duration::from_millis(20));
    let outcome = world.events.aggregate(EventQuery::all(), Aggregation::count()).await;
    assert_eq!(kind_of(outcome), ErrorKind::Timeout);
    world.clock.step_by(Duration::from_micros(1));
    let outcome = world.events.aggregate(EventQuery::all(), Aggregation::count()).await;
    assert_eq!(outcome.expect("answered").events, 2_500);
}

#[tokio::test]
async fn what_can_mean_nothing_is_refused_before_anything_is_read() {
    let world = World::in_memory();
    let cases = [
        (EventQuery::all().limit(0), Aggregation::count()),
        (EventQuery::all(), Aggregation::count().window(Window::session(Duration::ZERO))),
        (
            EventQuery::all().newest_first(),
            Aggregation::count().lateness(Duration::ZERO, Late::Drop),
        ),
    ];
    for (query, asked) in cases {
        let outcome = world.events.aggregate(query, asked).await;
        assert_eq!(kind_of(outcome), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn a_parent_in_another_story_is_told_from_one_that_is_lost() {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 2).await;
    let events = [
        tick("a").correlation("other"),
        tick("b").correlation("r").parent("a"),
        tick("c").correlation("r").parent("gone"),
        tick("d").correlation("r").parent("b"),
    ];
    for event in events {
        world.events.append(event).await.expect("stored");
    }
    let trace = world.events.trace("r").await.expect("told");
    let links: Vec<Link> = trace.spans.iter().map(|span| span.link).collect();
    assert_eq!(links, [Link::Elsewhere, Link::Gap, Link::Child(0)]);
    assert_eq!((trace.gaps, trace.figures.orphans), (1, 2));
}
