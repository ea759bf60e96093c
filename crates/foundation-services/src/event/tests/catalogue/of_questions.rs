//! Rows of questions that can mean nothing, and of what is asked for and is not there.

use std::time::Duration;

use foundation_types::ErrorKind::{self, InvalidArgument, NotFound, TooLarge};
use foundation_types::event::{Aggregation, By, FieldFilter, Late, Measure, Window};
use foundation_types::{EventQuery, Result, Timestamp};

use super::Row;
use crate::event::Start;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, query, says) in queries() {
        let (paged, followed, counted) = (query.clone(), query.clone(), query.clone());
        rows.push(Row::new(what, InvalidArgument, says, move |store| {
            let query = query.clone();
            Box::pin(async move { store.query(query).await.map(drop) })
        }));
        rows.push(Row::new(what, InvalidArgument, says, move |store| {
            let query = paged.clone();
            Box::pin(async move { store.pages(query).next().await.map(drop) })
        }));
        rows.push(Row::new(what, InvalidArgument, says, move |store| {
            let followed = store.subscribe(Start::Now, followed.clone()).map(drop);
            Box::pin(async move { followed })
        }));
        rows.push(Row::new(what, InvalidArgument, says, move |store| {
            let query = counted.clone();
            Box::pin(async move { store.aggregate(query, Aggregation::count()).await.map(drop) })
        }));
    }
    for (what, query, asked, kind, says) in aggregations() {
        rows.push(Row::new(what, kind, says, move |store| {
            let (query, asked) = (query.clone(), asked.clone());
            Box::pin(async move { store.aggregate(query, asked).await.map(drop) })
        }));
    }
    rows.extend(texts());
    rows.push(Row::new("an id of nobody", NotFound, "nobody", |store| {
        Box::pin(async move { store.get("nobody").await.map(drop) })
    }));
    rows.push(Row::new("an id of no characters", NotFound, "\"\"", |store| {
        Box::pin(async move { store.get("").await.map(drop) })
    }));
    rows
}

fn queries() -> Vec<(&'static str, EventQuery, &'static str)> {
    let all = EventQuery::all;
    let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_unix_micros(1));
    let present: FieldFilter = "a?".parse().expect("a condition");
    let many = |add: &dyn Fn(EventQuery, String) -> EventQuery| {
        (0..101).fold(all(), |query, at| add(query, at.to_string()))
    };
    vec![
        ("a limit of nothing", all().limit(0), "limit"),
        ("an end before the beginning", all().since(late).until(early), "is later than until"),
        ("no type", all().kind(""), "types"),
        ("no type among others", all().kind("a").kind(""), "types"),
        ("no story", all().correlation(""), "correlation_id"),
        ("no parent", all().parent(""), "parent_id"),
        ("no stream", all().stream(""), "stream"),
        ("no tag", all().tag("a").tag(""), "tags"),
        ("101 types", many(&|query, name| query.kind(name)), "types: are 101"),
        ("101 tags", many(&|query, name| query.tag(name)), "tags: are 101"),
        ("101 fields", many(&|query, _| query.field(present.clone())), "fields: are 101"),
    ]
}

type Asked = (&'static str, EventQuery, Aggregation, ErrorKind, &'static str);

fn aggregations() -> Vec<Asked> {
    let all = EventQuery::all;
    let count = Aggregation::count;
    let second = Duration::from_secs(1);
    let day = Duration::from_secs(24 * 60 * 60);
    let window = |window| count().window(window);
    let sum = |at: usize| format!("sum:data[{at}]").parse::<Measure>().expect("a measure");
    let measures = (0..17).fold(count(), |asked, at| asked.measure(sum(at)));
    let place = |at: usize| format!("data[{at}]").parse::<By>().expect("a group");
    let groups = (0..9).fold(count(), |asked, at| asked.by(place(at)));
    let sliding = |size, step| window(Window::sliding(size, step));
    let late = count().window(Window::tumbling(second)).lateness(second, Late::Drop);
    vec![
        ("18 measures", all(), measures, TooLarge, "measures"),
        ("9 groups", all(), groups, TooLarge, "by"),
        ("a measure twice", all(), count().measure(Measure::Count), InvalidArgument, "twice"),
        ("a group twice", all(), count().by(By::Type).by(By::Type), InvalidArgument, "twice"),
        ("no window", all(), window(Window::tumbling(Duration::ZERO)), InvalidArgument, "0 ms"),
        ("a long window", all(), window(Window::tumbling(day * 367)), InvalidArgument, "366 days"),
        ("no pause", all(), window(Window::session(Duration::ZERO)), InvalidArgument, "gap_ms"),
        ("gaps between windows", all(), sliding(second, second * 2), InvalidArgument, "step_ms"),
        ("a thousand windows", all(), sliding(second * 1_000, second), InvalidArgument, "1000"),
        ("late from the end", all().newest_first(), late, InvalidArgument, "lateness"),
    ]
}

