//! Ids, positions, counts and bounds.

use std::collections::BTreeMap;

use foundation_types::{Event, EventType, Position, StreamName};

use super::sample::{Draft, at, bounds, plain, recorded_at, records_of};
use crate::event::{EventLog, EventStats, Intake, Load, Lookup, Settled};
use crate::journal::Follower;

fn log_of(events: u64, max_events: u64) -> EventLog {
    let log = EventLog::new(bounds(max_events, 1 << 20));
    log.follow(&plain(1..=events));
    log
}

#[test]
fn an_id_is_known_for_as_long_as_the_journal_is() {
    let log = log_of(100, 10);
    assert_eq!(log.position_of("5"), Some(at(5)));
    assert!(matches!(log.get("5"), Lookup::InLog(position) if position == at(5)));
    assert!(matches!(log.get("95"), Lookup::Buffered(record) if record.position() == at(95)));
    assert!(matches!(log.get("101"), Lookup::Absent));
}

#[test]
fn an_id_in_the_form_of_a_uuid_is_found_by_its_text_only() {
    let uuid = "01941f29-7c00-7abc-8def-0123456789ab";
    let log = EventLog::new(bounds(10, 1 << 20));
    let event = Event::new("tick").id(uuid);
    log.follow(&records_of(&[Draft { position: 1, stream: "events", event }]));
    assert!(matches!(log.get(uuid), Lookup::Buffered(_)));
    assert!(matches!(log.get(&uuid.to_uppercase()), Lookup::Absent));
    assert!(matches!(log.get(&uuid.replace('-', "")), Lookup::Absent));
}

#[test]
fn the_first_event_with_an_id_keeps_it() {
    let log = EventLog::new(bounds(10, 1 << 20));
    let draft =
        |position| Draft { position, stream: "events", event: Event::new("tick").id("same") };
    log.follow(&records_of(&[draft(1), draft(2)]));
    assert_eq!(log.position_of("same"), Some(at(1)));
}

#[test]
fn the_published_position_is_told_after_the_events_can_be_read() {
    let log = EventLog::new(bounds(10, 1 << 20));
    let mut watch = log.watch();
    assert_eq!(log.published(), Position::START);
    log.follow(&plain(1..=3));
    assert!(watch.has_changed().expect("the log lives"));
    assert_eq!(*watch.borrow_and_update(), at(3));
    log.follow(&[]);
    assert!(!watch.has_changed().expect("the log lives"));
}

#[test]
fn the_statistics_tell_what_was_seen() {
    let stats = log_of(100, 10).stats();
    let by_type = [("even", 50), ("odd", 50)].map(|(kind, count)| (EventType::from(kind), count));
    let expected = EventStats {
        published: at(100),
        coverage: at(90),
        buffered_events: 10,
        buffered_bytes: stats.buffered_bytes,
        evicted: 90,
        ids: 100,
        unreadable: 0,
        first_recorded: Some(recorded_at(1)),
        last_recorded: Some(recorded_at(100)),
        by_type: BTreeMap::from(by_type),
        other_types: 0,
    };
    assert_eq!(stats, expected);
}

#[test]
fn types_beyond_ten_thousand_share_one_count() {
    let log = EventLog::new(bounds(10, 1 << 20));
    let draft = |position: u64| Draft {
        position,
        stream: "events",
        event: Event::new(format!("type-{}", position % 10_010)).id(position.to_string()),
    };
    log.follow(&records_of(&(0..20_020).map(draft).collect::<Vec<_>>()));
    let stats = log.stats();
    assert_eq!((stats.by_type.len(), stats.other_types), (10_000, 20));
}

#[test]
fn smaller_bounds_hold_at_once_and_larger_ones_from_then_on() {
    let log = log_of(100, 50);
    log.set_bounds(&bounds(5, 1 << 20));
    assert_eq!((log.stats().buffered_events, log.coverage()), (5, at(95)));
    log.set_bounds(&bounds(1_000, 1 << 20));
    log.follow(&plain(101..=200));
    assert_eq!((log.stats().buffered_events, log.coverage()), (105, at(95)));
    log.set_bounds(&bounds(1_000, 2_000));
    let stats = log.stats();
    assert!(stats.buffered_bytes <= 2_000 && stats.buffered_bytes > 1_500, "{stats:?}");
}

#[test]
fn what_was_offered_is_accounted_for() {
    let intake = Intake::default();
    let row = intake.offer(&StreamName::from("events"), 10);
    intake.settle(row, 4, Settled::Stored);
    intake.settle(row, 3, Settled::Repeated);
    intake.settle(row, 1, Settled::Rejected);
    intake.settle(row, 1, Settled::Dropped);
    let counts = intake.counts();
    assert_eq!((counts.offered, counts.in_flight()), (10, 1));
}

#[test]
fn a_load_is_let_in_only_where_there_is_room() {
    let intake = Intake::default();
    let two = Load { events: 2, bytes: 100 };
    let row = intake.offer(&StreamName::from("events"), 2);
    let other = intake.offer(&StreamName::from("others"), 2);
    let up_to_three = |on_the_way: Load, _: Load| on_the_way.events + 2 <= 3;
    assert!(intake.let_in(row, two, up_to_three));
    assert!(!intake.let_in(row, two, up_to_three));
    assert_eq!(intake.on_the_way(), two);
    // What is on its way to another stream is apart from it.
    assert!(intake.let_in(other, two, |all, own| all == two && own == Load::default()));
    intake.let_out(row, two);
    assert!(!intake.let_in(row, two, up_to_three));
    intake.let_out(other, two);
    assert!(intake.let_in(row, two, up_to_three));
}
