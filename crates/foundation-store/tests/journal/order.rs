//! Without any fault: places, versions, expectations, reading, reopening.

use std::sync::Arc;

use foundation_store::disk::MemoryDisk;
use foundation_store::journal::{EmbeddedOptions, Journal, Mode, verify_store};
use foundation_types::{ErrorKind, ExpectedVersion, Position, StreamName, Version};

use super::{append, batch, open, open_with, said, wait};

fn texts(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("event {number}")).collect()
}

#[test]
fn what_was_appended_is_read_in_order_from_both_sides_and_after_reopening() {
    let disk = MemoryDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    for number in 0..60 {
        let commit = append(&opened.journal, batch("a", &texts(number..number + 1)));
        wait(commit.expect("placed").durable()).expect("durable");
    }
    let commit = append(&opened.journal, batch("b", &texts(60..90))).expect("placed");
    assert_eq!(wait(commit.durable()).expect("durable").version, Version::new(30));
    let all = opened.told.all();
    assert_eq!(all.len(), 90);
    assert_eq!(all[59], "60 a@60 \"event 59\"");
    assert_eq!(all[60], "61 b@1 \"event 60\"");
    assert!(opened.journal.status().segments > 3, "small segments");

    check_reads(&opened.journal, &all);
    wait(opened.journal.close()).expect("closes");
    drop(opened);

    let again = open(&disk, Mode::Write).expect("opens");
    assert_eq!(again.told.all(), all);
    assert_eq!((again.recovered.records, again.recovered.torn_bytes), (90, 0));
    assert_eq!(again.journal.head(&StreamName::from("b")).expect("known"), Version::new(30));
    check_reads(&again.journal, &all);
    let verified = wait(again.journal.verify()).expect("reads");
    assert_eq!((verified.records, verified.findings), (90, vec![]));
}

fn check_reads(journal: &dyn Journal, all: &[String]) {
    for bytes_max in [1, 500, 1 << 20] {
        let (mut up, mut cursor) = (Vec::new(), Position::START);
        loop {
            let page = wait(journal.read_after(cursor, bytes_max)).expect("reads");
            let Some(last) = page.last() else { break };
            cursor = last.position();
            up.extend(page.iter().map(said));
        }
        assert_eq!(up, all, "up in pages of {bytes_max} bytes");
        let (mut down, mut cursor) = (Vec::new(), Position::END);
        loop {
            let page = wait(journal.read_before(cursor, bytes_max)).expect("reads");
            let Some(first) = page.first() else { break };
            cursor = first.position();
            down.extend(page.iter().rev().map(said));
        }
        down.reverse();
        assert_eq!(down, all, "down in pages of {bytes_max} bytes");
    }
    for (at, text) in all.iter().enumerate() {
        let position = Position::from_engine(at as u64 + 1);
        assert_eq!(said(&wait(journal.record(position)).expect("is there")), *text);
    }
    let missing = Position::from_engine(all.len() as u64 + 1);
    let error = wait(journal.record(missing)).expect_err("is not there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn an_expectation_that_does_not_hold_changes_nothing() {
    let opened = open(&MemoryDisk::default(), Mode::Write).expect("opens");
    let first = batch("a", &texts(0..3)).expecting(ExpectedVersion::Absent);
    wait(append(&opened.journal, first).expect("placed").durable()).expect("durable");
    let second = batch("a", &texts(3..4)).expecting(ExpectedVersion::Exactly(Version::new(2)));
    let error = append(&opened.journal, second).expect_err("is at 3");
    let conflict = error.conflict().expect("says what was expected");
    assert_eq!((conflict.expected, conflict.actual), (Version::new(2), Version::new(3)));
    let third = batch("a", &texts(3..4)).expecting(ExpectedVersion::Exactly(Version::new(3)));
    let commit = append(&opened.journal, third).expect("placed");
    assert_eq!(commit.place().positions().collect::<Vec<_>>(), [Position::from_engine(4)]);
}

#[test]
fn many_threads_share_syncs_and_each_place_is_given_once() {
    let disk = super::super::simulated::SimulatedDisk::default();
    let options = EmbeddedOptions { segment_bytes: 1 << 20, ..EmbeddedOptions::default() };
    let opened = open_with(&disk, options).expect("opens");
    let journal = Arc::new(opened.journal);
    let before = disk.syncs();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let journal = journal.clone();
            scope.spawn(move || {
                for round in 0..25 {
                    let commits: Vec<_> = (0..4)
                        .map(|at| format!("{thread}-{round}-{at}"))
                        .map(|text| append(&journal, batch("a", &[text])).expect("placed"))
                        .collect();
                    for commit in commits {
                        wait(commit.durable()).expect("durable");
                    }
                }
            });
        }
    });
    let all = opened.told.all();
    assert_eq!(all.len(), 800);
    let (mut places, mut sorted): (Vec<u64>, _) = (Vec::new(), Vec::new());
    for text in &all {
        places.push(text.split(' ').next().expect("a place").parse().expect("a number"));
    }
    sorted.extend(1..=800);
    assert_eq!(places, sorted, "told in order, each once");
    assert!(disk.syncs() - before < 800, "{} syncs for 800 appends", disk.syncs() - before);
}

#[test]
fn a_store_is_owned_by_one_and_looked_at_by_others() {
    let disk = MemoryDisk::default();
    assert_eq!(open(&disk, Mode::Read).err().map(|e| e.kind()), Some(ErrorKind::NotFound));
    let owner = open(&disk, Mode::Write).expect("opens");
    wait(append(&owner.journal, batch("a", &texts(0..2))).expect("placed").durable())
        .expect("durable");
    assert_eq!(open(&disk, Mode::Write).err().map(|e| e.kind()), Some(ErrorKind::Locked));
    assert_eq!(verify_store(&disk).err().map(|e| e.kind()), Some(ErrorKind::Locked));
    let peek = open(&disk, Mode::Peek).expect("takes no lock");
    assert_eq!(peek.told.all(), owner.told.all());
    assert_eq!(
        peek.journal.try_reserve(&batch("a", &texts(2..3))).err().map(|e| e.kind()),
        Some(ErrorKind::ReadOnly)
    );
    wait(owner.journal.close()).expect("closes");
    let error = append(&owner.journal, batch("a", &texts(2..3))).expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(verify_store(&disk).expect("reads").records, 2);
    open(&disk, Mode::Write).expect("the lock is free");
}