/// What it is, the text, the kind of its error, a word of its message, and who reads it.
type TextRow = (&'static str, String, ErrorKind, &'static str, fn(&str) -> Result<()>);

/// Conditions, measures and groups as a person writes them.
fn texts() -> Vec<Row> {
    let deep = format!("{}=1", vec!["a"; 65].join("."));
    let long = format!("{}?", "a".repeat(64 << 10));
    let rows: Vec<TextRow> = vec![
        ("no condition", String::new(), InvalidArgument, "no condition", condition),
        ("a path alone", "level".to_owned(), InvalidArgument, "no condition", condition),
        (
            "an unknown operator",
            "level~ERROR".to_owned(),
            InvalidArgument,
            "no condition",
            condition,
        ),
        ("a place alone", "?".to_owned(), InvalidArgument, "no condition", condition),
        ("a comparison alone", "=".to_owned(), InvalidArgument, "no condition", condition),
        ("an empty part", "a..b=1".to_owned(), InvalidArgument, "the path is refused", condition),
        ("a wildcard", "a.*=1".to_owned(), InvalidArgument, "the path is refused", condition),
        ("a space", "a b=1".to_owned(), InvalidArgument, "the path is refused", condition),
        ("a zero", "a\0=1".to_owned(), InvalidArgument, "the path is refused", condition),
        ("an escape", "\u{1b}[31m?".to_owned(), InvalidArgument, "the path is refused", condition),
        (
            "an index beyond numbers",
            "a[99999999999]?".to_owned(),
            InvalidArgument,
            "the path is refused",
            condition,
        ),
        (
            "an escape as an index",
            "a[\u{1b}[31m]?".to_owned(),
            InvalidArgument,
            "is not an index",
            condition,
        ),
        (
            "a long part before a bad index",
            format!("{}[x]?", "a".repeat(500)),
            InvalidArgument,
            "is not an index",
            condition,
        ),
        ("65 parts", deep, InvalidArgument, "64 parts", condition),
        ("a long path", long, InvalidArgument, "bytes", condition),
        ("an unknown measure", "median".to_owned(), InvalidArgument, "median", measure),
        ("101 percent", "p101:data.n".to_owned(), InvalidArgument, "p101", measure),
        ("a sum of nothing", "sum:".to_owned(), InvalidArgument, "sum:", measure),
        ("a sum elsewhere", "sum:time".to_owned(), InvalidArgument, "sum:time", measure),
        ("an unknown group", "colour".to_owned(), InvalidArgument, "colour", group),
        (
            "a group of a bad place",
            "data.a..b".to_owned(),
            InvalidArgument,
            "the path is refused",
            group,
        ),
    ];
    let row = |(what, text, kind, says, read): (_, String, _, _, fn(&str) -> Result<()>)| {
        Row::new(what, kind, says, move |_| {
            let read = read(&text);
            Box::pin(async move { read })
        })
    };
    rows.into_iter().map(row).collect()
}

fn condition(text: &str) -> Result<()> {
    text.parse::<FieldFilter>().map(drop)
}

fn measure(text: &str) -> Result<()> {
    text.parse::<Measure>().map(drop)
}

fn group(text: &str) -> Result<()> {
    text.parse::<By>().map(drop)
}
