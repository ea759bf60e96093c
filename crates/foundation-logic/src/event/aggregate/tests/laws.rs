//! Whatever comes in, in whatever order and parts.

use std::collections::BTreeMap;

use foundation_types::event::{Aggregation, By, Late, Window};
use foundation_types::{Event, Recorded};
use proptest::prelude::*;
use serde_json::json;

use super::super::{AggregateRow, Aggregated, Aggregator, Figure, RowKind};
use super::{answer, millis, recorded, told};
use crate::telemetry::RELATIVE_ERROR;

/// Millisecond, type, and a number that sums without rounding.
type One = (i64, u8, i32);

fn some_events() -> impl Strategy<Value = Vec<One>> {
    prop::collection::vec((-500..5_000_i64, 0..4_u8, -1_000..1_000_i32), 0..150)
}

fn some_window() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window::None),
        (1..900_u64).prop_map(|size| Window::tumbling(millis(size))),
        (1..900_u64, 1..20_u64).prop_map(|(size, parts)| {
            Window::sliding(millis(size), millis(size.div_ceil(parts)))
        }),
        (1..200_u64).prop_map(|gap| Window::session(millis(gap))),
    ]
}

/// Count, sum, largest and a percentile, by type and by a text in the data.
fn asked(window: Window) -> Aggregation {
    let of = |text: &str| text.parse().expect("a measure");
    Aggregation::count()
        .measure(of("rate"))
        .measure(of("sum:data.n"))
        .measure(of("max:data.n"))
        .measure(of("p90:data.n"))
        .by(By::Type)
        .by("data.parity".parse().expect("a group"))
        .window(window)
}

fn event((position, (time, kind, number)): (u64, One)) -> Recorded {
    let data = match number % 7 {
        0 => json!({"parity": number % 2}),
        1 => json!({"n": "many"}),
        2 => json!({"n": number.to_string(), "parity": number % 2}),
        _ => json!({"n": number, "parity": number % 2}),
    };
    let event = Event::new(format!("kind-{kind}")).data(&data).expect("plain data");
    recorded(position, time, event)
}

fn events(ones: &[One]) -> Vec<Recorded> {
    (1..).zip(ones.iter().copied()).map(event).collect()
}

fn merged(asked: &Aggregation, parts: &[&[Recorded]]) -> Aggregated {
    let mut whole = Aggregator::new(asked.clone());
    for part in parts {
        whole.merge(&told(asked, part)).expect("the same aggregation");
    }
    whole.answer().expect("is small")
}

fn count_of(row: &AggregateRow) -> u64 {
    match row.values[0] {
        Some(Figure::Count(count)) => count,
        other => panic!("{other:?} is no count"),
    }
}

/// The sessions of one group, found by going through its sorted times.
fn sessions(mut times: Vec<i64>, gap: i64) -> Vec<(i64, i64, u64)> {
    times.sort_unstable();
    let mut sessions: Vec<(i64, i64, u64)> = Vec::new();
    for time in times {
        match sessions.last_mut() {
            Some((_, last, count)) if time - *last < gap => (*last, *count) = (time, *count + 1),
            _ => sessions.push((time, time, 1)),
        }
    }
    sessions
}

