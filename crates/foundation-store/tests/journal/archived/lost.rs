//! A manifest that is lost while a part of the archive is away: no repair gives that part up by itself,
//! and what comes back is taken again.

use std::collections::BTreeMap;

use foundation_store::journal::{
    Journal, MissingArchived, Mode, Remedy, Repair, RepairMode, RepairOptions,
    repair_archived_store, repair_store,
};
use foundation_types::{ErrorKind, Position};

use super::super::super::simulated::SimulatedDisk;
use super::super::{said, wait};
use super::{archived_store, open, sample, verified};

type Image = BTreeMap<String, Vec<u8>>;

/// How the manifest is lost.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Removed,
    Damaged,
}

const LOSSES: [Loss; 2] = [Loss::Removed, Loss::Damaged];

fn without_manifest(mut image: Image, loss: Loss) -> Image {
    match loss {
        Loss::Removed => drop(image.remove("ARCHIVE")),
        Loss::Damaged => image.get_mut("ARCHIVE").expect("is there")[40] ^= 1,
    }
    image
}

fn archived(image: &Image) -> Vec<String> {
    image.keys().filter(|name| name.ends_with(".arc")).cloned().collect()
}

fn repaired(disk: &SimulatedDisk, mode: RepairMode) -> Repair {
    repair_archived_store(&archived_store(disk), mode).expect("looks")
}

fn given_up(disk: &SimulatedDisk, mode: RepairMode) -> Repair {
    let options = RepairOptions { mode, missing: MissingArchived::GiveUp };
    repair_archived_store(&archived_store(disk), options).expect("looks")
}

fn records(disk: &SimulatedDisk) -> Vec<Option<String>> {
    let store = open(disk, Mode::Read).expect("opens");
    let read = |at| wait(store.journal.record(Position::from_engine(at)));
    (1..=200).map(|at| read(at).ok().map(|one| said(&one))).collect()
}

/// A repair, told and typed twice, touches nothing; gives what it says is left.
fn refused(image: &Image) -> Vec<String> {
    let disk = SimulatedDisk::of_image(image);
    let plan = repaired(&disk, RepairMode::DryRun);
    assert!(plan.actions.is_empty(), "{plan:?}");
    for _ in 0..2 {
        assert_eq!(repaired(&disk, RepairMode::Apply), plan);
        let mut now = disk.image();
        now.remove("LOCK");
        let mut before = image.clone();
        before.remove("LOCK");
        assert_eq!(now, before, "nothing was changed");
    }
    plan.left.into_iter().map(|one| one.file).collect()
}

#[test]
fn a_file_that_is_away_is_named_and_taken_again_when_it_is_back() {
    let disk = sample();
    let (right, whole) = (records(&disk), disk.image());
    for loss in LOSSES {
        for away in archived(&whole) {
            let mut image = without_manifest(whole.clone(), loss);
            let kept = image.remove(&away).expect("is there");
            assert_eq!(refused(&image), ["ARCHIVE", away.as_str()], "{loss:?} {away}");
            image.insert(away, kept);
            let disk = SimulatedDisk::of_image(&image);
            let done = repaired(&disk, RepairMode::Apply);
            assert!(done.left.is_empty() && done.actions.len() == 1, "{done:?}");
            assert_eq!(disk.image()["ARCHIVE"], whole["ARCHIVE"], "to the byte");
            assert_eq!(records(&disk), right);
        }
    }
}

#[test]
fn an_archive_that_is_away_is_told_by_the_indices_that_stayed() {
    let whole = sample().image();
    let files = archived(&whole);
    for loss in LOSSES {
        let mut image = without_manifest(whole.clone(), loss);
        image.retain(|name, _| !name.ends_with(".arc"));
        let told: Vec<&str> =
            std::iter::once("ARCHIVE").chain(files.iter().map(String::as_str)).collect();
        assert_eq!(refused(&image), told, "{loss:?}");
        // With the index of the oldest lost as well, those behind it tell as much.
        image.remove(&files[0].replace(".arc", ".idx"));
        assert_eq!(refused(&image), told, "{loss:?}");
    }
}

#[test]
fn a_manifest_is_not_made_again_where_nothing_says_how_the_log_begins() {
    for loss in LOSSES {
        let mut image = without_manifest(sample().image(), loss);
        let oldest = archived(&image)[0].clone();
        image.get_mut("FRONT").expect("is there").fill(0xff);
        image.remove(&oldest);
        let left = refused(&image);
        assert!(
            ["ARCHIVE", "FRONT"].iter().all(|file| left.iter().any(|one| one == file)),
            "{left:?}"
        );
    }
}

