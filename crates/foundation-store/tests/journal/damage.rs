//! Bytes that are not what was written: noticed, located, never given out.

use std::collections::BTreeMap;

use foundation_store::disk::{Access, Disk};
use foundation_store::journal::{Journal, Mode, verify_store};
use foundation_types::ErrorKind;
use foundation_types::error::Category;

use super::super::simulated::{Dice, SimulatedDisk};
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
    (trimmed(disk.image()), opened.told.all())
}

/// Without the zeros that files are filled with ahead, so that every byte says something.
fn trimmed(image: Image) -> Image {
    let trim = |(name, mut bytes): (String, Vec<u8>)| {
        if name.ends_with(".seg") {
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            bytes.truncate(used);
        }
        (name, bytes)
    };
    image.into_iter().map(trim).collect()
}

/// What a store with this content gives out: all as written, or an error that is about it.
///
/// Fails if anything is given out that was never written, or if something is missing silently.
fn judge(image: &Image, written: &[String]) -> Result<Verdict, String> {
    let disk = SimulatedDisk::of_image(image);
    // Comparing what is derived takes most of the time, and has tests of its own.
    let log = image.iter().filter(|(name, _)| !name.ends_with(".idx"));
    let log = log.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    let verified = verify_store(&SimulatedDisk::of_image(&log));
    let opened = match open(&disk, Mode::Read) {
        Ok(opened) => opened,
        Err(error) => {
            let is_said = match (error.kind(), &verified) {
                (ErrorKind::UnknownFormat, Err(said)) => said.kind() == ErrorKind::UnknownFormat,
                (ErrorKind::NotFound, Err(said)) => said.kind() == ErrorKind::NotFound,
                (kind, Ok(found)) => {
                    kind.row().category == Category::Corruption && found.is_damaged()
                }
                (_, Err(_)) => false,
            };
            return if is_said {
                Ok(Verdict::Refused)
            } else {
                Err(format!("opening says {error:?}, verification says {verified:?}"))
            };
        }
    };
    let told = opened.told.all();
    let read = read_all(&opened.journal);
    if told != read || !written.starts_with(&told) {
        return Err(format!("it tells {told:?} and reads {read:?}"));
    }
    if told.len() == written.len() { Ok(Verdict::Whole) } else { Ok(Verdict::Shorter) }
}

fn is_derived(name: &str) -> bool {
    name.ends_with(".idx") || name.ends_with(".snap")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Whole,
    Refused,
    /// Records are missing at the end, without an error.
    Shorter,
}

#[test]
fn every_flipped_bit_is_noticed_and_no_wrong_value_is_given_out() {
    let (image, written) = store();
    assert_eq!(judge(&image, &written), Ok(Verdict::Whole));
    let mut refused = 0;
    for (name, bytes) in image.iter().filter(|(name, _)| *name != "LOCK") {
        // What is derived is large for a small store, and has a test of its own for every bit.
        let step = if is_derived(name) { 509 } else { 1 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let mut changed = image.clone();
            changed.get_mut(name).expect("is there")[bit / 8] ^= 1 << (bit % 8);
            match judge(&changed, &written) {
                Ok(Verdict::Refused) => refused += 1,
                // One of the two watermarks, or bytes that are filled with zeros.
                Ok(Verdict::Whole) if !name.ends_with(".seg") => {}
                other => panic!("bit {bit} of {name}: {other:?}"),
            }
        }
    }
    println!("{refused} flipped bits refused, undetected 0, wrong values 0");
}

#[test]
fn a_cut_swapped_repeated_or_foreign_file_is_noticed() {
    let (image, written) = store();
    let (other, _) = store();
    let segments: Vec<&String> = image.keys().filter(|name| name.ends_with(".seg")).collect();
    assert!(segments.len() > 2, "{segments:?}");
    let check = |what: &str, changed: &Image| {
        assert_eq!(judge(changed, &written), Ok(Verdict::Refused), "{what}");
    };
    for name in &segments {
        for length in 0..image[*name].len() {
            let mut changed = image.clone();
            changed.get_mut(*name).expect("is there").truncate(length);
            check(&format!("{name} cut to {length}"), &changed);
        }
        let mut changed = image.clone();
        changed.remove(*name);
        check(&format!("{name} is missing"), &changed);
        let mut changed = image.clone();
        changed.insert((*name).clone(), other[*name].clone());
        check(&format!("{name} of another store"), &changed);
    }
    let mut changed = image.clone();
    changed.insert(segments[0].clone(), image[segments[1]].clone());
    changed.insert(segments[1].clone(), image[segments[0]].clone());
    check("two segments swapped", &changed);
    for name in ["STORE", "WATERMARK"] {
        let mut changed = image.clone();
        changed.remove(name);
        check(&format!("{name} is missing"), &changed);
    }
}

#[test]
fn pages_that_are_zeroed_or_repeated_are_noticed() {
    let (image, written) = store();
    let mut dice = Dice::of(7);
    for _ in 0..500 {
        let mut changed = image.clone();
        let names: Vec<&String> = image.keys().filter(|name| name.ends_with(".seg")).collect();
        let name = names[dice.below(names.len() as u64) as usize];
        let bytes = changed.get_mut(name).expect("is there");
        let page = 256.min(bytes.len());
        let at = dice.below((bytes.len() - page + 1) as u64) as usize;
        let from = dice.below((bytes.len() - page + 1) as u64) as usize;
        let content = if dice.coin() { vec![0; page] } else { bytes[from..from + page].to_vec() };
        if bytes[at..at + page] == content[..] {
            continue;
        }
        bytes[at..at + page].copy_from_slice(&content);
        assert_eq!(judge(&changed, &written), Ok(Verdict::Refused), "{name} at {at}");
    }
}

