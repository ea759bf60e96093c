//! Followers see every event once, in order, whenever they begin and however slow they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::config::{EventRule, RuleAction};
use foundation_types::{ErrorKind, Event, EventQuery, Position};

use super::sample::{World, kind_of, poll, tick};
use crate::event::{Start, Subscription};

/// No subscription takes as long as this for what is there.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next_ids(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let event = subscription.next().await.expect("an event");
        ids.extend(event.event.id.map(|id| id.to_string()));
    }
    ids
}

fn is_idle(subscription: &mut Subscription) -> bool {
    poll(&mut Box::pin(subscription.next())).is_pending()
}

#[tokio::test]
async fn it_begins_where_its_start_says_and_goes_on_live() {
    for world in [World::in_memory(), World::on_disk()] {
        let first = world.events.append(tick("a")).await.expect("stored");
        world.events.append(tick("b")).await.expect("stored");
        let subscribe = |start| world.events.subscribe(start, EventQuery::all()).expect("it may");
        let mut all = subscribe(Start::Beginning);
        let mut later = subscribe(Start::After(first.position));
        let mut new = subscribe(Start::Now);
        assert!(is_idle(&mut new));
        world.events.append(tick("c")).await.expect("stored");
        assert_eq!(next_ids(&mut all, 3).await, ["a", "b", "c"]);
        assert_eq!(next_ids(&mut later, 2).await, ["b", "c"]);
        assert_eq!(next_ids(&mut new, 1).await, ["c"]);
        assert!(is_idle(&mut all) && is_idle(&mut later) && is_idle(&mut new));
    }
}

#[tokio::test]
async fn a_filter_leaves_out_the_rest_and_a_checkpoint_goes_on_after_it() {
    let world = World::on_disk();
    world.set("events.buffer.max_events", 5).await;
    let kind = |at: usize| if at.is_multiple_of(3) { "third" } else { "other" };
    let events = (0..1_000).map(|at| Event::new(kind(at)).id(at.to_string())).collect();
    assert!(world.events.append_each(events).await.iter().all(Result::is_ok));
    let filter = EventQuery::all().kind("third");
    let mut subscription = world.events.subscribe(Start::Beginning, filter.clone()).expect("ok");
    let half = next_ids(&mut subscription, 150).await;
    let checkpoint = subscription.position();
    drop(subscription);
    let mut resumed = world.events.subscribe(Start::After(checkpoint), filter).expect("it may");
    let rest = next_ids(&mut resumed, 184).await;
    let expected: Vec<String> = (0..1_000).step_by(3).map(|at| at.to_string()).collect();
    assert_eq!([half, rest].concat(), expected);
    assert!(is_idle(&mut resumed));
}

#[tokio::test]
async fn what_it_missed_because_it_is_no_longer_kept_it_is_told_once() {
    let world = World::keeping(1_000);
    world.set("events.buffer.max_events", 2).await;
    let mut slow = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("it may");
    for at in 0..50 {
        world.events.append(tick(&at.to_string())).await.expect("stored");
    }
    assert_eq!(kind_of(slow.next().await), ErrorKind::Compacted);
    let first = slow.next().await.expect("it goes on").position.to_engine();
    let mut last = first;
    while let std::task::Poll::Ready(event) = poll(&mut Box::pin(slow.next())) {
        let position = event.expect("told once only").position.to_engine();
        assert_eq!(position, last + 1);
        last = position;
    }
    assert!(first > 1 && last == 50);
    let oldest = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("it may");
    assert_eq!(oldest.position(), Position::from_engine(first - 1));
}

#[tokio::test]
async fn each_way_to_lose_an_event_is_a_gap_to_who_follows() {
    // What is not stored is counted as dropped; what was refused is its writer's to send again.
    for (policy, dropped) in [("drop_newest", 2), ("reject", 0), ("backpressure", 0)] {
        let world = World::in_memory();
        world.set("events.buffer.max_events", 2).await;
        world.set("events.buffer.overflow", policy).await;
        world.set("interface.query_timeout_ms", 50).await;
        let subscribe = |filter| world.events.subscribe(Start::Beginning, filter).expect("it may");
        let mut all = subscribe(EventQuery::all());
        let mut own = subscribe(EventQuery::all().stream("orders"));
        let mut other = subscribe(EventQuery::all().stream("quiet"));
        for at in 0..4 {
            let _ = world.events.append(tick(&at.to_string())).stream("orders").await;
        }
        let mut late = subscribe(EventQuery::all());
        assert_eq!(next_ids(&mut all, 2).await, ["0", "1"], "{policy}");
        assert!(is_idle(&mut all), "what was dropped has no place that next could stop at");
        let told = [&mut all, &mut own, &mut other, &mut late].map(Subscription::dropped);
        assert_eq!(told, [dropped, dropped, 0, 0], "{policy}");
        let again = [&mut all, &mut own].map(Subscription::dropped);
        assert_eq!(again, [0, 0], "each is told once");
        assert_eq!(world.settled().dropped, dropped);
        let followed = world.events.follow(EventQuery::all(), None, Duration::ZERO).await;
        assert_eq!(followed.expect("answers").dropped, dropped);
    }
    // The oldest make room: nothing is counted as dropped, and the place where they were is a gap.
    let world = World::keeping(1_000);
    world.set("events.buffer.max_events", 2).await;
    let mut slow = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("it may");
    for at in 0..50 {
        world.events.append(tick(&at.to_string())).await.expect("stored");
    }
    assert_eq!(kind_of(slow.next().await), ErrorKind::Compacted);
    assert_eq!((slow.dropped(), world.settled().dropped), (0, 0));
}

