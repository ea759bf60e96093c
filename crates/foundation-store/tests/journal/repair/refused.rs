//! What a repair must not touch: files of another store, and what nothing makes again.

use std::sync::Arc;

use foundation_store::disk::Disk;
use foundation_store::journal::{
    Finding, Journal, Mode, Repair, RepairMode, Retention, repair_store, verify_store,
};
use foundation_types::ErrorKind;

use super::super::super::simulated::{Failure, SimulatedDisk};
use super::super::resumed::{fill, resume};
use super::{Image, repair, segments, store, without_lock};

/// A store whose log was shortened: its snapshots have what the log no longer has.
pub(super) fn shortened() -> Image {
    let disk = SimulatedDisk::default();
    let opened = resume(&disk, Mode::Write).expect("opens");
    fill(&opened.journal, 0..200);
    let few = Retention { records: Some(50), ..Retention::default() };
    assert!(super::wait(opened.journal.retain(few)).expect("lets go").records > 50);
    super::wait(opened.journal.close()).expect("closes");
    let image = disk.image();
    assert!(snapshots(&image).len() == 2 && !image.contains_key("00000000000000000001.seg"));
    image
}

fn snapshots(image: &Image) -> Vec<String> {
    image.keys().filter(|name| name.ends_with(".snap")).cloned().collect()
}

fn flipped(image: &Image, name: &str, at: usize) -> Image {
    let mut changed = image.clone();
    changed.get_mut(name).expect("is there")[at] ^= 1;
    changed
}

/// Nothing is done, and all that is wrong is told as left: by the plan and by the repair.
fn refuses(what: &str, image: &Image) -> Vec<Finding> {
    let disk = SimulatedDisk::of_image(image);
    let plan = repair(&disk, RepairMode::DryRun);
    assert!(plan.actions.is_empty(), "{what}: {:?}", plan.actions);
    assert!(!plan.left.is_empty(), "{what}: nothing is told");
    assert_eq!(repair(&disk, RepairMode::Apply), plan, "{what}");
    assert_eq!(without_lock(disk.image()), without_lock(image.clone()), "{what}");
    let found = verify_store(&disk).expect("reads");
    assert!(found.is_damaged(), "{what}: {:?}", found.findings);
    plan.left
}

fn tells(left: &[Finding], file: &str, what: &str) {
    let is_told = left.iter().any(|one| one.file == file && one.what.contains(what));
    assert!(is_told, "{file} {what}: {left:?}");
}

#[test]
fn files_that_belong_to_another_store_are_left() {
    let image = shortened();
    let (other, _) = store();
    let mut mixed = image.clone();
    mixed.insert("STORE".to_owned(), other["STORE"].clone());
    let left = refuses("the identity of another store", &mixed);
    for name in snapshots(&image).iter().chain(&segments(&image)) {
        tells(&left, name, "belongs to store");
    }
    tells(&left, "WATERMARK", "belongs to store");
    assert!(resume(&SimulatedDisk::of_image(&image), Mode::Read).is_ok(), "as it was");

    // One file among others: its own log, or a part of it, is somewhere.
    let (own, _) = store();
    for name in ["WATERMARK", "00000000000000000001.seg", "00000000000000000001.idx"] {
        let mut mixed = own.clone();
        mixed.insert(name.to_owned(), other[name].clone());
        let left = refuses(name, &mixed);
        tells(&left, name, "belongs to store");
    }
}

#[test]
fn a_snapshot_that_nothing_makes_again_is_left() {
    let image = shortened();
    let [older, newer] = &snapshots(&image)[..] else { panic!("two snapshots") };
    let both = flipped(&flipped(&image, older, 70), newer, 70);
    let left = refuses("both snapshots damaged", &both);
    tells(&left, older, "it cannot be made again, since the log begins after position");
    tells(&left, newer, "it cannot be made again, since the log begins after position");
    tells(&left, "FRONT", "no snapshot can be read that reaches so far");
    // As long as the other one can be read, one is made again.
    for one in [older, newer] {
        let disk = SimulatedDisk::of_image(&flipped(&image, one, 70));
        let done = repair(&disk, RepairMode::Apply);
        assert_eq!((done.actions.len(), done.left.len()), (1, 0), "{done:?}");
        assert!(!disk.image().contains_key(one));
        resume(&disk, Mode::Write).expect("opens");
    }
}

