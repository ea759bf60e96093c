//! Buffer and log together, while events come in and leave the buffer in between.

use std::sync::Arc;

use foundation_types::{Error, ErrorKind, EventQuery};

use super::sample::{at, bounds, plain, positions, ready, unhurried};
use super::shelf::Shelf;
use crate::event::EventLog;
use crate::journal::Follower;

/// A log of 100 events, the last 10 of them in the buffer, which gets `more` events at each read
/// of the log.
fn moving_log(more: u64) -> (Arc<EventLog>, Arc<Shelf>) {
    let log = Arc::new(EventLog::new(bounds(10, 1 << 20)));
    let shelf = Arc::new(Shelf::with_pages_of(7));
    let records = plain(1..=100);
    shelf.put(&records);
    log.follow(&records);
    let (to_log, to_shelf) = (Arc::clone(&log), Arc::downgrade(&shelf));
    let mut next = 101;
    shelf.on_read(move || {
        let Some(shelf) = to_shelf.upgrade() else { return };
        if next < 400 && more > 0 {
            let records = plain(next..=next + more - 1);
            next += more;
            shelf.put(&records);
            to_log.follow(&records);
        }
    });
    (log, shelf)
}

#[test]
fn oldest_first_nothing_is_missed_while_the_buffer_moves_on() {
    for more in [0, 1, 5, 9, 10, 11, 40] {
        let (log, shelf) = moving_log(more);
        let query = EventQuery::all().kind("even");
        let found = ready(log.search(&*shelf, &query, usize::MAX, &unhurried)).expect("readable");
        let last = log.published().to_engine();
        let expected: Vec<u64> = (1..=last).filter(|position| position % 2 == 0).collect();
        assert_eq!(positions(&found), expected, "{more} more at each read");
    }
}

#[test]
fn newest_first_nothing_is_missed_while_the_buffer_moves_on() {
    for more in [0, 1, 5, 9, 10, 11, 40] {
        let (log, shelf) = moving_log(more);
        let query = EventQuery::all().kind("even").newest_first();
        let found = ready(log.search(&*shelf, &query, usize::MAX, &unhurried)).expect("readable");
        // What came after the search had begun lies behind its cursor.
        let expected: Vec<u64> = (1..=100).rev().filter(|position| position % 2 == 0).collect();
        assert_eq!(positions(&found), expected, "{more} more at each read");
    }
}

#[test]
fn the_log_is_not_read_when_the_buffer_has_it_all() {
    let log = EventLog::new(bounds(10, 1 << 20));
    let shelf = Shelf::with_pages_of(7);
    let records = plain(1..=25);
    shelf.put(&records);
    log.follow(&records);
    shelf.truncate(15);
    for query in [EventQuery::all(), EventQuery::all().newest_first()] {
        let found = ready(log.search(&shelf, &query, usize::MAX, &unhurried)).expect("readable");
        assert_eq!(found.len(), 10);
    }
    assert_eq!(shelf.reads(), 0);
}

#[test]
fn a_search_reads_no_more_of_the_log_than_it_needs() {
    let (log, shelf) = moving_log(0);
    let newest = EventQuery::all().newest_first();
    let found = ready(log.search(&*shelf, &newest, 10, &unhurried)).expect("readable");
    assert_eq!((found.len(), shelf.reads()), (10, 0));
    let oldest = ready(log.search(&*shelf, &EventQuery::all(), 5, &unhurried)).expect("readable");
    assert_eq!((positions(&oldest), shelf.reads()), (vec![1, 2, 3, 4, 5], 1));
    let after = EventQuery::all().after(at(95));
    let tail = ready(log.search(&*shelf, &after, 100, &unhurried)).expect("readable");
    assert_eq!((positions(&tail), shelf.reads()), (vec![96, 97, 98, 99, 100], 1));
}

#[test]
fn a_search_ends_when_its_check_says_so() {
    let (log, shelf) = moving_log(0);
    let calls = std::sync::atomic::AtomicU64::new(0);
    let check = || match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0..3 => Ok(()),
        _ => Err(Error::new(ErrorKind::Timeout, "it took too long")),
    };
    let ended = ready(log.search(&*shelf, &EventQuery::all(), usize::MAX, &check));
    assert_eq!(ended.expect_err("out of time").kind(), ErrorKind::Timeout);
    assert_eq!(shelf.reads(), 3);
}

#[test]
fn an_event_larger_than_the_buffer_is_found_in_the_log() {
    let log = EventLog::new(bounds(10, 100));
    let shelf = Shelf::with_pages_of(7);
    let records = plain(1..=3);
    shelf.put(&records);
    log.follow(&records);
    assert_eq!((log.stats().buffered_events, log.coverage()), (0, at(3)));
    for query in [EventQuery::all(), EventQuery::all().newest_first()] {
        let found = ready(log.search(&shelf, &query, 10, &unhurried)).expect("readable");
        assert_eq!(found.len(), 3);
    }
}
