//! Backups that are not what was written, and stores that they may not replace.

use std::collections::BTreeMap;

use foundation_types::error::Category;

use super::side_by_side::Power;
use super::*;

type Image = BTreeMap<String, Vec<u8>>;

/// What restoring a backup with these files comes to; whatever is refused has touched nothing.
fn judge(image: &Image) -> Result<Vec<String>, ErrorKind> {
    let side = Side::default();
    match restored(&SimulatedDisk::of_image(image), &side, RestoreOptions::default()) {
        Ok(_) => Ok(content(&side.directory("data").expect("is there"))),
        Err(error) => {
            assert!(side.names().is_empty(), "{error:?}");
            assert_eq!(side.power.calls(), 0, "{error:?}");
            Err(error.kind())
        }
    }
}

#[test]
fn every_flipped_bit_of_a_backup_is_refused() {
    let (backup, all) = sample(4);
    let image = backup.image();
    assert_eq!(judge(&image), Ok(all));
    let mut refused = 0;
    for (name, bytes) in &image {
        for bit in 0..bytes.len() * 8 {
            let mut changed = image.clone();
            changed.get_mut(name).expect("is there")[bit / 8] ^= 1 << (bit % 8);
            let kind = judge(&changed).expect_err("is refused");
            assert_eq!(kind.row().category, Category::Corruption, "bit {bit} of {name}");
            refused += 1;
        }
    }
    println!("{refused} flipped bits of a backup, all refused");
}

#[test]
fn a_cut_missing_extra_or_swapped_file_is_refused() {
    let (backup, all) = sample(14);
    let (other, _) = sample(14);
    let (image, other) = (backup.image(), other.image());
    assert_eq!(judge(&image), Ok(all));
    let check = |what: &str, changed: &Image| {
        let kind = judge(changed).expect_err(what);
        let missing = kind == ErrorKind::NotFound && !changed.contains_key("MANIFEST");
        assert!(missing || kind.row().category == Category::Corruption, "{what}: {kind:?}");
    };
    let segments: Vec<&String> = image.keys().filter(|name| name.ends_with(".seg")).collect();
    assert!(segments.len() > 1);
    for (name, bytes) in &image {
        for length in (0..bytes.len()).step_by(7) {
            let mut changed = image.clone();
            changed.get_mut(name).expect("is there").truncate(length);
            check(&format!("{name} cut to {length}"), &changed);
        }
        let mut changed = image.clone();
        changed.get_mut(name).expect("is there").push(0);
        check(&format!("{name} with a byte more"), &changed);
        let mut changed = image.clone();
        changed.remove(name);
        check(&format!("{name} is missing"), &changed);
        if let Some(theirs) = other.get(name) {
            let mut changed = image.clone();
            changed.insert(name.clone(), theirs.clone());
            if name != "MANIFEST" || theirs != &image[name] {
                check(&format!("{name} of another backup"), &changed);
            }
        }
    }
    for name in ["notes.txt", "WATERMARK", "LOCK", "00000000000000000001.idx"] {
        let mut changed = image.clone();
        changed.insert(name.to_owned(), b"x".to_vec());
        check(&format!("{name} is too much"), &changed);
    }
    let mut changed = image.clone();
    changed.insert(segments[0].clone(), image[segments[1]].clone());
    changed.insert(segments[1].clone(), image[segments[0]].clone());
    check("two segments swapped", &changed);
}

