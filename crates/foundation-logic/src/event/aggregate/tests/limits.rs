//! What is too much shares a row or is refused, and is told.

use std::time::Duration;

use foundation_types::event::{Aggregation, By, Late, Window};
use foundation_types::limits::{
    AGGREGATE_EXACT_MAX, AGGREGATE_GROUP_BYTES_MAX, AGGREGATE_GROUPS_MAX, AGGREGATE_ROWS_MAX,
};
use foundation_types::{ErrorKind, Event, Recorded};

use super::super::{Aggregator, RowKind};
use super::{answer, millis, recorded, told};

fn of_types(types: impl Iterator<Item = usize>) -> Vec<Recorded> {
    types.map(|at| recorded(at as u64 + 1, 0, Event::new(format!("t{at}")))).collect()
}

#[test]
fn groups_beyond_the_limit_share_a_row() {
    let asked = Aggregation::count().by(By::Type);
    let events = of_types(0..AGGREGATE_GROUPS_MAX + 7);
    let counted = answer(&asked, &events);
    assert_eq!(counted.rows.len(), AGGREGATE_GROUPS_MAX + 1);
    let last = counted.rows.last().expect("a row");
    assert_eq!((last.kind, last.events, last.group.len()), (RowKind::Other, 7, 0));
    // What is merged counts as much.
    let mut one = told(&asked, &events[..600]);
    one.merge(&told(&asked, &events[600..])).expect("the same aggregation");
    assert_eq!(one.answer().expect("is small"), counted);
}

#[test]
fn rows_beyond_the_limit_are_refused() {
    let each = Aggregation::count().window(Window::tumbling(millis(1)));
    let mut many = Aggregator::new(each.clone());
    for at in 0..AGGREGATE_ROWS_MAX as i64 {
        many.add(&recorded(1, at, Event::new("t"))).expect("still fits");
    }
    let error = many.add(&recorded(1, -1, Event::new("t"))).expect_err("is one too many");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    many.add(&recorded(1, 5, Event::new("t"))).expect("a window that is there takes more");
    let more = told(&each, &[recorded(1, -7, Event::new("t"))]);
    assert_eq!(many.merge(&more).expect_err("too many").kind(), ErrorKind::TooLarge);
}

#[test]
fn buckets_beyond_the_limit_are_refused() {
    let asked = Aggregation::of("p50:data".parse().expect("a measure")).by(By::Type);
    let mut many = Aggregator::new(asked);
    let data = |at: u64| Event::new(format!("t{}", at % 999)).data(&(at / 999)).expect("a number");
    let refused = (0..AGGREGATE_EXACT_MAX as u64 * 999)
        .map(|at| many.add(&recorded(1, 0, data(at))))
        .find_map(Result::err);
    assert!(refused.is_none(), "few numbers of many groups fit");
    many.kept = foundation_types::limits::AGGREGATE_BUCKETS_MAX;
    let error =
        many.add(&recorded(1, 0, Event::new("new").data(&1).expect("one"))).expect_err("full");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn what_percentiles_keep_is_counted_exactly() {
    let asked = |window| Aggregation::of("p50:data".parse().expect("a measure")).window(window);
    let number = |at: u64| {
        let time = i64::try_from(at * 37 % 5_000).expect("small");
        recorded(1, time, Event::new("t").data(&(at * at)).expect("a number"))
    };
    let events: Vec<Recorded> = (0..900).map(number).collect();
    let windows = [Window::None, Window::tumbling(millis(300)), Window::session(millis(4))];
    for window in windows {
        let mut both = told(&asked(window), &events[..500]);
        both.merge(&told(&asked(window), &events[500..])).expect("the same");
        for one in [told(&asked(window), &events), both] {
            let cells: usize = one.cells.values().map(super::super::Cell::kept).sum();
            assert_eq!(one.kept, cells);
        }
    }
}

#[test]
fn long_text_of_a_group_is_cut_at_a_character() {
    let long = "ü".repeat(200);
    let event = recorded(1, 0, Event::new("t").subject(&*long));
    let counted = answer(&Aggregation::count().by(By::Subject), &[event]);
    let text = counted.rows[0].group[0].as_deref().expect("a subject");
    assert!(text.len() <= AGGREGATE_GROUP_BYTES_MAX && text.ends_with("ü…"), "{text}");
}

#[test]
fn only_parts_of_one_aggregation_merge() {
    let mut one = Aggregator::new(Aggregation::count());
    let other = Aggregator::new(Aggregation::count().by(By::Type));
    assert_eq!(one.merge(&other).expect_err("differs").kind(), ErrorKind::InvalidArgument);
}

#[test]
fn times_at_the_ends_of_all_time_do_no_harm() {
    let ends = ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"];
    let events: Vec<Recorded> = ends
        .iter()
        .map(|time| Recorded {
            event: Event::new("t").at(time.parse().expect("a time")),
            ..recorded(1, 0, Event::new("t"))
        })
        .collect();
    let year = Duration::from_secs(366 * 24 * 3_600);
    for window in [
        Window::None,
        Window::tumbling(year),
        Window::sliding(year, year / 100),
        Window::session(year),
    ] {
        let asked = Aggregation::count().window(window).lateness(year, Late::Row);
        assert_eq!(answer(&asked, &events).events, 2);
    }
}
