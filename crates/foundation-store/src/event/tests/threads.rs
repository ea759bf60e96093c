//! One writer, readers and an operator at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foundation_types::EventQuery;

use super::sample::{bounds, plain, positions, ready, unhurried};
use super::shelf::Shelf;
use crate::event::{EventLog, Lookup};
use crate::journal::Follower;

const EVENTS: u64 = 20_000;

/// Each answer is exactly the even positions up to some moment within the search.
fn read(log: &EventLog, shelf: &Shelf) {
    let before = log.published().to_engine();
    let up = EventQuery::all().kind("even");
    let found =
        positions(&ready(log.search(shelf, &up, usize::MAX, &unhurried)).expect("readable"));
    let last = found.last().copied().unwrap_or(0);
    assert!(last + 1 >= before, "{last} is older than {before}");
    assert_eq!(found, (1..=last).filter(|position| position % 2 == 0).collect::<Vec<_>>());
    let down = up.newest_first();
    let found = positions(&ready(log.search(shelf, &down, 500, &unhurried)).expect("readable"));
    let newest = found.first().copied().unwrap_or(0);
    let expected: Vec<u64> = (0..500).map_while(|back| newest.checked_sub(2 * back)).collect();
    assert_eq!(found, expected.into_iter().filter(|position| *position > 0).collect::<Vec<_>>());
    let story = EventQuery::all().correlation(format!("c{}", before / 10 / 2));
    let found = ready(log.search(shelf, &story, 20, &unhurried)).expect("readable");
    assert!(before < 20 || found.len() >= 9, "{} of a story", found.len());
    assert!(before == 0 || !matches!(log.get(&before.to_string()), Lookup::Absent));
}

#[test]
fn readers_see_a_gapless_log_while_it_grows() {
    let log = EventLog::new(bounds(1_000, 1 << 30));
    let shelf = Shelf::with_pages_of(2_000);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 1;
            while next <= EVENTS {
                let records = plain(next..=(next + next % 37).min(EVENTS));
                next += records.len() as u64;
                shelf.put(&records);
                log.follow(&records);
            }
            ended.store(true, Ordering::SeqCst);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    read(&log, &shelf);
                }
                read(&log, &shelf);
            });
        }
        scope.spawn(|| {
            for events in [10, 3_000, 1, 500].iter().cycle() {
                log.set_bounds(&bounds(*events, 1 << 30));
                thread::yield_now();
                if ended.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
    });
    assert_eq!(log.stats().ids, EVENTS);
}