proptest! {
    #[test]
    fn parts_merge_to_the_whole(
        ones in some_events(),
        window in some_window(),
        cuts in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (asked, events) = (asked(window), events(&ones));
        let mut cuts = [cuts.0.index(events.len() + 1), cuts.1.index(events.len() + 1)];
        cuts.sort_unstable();
        let parts = [&events[..cuts[0]], &events[cuts[0]..cuts[1]], &events[cuts[1]..]];
        let whole = answer(&asked, &events);
        prop_assert_eq!(&merged(&asked, &parts), &whole);
        let [one, two, three] = parts;
        prop_assert_eq!(&merged(&asked, &[three, one, two]), &whole, "in another order");
    }

    #[test]
    fn parts_that_go_on_agree_on_what_is_late(
        ones in some_events(),
        window in some_window(),
        allowed in 0..2_000_u64,
        cut in any::<prop::sample::Index>(),
    ) {
        let events = events(&ones);
        let (first, second) = events.split_at(cut.index(events.len() + 1));
        for late in [Late::Drop, Late::Row] {
            let asked = asked(window).lateness(millis(allowed), late);
            let mut one = told(&asked, first);
            let mut two = one.continued();
            second.iter().for_each(|event| two.add(event).expect("few"));
            one.merge(&two).expect("the same");
            prop_assert_eq!(one.answer().expect("small"), answer(&asked, &events));
        }
    }

    #[test]
    fn no_event_is_lost_and_none_counts_twice(ones in some_events(), size in 1..900_u64, allowed in 0..2_000_u64) {
        let events = events(&ones);
        let all = events.len() as u64;
        for window in [Window::None, Window::tumbling(millis(size)), Window::session(millis(size))] {
            let counted = answer(&asked(window), &events);
            prop_assert_eq!(counted.rows.iter().map(count_of).sum::<u64>(), all);
            let late = asked(window).lateness(millis(allowed), Late::Row);
            let apart = answer(&late, &events);
            prop_assert_eq!(apart.rows.iter().map(count_of).sum::<u64>(), all);
            let late_rows = apart.rows.iter().filter(|row| row.kind == RowKind::Late);
            prop_assert_eq!(late_rows.map(count_of).sum::<u64>(), apart.late);
            let dropped = answer(&asked(window).lateness(millis(allowed), Late::Drop), &events);
            prop_assert_eq!(dropped.late, apart.late);
            prop_assert_eq!(dropped.rows.iter().map(count_of).sum::<u64>(), all - apart.late);
        }
        let places = &answer(&asked(Window::None), &events).places[0];
        prop_assert_eq!(places.numbers + places.missing + places.not_numbers, all);
        let words = ones.iter().filter(|(_, _, number)| number % 7 == 1).count() as u64;
        prop_assert_eq!(places.not_numbers, words);
    }

    #[test]
    fn what_is_late_is_what_a_younger_one_came_before(ones in some_events(), allowed in 0..2_000_i64) {
        let late = |at: usize| ones[..at].iter().any(|before| before.0 - allowed > ones[at].0);
        let expected = (0..ones.len()).filter(|at| late(*at)).count() as u64;
        let asked = Aggregation::count().lateness(millis(allowed as u64), Late::Drop);
        prop_assert_eq!(answer(&asked, &events(&ones)).late, expected);
    }

    #[test]
    fn sliding_by_the_whole_window_is_tumbling(ones in some_events(), size in 1..900_u64) {
        let events = events(&ones);
        let sliding = answer(&asked(Window::sliding(millis(size), millis(size))), &events);
        prop_assert_eq!(sliding, answer(&asked(Window::tumbling(millis(size))), &events));
    }

    #[test]
    fn an_event_is_in_every_window_that_spans_it(ones in some_events(), step in 1..300_i64, more in 0..600_i64) {
        let (asked_step, size) = (millis(step as u64), step + more);
        let window = Window::sliding(millis(size as u64), asked_step);
        let counted = answer(&Aggregation::count().window(window), &events(&ones));
        let mut model: BTreeMap<i64, u64> = BTreeMap::new();
        for start in (-2_000..6_000_i64).filter(|start| start % step == 0) {
            let inside = ones.iter().filter(|one| start <= one.0 && one.0 < start + size).count();
            if inside > 0 {
                model.insert(start, inside as u64);
            }
        }
        let start = |row: &AggregateRow| row.window.expect("a window").start.as_unix_micros() / 1_000;
        let rows: BTreeMap<i64, u64> =
            counted.rows.iter().map(|row| (start(row), count_of(row))).collect();
        prop_assert_eq!(rows, model);
    }

    #[test]
    fn sessions_are_those_of_the_sorted_times(ones in some_events(), gap in 1..200_i64) {
        let window = Window::session(millis(gap as u64));
        let counted = answer(&Aggregation::count().by(By::Type).window(window), &events(&ones));
        for kind in 0..4_u8 {
            let times = ones.iter().filter(|one| one.1 == kind).map(|one| one.0).collect();
            let name = Some(format!("kind-{kind}"));
            let of_kind = counted.rows.iter().filter(|row| row.group[0] == name);
            let found: Vec<_> = of_kind
                .map(|row| {
                    let window = row.window.expect("a session");
                    let [start, end] = [window.start, window.end].map(|at| at.as_unix_micros() / 1_000);
                    (start, end, count_of(row))
                })
                .collect();
            prop_assert_eq!(found, sessions(times, gap));
        }
    }

    #[test]
    fn the_order_within_what_is_allowed_changes_nothing(
        (ones, other) in some_events().prop_flat_map(|ones| (Just(ones.clone()), Just(ones).prop_shuffle())),
        window in some_window(),
    ) {
        let free = asked(window);
        prop_assert_eq!(answer(&free, &events(&ones)), answer(&free, &events(&other)));
        // Nothing comes later than the whole range of times.
        let allowed = asked(window).lateness(millis(5_500), Late::Drop);
        let bounded = answer(&allowed, &events(&other));
        prop_assert_eq!(bounded.late, 0);
        prop_assert_eq!(bounded, answer(&free, &events(&ones)));
    }

    #[test]
    fn a_percentile_is_as_near_to_the_full_sort_as_stated(
        mut numbers in prop::collection::vec(number(), 1..400),
        share in 0..=100_000_u32,
    ) {
        let text = format!("p{}.{:03}:data", share / 1_000, share % 1_000);
        let asked = Aggregation::of(text.parse().expect("a percentile"));
        let events: Vec<Recorded> = numbers
            .iter()
            .map(|number| recorded(1, 0, Event::new("t").data(number).expect("finite")))
            .collect();
        let counted = answer(&asked, &events);
        let Some(Figure::Real(told)) = counted.rows[0].values[0] else { panic!("no percentile") };
        numbers.sort_by(f64::total_cmp);
        let rank = (numbers.len() as u128 * u128::from(share)).div_ceil(100_000).max(1);
        let exact = numbers[rank as usize - 1];
        let allowed = if numbers.len() <= 100 { 0.0 } else { exact.abs() * RELATIVE_ERROR };
        prop_assert!((told - exact).abs() <= allowed * (1.0 + 1e-9), "{told} for {exact}");
    }
}

/// Numbers of all magnitudes and both signs.
fn number() -> impl Strategy<Value = f64> {
    let magnitude = prop_oneof![
        4 => (-10.0..10.0_f64).prop_map(f64::exp2),
        1 => (-1_000.0..1_000.0_f64).prop_map(f64::exp2),
        1 => Just(0.0),
    ];
    (magnitude, any::<bool>())
        .prop_map(|(size, is_negative)| if is_negative { -size } else { size })
}
