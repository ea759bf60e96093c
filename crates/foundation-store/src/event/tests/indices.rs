//! Indices at a size where steps, runs and strays matter.

use foundation_logic::event::matches;
use foundation_types::{Event, EventQuery, Order, Timestamp};

use super::sample::{Draft, bounds, positions, recorded_at, records_of};
use crate::event::keys::event_keys;
use crate::event::{EventLog, Rest};
use crate::journal::Follower;
use crate::record::Record;

/// Live events in order, an import of old ones between them, and times that are plain noise.
fn mixed(count: u64, noise_one_in: u64) -> Vec<Record> {
    let mut random = 1_u64;
    let draft = |position: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let noise = (random >> 33) as i64;
        let micros = match position {
            _ if position.is_multiple_of(noise_one_in) => noise % (count as i64 * 1_000_000),
            _ if position.is_multiple_of(3) => position as i64 - 5_000_000_000,
            _ => position as i64 * 1_000_000,
        };
        let event = Event::new(
            ["tick", "tock", "rare"]
                [if position.is_multiple_of(997) { 2 } else { position as usize % 2 }],
        )
        .id(position.to_string())
        .correlation(format!("c{}", noise % 2_000))
        .at(Timestamp::from_unix_micros(micros));
        Draft { position, stream: if noise % 7 == 0 { "audit" } else { "events" }, event }
    };
    records_of(&(1..=count).map(draft).collect::<Vec<_>>())
}

fn scan(records: &[Record], query: &EventQuery) -> Vec<u64> {
    let answers = |record: &&Record| matches(query, &event_keys(record).expect("readable"));
    let mut found: Vec<Record> = records.iter().filter(answers).cloned().collect();
    if query.order == Order::Desc {
        found.reverse();
    }
    positions(&found)
}

fn some_queries() -> Vec<EventQuery> {
    let all = EventQuery::all;
    let (early, late) = (recorded_at(9_000), recorded_at(11_000));
    let past = Timestamp::from_unix_micros(-4_999_990_000);
    vec![
        all(),
        all().kind("rare"),
        all().kind("tick").stream("audit"),
        all().correlation("c77"),
        all().correlation("c77").kind("tock"),
        all().since(early).until(late),
        all().since(early).until(late).kind("tick"),
        all().until(past),
        all().until(Timestamp::UNIX_EPOCH),
        all().since(late).until(early),
        all().since(recorded_at(1)),
        all().kind("none"),
    ]
}

#[test]
fn every_index_answers_as_a_scan_does() {
    for noise_one_in in [2, 50, 100_000] {
        let records = mixed(30_000, noise_one_in);
        let log = EventLog::new(bounds(20_000, 1 << 30));
        records.chunks(500).for_each(|some| log.follow(some));
        for query in some_queries() {
            for query in [query.clone(), query.newest_first()] {
                let query =
                    if query.order == Order::Asc { query.after(log.coverage()) } else { query };
                let page = log.query(&query, usize::MAX).expect("readable");
                assert_eq!(positions(&page.records), scan(&records[10_000..], &query), "{query:?}");
                let in_log = matches!(page.rest, Rest::Log { .. });
                assert_eq!(in_log, query.order == Order::Desc, "{query:?}");
            }
        }
    }
}

#[test]
fn nothing_is_left_of_events_that_left() {
    let log = EventLog::new(bounds(5_000, 1 << 30));
    mixed(30_000, 3).chunks(700).for_each(|some| log.follow(some));
    log.set_bounds(&bounds(1, 1 << 30));
    let state = log.state();
    let indices = &state.indices;
    assert_eq!(indices.kinds.entries(), 1);
    assert_eq!(indices.streams.entries(), 1);
    assert_eq!(indices.correlations.entries(), 1);
    assert_eq!(indices.times.entries(), 1);
    assert_eq!(indices.kinds.names(), 1);
    assert_eq!(indices.streams.names(), 1);
    assert_eq!(indices.correlations.names(), 1);
}

#[test]
fn a_time_far_ahead_does_not_spoil_the_order_of_the_others() {
    let far: Timestamp = "9999-01-01T00:00:00Z".parse().expect("a valid time");
    let draft = |position: u64| Draft {
        position,
        stream: "events",
        event: Event::new("tick").id(position.to_string()).at(if position.is_multiple_of(10) {
            far
        } else {
            recorded_at(position)
        }),
    };
    let records = records_of(&(1..=1_000).map(draft).collect::<Vec<_>>());
    let log = EventLog::new(bounds(500, 1 << 30));
    log.follow(&records);
    let query =
        EventQuery::all().since(recorded_at(600)).until(recorded_at(700)).after(log.coverage());
    let page = log.query(&query, usize::MAX).expect("readable");
    assert_eq!(positions(&page.records), scan(&records, &query));
    assert_eq!(page.records.len(), 90);
}