#[test]
fn planted_a_wrong_value_with_a_right_checksum_is_caught_by_the_judge() {
    let (image, mut written) = store();
    written[2] = written[2].replace("first", "worst");
    assert!(judge(&image, &written).is_err());
    let (image, mut written) = store();
    written.push("one more".to_owned());
    assert_eq!(judge(&image, &written), Ok(Verdict::Shorter));
}

#[test]
fn verification_names_every_damaged_range_and_goes_on_behind_it() {
    let (mut image, _) = store();
    let names: Vec<String> = image.keys().filter(|name| name.ends_with(".seg")).cloned().collect();
    for name in &names[..2] {
        let bytes = image.get_mut(name).expect("is there");
        bytes[300] ^= 1;
    }
    let found = verify_store(&SimulatedDisk::of_image(&image)).expect("reads");
    let files: Vec<&str> = found.findings.iter().map(|finding| finding.file.as_str()).collect();
    assert_eq!(files, [names[0].as_str(), names[1].as_str()], "{:?}", found.findings);
    assert!(found.findings.iter().all(|one| one.damage && one.range.contains(&300)));
    assert!(found.records > 30, "{} records are still read", found.records);
}

#[test]
fn a_segment_from_another_life_of_the_same_store_is_noticed() {
    let (image, _) = store();
    let lives = ["red", "sad"].map(|word| {
        let disk = SimulatedDisk::of_image(&image);
        let opened = open(&disk, Mode::Write).expect("opens");
        for _ in 0..40 {
            let text = format!("{word}{}", "x".repeat(200));
            let commit = append(&opened.journal, batch("a", &[text])).expect("placed");
            wait(commit.durable()).expect("durable");
        }
        wait(opened.journal.close()).expect("closes");
        trimmed(disk.image())
    });
    let [one, other] = &lives;
    let is_newer = |name: &&String| !image.contains_key(*name) && !is_derived(name);
    let newer: Vec<&String> = one.keys().filter(is_newer).collect();
    assert!(newer.len() > 2, "{newer:?}");
    for name in newer {
        let mut mixed = one.clone();
        mixed.insert(name.clone(), other[name].clone());
        let error = open(&SimulatedDisk::of_image(&mixed), Mode::Write).err().expect("is refused");
        assert_eq!(error.kind().row().category, Category::Corruption, "{name}");
        let found = verify_store(&SimulatedDisk::of_image(&mixed)).expect("reads");
        assert!(found.is_damaged(), "{name}");
    }
}

#[test]
fn damage_to_the_newest_group_is_never_cut_once_the_watermark_covers_it() {
    let (mut image, _) = store();
    let last = image.keys().rfind(|name| name.ends_with(".seg")).cloned().expect("a segment");
    *image.get_mut(&last).expect("is there").last_mut().expect("a byte") ^= 1;
    let disk = SimulatedDisk::of_image(&image);
    let error = open(&disk, Mode::Write).err().expect("is refused");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_eq!(disk.image(), image);
}

#[test]
fn verification_reads_what_stands_behind_a_lost_segment() {
    let (image, written) = store();
    let names: Vec<String> = image.keys().filter(|name| name.ends_with(".seg")).cloned().collect();
    let first_of = |name: &String| name[..20].parse::<u64>().expect("a number");
    let check = |what: &str, changed: &Image, lost: u64| {
        let found = verify_store(&SimulatedDisk::of_image(changed)).expect("reads");
        assert_eq!(found.findings.len(), 1, "{what}: {:?}", found.findings);
        assert_eq!(found.records, written.len() as u64 - lost, "{what}");
    };
    let in_second = first_of(&names[2]) - first_of(&names[1]);
    let mut changed = image.clone();
    changed.get_mut(&names[1]).expect("is there")[20] ^= 1;
    check("a damaged header", &changed, in_second);
    let mut changed = image.clone();
    changed.remove(&names[1]);
    check("a missing segment", &changed, in_second);
    let mut changed = image.clone();
    *changed.get_mut(&names[1]).expect("is there").last_mut().expect("a byte") ^= 1;
    check("damage up to the end of a segment", &changed, 2);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (image, _) = store();
    for name in ["STORE", "00000000000000000001.seg"] {
        let mut newer = image.clone();
        newer.get_mut(name).expect("is there")[8] = 9;
        let disk = SimulatedDisk::of_image(&newer);
        let error = open(&disk, Mode::Write).err().expect("is refused");
        assert_eq!(error.kind(), ErrorKind::UnknownFormat);
        assert_eq!(error.context().first().map(|(_, file)| file.as_str()), Some(name));
        let error = verify_store(&disk).expect_err("is no damage");
        assert_eq!(error.kind(), ErrorKind::UnknownFormat);
        assert_eq!(disk.image(), newer);
    }
}

#[test]
fn the_bytes_of_an_unfinished_write_are_cut_and_told() {
    let (image, written) = store();
    let mut torn = image.clone();
    let last = torn.keys().rfind(|name| name.ends_with(".seg")).cloned().expect("a segment");
    torn.get_mut(&last).expect("is there").extend([7; 100]);
    let disk = SimulatedDisk::of_image(&torn);
    let found = verify_store(&disk).expect("reads");
    assert_eq!((found.findings.len(), found.is_damaged()), (1, false));
    let opened = open(&disk, Mode::Write).expect("opens");
    assert_eq!((opened.recovered.torn_bytes, opened.told.all()), (100, written));
    let file = disk.open(&last, Access::Read).expect("is there");
    assert_eq!(file.len().expect("has a length"), image[&last].len() as u64);
}
