//! Two laws, for any damage: a store that verification calls whole can be opened, and so can one
//! that a repair calls mended; and a repair does what its plan told, or nothing.

use foundation_store::journal::{
    Journal, Mode, Repair, RepairMode, Retention, Verification, repair_store, verify_store,
};
use foundation_types::Result;
use std::sync::Arc;

use foundation_store::disk::Disk;

use super::super::super::simulated::{Dice, SimulatedDisk};
use super::super::resumed::{fill, resume};
use super::super::rot::number;
use super::{Image, without_lock};

/// Stores of one life: young, grown, and shortened by retention.
struct Lives(Vec<Image>);

impl Lives {
    fn new() -> Self {
        let disk = SimulatedDisk::default();
        let mut lives = Vec::new();
        for (numbers, keep) in [(0..60, None), (60..150, None), (150..220, Some(60))] {
            let opened = resume(&disk, Mode::Write).expect("opens");
            fill(&opened.journal, numbers);
            if keep.is_some() {
                let few = Retention { records: keep, ..Retention::default() };
                super::wait(opened.journal.retain(few)).expect("lets go");
            }
            super::wait(opened.journal.close()).expect("closes");
            lives.push(without_lock(disk.image()));
        }
        Self(lives)
    }
}

fn some<'a>(image: &'a Image, dice: &mut Dice) -> &'a String {
    // What is large is not more likely than what is small.
    image.keys().nth(dice.below(image.len() as u64) as usize).expect("one of them")
}

/// Damages a store in one way; says how.
fn damage(image: &mut Image, lives: &Lives, other: &Lives, dice: &mut Dice) -> String {
    let name = some(image, dice).clone();
    let length = image[&name].len().max(1) as u64;
    let used = image[&name].iter().rposition(|byte| *byte != 0).map_or(1, |at| at as u64 + 1);
    let at = dice.below(used) as usize;
    match dice.below(9) {
        0 | 1 => {
            if let Some(byte) = image.get_mut(&name).and_then(|bytes| bytes.get_mut(at)) {
                *byte ^= 1 << dice.below(8);
            }
            format!("a flipped bit at {at} of {name}")
        }
        2 => {
            image.get_mut(&name).expect("is there").truncate(at);
            format!("{name} cut to {at}")
        }
        3 => {
            image.get_mut(&name).expect("is there")[at..].fill(0);
            format!("zeros from {at} of {name}")
        }
        4 => {
            image.remove(&name);
            format!("{name} is missing")
        }
        5 => {
            let second = some(image, dice).clone();
            let bytes = [image[&name].clone(), image[&second].clone()];
            let [one, two] = bytes;
            image.insert(second.clone(), one);
            image.insert(name.clone(), two);
            format!("{name} and {second} swapped")
        }
        6 => {
            let second = some(image, dice).clone();
            image.insert(second.clone(), image[&name].clone());
            format!("{name} copied over {second}")
        }
        kind => {
            let from = if kind == 7 { &other.0 } else { &lives.0 };
            let from = &from[dice.below(from.len() as u64) as usize];
            let theirs = some(from, dice).clone();
            image.insert(theirs.clone(), from[&theirs].clone());
            let whose = if kind == 7 { "another store" } else { "another time" };
            format!("{theirs} of {whose} ({length} bytes)")
        }
    }
}

type Verify = fn(&SimulatedDisk) -> Result<Verification>;
type Mend = fn(&SimulatedDisk, RepairMode) -> Result<Repair>;

fn mended(disk: &SimulatedDisk, mode: RepairMode) -> Result<Repair> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    repair_store(&shared, mode)
}

fn opens(image: &Image) -> std::result::Result<(), String> {
    let opened = resume(&SimulatedDisk::of_image(image), Mode::Read);
    opened.map(drop).map_err(|error| format!("opening says {error:?}"))
}

/// Whether this verification and this repair keep the laws on a store; says whether it was mended.
fn judge(image: &Image, verify: Verify, mend: Mend) -> std::result::Result<bool, String> {
    let disk = SimulatedDisk::of_image(image);
    match verify(&disk) {
        Ok(found) if !found.is_damaged() => opens(image)
            .map_err(|error| format!("verification calls it whole, and {error}: {found:?}"))?,
        _ => {}
    }
    let plan = mend(&disk, RepairMode::DryRun);
    let done = mend(&disk, RepairMode::Apply);
    let changed = without_lock(disk.image());
    match (plan, done) {
        (Ok(plan), Ok(done)) if plan != done => Err(format!("planned {plan:?}, done {done:?}")),
        (_, Ok(done)) if done.actions.is_empty() && changed != *image => {
            Err(format!("something was done, and not told: {done:?}"))
        }
        (_, Ok(done)) if done.left.is_empty() => {
            opens(&changed).map_err(|error| format!("{done:?} is called mended, and {error}"))?;
            match verify_store(&SimulatedDisk::of_image(&changed)) {
                Ok(found) if !found.is_damaged() => Ok(!done.actions.is_empty()),
                found => Err(format!("{done:?} is called mended: {found:?}")),
            }
        }
        (_, Ok(_)) => Ok(false),
        (_, Err(_)) if changed == *image => Ok(false),
        (_, Err(error)) => Err(format!("something was done, and it failed: {error:?}")),
    }
}

/// Judges many damaged stores; gives what was wrong first, and how many were mended.
fn cases(count: u64, verify: Verify, mend: Mend) -> std::result::Result<u64, String> {
    let seed = number("PROOF_SEED", 1);
    let (lives, other) = (Lives::new(), Lives::new());
    let (mut dice, mut done) = (Dice::of(seed), 0);
    for case in 0..count {
        let mut image = lives.0[1 + dice.below(2) as usize].clone();
        let mut how = Vec::new();
        for _ in 0..=dice.below(3) {
            how.push(damage(&mut image, &lives, &other, &mut dice));
        }
        let judged = judge(&image, verify, mend);
        done +=
            u64::from(judged.map_err(|what| format!("seed {seed}, case {case}, {how:?}: {what}"))?);
    }
    Ok(done)
}

#[test]
fn what_is_called_whole_or_mended_can_be_opened() {
    let count = number("PROOF_REPAIRS", 400);
    let done =
        cases(count, |disk| verify_store(disk), mended).unwrap_or_else(|what| panic!("{what}"));
    assert!(done > count / 20, "{done} of {count} were mended");
    println!("{count} damaged stores repaired: {done} mended and opened, unopenable 0");
}

#[test]
fn planted_a_verdict_without_a_ground_is_caught() {
    let blind: Verify =
        |disk| verify_store(disk).map(|found| Verification { findings: Vec::new(), ..found });
    let idle: Mend =
        |disk, _| mended(disk, RepairMode::DryRun).map(|plan| Repair { left: Vec::new(), ..plan });
    assert!(cases(40, blind, mended).is_err(), "a verification that finds nothing");
    assert!(cases(40, |disk| verify_store(disk), idle).is_err(), "a repair that does nothing");
}
