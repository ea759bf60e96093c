//! Letting go of old records: how much goes, what is kept is whole, and what must not go stays.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::SystemClock;
use foundation_store::disk::{Access, Disk};
use foundation_store::journal::{
    Embedded, EmbeddedOptions, Holder, Journal, Mode, Retention, verify_store,
};
use foundation_store::random::SystemRng;
use foundation_types::{ErrorKind, EventQuery, ExpectedVersion, Position, Version};

use super::super::simulated::{Failure, SimulatedDisk};
use super::resumed::{fill, resume, resume_with};
use super::{append, batch, wait};

#[test]
fn what_is_let_go_of_is_gone_and_the_rest_is_whole() {
    let disk = SimulatedDisk::default();
    let first = resume(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let whole = first.fold.now();
    let hold = first.journal.hold(Position::from_engine(20), Holder::Application);
    let few = Retention { records: Some(50), ..Retention::default() };
    let dropped = wait(first.journal.retain(few)).expect("let go of");
    assert!(dropped.records <= 20, "{dropped:?} although 20 is held");
    drop(hold);
    let more = wait(first.journal.retain(few)).expect("let go of");
    assert!(more.segments > 3, "{more:?}");
    let extent = first.journal.extent();
    let gone = dropped.records + more.records;
    assert_eq!((extent.before_first.to_engine(), extent.records), (gone, 200 - gone));
    assert!(extent.records >= 50, "{extent:?}");
    let error = wait(first.journal.read_after(Position::START, 1)).expect_err("is gone");
    assert_eq!(error.kind(), ErrorKind::Compacted);
    let error = wait(first.journal.record(extent.before_first)).expect_err("is gone");
    assert_eq!(error.kind(), ErrorKind::Compacted);
    assert!(!verify_store(&SimulatedDisk::of_image(&disk.image())).expect("reads").is_damaged());
    wait(first.journal.close()).expect("closes");

    let again = resume(&disk, Mode::Write).expect("opens");
    assert_eq!(again.recovered.records, 200 - gone);
    assert_eq!(again.fold.now(), whole, "the state has what the log no longer has");
    let found = wait(again.log.search(&again.journal, &EventQuery::all(), 1_000, &|| Ok(())));
    assert_eq!(found.expect("readable").len() as u64, 200 - gone);
    fill(&again.journal, 200..210);
    wait(again.journal.close()).expect("closes");
    let mut bare = disk.image();
    bare.retain(|name, _| !name.ends_with(".snap"));
    let error = resume(&SimulatedDisk::of_image(&bare), Mode::Read).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing, "the state cannot be told any more");
}

#[test]
fn no_version_is_given_out_twice_however_much_is_let_go_of() {
    let disk = SimulatedDisk::default();
    let first = resume(&disk, Mode::Write).expect("opens");
    let order = |text: &str| batch("order-1", &[text.to_owned()]);
    for text in ["placed", "paid"] {
        wait(append(&first.journal, order(text)).expect("placed").durable()).expect("durable");
    }
    let few = Retention { records: Some(20), ..Retention::default() };
    let mut last = 0;
    for round in 0..3 {
        fill(&first.journal, last..last + 200);
        last += 200;
        assert!(wait(first.journal.retain(few)).expect("lets go").records > 100, "{round}");
    }
    let absent = || order("again").expecting(ExpectedVersion::Absent);
    let refused = |journal: &Embedded| {
        let error = append(journal, absent()).expect_err("is refused");
        let actual = error.conflict().expect("is a conflict").actual;
        assert_eq!(actual, Version::new(2));
        assert_eq!(journal.head(&"order-1".into()).expect("known"), Version::new(2));
    };
    refused(&first.journal);
    wait(first.journal.close()).expect("closes");
    let again = resume(&disk, Mode::Write).expect("opens");
    refused(&again.journal);
    let commit = append(&again.journal, order("sent")).expect("placed");
    assert_eq!(commit.place().version, Version::new(3));
    wait(again.journal.close()).expect("closes");

    // Without the versions that were let go of, the store is not opened: none could be promised.
    let mut bare = disk.image();
    bare.remove("HEADS").expect("is there");
    let error = resume(&SimulatedDisk::of_image(&bare), Mode::Read).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing);
}