#[test]
fn a_front_that_no_snapshot_reaches_is_told() {
    let mut image = shortened();
    image.retain(|name, _| !name.ends_with(".snap"));
    let left = refuses("no snapshots", &image);
    tells(&left, "FRONT", "no snapshot can be read that reaches so far");
    let error = resume(&SimulatedDisk::of_image(&image), Mode::Read).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing);
}

#[test]
fn a_damaged_front_is_left() {
    let image = shortened();
    let first = segments(&image)[0].clone();
    let slots = [0, 512].map(|at| image["FRONT"][at..at + 40].iter().any(|byte| *byte != 0));
    assert_eq!(slots, [false, true], "it was written once");
    let left = refuses("the only slot damaged", &flipped(&image, "FRONT", 520));
    tells(&left, "FRONT", "whether what came before was let go of is not known");
    assert!(left.iter().all(|one| one.file != first), "nothing is missing: {left:?}");
    // Once more, so that both slots say something: the newer one is damaged.
    let disk = SimulatedDisk::of_image(&image);
    let opened = resume(&disk, Mode::Write).expect("opens");
    fill(&opened.journal, 200..300);
    let few = Retention { records: Some(20), ..Retention::default() };
    assert!(super::wait(opened.journal.retain(few)).expect("lets go").records > 20);
    super::wait(opened.journal.close()).expect("closes");
    let left = refuses("the newer slot damaged", &flipped(&disk.image(), "FRONT", 8));
    tells(&left, "FRONT", "whether what came before was let go of is not known");
    let older = SimulatedDisk::of_image(&flipped(&disk.image(), "FRONT", 520));
    assert!(!verify_store(&older).expect("reads").is_damaged(), "the older one says less");
    let mut without = image.clone();
    without.remove("FRONT");
    tells(&refuses("no front", &without), "FRONT", "the front is missing");
}

#[test]
fn a_damaged_slot_of_a_mark_is_told() {
    let (image, _) = store();
    let told = |changed: &Image| {
        let found = verify_store(&SimulatedDisk::of_image(changed)).expect("reads").findings;
        assert!(found.iter().any(|one| one.file == "WATERMARK"), "{found:?}");
    };
    for at in [3, 30, 515, 540] {
        told(&flipped(&image, "WATERMARK", at));
    }
    told(&flipped(&flipped(&image, "WATERMARK", 3), "WATERMARK", 515));
}

#[test]
fn what_cannot_be_read_now_is_not_given_up() {
    let (image, _) = store();
    let changed = flipped(&image, &segments(&image)[1], 300);
    for image in [&image, &changed, &shortened()] {
        let counted = SimulatedDisk::of_image(image);
        repair(&counted, RepairMode::DryRun);
        for call in 1..=counted.calls() {
            for failure in [Failure::NoSpaceAt(call), Failure::OnceAt(call)] {
                let disk = SimulatedDisk::of_image(image);
                disk.set_failure(failure);
                let shared: Arc<dyn Disk> = Arc::new(disk.clone());
                let error = match repair_store(&shared, RepairMode::Apply) {
                    Ok(Repair { actions, left }) => panic!("{failure:?}: {actions:?} {left:?}"),
                    Err(error) => error,
                };
                let kind = error.kind();
                assert!(matches!(kind, ErrorKind::DiskFull | ErrorKind::Disk), "{error:?}");
                assert_eq!(without_lock(disk.image()), without_lock(image.clone()), "{failure:?}");
            }
        }
    }
}
