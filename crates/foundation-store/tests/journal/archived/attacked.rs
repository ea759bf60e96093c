//! Damage in the archive: it is told, no other value is given, and what is not damaged is read.

use foundation_store::journal::{
    ArchiveMode, ArchivePolicy, Journal, Mode, Remedy, RepairMode, repair_archived_store,
    repair_store,
};
use foundation_types::{ErrorKind, Position};

use super::super::super::simulated::{Dice, SimulatedDisk};
use super::super::{said, wait};
use super::{archived_store, open, sample, verified};

/// Every record, or why it cannot be read.
fn records(disk: &SimulatedDisk) -> Vec<Result<String, ErrorKind>> {
    let store = open(disk, Mode::Read).expect("opens, whatever is in the archive");
    let read = |at| wait(store.journal.record(Position::from_engine(at)));
    (1..=200).map(|at| read(at).map(|one| said(&one)).map_err(|error| error.kind())).collect()
}

#[test]
fn no_flipped_bit_in_an_archive_gives_another_value_and_each_is_told() {
    let disk = sample();
    let (right, image) = (records(&disk), disk.image());
    assert!(right.iter().all(Result::is_ok));
    let files: Vec<&String> = image.keys().filter(|name| name.ends_with(".arc")).collect();
    let mut dice = Dice::of(17);
    for _ in 0..600 {
        let name = files[dice.below(files.len() as u64) as usize];
        let bit = dice.below(image[name].len() as u64 * 8) as usize;
        let mut damaged = image.clone();
        damaged.get_mut(name).expect("is there")[bit / 8] ^= 1 << (bit % 8);
        let damaged = SimulatedDisk::of_image(&damaged);
        let found = verified(&damaged);
        assert!(found.findings.iter().any(|one| one.damage && one.file == *name), "{name} {bit}");
        let mut refused = 0;
        for (read, right) in records(&damaged).iter().zip(&right) {
            match read {
                Ok(text) => assert_eq!(Ok(text), right.as_ref(), "{name} {bit}"),
                Err(kind) => {
                    assert_eq!(*kind, ErrorKind::Corruption, "{name} {bit}");
                    refused += 1;
                }
            }
        }
        assert!((1..100).contains(&refused), "{refused} of 200 for {name} {bit}");
    }
}

#[test]
fn a_file_that_is_missing_is_named_and_everything_else_is_read() {
    let mut image = sample().image();
    let name = image.keys().find(|name| name.ends_with(".arc")).expect("is there").clone();
    image.remove(&name);
    let disk = SimulatedDisk::of_image(&image);
    let kinds: Vec<ErrorKind> = records(&disk).into_iter().filter_map(Result::err).collect();
    assert!((5..100).contains(&kinds.len()), "{kinds:?}");
    assert!(kinds.iter().all(|kind| *kind == ErrorKind::ArchiveMissing), "{kinds:?}");
    let store = open(&disk, Mode::Write).expect("opens");
    assert_eq!(store.journal.status().archive.missing, std::slice::from_ref(&name));
    let found = wait(store.journal.verify_archive()).expect("reads");
    assert!(found.is_damaged() && found.findings[0].file == name, "{found:?}");
    let error = wait(store.journal.record(Position::from_engine(1))).expect_err("is told");
    assert!(error.to_string().contains(&name), "{error}");
    // What goes now would be in another archive than what went before.
    let policy = ArchivePolicy { older_than: None, keep_segments: Some(0) };
    let refused = wait(store.journal.archive(policy, ArchiveMode::Move)).expect_err("is told");
    assert_eq!(refused.kind(), ErrorKind::ArchiveMissing);
    assert_eq!(
        wait(store.journal.bring_back()).expect_err("is told").kind(),
        ErrorKind::ArchiveMissing
    );
    wait(store.journal.close()).expect("closes");
    assert!(verified(&disk).findings.iter().any(|one| one.damage && one.file == name));
}

#[test]
fn a_damaged_file_ends_the_way_back_which_says_what_came_and_what_did_not() {
    let mut image = sample().image();
    let mut files: Vec<String> =
        image.keys().filter(|name| name.ends_with(".arc")).cloned().collect();
    files.sort();
    let damaged = files[2].clone();
    image.get_mut(&damaged).expect("is there")[200] ^= 1;
    // What a killed way back leaves.
    image.insert("SEGMENT.new".to_owned(), vec![0; 512]);
    let disk = SimulatedDisk::of_image(&image);
    let store = open(&disk, Mode::Write).expect("opens");
    assert!(!disk.image().contains_key("SEGMENT.new"), "it is removed");
    let error = wait(store.journal.bring_back()).expect_err("is told");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    let count = files.len() - 3;
    let says = format!("{count} files of the log came back and stay, ");
    assert!(error.message().contains(&says), "{error}");
    let says = format!("; 3 did not, {damaged} and what is older than it");
    assert!(error.message().ends_with(&says), "{error}");
    let left = wait(store.journal.archived()).expect("reads");
    assert_eq!(left.len(), 3, "{left:?}");
    let again = wait(store.journal.bring_back()).expect_err("is told");
    assert!(again.message().contains(": nothing came back; 3 did not, "), "{again}");
    wait(store.journal.close()).expect("closes");
}