#[tokio::test]
async fn what_a_rule_drops_is_told_to_who_follows() {
    let world = World::in_memory();
    let rule = EventRule {
        types: "debug.*".into(),
        action: RuleAction::DropEvent,
        ..EventRule::default()
    };
    world.set("events.rules", BTreeMap::from([("debug", rule)])).await;
    let mut all = world.events.subscribe(Start::Now, EventQuery::all()).expect("it may");
    assert_eq!(kind_of(world.events.append(Event::new("debug.x")).await), ErrorKind::EventDropped);
    assert_eq!((all.dropped(), all.dropped()), (1, 0));
}

#[tokio::test]
async fn a_page_says_what_is_missing_before_it() {
    let world = World::in_memory();
    world.set("events.buffer.max_events", 10).await;
    world.set("interface.max_results", 3).await;
    world.events.append(tick("0")).await.expect("stored");
    let whole = world.events.query(EventQuery::all()).await.expect("answers");
    assert_eq!(whole.missing_up_to, None);
    for at in 1..50 {
        world.events.append(tick(&at.to_string())).await.expect("stored");
    }
    let first = world.events.query(EventQuery::all()).await.expect("answers");
    let missing = first.missing_up_to.expect("the oldest are gone");
    assert_eq!(first.events[0].position.to_engine(), missing.to_engine() + 1);
    let second = world.events.query(first.next.expect("there is more")).await.expect("answers");
    assert_eq!(second.missing_up_to, None, "nothing is missing behind the first page");
    let after = EventQuery::all().after(missing);
    assert_eq!(world.events.query(after).await.expect("answers").missing_up_to, None);
    let newest = EventQuery::all().newest_first();
    let few = world.events.query(newest.clone().limit(2)).await.expect("answers");
    assert_eq!(few.missing_up_to, None, "it was not looked for");
    let all = world.all(newest.clone()).await;
    let rest = newest.after(all[all.len() - 1].position);
    assert_eq!(world.events.query(rest).await.expect("answers").missing_up_to, Some(missing));
}

#[tokio::test]
async fn events_larger_together_than_one_answer_are_all_told() {
    for world in [World::in_memory(), World::on_disk()] {
        for (count, bytes) in [(45, 900_000), (300, 100_000)] {
            let start = Start::After(world.events.0.log.published());
            for at in 0..count {
                let event = tick(&format!("{bytes}-{at}")).data(&"x".repeat(bytes));
                world.events.append(event.expect("small enough")).await.expect("stored");
            }
            let mut all = world.events.subscribe(start, EventQuery::all()).expect("it may");
            let expected: Vec<String> = (0..count).map(|at| format!("{bytes}-{at}")).collect();
            let told = tokio::time::timeout(PATIENCE, next_ids(&mut all, count)).await;
            assert_eq!(told.expect("nothing is left out"), expected);
            assert!(is_idle(&mut all));
        }
    }
}

#[tokio::test]
async fn it_takes_no_order_limit_or_cursor() {
    let world = World::in_memory();
    let filters = [
        EventQuery::all().newest_first(),
        EventQuery::all().limit(5),
        EventQuery::all().after(Position::START),
    ];
    for filter in filters {
        let refused = world.events.subscribe(Start::Now, filter);
        assert_eq!(kind_of(refused), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn waiting_that_is_given_up_loses_nothing() {
    let world = World::on_disk();
    let mut subscription = world.events.subscribe(Start::Now, EventQuery::all()).expect("it may");
    for at in 0..20 {
        assert!(is_idle(&mut subscription));
        world.events.append(tick(&at.to_string())).await.expect("stored");
        assert_eq!(next_ids(&mut subscription, 1).await, [at.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_gap_and_no_duplicate_while_many_append() {
    const WRITERS: usize = 4;
    const EACH: usize = 600;
    for (world, kept) in [(World::in_memory(), 10_000), (World::on_disk(), 50)] {
        world.set("events.buffer.max_events", kept).await;
        let world = Arc::new(world);
        let followers: Vec<_> = (0..3)
            .map(|number| {
                let start = if number == 0 { Start::Now } else { Start::Beginning };
                let mut subscription =
                    world.events.subscribe(start, EventQuery::all().kind("odd")).expect("it may");
                tokio::spawn(async move {
                    let mut positions = Vec::new();
                    while positions.len() < WRITERS * EACH / 2 {
                        let event = subscription.next().await.expect("an event");
                        positions.push(event.position);
                    }
                    positions
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let world = world.clone();
                tokio::spawn(async move { write(&world, number, EACH).await })
            })
            .collect();
        for writer in writers {
            writer.await.expect("no writer panics");
        }
        let odd = world.all(EventQuery::all().kind("odd")).await;
        let expected: Vec<Position> = odd.iter().map(|event| event.position).collect();
        for follower in followers {
            assert_eq!(follower.await.expect("no follower panics"), expected);
        }
    }
}

async fn write(world: &World, number: usize, count: usize) {
    let event = |at: usize| Event::new(if at.is_multiple_of(2) { "even" } else { "odd" });
    if number.is_multiple_of(2) {
        for at in 0..count {
            world.events.append(event(at)).await.expect("stored");
        }
    } else {
        for some in (0..count).collect::<Vec<_>>().chunks(50) {
            let events = some.iter().map(|at| event(*at)).collect();
            assert!(world.events.append_each(events).await.iter().all(Result::is_ok));
        }
    }
}