#[test]
fn a_store_whose_manifest_is_lost_is_not_repaired_as_one_without_an_archive() {
    let image = without_manifest(sample().image(), Loss::Removed);
    let disk = SimulatedDisk::of_image(&image);
    let plain: std::sync::Arc<dyn foundation_store::disk::Disk> = std::sync::Arc::new(disk.clone());
    for mode in [RepairMode::DryRun, RepairMode::Apply] {
        let error = repair_store(&plain, mode).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_manifest_that_leaves_out_a_file_is_completed_once_the_file_is_there() {
    let disk = sample();
    let (right, whole) = (records(&disk), disk.image());
    let files = archived(&whole);
    // Only the first file, as an archive that was given up for the most part.
    let mut image = without_manifest(whole.clone(), Loss::Removed);
    image.retain(|name, _| !name.ends_with(".arc") || *name == files[0]);
    let partial = SimulatedDisk::of_image(&image);
    given_up(&partial, RepairMode::Apply);
    let manifest = partial.image()["ARCHIVE"].clone();
    let mut image = whole.clone();
    image.insert("ARCHIVE".to_owned(), manifest);
    let disk = SimulatedDisk::of_image(&image);
    let done = repaired(&disk, RepairMode::Apply);
    assert!(done.left.is_empty() && done.actions.len() == 1, "{done:?}");
    assert_eq!(disk.image()["ARCHIVE"], whole["ARCHIVE"], "to the byte");
    assert_eq!(records(&disk), right);
    image.remove(&files[2]);
    assert_eq!(refused(&image), [files[2].as_str()]);
}

#[test]
fn what_is_away_is_given_up_only_by_an_explicit_word() {
    let disk = sample();
    let (right, whole) = (records(&disk), disk.image());
    let files = archived(&whole);
    let is_bridge = |remedy: &Remedy| matches!(remedy, Remedy::Bridge { .. });
    for manifest in [None, Some(Loss::Removed), Some(Loss::Damaged)] {
        let mut image = whole.clone();
        if let Some(loss) = manifest {
            image = without_manifest(image, loss);
        }
        image.remove(&files[1]);
        let disk = SimulatedDisk::of_image(&image);
        let plan = given_up(&disk, RepairMode::DryRun);
        let done = given_up(&disk, RepairMode::Apply);
        assert_eq!((done.left.len(), &done), (0, &plan), "{manifest:?}");
        assert_eq!(done.actions[0].file, "ARCHIVE");
        let bridges = done.actions.iter().filter(|action| is_bridge(&action.remedy));
        assert_eq!(bridges.count(), 1, "{done:?}");
        assert!(!verified(&disk).is_damaged());
        let read = records(&disk);
        assert!(read.iter().zip(&right).all(|(one, right)| one.is_none() || one == right));
        assert!((1..100).contains(&read.iter().filter(|one| one.is_none()).count()));
        let again = repaired(&disk, RepairMode::Apply);
        assert!(again.actions.is_empty() && again.left.is_empty(), "{again:?}");
    }
}

#[test]
fn opening_without_the_manifest_names_it_and_what_to_do() {
    for loss in LOSSES {
        let mut image = without_manifest(sample().image(), loss);
        for _ in 0..2 {
            let error = open(&SimulatedDisk::of_image(&image), Mode::Write).err().expect("told");
            let message = error.message();
            assert!(message.contains("; ARCHIVE, which says "), "{loss:?}: {error}");
            assert!(message.contains("foundation repair --dry-run"), "{loss:?}: {error}");
            image.retain(|name, _| !name.ends_with(".arc"));
        }
    }
    // A log that never had an archive says nothing of one.
    let disk = SimulatedDisk::default();
    let store = open(&disk, Mode::Write).expect("opens");
    super::fill(&store.journal, 0..100);
    wait(store.journal.close()).expect("closes");
    drop(store);
    let mut image = disk.image();
    image.remove("00000000000000000001.seg");
    let error = open(&SimulatedDisk::of_image(&image), Mode::Write).err().expect("told");
    assert!(!error.message().contains("ARCHIVE"), "{error}");
    // Its repair goes on behind what is lost, as it always did.
    let done = repaired(&SimulatedDisk::of_image(&image), RepairMode::Apply);
    assert!(done.left.is_empty() && !done.actions.is_empty(), "{done:?}");
}