#[test]
fn a_repair_gives_up_nothing_that_is_in_the_archive() {
    let disk = sample();
    let plain: std::sync::Arc<dyn foundation_store::disk::Disk> = std::sync::Arc::new(disk.clone());
    let error = repair_store(&plain, RepairMode::Apply).expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let whole = repair_archived_store(&archived_store(&disk), RepairMode::Apply).expect("looks");
    assert!(whole.actions.is_empty() && whole.left.is_empty(), "{whole:?}");
    let mut image = disk.image();
    let name = image.keys().find(|name| name.ends_with(".arc")).expect("is there").clone();
    image.get_mut(&name).expect("is there")[200] ^= 1;
    let disk = SimulatedDisk::of_image(&image);
    let left = repair_archived_store(&archived_store(&disk), RepairMode::Apply).expect("looks");
    assert!(left.actions.is_empty() && left.left.len() == 1, "{left:?}");
    assert_eq!(disk.image(), image, "nothing was changed");
}

#[test]
fn a_manifest_that_is_lost_or_damaged_is_made_again_once_somebody_says_so() {
    let disk = sample();
    let (right, whole) = (records(&disk), disk.image());
    for damage in [None, Some(0), Some(200)] {
        let mut image = whole.clone();
        match damage {
            None => drop(image.remove("ARCHIVE")),
            Some(at) => image.get_mut("ARCHIVE").expect("is there")[at] ^= 1,
        }
        let disk = SimulatedDisk::of_image(&image);
        let error = open(&disk, Mode::Write).err().expect("is told, and never passed over");
        let kinds = [ErrorKind::AckedDataMissing, ErrorKind::Corruption];
        assert_eq!(error.kind(), kinds[usize::from(damage.is_some())], "{error}");
        let before = disk.image();
        let plan = repair_archived_store(&archived_store(&disk), RepairMode::DryRun).expect("told");
        assert_eq!(disk.image(), before, "a plan changes nothing");
        assert!(plan.left.is_empty() && plan.actions.len() == 1, "{plan:?}");
        assert_eq!(
            (plan.actions[0].file.as_str(), &plan.actions[0].remedy),
            ("ARCHIVE", &Remedy::MakeAgain)
        );
        let done = repair_archived_store(&archived_store(&disk), RepairMode::Apply).expect("done");
        assert_eq!(done, plan);
        assert_eq!(disk.image()["ARCHIVE"], whole["ARCHIVE"], "to the byte");
        assert_eq!(records(&disk), right);
        let again =
            repair_archived_store(&archived_store(&disk), RepairMode::Apply).expect("looks");
        assert!(again.actions.is_empty() && again.left.is_empty(), "{again:?}");
    }
}

#[test]
fn a_manifest_is_not_made_of_files_that_are_damaged_foreign_or_elsewhere() {
    let whole = sample().image();
    let arc = whole.keys().find(|name| name.ends_with(".arc")).expect("is there").clone();
    let mut image = whole.clone();
    image.remove("ARCHIVE");
    image.get_mut(&arc).expect("is there")[400] ^= 1;
    let damaged = SimulatedDisk::of_image(&image);
    let before = damaged.image();
    let left = repair_archived_store(&archived_store(&damaged), RepairMode::Apply).expect("looks");
    assert!(left.actions.is_empty() && left.left[1].file == arc, "{left:?}");
    assert_eq!(damaged.image(), before, "nothing was changed");
    // No file is where the archive is looked for.
    let mut image = whole.clone();
    image.retain(|name, _| !name.ends_with(".arc"));
    image.get_mut("ARCHIVE").expect("is there")[9] ^= 1;
    let elsewhere = SimulatedDisk::of_image(&image);
    let before = elsewhere.image();
    let left =
        repair_archived_store(&archived_store(&elsewhere), RepairMode::Apply).expect("looks");
    assert!(left.actions.is_empty() && left.left[0].file == "ARCHIVE", "{left:?}");
    assert_eq!(elsewhere.image(), before, "nothing was changed");
    // Those of another store are none of this one's.
    let mut image = sample().image();
    image.retain(|name, _| name.ends_with(".arc"));
    image.extend(
        whole
            .iter()
            .filter(|(name, _)| !name.ends_with(".arc"))
            .map(|(name, bytes)| (name.clone(), bytes.clone())),
    );
    image.get_mut("ARCHIVE").expect("is there")[9] ^= 1;
    let foreign = SimulatedDisk::of_image(&image);
    let left = repair_archived_store(&archived_store(&foreign), RepairMode::Apply).expect("looks");
    assert!(left.actions.is_empty() && left.left[0].file == "ARCHIVE", "{left:?}");
}
