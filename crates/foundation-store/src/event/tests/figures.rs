//! Figures: time and memory for an event of 190 bytes as JSON, ten to a correlation.

use std::hint::black_box;
use std::time::Instant;

use foundation_types::{Event, EventId, EventQuery, Timestamp};

use super::sample::{Draft, at, bounds, records_of};
use crate::event::EventLog;
use crate::journal::Follower;
use crate::record::Record;

const KINDS: [&str; 8] = [
    "order.placed",
    "order.packed",
    "order.sent..",
    "order.billed",
    "order.paid..",
    "order.opened",
    "order.closed",
    "order.viewed",
];

fn event(position: u64) -> Event {
    let time = Timestamp::from_unix_micros(1_795_000_000_000_000 + position as i64 * 977);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&position.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Event::new(KINDS[position as usize % KINDS.len()])
        .id(EventId::generate(time, random))
        .at(time)
        .correlation(format!("req-{:07}", position / 50 * 5 + position % 5))
        .data(&(position, "abcdefghijklmnopqrstuvwxyz", 12_345))
        .expect("plain data")
}

fn batch(first: u64, count: u64) -> Vec<Record> {
    let draft = |position| Draft { position, stream: "events", event: event(position) };
    records_of(&(first..first + count).map(draft).collect::<Vec<_>>())
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Nanoseconds that one of `count` runs takes, the median of 9 rounds.
fn nanoseconds(count: usize, mut run: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..count).for_each(|_| run());
            start.elapsed().as_nanos() as f64 / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[4]
}

fn report(name: &str, figure: f64, unit: &str) {
    eprintln!("{name:<58} {figure:>10.1} {unit}");
}

#[test]
#[ignore = "measures; run it alone, in release, with --nocapture"]
fn time_to_follow() {
    for (size, name) in [(100, "in slices of 100"), (1, "one by one")] {
        for buffer in [100_000, 1_000_000] {
            let log = EventLog::new(bounds(buffer, 1 << 40));
            let count = buffer * 2;
            let slices: Vec<_> = (0..count / size).map(|at| batch(1 + at * size, size)).collect();
            let (fill, full) = slices.split_at(slices.len() / 2);
            for (part, state) in [(fill, "filling"), (full, "evicting")] {
                let start = Instant::now();
                part.iter().for_each(|records| log.follow(records));
                let each = start.elapsed().as_nanos() as f64 / (count / 2) as f64;
                report(&format!("follow, {buffer} buffered, {name}, {state}"), each, "ns/event");
            }
        }
    }
}

#[test]
#[ignore = "measures; run it alone, in release, with --nocapture"]
fn time_to_query() {
    for count in [100_000, 1_000_000] {
        let log = EventLog::new(bounds(count, 1 << 40));
        (0..count / 100).for_each(|at| log.follow(&batch(1 + at * 100, 100)));
        let middle = event(count / 2).time.expect("it has one");
        let mut number = 0;
        let mut time = |name: &str, query: &dyn Fn(u64) -> EventQuery| {
            let hits = log.query(&query(7), 10).expect("readable").records.len();
            let each = nanoseconds(20_000, || {
                number += 7_919;
                black_box(log.query(&query(number % (count / 10)), 10).expect("readable"));
            });
            report(&format!("query at {count}: {name}, {hits} hits"), each, "ns");
        };
        time("correlation", &|n| EventQuery::all().correlation(format!("req-{n:07}")));
        time("type, limit 10", &|_| EventQuery::all().kind(KINDS[3]).limit(10));
        time("type, newest 10", &|_| EventQuery::all().kind(KINDS[3]).limit(10).newest_first());
        time("type, 10 after a cursor", &|n| {
            EventQuery::all().kind(KINDS[3]).limit(10).after(at(5 * n))
        });
        time("stream, newest 10", &|_| EventQuery::all().stream("events").limit(10).newest_first());
        time("time range, 10 of many", &|_| EventQuery::all().since(middle).limit(10));
        time("type and time, 10", &|_| EventQuery::all().since(middle).kind(KINDS[3]).limit(10));
        let id = event(count / 2).id.expect("it has one");
        let each = nanoseconds(20_000, || {
            black_box(log.get(id.as_str()));
        });
        report(&format!("get by id at {count}"), each, "ns");
    }
}

#[test]
#[ignore = "measures; run it alone, in release, with --nocapture"]
fn memory_of_an_event() {
    let json = serde_json_length(&event(77));
    report("JSON of the event", json as f64, "B");
    for count in [100_000, 300_000, 1_000_000] {
        let before = resident_bytes();
        let log = EventLog::new(bounds(count, 1 << 40));
        (0..count / 100).for_each(|at| log.follow(&batch(1 + at * 100, 100)));
        let per_event = |bytes: u64| bytes as f64 / count as f64;
        let stats = log.stats();
        report(&format!("{count}: all"), per_event(resident_bytes() - before), "B/event");
        report(&format!("{count}: counted"), per_event(stats.buffered_bytes), "B/event");
        let before = resident_bytes();
        let ids = std::mem::take(&mut *log.ids.write().expect("no panic"));
        drop(ids);
        report(
            &format!("{count}: of it ids"),
            per_event(before.saturating_sub(resident_bytes())),
            "B/event",
        );
        let before = resident_bytes();
        let indices = std::mem::take(&mut log.state_mut().indices);
        drop(indices);
        report(
            &format!("{count}: of it indices"),
            per_event(before.saturating_sub(resident_bytes())),
            "B/event",
        );
    }
}

fn serde_json_length(event: &Event) -> usize {
    let [kind, id, time, correlation] = [
        event.kind.to_string(),
        event.id.as_ref().map(ToString::to_string).unwrap_or_default(),
        event.time.map(|time| time.to_string()).unwrap_or_default(),
        event.correlation_id.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    let names = r#"{"type":"","id":"","time":"","correlation_id":"","data":}"#.len();
    names + kind.len() + id.len() + time.len() + correlation.len() + event.data.as_json().len()
}