/// The backup with another manifest, whose own hash is right.
fn forged(image: &Image, change: impl Fn(&mut serde_json::Value)) -> Image {
    use sha2::{Digest, Sha256};
    let text = String::from_utf8(image["MANIFEST"].clone()).expect("is text");
    let (json, _) = text.split_once("\nsha256 ").expect("ends with a hash");
    let mut value: serde_json::Value = serde_json::from_str(json).expect("is JSON");
    change(&mut value);
    let json = format!("{}\n", serde_json::to_string_pretty(&value).expect("is JSON"));
    let hash = Sha256::digest(json.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut changed = image.clone();
    changed.insert("MANIFEST".to_owned(), format!("{json}sha256 {hash}\n").into_bytes());
    changed
}

#[test]
fn a_forged_manifest_is_refused() {
    let (backup, all) = sample(6);
    let image = backup.image();
    assert_eq!(judge(&forged(&image, |_| {})), Ok(all));
    for name in ["../STORE", "/etc/passwd", "a/STORE", "..", "STORE/.", "CON", "store"] {
        let changed = forged(&image, |value| value["files"][0]["name"] = name.into());
        assert_eq!(judge(&changed), Err(ErrorKind::ForeignFile), "{name}");
    }
    let changed = forged(&image, |value| value["format"] = 2.into());
    assert_eq!(judge(&changed), Err(ErrorKind::UnknownFormat));
    for (key, lie) in [
        ("store", serde_json::json!("000000000000000000000000000000aa")),
        ("position", serde_json::json!(3)),
        ("position", serde_json::json!(300)),
        ("files", serde_json::json!([])),
        ("position", serde_json::json!("many")),
        ("surprise", serde_json::json!(1)),
    ] {
        let changed = forged(&image, |value| value[key] = lie.clone());
        let kind = judge(&changed).expect_err("is refused");
        assert_eq!(kind.row().category, Category::Corruption, "{key} {lie}: {kind:?}");
    }
    // A log that ends early is missing what its manifest says, though every hash is right.
    let changed = forged(&image, |value| {
        value["files"].as_array_mut().expect("a list").pop();
    });
    let kind = judge(&changed).expect_err("is refused");
    assert_eq!(kind.row().category, Category::Corruption);
}

#[test]
fn a_newer_log_is_left_alone() {
    let (backup, _) = sample(2);
    let mut image = backup.image();
    let name = "00000000000000000001.seg";
    image.get_mut(name).expect("is there")[8] = 9;
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(&image[name]);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let changed = forged(&image, |value| {
        for file in value["files"].as_array_mut().expect("a list") {
            if file["name"] == name {
                file["sha256"] = hash.clone().into();
            }
        }
    });
    assert_eq!(judge(&changed), Err(ErrorKind::UnknownFormat));
}

#[test]
fn another_store_and_newer_records_are_only_replaced_if_that_is_said() {
    let (backup, all) = sample(6);
    let other = SimulatedDisk::default();
    wait(filled(&other, 1).close()).expect("closes");
    let strange = SimulatedDisk::of_image(&BTreeMap::from([("notes".to_owned(), vec![1])]));
    for (what, there) in [("another store", &other), ("no store", &strange)] {
        let before = there.image();
        let side = Side::of(&[("data", there)], Power::default());
        let refused = restored(&backup, &side, RestoreOptions::default()).expect_err(what);
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{what}");
        assert!(refused.message().contains("--replace"), "{what}: {refused}");
        assert_eq!((there.image(), side.names()), (before, vec!["data".to_owned()]), "{what}");
        let options = RestoreOptions { replace: true, ..RestoreOptions::default() };
        let report = restored(&backup, &side, options).expect("restores");
        assert!(report.replaced.is_some_and(|name| side.directory(&name).is_some()), "{what}");
        assert_eq!(content(&side.directory("data").expect("is there")), all, "{what}");
    }
}

#[test]
fn records_of_a_copy_that_went_another_way_are_not_given_up_in_passing() {
    let first = SimulatedDisk::default();
    wait(filled(&first, 6).close()).expect("closes");
    let copy = SimulatedDisk::of_image(&first.image());
    let go_on = |disk: &SimulatedDisk, batches: usize| {
        let journal = open(disk, Mode::Write).expect("opens").journal;
        (0..batches).for_each(|number| put(&journal, number));
        wait(journal.close()).expect("closes");
    };
    let backup_of = |disk: &SimulatedDisk| {
        let target = SimulatedDisk::default();
        back_up(&open(disk, Mode::Read).expect("opens").journal, &target).expect("is taken");
        target
    };
    let before = backup_of(&first);
    go_on(&first, 3);
    go_on(&copy, 5);
    let side = Side::of(&[("data", &first)], Power::default());
    let own = content(&first);
    let refused = restored(&backup_of(&copy), &side, RestoreOptions::default());
    let refused = refused.expect_err("three batches are in the directory only");
    assert!(refused.message().contains("--allow-rollback"), "{refused}");
    assert_eq!(content(&side.directory("data").expect("is there")), own);

    // One that was cut at an earlier record goes on to a later backup of the same log, though its
    // last group was sealed anew.
    for position in 1..=12 {
        let side = Side::default();
        restored(&before, &side, until(position)).expect("restores");
        let newer = backup_of(&first);
        restored(&newer, &side, RestoreOptions::default()).expect("restores");
        assert_eq!(content(&side.directory("data").expect("is there")), own, "{position}");
    }
}

#[test]
fn a_damaged_store_is_replaced_by_its_own_backup() {
    let (disk, target) = (SimulatedDisk::default(), SimulatedDisk::default());
    let journal = filled(&disk, 12);
    back_up(&journal, &target).expect("is taken");
    let all = read_all(&journal);
    wait(journal.close()).expect("closes");
    drop(journal);
    let mut image = disk.image();
    image.get_mut("00000000000000000001.seg").expect("is there")[300] ^= 1;
    image.remove("WATERMARK");
    let damaged = SimulatedDisk::of_image(&image);
    open(&damaged, Mode::Write).err().expect("is refused");
    let side = Side::of(&[("data", &damaged)], Power::default());
    let report = restored(&target, &side, RestoreOptions::default()).expect("restores");
    assert_eq!(report.replaced.as_deref(), Some("data.replaced-24"));
    assert_eq!(content(&side.directory("data").expect("is there")), all);
}
