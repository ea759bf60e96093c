//! What every engine promises: one body of assertions, run on each of them.

use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::disk::MemoryDisk;
use foundation_store::journal::{Batch, Embedded, EmbeddedOptions, Journal, MemoryJournal};
use foundation_store::random::SystemRng;
use foundation_types::{
    ErrorKind, ExpectedVersion, Position, Result, StoreId, StreamName, Version,
};

use super::{Told, batch, said, wait};
use foundation_store::journal::Commit;

/// Runs the same assertions on an empty journal of each engine.
fn on_each_engine(check: impl Fn(&dyn Journal, &Told)) {
    let clock = Arc::new(SystemClock::default());
    let told = Arc::new(Told::default());
    let store = StoreId::from_bits(1);
    check(&MemoryJournal::new(store, 1 << 20, clock.clone(), told.clone()), &told);
    let told = Arc::new(Told::default());
    let options = EmbeddedOptions { segment_bytes: 2_048, ..EmbeddedOptions::default() };
    let disk = Arc::new(MemoryDisk::default());
    let (journal, _) =
        Embedded::open(disk, options, clock, &SystemRng::default(), told.clone()).expect("opens");
    check(&journal, &told);
}

fn place(journal: &dyn Journal, batch: Batch) -> Result<Commit> {
    let room = wait(journal.reserve(&batch))?;
    journal.append(batch, room)
}

fn texts(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("event {number}")).collect()
}

/// Three streams in turn, in batches of one to three.
fn fill(journal: &dyn Journal) -> u64 {
    let mut count = 0;
    for number in 0..30 {
        let stream = ["a", "b", "c"][number as usize % 3];
        let commit = place(journal, batch(stream, &texts(count..count + 1 + number % 3)));
        wait(commit.expect("placed").durable()).expect("durable");
        count += 1 + number % 3;
    }
    u64::from(count)
}

#[test]
fn positions_are_ordered_and_versions_dense_and_followers_hear_of_all_before_the_ack() {
    on_each_engine(|journal, told| {
        let (mut last, mut version) = (Position::START, Version::NONE);
        for number in 0..20 {
            let commit = place(journal, batch("a", &texts(number..number + 2))).expect("placed");
            let appended = wait(commit.durable()).expect("durable").clone();
            assert!(appended.positions().is_sorted() && appended.first > last);
            assert_eq!(appended.version.number(), version.number() + 2);
            (last, version) = (appended.last(), appended.version);
            assert_eq!(told.all().len() as u64, version.number());
            assert_eq!(journal.head(&StreamName::from("a")).expect("known"), version);
            assert_eq!(journal.extent().last, last);
        }
        assert_eq!(journal.head(&StreamName::from("b")).expect("known"), Version::NONE);
        assert_eq!(journal.status().waiting, 0);
        assert!(journal.status().fenced.is_none() && journal.status().full.is_none());
    });
}

#[test]
fn an_expectation_holds_for_the_head_or_nothing_is_applied() {
    on_each_engine(|journal, told| {
        let given = |expected| batch("a", &texts(0..2)).expecting(expected);
        let exactly = |number| ExpectedVersion::Exactly(Version::new(number));
        let refused = |expected| {
            let error = place(journal, given(expected)).expect_err("does not hold");
            assert_eq!(error.kind(), ErrorKind::VersionConflict);
            error.conflict().expect("says which").actual
        };
        assert_eq!(refused(exactly(1)), Version::NONE);
        // Not waited for: the next one is judged by what is placed.
        let first = place(journal, given(ExpectedVersion::Absent)).expect("is absent");
        assert_eq!(refused(ExpectedVersion::Absent), Version::new(2));
        assert_eq!(refused(exactly(1)), Version::new(2));
        let second = place(journal, given(exactly(2))).expect("is at 2");
        let third = place(journal, given(ExpectedVersion::Any)).expect("whatever it is");
        for (commit, version) in [(first, 2), (second, 4), (third, 6)] {
            assert_eq!(wait(commit.durable()).expect("durable").version, Version::new(version));
        }
        assert_eq!(told.all().len(), 6);
    });
}

#[test]
fn every_page_from_every_place_says_what_was_told() {
    on_each_engine(|journal, told| {
        assert!(wait(journal.read_after(Position::START, 1)).expect("reads").is_empty());
        assert!(wait(journal.read_before(Position::END, 1)).expect("reads").is_empty());
        let count = fill(journal);
        let all = told.all();
        assert_eq!(all.len() as u64, count);
        for bytes_max in [0, 1, 200, 5_000, 1 << 20] {
            for at in 0..=count {
                let position = Position::from_engine(at);
                let after = wait(journal.read_after(position, bytes_max)).expect("reads");
                let after: Vec<String> = after.iter().map(said).collect();
                assert!(all[at as usize..].starts_with(&after), "after {at}, {bytes_max} bytes");
                assert_eq!(after.is_empty(), at == count, "after {at}, {bytes_max} bytes");
                let next = Position::from_engine(at + 1);
                let before = wait(journal.read_before(next, bytes_max)).expect("reads");
                let before: Vec<String> = before.iter().map(said).collect();
                assert!(all[..at as usize].ends_with(&before), "before {at}, {bytes_max} bytes");
                assert_eq!(before.is_empty(), at == 0, "before {at}, {bytes_max} bytes");
            }
        }
        for at in 1..=count {
            let record = wait(journal.record(Position::from_engine(at))).expect("is there");
            assert_eq!(said(&record), all[at as usize - 1]);
        }
        for missing in [Position::from_engine(count + 1), Position::END] {
            let error = wait(journal.record(missing)).expect_err("is not there");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(wait(journal.read_after(missing, 1)).expect("reads").is_empty());
        }
        let verified = wait(journal.verify()).expect("reads");
        assert_eq!((verified.records, verified.findings), (count, vec![]));
    });
}

#[test]
fn a_closed_journal_takes_nothing_and_is_read_on() {
    on_each_engine(|journal, told| {
        let commit = place(journal, batch("a", &texts(0..3))).expect("placed");
        wait(journal.close()).expect("closes");
        // What was placed before is durable.
        wait(commit.durable()).expect("durable");
        assert_eq!(told.all().len(), 3);
        let error = place(journal, batch("a", &texts(3..4))).expect_err("is closed");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        wait(journal.close()).expect("once more");
        let read = wait(journal.read_after(Position::START, 1 << 20)).expect("reads");
        assert_eq!(read.len(), 3);
    });
}
