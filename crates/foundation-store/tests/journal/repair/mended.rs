//! What a repair mends without giving up more than is gone, and that the store opens after it.

use foundation_store::journal::{Mode, Remedy, RepairMode, verify_store};

use super::super::super::simulated::{Dice, Failure, SimulatedDisk};
use super::super::resumed::resume;
use super::super::{open, read_all};
use super::{Image, check, repair, segments, store, without_lock};
use std::sync::Arc;

use foundation_store::disk::Disk;
use foundation_store::journal::repair_store;

/// The offsets in a segment at which a group ends, in files of the test's own store.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let mut ends = vec![64];
    let mut at = 64;
    while at + 56 <= bytes.len() && bytes[at + 20] == 1 {
        at += 56 + number(at + 52) as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn an_indexed_segment_that_is_an_older_state_of_itself_is_bridged() {
    let (image, written) = store();
    let mut cuts = 0;
    for name in segments(&image) {
        let bytes = &image[&name];
        let ends = boundaries(bytes);
        for end in &ends[..ends.len() - 1] {
            for fill in [false, true] {
                let mut changed = image.clone();
                let cut = changed.get_mut(&name).expect("is there");
                cut.truncate(*end);
                if fill {
                    cut.resize(bytes.len(), 0);
                }
                let lost = check(&format!("{name} cut to {end}"), &changed, &written);
                assert!(lost > 0, "{name} cut to {end}");
                cuts += 1;
            }
        }
    }
    assert!(cuts > 20, "{cuts} cuts");
}

fn swapped(image: &Image, one: &str, other: &str) -> Image {
    let mut changed = image.clone();
    changed.insert(one.to_owned(), image[other].clone());
    changed.insert(other.to_owned(), image[one].clone());
    changed
}

#[test]
fn segments_with_each_others_names_get_their_own() {
    let (image, written) = store();
    let names = segments(&image);
    let changed = swapped(&image, &names[0], &names[1]);
    let disk = SimulatedDisk::of_image(&changed);
    let done = repair(&disk, RepairMode::Apply);
    let is_rename = |remedy: &Remedy| matches!(remedy, Remedy::Rename { .. });
    assert!(done.actions.iter().all(|action| is_rename(&action.remedy)), "{done:?}");
    assert_eq!(done.actions.len(), 2);
    assert_eq!(without_lock(disk.image()), without_lock(image.clone()));
    assert_eq!(check("two names swapped", &changed, &written), 0);
    let round = swapped(&changed, &names[1], &names[2]);
    assert_eq!(check("three names in a round", &round, &written), 0);
    let mut away = image.clone();
    let bytes = away.remove(&names[1]).expect("is there");
    away.insert("00000000000000000777.seg".to_owned(), bytes);
    assert_eq!(check("a name that nobody has", &away, &written), 0);
    // Together with damage to one of them.
    let mut worse = changed.clone();
    worse.get_mut(&names[0]).expect("is there")[300] ^= 1;
    assert!((1..5).contains(&check("swapped and damaged", &worse, &written)));
    // A cut leaves each under one of its names.
    let counted = SimulatedDisk::of_image(&round);
    repair(&counted, RepairMode::Apply);
    for call in 1..=counted.calls() {
        let disk = SimulatedDisk::of_image(&round);
        disk.set_failure(Failure::PowerOffAt(call));
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let _ = repair_store(&shared, RepairMode::Apply);
        let left = disk.after_crash(&mut Dice::of(call));
        assert!(repair(&left, RepairMode::Apply).left.is_empty(), "call {call}");
        assert_eq!(read_all(&open(&left, Mode::Read).expect("opens").journal), written);
    }
}

#[test]
fn a_whole_segment_whose_name_is_taken_is_left() {
    let (image, _) = store();
    let names = segments(&image);
    let mut changed = swapped(&image, &names[0], &names[1]);
    changed.get_mut(&names[0]).expect("is there")[20] ^= 1;
    let disk = SimulatedDisk::of_image(&changed);
    let done = repair(&disk, RepairMode::Apply);
    assert!(done.actions.is_empty() && !done.left.is_empty(), "{done:?}");
    assert_eq!(without_lock(disk.image()), without_lock(changed));
}

#[test]
fn every_file_that_is_kept_is_reported() {
    let (image, written) = store();
    let names = segments(&image);
    let mut changed = image.clone();
    for name in &names[1..3] {
        changed.get_mut(name).expect("is there")[20] ^= 1;
    }
    let disk = SimulatedDisk::of_image(&changed);
    let done = repair(&disk, RepairMode::Apply);
    let mut told: Vec<&str> = Vec::new();
    for action in &done.actions {
        match &action.remedy {
            Remedy::Bridge { quarantine, .. } => told.extend(quarantine.as_deref()),
            Remedy::SetAside { quarantine } => told.push(quarantine),
            other => panic!("{other:?}"),
        }
    }
    let expected: Vec<String> =
        names[1..3].iter().map(|name| format!("quarantine-{}-1", &name[..20])).collect();
    assert_eq!(told, expected);
    let mut kept: Vec<String> = disk.image().into_keys().collect();
    kept.retain(|name| name.starts_with("quarantine-"));
    assert_eq!(kept, expected);
    assert!(check("two headers", &changed, &written) > 2);
}

#[test]
fn the_first_segment_behind_the_front_is_missed() {
    let image = super::refused::shortened();
    let mut without = image.clone();
    without.remove(&segments(&image)[0]);
    let disk = SimulatedDisk::of_image(&without);
    assert!(verify_store(&disk).expect("reads").is_damaged());
    assert!(resume(&disk, Mode::Read).is_err());
    let done = repair(&disk, RepairMode::Apply);
    assert!(matches!(done.actions[0].remedy, Remedy::Bridge { lost: 1.., .. }), "{done:?}");
    assert!(done.left.is_empty(), "{done:?}");
    resume(&disk, Mode::Write).expect("opens");
}

#[test]
fn a_store_without_segments_says_which_one_is_missing() {
    let (mut image, _) = store();
    image.retain(|name, _| !name.ends_with(".seg"));
    let found = verify_store(&SimulatedDisk::of_image(&image)).expect("reads").findings;
    let named: Vec<(&str, u64)> =
        found.iter().map(|one| (one.file.as_str(), one.range.end)).collect();
    assert_eq!(named, [("00000000000000000001.seg", 0)], "{found:?}");
}
