//! Whether an aggregation of events can mean anything, and stays within its limits.

use foundation_types::event::{Aggregation, Lateness, Window};
use foundation_types::limits::{
    AGGREGATE_BY_MAX, AGGREGATE_MEASURES_MAX, AGGREGATE_OVERLAP_MAX, AGGREGATE_WINDOW_MS_MAX,
};
use foundation_types::{ErrorKind, EventQuery, Order, Problem, Result};

use super::query::inspect_query;
use crate::pipeline::settle;
use crate::validated::Validated;

/// Whether the aggregation of what answers the query can mean anything.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] as for [`super::query`]; without a measure or with one that is
/// named twice; for a length of 0 or of more than 366 days, a step that is longer than the window or
/// so short that an event falls into more than 100; for lateness where the newest come first.
/// [`ErrorKind::TooLarge`] beyond 16 measures or 8 things to group by.
pub fn aggregation(query: &EventQuery, asked: &Aggregation) -> Result<()> {
    let mut found = Vec::new();
    inspect_query(query, &mut found);
    inspect_lists(asked, &mut found);
    inspect_window(asked.window, &mut found);
    if let Some(lateness) = asked.lateness {
        inspect_lateness(lateness, query.order, &mut found);
    }
    settle((), found).map(Validated::into_inner)
}

fn inspect_lists(asked: &Aggregation, found: &mut Vec<Problem>) {
    if asked.measures.is_empty() {
        found.push(wrong("measures", "is empty: ask for count, at least"));
    }
    for (path, is, max) in [
        ("measures", asked.measures.len(), AGGREGATE_MEASURES_MAX),
        ("by", asked.by.len(), AGGREGATE_BY_MAX),
    ] {
        if is > max {
            let message = format!("has {is} parts, the limit is {max}");
            found.push(Problem::new(ErrorKind::TooLarge, path, message));
            return;
        }
    }
    if let Some(repeated) = repeated(&asked.measures) {
        found.push(wrong("measures", &format!("names {repeated} twice")));
    }
    if let Some(repeated) = repeated(&asked.by) {
        found.push(wrong("by", &format!("names {repeated} twice")));
    }
}

fn repeated<T: PartialEq>(list: &[T]) -> Option<&T> {
    list.iter().enumerate().find(|(at, one)| list[..*at].contains(one)).map(|(_, one)| one)
}

fn inspect_window(window: Window, found: &mut Vec<Problem>) {
    let mut inspect = |path: &str, ms: u64| {
        if !(1..=AGGREGATE_WINDOW_MS_MAX).contains(&ms) {
            let problem = wrong(path, &format!("is {ms} ms"));
            found.push(problem.expected("1 ms to 366 days"));
        }
    };
    match window {
        Window::None => {}
        Window::Tumbling { size_ms } => inspect("window.size_ms", size_ms),
        Window::Session { gap_ms } => inspect("window.gap_ms", gap_ms),
        Window::Sliding { size_ms, step_ms } => {
            inspect("window.size_ms", size_ms);
            inspect("window.step_ms", step_ms);
            if step_ms > size_ms {
                found.push(wrong(
                    "window.step_ms",
                    "is longer than the window: events between two windows would be lost",
                ));
            } else if step_ms > 0 && size_ms.div_ceil(step_ms) > AGGREGATE_OVERLAP_MAX {
                let windows = size_ms.div_ceil(step_ms);
                let message = format!(
                    "puts each event into {windows} windows, the limit is {AGGREGATE_OVERLAP_MAX}"
                );
                found.push(wrong("window.step_ms", &message));
            }
        }
    }
}

fn inspect_lateness(lateness: Lateness, order: Order, found: &mut Vec<Problem>) {
    if lateness.allowed_ms > AGGREGATE_WINDOW_MS_MAX {
        let problem = wrong("lateness.allowed_ms", &format!("is {} ms", lateness.allowed_ms));
        found.push(problem.expected("0 ms to 366 days"));
    }
    if order == Order::Desc {
        found.push(wrong(
            "lateness",
            "means nothing where the newest come first: leave out one of them",
        ));
    }
}

fn wrong(path: &str, message: &str) -> Problem {
    Problem::new(ErrorKind::InvalidArgument, path, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use foundation_types::event::{By, Late, Measure};

    use super::*;

    #[test]
    fn what_can_mean_nothing_is_refused_by_its_name() {
        let count = Aggregation::count();
        let hour = Duration::from_secs(3_600);
        let sliding = |size, step| count.clone().window(Window::sliding(size, step));
        let cases = [
            (count.clone().window(Window::tumbling(Duration::ZERO)), "window.size_ms"),
            (count.clone().window(Window::tumbling(hour * 24 * 367)), "window.size_ms"),
            (count.clone().window(Window::session(Duration::ZERO)), "window.gap_ms"),
            (sliding(hour, hour * 2), "window.step_ms"),
            (sliding(hour, Duration::ZERO), "window.step_ms"),
            (sliding(hour, hour / 101), "window.step_ms"),
            (count.clone().lateness(hour * 24 * 367, Late::Drop), "lateness.allowed_ms"),
            (count.clone().measure(Measure::Count), "measures"),
            (count.clone().by(By::Type).by(By::Type), "by"),
            (Aggregation { measures: Vec::new(), ..count.clone() }, "measures"),
        ];
        for (asked, path) in cases {
            let error = aggregation(&EventQuery::all(), &asked).expect_err(path);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{path}");
            assert_eq!(error.problems()[0].path, path);
        }
        let late = count.clone().lateness(hour, Late::Row);
        assert!(aggregation(&EventQuery::all(), &late).is_ok());
        assert!(aggregation(&EventQuery::all().newest_first(), &late).is_err());
        assert!(aggregation(&EventQuery::all().limit(0), &count).is_err());
        assert!(aggregation(&EventQuery::all(), &sliding(hour, hour / 100)).is_ok());
    }

    #[test]
    fn too_many_parts_are_too_large() {
        let many = (0..17).fold(Aggregation::count(), |asked, at| {
            asked.measure(format!("sum:data.n{at}").parse().expect("a measure"))
        });
        let error = aggregation(&EventQuery::all(), &many).expect_err("is too much");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}
