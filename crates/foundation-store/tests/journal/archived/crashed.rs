//! Power cuts and failing calls at every call to the disk while segments go and come back: each
//! record is there once, and the store opens.

use std::collections::BTreeMap;

use foundation_store::journal::{Embedded, Journal, Mode};
use foundation_types::Result;

use super::super::super::simulated::{Dice, Failure, Lie, SimulatedDisk};
use super::super::resumed::{Resumed, check_answers, fill};
use super::super::{read_all, wait};
use super::{archive, open, verified};

type Step = fn(&Embedded) -> Result<()>;

fn goes(journal: &Embedded) -> Result<()> {
    archive(journal, 1).map(drop)
}

fn comes_back(journal: &Embedded) -> Result<()> {
    wait(journal.bring_back()).map(drop)
}

/// A store whose segments are all there, or are in the archive.
fn prepared(is_archived: bool) -> BTreeMap<String, Vec<u8>> {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..64);
    if is_archived {
        goes(&first.journal).expect("goes");
    }
    wait(first.journal.close()).expect("closes");
    disk.image()
}

/// What a store has after the power went, or a call failed, at each call of a step.
fn attacked(image: &BTreeMap<String, Vec<u8>>, step: Step, failure: fn(u64) -> Failure) -> u64 {
    let whole = SimulatedDisk::of_image(image);
    let first = open(&whole, Mode::Write).expect("opens");
    let expected = read_all(&first.journal);
    let start = whole.calls();
    step(&first.journal).expect("is done");
    let calls = whole.calls() - start;
    drop(first);
    let crashes = if matches!(failure(0), Failure::PowerOffAt(_)) { 3 } else { 1 };
    for call in 1..=calls {
        let disk = SimulatedDisk::of_image(image);
        let attacked = open(&disk, Mode::Write).expect("opens");
        disk.set_failure(failure(disk.calls() + call));
        let _ = step(&attacked.journal);
        let is_off = matches!(failure(0), Failure::PowerOffAt(_));
        if !is_off {
            assert_eq!(read_all(&attacked.journal), expected, "call {call}, before it is closed");
        }
        for seed in 0..crashes {
            let after = disk.after_crash(&mut Dice::of(call * 3 + seed));
            check(&after, &expected, step, &format!("call {call}, seed {seed}"));
        }
    }
    calls
}

fn check(after: &SimulatedDisk, expected: &[String], step: Step, what: &str) {
    let found = verified(after);
    assert!(!found.is_damaged(), "{what}: {:?}", found.findings);
    let again = open(after, Mode::Write).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(read_all(&again.journal), expected, "{what}");
    check_answers(&again);
    // What was interrupted is taken up again.
    step(&again.journal).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(read_all(&again.journal), expected, "{what}, after the step");
    wait(again.journal.close()).expect("closes");
    assert!(!verified(after).is_damaged(), "{what}");
}

#[test]
fn no_power_cut_while_segments_go_costs_or_doubles_a_record() {
    assert!(attacked(&prepared(false), goes, Failure::PowerOffAt) > 40);
}

#[test]
fn no_power_cut_while_segments_come_back_costs_or_doubles_a_record() {
    assert!(attacked(&prepared(true), comes_back, Failure::PowerOffAt) > 40);
}

#[test]
fn no_failing_call_while_segments_go_or_come_back_costs_a_record() {
    attacked(&prepared(false), goes, Failure::OnceAt);
    attacked(&prepared(true), comes_back, Failure::OnceAt);
    attacked(&prepared(false), goes, Failure::NoSpaceAt);
}

/// Whether the attack on a disk that lies finds something.
fn is_caught(lie: Lie) -> bool {
    let image = prepared(false);
    (0..40).any(|seed| {
        let disk = SimulatedDisk::lying(&image, lie);
        let store = open(&disk, Mode::Write).expect("opens");
        let expected = read_all(&store.journal);
        goes(&store.journal).expect("goes, as far as it is told");
        let after = disk.after_crash(&mut Dice::of(seed));
        let again = open(&after, Mode::Write);
        let is_whole = |again: Resumed| read_all(&again.journal) == expected;
        !again.is_ok_and(is_whole)
    })
}

#[test]
fn a_segment_that_is_removed_before_its_place_is_known_for_good_is_caught() {
    assert!(is_caught(Lie::FileSync), "a file that is not synced");
    assert!(is_caught(Lie::NameSync), "a manifest that gets its name after the segment is gone");
    assert!(!is_caught(Lie::None), "and what is right is not");
}
