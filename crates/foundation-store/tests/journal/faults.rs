//! Each call to the disk failing once: a wrong ack, a panic or a retried sync is a defect.

use foundation_store::journal::{Journal, Mode};
use foundation_types::ErrorKind;

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
fn a_full_disk_refuses_and_loses_nothing() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let mut acked = 0;
    disk.set_failure(Failure::FullFrom(disk.calls() + 20));
    for number in 0..2_000 {
        let text = format!("{number}-{}", "z".repeat(400));
        let Ok(commit) = append(&opened.journal, batch("a", &[text])) else { break };
        if wait(commit.durable()).is_ok() {
            acked += 1;
        }
    }
    drop(opened);
    disk.set_failure(Failure::Never);
    let again = open(&disk, Mode::Write).expect("opens once there is space");
    assert_eq!(again.told.all().len(), acked);
}