#[test]
fn nothing_is_let_go_of_on_the_word_of_a_snapshot_that_cannot_be_read() {
    let disk = SimulatedDisk::default();
    let first = resume(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let mut snapshots: Vec<String> = disk.image().into_keys().collect();
    snapshots.retain(|name| name.ends_with(".snap"));
    assert_eq!(snapshots.len(), 2, "{snapshots:?}");
    let older = disk.open(&snapshots[0], Access::Write).expect("is there");
    older.write_at(&[0xff], 60).expect("written");
    let few = Retention { records: Some(50), ..Retention::default() };
    assert_eq!(wait(first.journal.retain(few)).expect("looks").records, 0);
    fill(&first.journal, 200..260);
    assert!(wait(first.journal.retain(few)).expect("lets go").records > 100);
    wait(first.journal.close()).expect("closes");
    assert_eq!(resume(&disk, Mode::Read).expect("opens").fold.now().records, 260);
}

#[test]
fn old_records_are_let_go_of_on_a_full_disk_and_new_ones_are_taken_when_there_is_space() {
    let disk = SimulatedDisk::default();
    let first = resume_with(&disk, Mode::Write, 512).expect("opens");
    fill(&first.journal, 0..200);
    // More streams than the reserve was made for: it grows with them.
    for number in 0..300 {
        let stream = format!("once-{number}");
        wait(append(&first.journal, batch(&stream, &["x".to_owned()])).expect("placed").durable())
            .expect("durable");
    }
    fill(&first.journal, 200..400);
    let few = Retention { records: Some(50), ..Retention::default() };
    assert!(wait(first.journal.retain(few)).expect("lets go").records > 500);
    fill(&first.journal, 400..600);
    disk.set_failure(Failure::FullFrom(disk.calls()));
    let full = append(&first.journal, batch("s0", &["x".repeat(3_000)])).expect("placed");
    let error = wait(full.durable()).expect_err("has no room");
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    wait(first.journal.record(first.journal.extent().last)).expect("reads go on");
    let dropped = wait(first.journal.retain(few)).expect("is let go of without any space");
    assert!(dropped.records > 100, "{dropped:?}");
    disk.set_failure(Failure::Never);
    fill(&first.journal, 600..630);
    wait(first.journal.close()).expect("closes");
    let again = resume(&disk, Mode::Read).expect("opens");
    assert_eq!(again.fold.now().records, 930);
}

/// What is kept of 400 records in small segments, and in how many segments it is.
fn kept(keep: Retention) -> (u64, u64) {
    let options = EmbeddedOptions {
        background: false,
        segment_bytes: 2_048,
        mode: Mode::Write,
        reserve_bytes: 0,
    };
    let (clock, rng) = (Arc::new(SystemClock::default()), SystemRng::default());
    let disk = Arc::new(SimulatedDisk::default());
    let (journal, _) = Embedded::open(disk, options, clock, &rng, Arc::new(())).expect("opens");
    for number in 0..400 {
        let commit = append(&journal, batch("a", &[number.to_string()])).expect("placed");
        wait(commit.durable()).expect("durable");
    }
    wait(journal.retain(keep)).expect("lets go");
    let status = journal.status();
    (status.extent.records, status.segments)
}

#[test]
fn the_oldest_segments_go_as_soon_as_one_bound_is_exceeded() {
    let (all, segments) = kept(Retention::default());
    assert!(all == 400 && segments > 4);
    let in_a_segment = all / (segments - 1) + 1;
    let wide = Retention {
        records: Some(1_000_000),
        bytes: Some(u64::MAX),
        age: Some(Duration::from_secs(86_400)),
        archived_age: None,
    };
    assert_eq!(kept(wide), (all, segments));
    // What the others would keep goes all the same.
    assert_eq!(kept(Retention { bytes: Some(1), ..wide }).1, 1);
    assert_eq!(kept(Retention { age: Some(Duration::ZERO), ..wide }).1, 1);
    let (few, _) = kept(Retention { records: Some(100), ..wide });
    assert!(
        (100..100 + in_a_segment).contains(&few),
        "{few} of {all}, {in_a_segment} in a segment"
    );
}
