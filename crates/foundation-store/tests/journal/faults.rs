//! Each call to the disk failing once: a wrong ack, a panic or a retried sync is a defect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_store::clock::{Clock, SystemClock};
use foundation_store::journal::{Embedded, EmbeddedOptions, Follower, Journal, Mode};
use foundation_store::random::SystemRng;
use foundation_store::record::Record;
use foundation_types::{ErrorKind, Position, Timestamp};

use super::super::simulated::{Dice, Failure, Lie, SimulatedDisk};
use super::{append, batch, open, read_all, wait};

/// Appends twelve events to a disk on which one call fails; gives what was acked.
fn acked(disk: &SimulatedDisk) -> Vec<String> {
    let mut acked = Vec::new();
    let Ok(opened) = open(disk, Mode::Write) else { return acked };
    let mut failed = false;
    for number in 0..12 {
        let text = format!("{number}-{}", "y".repeat(300));
        let Ok(commit) = append(&opened.journal, batch("a", std::slice::from_ref(&text))) else {
            failed = true;
            continue;
        };
        match wait(commit.durable()) {
            Ok(_) => {
                assert!(!failed, "an ack after a failure");
                acked.push(text);
            }
            Err(error) => {
                let kind = error.kind();
                let expected = [ErrorKind::Indeterminate, ErrorKind::Fenced, ErrorKind::Disk];
                assert!(expected.contains(&kind), "{kind}");
                failed = true;
            }
        }
    }
    if failed {
        assert_eq!(opened.journal.status().fenced.is_some(), failed);
        // Reads go on.
        assert!(read_all(&opened.journal).len() >= acked.len());
    }
    acked
}

#[test]
fn whichever_call_fails_the_acked_is_there_after_reopening() {
    let whole = SimulatedDisk::default();
    assert_eq!(acked(&whole).len(), 12);
    let calls = whole.calls();
    for call in 1..=calls {
        let disk = SimulatedDisk::new(Failure::OnceAt(call), Lie::None);
        let acked = acked(&disk);
        disk.set_failure(Failure::Never);
        let opened = open(&disk, Mode::Write).unwrap_or_else(|e| panic!("call {call}: {e:?}"));
        let told = opened.told.all();
        for (at, text) in acked.iter().enumerate() {
            assert!(told[at].contains(text.as_str()), "call {call}: {text} is not at {at}");
        }
        assert!(told.len() <= 12, "call {call}");
    }
    println!("each of {calls} calls failed once: wrong acks 0, panics 0");
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let first = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(first.durable()).expect("durable");
    // The next two calls are the write and its sync.
    disk.set_failure(Failure::OnceAt(disk.calls() + 2));
    let second = append(&opened.journal, batch("a", &["two".to_owned()])).expect("placed");
    let error = wait(second.durable()).expect_err("the sync failed");
    assert_eq!(error.kind(), ErrorKind::Indeterminate);
    let syncs = disk.syncs();
    let error = append(&opened.journal, batch("a", &["three".to_owned()])).expect_err("fenced");
    assert_eq!(error.kind(), ErrorKind::Fenced);
    wait(opened.journal.close()).expect_err("could not make all durable");
    assert_eq!(disk.syncs(), syncs);
}

#[test]
fn what_a_failed_sync_left_in_memory_is_written_again_before_anybody_relies_on_it() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let first = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(first.durable()).expect("durable");
    disk.set_failure(Failure::OnceAt(disk.calls() + 2));
    let second = append(&opened.journal, batch("a", &["two".to_owned()])).expect("placed");
    let error = wait(second.durable()).expect_err("the sync failed");
    assert_eq!(error.kind(), ErrorKind::Indeterminate);
    drop(opened);
    // The machine still reads what its disk never got.
    let again = open(&disk, Mode::Write).expect("opens");
    assert_eq!(again.told.all().len(), 2);
    let third = append(&again.journal, batch("a", &["three".to_owned()])).expect("placed");
    wait(third.durable()).expect("durable");
    let mut dice = Dice::of(1);
    for _ in 0..20 {
        let after = open(&disk.after_crash(&mut dice), Mode::Read).expect("opens after a crash");
        assert_eq!(after.told.all().len(), 3);
    }
}

#[test]
fn a_segment_whose_name_may_be_lost_is_not_written_to() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    // The first segment is made by: open, write, sync, rename, sync of names. Its maker dies
    // before the last.
    disk.set_failure(Failure::PowerOffAt(disk.calls() + 6));
    let commit = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(commit.durable()).expect_err("the process died");
    drop(opened);
    assert!(disk.image().contains_key("00000000000000000001.seg"), "it has its name");
    disk.set_failure(Failure::Never);
    let again = open(&disk, Mode::Write).expect("opens");
    let commit = append(&again.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(commit.durable()).expect("durable");
    let mut dice = Dice::of(1);
    for _ in 0..20 {
        let after = open(&disk.after_crash(&mut dice), Mode::Read).expect("opens after a crash");
        assert_eq!(after.told.all().len(), 1);
    }
}

