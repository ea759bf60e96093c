//! A damaged store is put in order: nothing that can be read is lost, and nothing is thrown away.

mod laws;
mod mended;
mod refused;

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_store::disk::Disk;
use foundation_store::journal::{
    Journal, Mode, Remedy, Repair, RepairMode, repair_store, verify_store,
};
use foundation_types::{ErrorKind, Position};

use super::super::simulated::{Dice, Failure, SimulatedDisk};
use super::{append, batch, open, read_all, wait};

type Image = BTreeMap<String, Vec<u8>>;

/// A small store of several segments that was closed, and what it holds.
fn store() -> (Image, Vec<String>) {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    for number in 0..24 {
        let texts = [format!("first of {number}"), "x".repeat(number * 9)];
        let commit = append(&opened.journal, batch("a", &texts)).expect("placed");
        wait(commit.durable()).expect("durable");
    }
    wait(opened.journal.close()).expect("closes");
    (disk.image(), opened.told.all())
}

fn repair(disk: &SimulatedDisk, mode: RepairMode) -> Repair {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    repair_store(&disk, mode).expect("is looked at")
}

fn without_lock(mut image: Image) -> Image {
    image.remove("LOCK");
    image
}

fn segments(image: &Image) -> Vec<String> {
    image.keys().filter(|name| name.ends_with(".seg")).cloned().collect()
}

/// Repairs a store with this content; what is kept of it is as it was written.
fn check(what: &str, image: &Image, written: &[String]) -> u64 {
    let disk = SimulatedDisk::of_image(image);
    let plan = repair(&disk, RepairMode::DryRun);
    assert_eq!(without_lock(disk.image()), without_lock(image.clone()), "{what}");
    let done = repair(&disk, RepairMode::Apply);
    assert_eq!(done, plan, "{what}");
    assert!(done.left.is_empty(), "{what}: {:?}", done.left);
    let mut lost = 0;
    for action in &done.actions {
        if let Remedy::Bridge { lost: records, quarantine } = &action.remedy {
            lost += records;
            if let Some(kept) = quarantine {
                let kept = disk.image()[kept].clone();
                assert!(image.values().any(|bytes| *bytes == kept), "{what}: kept whole");
            }
        }
    }
    let found = verify_store(&disk).expect("reads");
    assert!(!found.is_damaged(), "{what}: {:?}", found.findings);
    let opened = open(&disk, Mode::Write).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let read = read_all(&opened.journal);
    assert_eq!(opened.told.all(), read, "{what}");
    assert_eq!(read.len() as u64 + lost, written.len() as u64, "{what}");
    assert!(read.iter().all(|one| written.contains(one)), "{what}: {read:?}");
    let mut backward = Vec::new();
    let mut cursor = Position::from_engine(written.len() as u64 + 1);
    loop {
        let page = wait(opened.journal.read_before(cursor, 1)).expect("reads");
        let Some(first) = page.first() else { break };
        cursor = first.position();
        backward.splice(0..0, page.iter().map(super::said));
    }
    assert_eq!(backward, read, "{what}");
    for number in 1..=written.len() as u64 {
        let at = Position::from_engine(number);
        match wait(opened.journal.record(at)) {
            Ok(record) => assert_eq!(super::said(&record), written[number as usize - 1]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corruption, "{what}: {error:?}"),
        }
    }
    // Positions after a gap stay what they were, and the log goes on behind all of them.
    let commit = append(&opened.journal, batch("b", &["on".to_owned()])).expect("placed");
    let place = wait(commit.durable()).expect("durable").first.to_engine();
    assert_eq!(place, written.len() as u64 + 1, "{what}");
    wait(opened.journal.close()).expect("closes");
    drop(opened);
    assert_eq!(read_all(&open(&disk, Mode::Read).expect("opens").journal).len(), read.len() + 1);
    let found = verify_store(&disk).expect("reads");
    assert!(!found.is_damaged(), "{what}: {:?}", found.findings);
    lost
}

#[test]
fn a_store_in_order_needs_no_repair() {
    let (image, written) = store();
    assert_eq!(check("nothing", &image, &written), 0);
    let disk = SimulatedDisk::of_image(&image);
    assert!(repair(&disk, RepairMode::Apply).actions.is_empty());
    assert_eq!(without_lock(disk.image()), without_lock(image));
}

#[test]
fn a_damaged_index_is_made_again() {
    let (image, written) = store();
    let names: Vec<&String> = image.keys().filter(|name| name.ends_with(".idx")).collect();
    assert!(names.len() > 2);
    for name in names {
        let mut changed = image.clone();
        changed.get_mut(name).expect("is there")[4_200] ^= 1;
        assert_eq!(check(name, &changed, &written), 0);
    }
}

#[test]
fn a_damaged_range_is_bridged_wherever_it_is() {
    let (image, written) = store();
    let mut most = 0;
    for name in segments(&image) {
        let used = image[&name].iter().rposition(|byte| *byte != 0).expect("holds something");
        for offset in (64..=used).step_by(61) {
            let mut changed = image.clone();
            changed.get_mut(&name).expect("is there")[offset] ^= 4;
            let lost = check(&format!("{name} at {offset}"), &changed, &written);
            assert!((2..=4).contains(&lost), "{name} at {offset}: {lost}");
            most = most.max(lost);
        }
    }
    println!("a flipped bit costs {most} records at most: those of its group");
}

#[test]
fn a_missing_or_headless_segment_is_bridged_whole() {
    let (image, written) = store();
    for name in segments(&image) {
        let mut changed = image.clone();
        changed.remove(&name);
        assert!(check(&format!("{name} is missing"), &changed, &written) > 1);
        let mut changed = image.clone();
        changed.get_mut(&name).expect("is there")[20] ^= 1;
        assert!(check(&format!("{name} without its header"), &changed, &written) > 1);
    }
    let names = segments(&image);
    for pair in names.windows(2) {
        let mut changed = image.clone();
        changed.get_mut(&pair[0]).expect("is there")[200] ^= 1;
        changed.get_mut(&pair[1]).expect("is there")[20] ^= 1;
        check(&format!("{pair:?}"), &changed, &written);
    }
}

#[test]
fn a_repair_that_was_cut_is_done_again_and_costs_no_more() {
    let (mut image, written) = store();
    let name = segments(&image)[1].clone();
    image.get_mut(&name).expect("is there")[300] ^= 1;
    let disk = SimulatedDisk::of_image(&image);
    repair(&disk, RepairMode::Apply);
    let calls = disk.calls();
    for call in 1..=calls {
        let disk = SimulatedDisk::of_image(&image);
        disk.set_failure(Failure::PowerOffAt(call));
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let _ = repair_store(&shared, RepairMode::Apply);
        let left = disk.after_crash(&mut Dice::of(call));
        repair(&left, RepairMode::Apply);
        let read = read_all(&open(&left, Mode::Write).expect("opens").journal);
        assert_eq!(read.len(), written.len() - 2, "call {call}");
    }
}
