//! Records of any size are found from any place on, in both orders: each step comes further.

use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, Mode};
use foundation_types::{EventQuery, Order, Position};

use super::super::simulated::SimulatedDisk;
use super::{append, batch, open_with, wait};

const OPTIONS: EmbeddedOptions = EmbeddedOptions {
    mode: Mode::Write,
    segment_bytes: 4 * 1024 * 1024,
    background: false,
    reserve_bytes: 0,
};

/// A closed and reopened store of this many records with so much data each.
fn store(count: usize, data_bytes: usize) -> Embedded {
    let disk = SimulatedDisk::default();
    let journal = open_with(&disk, OPTIONS).expect("opens").journal;
    let texts: Vec<String> =
        (0..count).map(|number| format!("{number} {}", "x".repeat(data_bytes))).collect();
    for some in texts.chunks(10) {
        wait(append(&journal, batch("s", some)).expect("placed").durable()).expect("durable");
    }
    wait(journal.close()).expect("closes");
    open_with(&disk, OPTIONS).expect("opens").journal
}

/// Positions that are found step by step; none of the steps may end where it began.
fn found(journal: &Embedded, query: &EventQuery, from: Position) -> Vec<u64> {
    let (mut cursor, mut found) = (from, Vec::new());
    loop {
        let step = wait(journal.find(query, cursor, Position::END)).expect("reads");
        let ahead = |position: Position| match query.order {
            Order::Asc => position > cursor,
            Order::Desc => position < cursor,
        };
        let positions = step.records.iter().map(|record| record.position());
        found.extend(positions.filter(|one| ahead(*one)).map(Position::to_engine));
        let Some(next) = step.cursor else { return found };
        assert!(ahead(next), "a step from {cursor} ends at {next}");
        cursor = next;
    }
}

#[test]
fn records_of_any_size_are_found_from_any_place_on() {
    for (count, data_bytes) in [(3_000, 700), (1_000, 4_400), (600, 9_000), (60, 300_000)] {
        let journal = store(count, data_bytes);
        let all: Vec<u64> = (1..=count as u64).collect();
        let every = count / 20;
        for from in (0..=count).step_by(every).chain([count - 1, count]) {
            let place = Position::from_engine(from as u64);
            let after = &all[from..];
            assert_eq!(found(&journal, &EventQuery::all(), place), after, "{data_bytes} {from}");
            let before: Vec<u64> = (1..from as u64).rev().collect();
            let newest = EventQuery::all().newest_first();
            assert_eq!(found(&journal, &newest, place), before, "{data_bytes} {from}");
            let listed = newest.stream("s");
            assert_eq!(found(&journal, &listed, place), before, "{data_bytes} {from}");
        }
    }
}
