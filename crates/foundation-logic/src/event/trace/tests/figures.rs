//! Paths, shares, holes, orphans and cycles, number by number.

use std::collections::BTreeSet;

use foundation_types::{Recorded, StreamName, Version};

use super::super::{Basis, Link, Trace, trace, trace_beside};
use super::{recorded, story, told};
use crate::event::missing_parents;

fn path(trace: &Trace) -> Vec<(usize, i64)> {
    trace.figures.critical_path.iter().map(|step| (step.span, step.step_us / 1_000)).collect()
}

#[test]
fn the_critical_path_leads_to_what_happened_last() {
    let told = told(&["a - 0 web", "b a 100 shop", "c a 150 shop", "d b 900 bank", "e c 200 web"]);
    assert_eq!(path(&told), [(0, 0), (1, 100), (3, 800)]);
    assert_eq!((told.figures.critical_us, told.figures.depth), (900_000, 3));
    let widest = told.figures.widest.expect("one has children");
    assert_eq!((widest.span, widest.children), (0, 2));
    let pause = told.figures.longest_pause.expect("a pause");
    assert_eq!((pause.after, pause.before, pause.pause_us), (4, 3, 700_000));
}

#[test]
fn a_child_whose_clock_is_behind_takes_less_than_no_time() {
    let told = told(&["a - 100 web", "b a 40 shop", "c b 300 bank"]);
    assert_eq!(path(&told), [(0, 0), (1, -60), (2, 260)]);
    assert_eq!(told.figures.critical_us, 200_000);
}

#[test]
fn shares_of_time_add_up_to_the_whole() {
    let told = told(&["a - 0 web", "b a 100 shop", "c b 400 shop", "d c 1000 -", "e d 1000 web"]);
    let shares = |shares: &[super::super::super::Share]| -> Vec<(Option<String>, usize, u64)> {
        shares.iter().map(|one| (one.name.clone(), one.events, one.time_us / 1_000)).collect()
    };
    let name = |text: &str| Some(text.to_owned());
    assert_eq!(
        shares(&told.figures.by_source),
        [(None, 1, 600), (name("shop"), 2, 400), (name("web"), 2, 0)]
    );
    assert_eq!(told.figures.by_type.iter().map(|one| one.time_us).sum::<u64>(), told.duration_us);
}

#[test]
fn a_parent_elsewhere_is_an_orphan_and_no_gap() {
    let events = story(&["a x 0 s", "b y 1 s", "c x 2 s", "d a 3 s"]);
    let missing: Vec<String> = missing_parents(&events).iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["x", "y"]);
    let told = trace_beside(events, &BTreeSet::from(["x".into()]));
    assert_eq!((told.figures.orphans, told.gaps), (3, 1));
    let links: Vec<Link> = told.spans.iter().map(|span| span.link).collect();
    assert_eq!(links, [Link::Elsewhere, Link::Gap, Link::Elsewhere, Link::Child(0)]);
    assert_eq!(told.roots, [0, 1, 2]);
}

#[test]
fn cycles_and_their_own_parents_are_cut_and_told() {
    let told = told(&["self self 0 s", "a c 1 s", "b a 2 s", "c b 3 s", "d c 4 s", "e - 5 s"]);
    assert_eq!((told.figures.cycles, told.figures.depth), (2, 4));
    assert_eq!(told.roots, [0, 1, 5]);
    assert_eq!(told.spans[1].link, Link::Cycle);
    assert_eq!(told.spans[3].link, Link::Child(2));
    assert!(told.spans[3].children == [4], "the cut cycle leads no further");
}

#[test]
fn versions_that_are_missing_between_events_of_a_stream_are_holes() {
    let mut events = story(&["a - 0 s", "b a 1 s", "c b 2 s", "d c 3 s", "e d 4 s"]);
    let mut place = |at: usize, stream: &str, version: u64| {
        events[at] = Recorded {
            stream: StreamName::from(stream),
            version: Version::new(version),
            ..events[at].clone()
        };
    };
    place(0, "order-1", 3);
    place(1, "order-1", 4);
    place(2, "order-1", 9);
    place(3, "order-2", 1);
    place(4, StreamName::EVENTS, 70);
    let told = trace(events);
    let [hole] = &told.figures.holes[..] else { panic!("{:?}", told.figures.holes) };
    assert_eq!((hole.after, hole.before), (Version::new(4), Version::new(9)));
    assert!(told.to_text().starts_with("r  5 events, 1 source, 4 ms, 1 hole\n"));
}

#[test]
fn where_no_cause_is_told_each_source_is_a_chain_in_time() {
    let told = told(&["a - 5 web", "b - 1 shop", "c - 0 web", "d - 9 -", "e - 7 web", "f - 8 -"]);
    assert_eq!(told.basis, Basis::Times);
    let links: Vec<Link> = told.spans.iter().map(|span| span.link).collect();
    let after = |before| Link::After(before);
    assert_eq!(links, [after(2), Link::Root, Link::Root, after(5), after(0), Link::Root]);
    assert_eq!(told.roots, [1, 2, 5]);
    let figures = &told.figures;
    assert_eq!((figures.depth, figures.widest, figures.critical_path.len()), (0, None, 0));
    assert_eq!(told.figures.by_source.iter().map(|one| one.time_us).sum::<u64>(), 9_000);
}

#[test]
fn one_event_alone_has_a_tree_of_its_own() {
    let one = told(&["a - 5 web"]);
    assert_eq!((one.basis, one.figures.depth, one.figures.critical_us), (Basis::Causes, 1, 0));
    assert_eq!(trace(Vec::new()), Trace::default());
}

#[test]
#[expect(
    clippy::disallowed_types,
    reason = "a stack that is too small for recursion shows that there is none"
)]
fn a_chain_of_ten_thousand_is_walked_without_recursion() {
    let line = |at: usize| match at {
        0 => "0 - 0 s".to_owned(),
        _ => format!("{at} {} {at} s", at - 1),
    };
    let events = (0..10_000).map(|at| recorded(at as u64 + 1, &line(at))).collect();
    let small_stack = std::thread::Builder::new().stack_size(256 * 1024);
    let walked = small_stack.spawn(move || {
        let told = trace(events);
        assert_eq!((told.figures.depth, told.figures.critical_path.len()), (10_000, 10_000));
        assert_eq!(told.to_text().lines().filter(|line| line.contains("─ ")).count(), 10_000);
        assert!(told.to_mermaid().lines().count() < 500);
        drop(serde_json::to_string(&told).expect("is JSON"));
    });
    walked.expect("starts").join().expect("ends well");
}

#[test]
fn ten_thousand_that_are_their_own_parents_take_no_longer_than_others() {
    let line = |at: usize| format!("{at} {at} {at} s");
    let events: Vec<Recorded> = (0..10_000).map(|at| recorded(at as u64 + 1, &line(at))).collect();
    assert_eq!(trace(events).figures.cycles, 10_000);
}
