//! Pages, limits, deadlines and stories.

use std::time::Duration;

use foundation_types::limits::TRACE_EVENTS_MAX;
use foundation_types::{ErrorKind, Event, EventQuery};

use super::sample::{World, ids, kind_of, tick};

/// Ten events, the first seven of which left the buffer, and pages of three.
async fn ten() -> World {
    let world = World::on_disk();
    world.set("interface.max_results", 3).await;
    world.set("events.buffer.max_events", 3).await;
    let events = (0..10).map(|at| tick(&at.to_string())).collect();
    assert!(world.events.append_each(events).await.iter().all(Result::is_ok));
    world
}

#[tokio::test]
async fn a_page_is_as_large_as_the_settings_say_and_names_the_next() {
    let world = ten().await;
    let page = world.events.query(EventQuery::all()).await.expect("answered");
    assert_eq!(ids(&page.events), ["0", "1", "2"]);
    let next = page.next.expect("there is more");
    assert_eq!(next.after, Some(page.events[2].position));
    let page = world.events.query(next).await.expect("answered");
    assert_eq!(ids(&page.events), ["3", "4", "5"]);
    // The size of a page is read at each call.
    world.set("interface.max_results", 5).await;
    let page = world.events.query(page.next.expect("more")).await.expect("answered");
    assert_eq!(ids(&page.events), ["6", "7", "8", "9"]);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_limit_holds_over_all_pages_in_both_directions() {
    let world = ten().await;
    for limit in [1, 2, 3, 4, 6, 7, 9, 10, 11, 1_000] {
        let up = world.all(EventQuery::all().limit(limit)).await;
        let down = world.all(EventQuery::all().limit(limit).newest_first()).await;
        let expected: Vec<String> = (0..10.min(limit)).map(|at| at.to_string()).collect();
        assert_eq!(ids(&up), expected);
        let expected: Vec<String> =
            (0..10).rev().take(limit as usize).map(|at| at.to_string()).collect();
        assert_eq!(ids(&down), expected);
    }
    let exact = world.events.query(EventQuery::all().limit(3)).await.expect("answered");
    assert_eq!((exact.events.len(), exact.next), (3, None));
}

#[tokio::test]
async fn pages_stay_where_they_are_while_events_come_in() {
    let world = ten().await;
    let mut pages = world.events.pages(EventQuery::all().newest_first());
    let first = pages.next().await.expect("answered").expect("a page");
    world.events.append(tick("new")).await.expect("stored");
    let second = pages.next().await.expect("answered").expect("a page");
    assert_eq!((ids(&first), ids(&second)), (vec!["9", "8", "7"], vec!["6", "5", "4"]));
}

#[tokio::test]
async fn a_query_that_takes_too_long_ends() {
    let world = ten().await;
    world.set("interface.query_timeout_ms", 5).await;
    world.clock.step_by(Duration::from_millis(10));
    assert_eq!(kind_of(world.events.query(EventQuery::all()).await), ErrorKind::Timeout);
    assert_eq!(kind_of(world.events.trace("r").await), ErrorKind::Timeout);
    world.clock.step_by(Duration::from_micros(1));
    assert_eq!(world.all(EventQuery::all()).await.len(), 10);
}

#[tokio::test]
async fn a_story_is_told_whole_from_buffer_and_log() {
    let world = World::on_disk();
    world.set("interface.max_results", 2).await;
    world.set("events.buffer.max_events", 2).await;
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("gone"))] {
        let event = Event { parent_id: parent.map(Into::into), ..tick(id).correlation("r") };
        world.events.append(event).await.expect("stored");
        world.events.append(Event::new("tick").correlation("other")).await.expect("stored");
    }
    let trace = world.events.trace("r").await.expect("told");
    assert_eq!((trace.spans.len(), trace.gaps, trace.is_cut), (4, 1, false));
    assert_eq!(trace.roots, [0, 3]);
    assert_eq!(kind_of(world.events.trace("nobody").await), ErrorKind::NotFound);
    assert_eq!(kind_of(world.events.trace("").await), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_story_without_end_is_cut_and_says_so() {
    let world = World::in_memory();
    let events = vec![Event::new("tick").correlation("r"); TRACE_EVENTS_MAX + 1];
    assert!(world.events.append_each(events).await.iter().all(Result::is_ok));
    let trace = world.events.trace("r").await.expect("told");
    assert_eq!((trace.spans.len(), trace.is_cut), (TRACE_EVENTS_MAX, true));
    assert!(trace.to_text().lines().next().expect("a header").ends_with("more that are not shown"));
}

/// Whoever keeps the place of a page and goes on there misses nothing.
#[tokio::test]
async fn a_page_that_is_cut_has_looked_no_further_than_its_last_event() {
    let world = World::in_memory();
    for id in ["a", "b", "c", "d"] {
        world.events.append(tick(id)).await.expect("stored");
    }
    world.set("interface.max_results", 3).await;
    let page = world.events.query(EventQuery::all()).await.expect("answers");
    assert_eq!((ids(&page.events), page.next.is_some()), (vec!["a", "b", "c"], true));
    assert_eq!(page.seen, page.events[2].position);
    let limited = world.events.query(EventQuery::all().limit(2)).await.expect("answers");
    assert_eq!((limited.seen, limited.next), (limited.events[1].position, None));
    let rest = world.events.query(EventQuery::all().after(page.seen)).await.expect("answers");
    assert_eq!((ids(&rest.events), rest.next), (vec!["d"], None));
    assert_eq!(rest.seen, rest.events[0].position, "the end of the log");
}