#[test]
fn a_torn_watermark_leaves_the_one_before() {
    let disk = SimulatedDisk::default();
    for text in ["one", "two", "three"] {
        let opened = open(&disk, Mode::Write).expect("opens");
        let commit = append(&opened.journal, batch("a", &[text.to_owned()])).expect("placed");
        wait(commit.durable()).expect("durable");
        wait(opened.journal.close()).expect("closes");
    }
    let mut image = disk.image();
    // It knows better.
    image.remove("00000000000000000001.idx");
    let short = |changed: &dyn Fn(&mut Vec<u8>), records: usize| {
        let mut image = image.clone();
        changed(image.get_mut("WATERMARK").expect("is there"));
        let segment = image.get_mut("00000000000000000001.seg").expect("is there");
        // The groups are as long as one another, but for the length of their text.
        let frame = |at: usize| segment[at..at + 4].try_into().map(u32::from_le_bytes);
        let mut end = 64;
        for _ in 0..records {
            end += 56 + 40 + frame(end + 56).expect("four bytes") as usize;
        }
        segment.truncate(end);
        open(&SimulatedDisk::of_image(&image), Mode::Read).map(|opened| opened.told.all().len())
    };
    let whole = |_: &mut Vec<u8>| {};
    assert_eq!(short(&whole, 3).expect("is whole"), 3);
    assert_eq!(short(&whole, 2).expect_err("is short").kind(), ErrorKind::AckedDataMissing);
    // The third mark is in the slot that the first one had.
    let torn = |bytes: &mut Vec<u8>| bytes[512 + 20] ^= 1;
    assert_eq!(short(&torn, 2).expect("as far as is known"), 2);
    assert_eq!(short(&torn, 1).expect_err("is short").kind(), ErrorKind::AckedDataMissing);
}

#[test]
fn a_writer_without_work_says_how_far_the_log_is_durable() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let before = disk.image();
    let commit = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(commit.durable()).expect("durable");
    let begun = std::time::Instant::now();
    while disk.image()["WATERMARK"] == before["WATERMARK"] {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never said so");
        std::thread::yield_now();
    }
    let mut lost = disk.image();
    lost.remove("00000000000000000001.seg");
    let error = open(&SimulatedDisk::of_image(&lost), Mode::Read).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing);
}

/// Panics at the record with this position.
struct Panics(u64);

impl Follower for Panics {
    fn follow(&self, records: &[Record]) {
        let at = Position::from_engine(self.0);
        assert!(records.iter().all(|record| record.position() != at), "a planted panic");
    }
}

#[test]
fn a_follower_that_panics_leaves_nobody_waiting() {
    let disk = SimulatedDisk::default();
    let options = EmbeddedOptions::default();
    let (journal, _) = Embedded::open(
        Arc::new(disk.clone()),
        options,
        Arc::new(SystemClock::default()),
        &SystemRng::default(),
        Arc::new(Panics(2)),
    )
    .expect("opens");
    let commit = append(&journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(commit.durable()).expect("durable");
    let commit = append(&journal, batch("a", &["two".to_owned()])).expect("placed");
    let error = wait(commit.durable()).expect_err("its follower panicked");
    assert_eq!(error.kind(), ErrorKind::Indeterminate);
    let error = append(&journal, batch("a", &["three".to_owned()])).expect_err("is fenced");
    assert_eq!(error.kind(), ErrorKind::Fenced);
    assert!(journal.status().fenced.is_some());
    wait(journal.close()).expect_err("says why");
    drop(journal);
    assert_eq!(open(&disk, Mode::Write).expect("opens").told.all().len(), 2);
}

/// A clock that steps a second at each look.
#[derive(Default)]
struct Steps(AtomicU64);

impl Clock for Steps {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_micros(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn a_writer_that_is_never_idle_still_notices_that_acked_data_is_gone() {
    let disk = SimulatedDisk::default();
    let (journal, _) = Embedded::open(
        Arc::new(disk.clone()),
        EmbeddedOptions::default(),
        Arc::new(Steps::default()),
        &SystemRng::default(),
        Arc::new(()),
    )
    .expect("opens");
    for text in ["one", "two"] {
        let commit = append(&journal, batch("a", &[text.to_owned()])).expect("placed");
        wait(commit.durable()).expect("durable");
    }
    let mut before = disk.image();
    let commit = append(&journal, batch("a", &["three".to_owned()])).expect("placed");
    wait(commit.durable()).expect("durable");
    // The log as it was two acks ago, without any trace of a torn write.
    let segment = before.get_mut("00000000000000000001.seg").expect("is there");
    segment.truncate(64);
    let error = open(&SimulatedDisk::of_image(&before), Mode::Write).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing);
}
