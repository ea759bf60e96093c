//! A disk without space: what finds none is not applied, what was acked stays, and the journal
//! goes on by itself once there is space again.

use foundation_store::journal::{Journal, Mode};
use foundation_types::{ErrorKind, ExpectedVersion, StreamName, Version};

use super::super::simulated::{Dice, Failure, SimulatedDisk};
use super::{Opened, append, batch, open, read_all, wait};

fn full_from_now(disk: &SimulatedDisk) {
    disk.set_failure(Failure::FullFrom(disk.calls()));
}

/// Appends until the disk is full; gives how many were acked.
fn fill(opened: &Opened) -> usize {
    for acked in 0..2_000 {
        let text = format!("{acked}-{}", "z".repeat(400));
        let commit = append(&opened.journal, batch("a", &[text])).expect("is taken");
        match wait(commit.durable()) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::DiskFull);
                return acked;
            }
        }
    }
    panic!("the disk is never full");
}

#[test]
fn a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_space() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    disk.set_failure(Failure::FullFrom(disk.calls() + 20));
    let acked = fill(&opened);
    let status = opened.journal.status();
    assert_eq!(status.full.map(|cause| cause.kind()), Some(ErrorKind::DiskFull));
    assert!(status.fenced.is_none());
    assert_eq!(status.waiting, 0);
    assert_eq!(read_all(&opened.journal).len(), acked, "reads go on");
    // Versions and positions are those of what was acked.
    let version = Version::new(acked as u64);
    assert_eq!(opened.journal.head(&StreamName::from("a")).expect("known"), version);
    disk.set_failure(Failure::Never);
    let next = batch("a", &["next".to_owned()]).expecting(ExpectedVersion::Exactly(version));
    let commit = append(&opened.journal, next).expect("is at that version");
    let appended = wait(commit.durable()).expect("there is space").clone();
    assert_eq!(appended.last().to_engine(), acked as u64 + 1);
    assert!(opened.journal.status().full.is_none());
    wait(opened.journal.close()).expect("closes");
    drop(opened);
    let again = open(&disk, Mode::Write).expect("opens");
    assert_eq!(again.told.all().len(), acked + 1);
    assert_eq!(again.recovered.torn_bytes, 0);
    assert!(wait(again.journal.verify()).expect("reads").findings.is_empty());
}

/// A life on a disk that is full now and then, ended by a power cut.
fn live(seed: u64) {
    let mut dice = Dice::of(seed);
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let (mut acked, mut refused) = (Vec::new(), 0);
    for step in 0..60 {
        match dice.below(6) {
            0 => full_from_now(&disk),
            1 | 2 => disk.set_failure(Failure::Never),
            _ => {}
        }
        let mut commits = Vec::new();
        for at in 0..=dice.below(4) {
            let stream = ["a", "b", "c"][dice.below(3) as usize];
            let filler = "x".repeat(dice.below(700) as usize);
            let texts: Vec<String> =
                (0..=dice.below(2)).map(|item| format!("{step}-{at}-{item}-{filler}")).collect();
            commits.push((append(&opened.journal, batch(stream, &texts)).expect("taken"), texts));
        }
        for (commit, texts) in commits {
            match wait(commit.durable()) {
                Ok(_) => acked.extend(
                    texts
                        .into_iter()
                        .zip(commit.place().positions())
                        .map(|(text, position)| (position, text)),
                ),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::DiskFull, "seed {seed}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0 || seed > 0, "seed {seed}: the disk was never full");
    let check = |what: &str, told: &[String]| {
        assert_eq!(told.len(), acked.len(), "seed {seed}, {what}");
        let mut versions = std::collections::HashMap::new();
        for (text, (position, written)) in told.iter().zip(&acked) {
            let mut words = text.splitn(3, ' ');
            assert_eq!(words.next(), Some(position.to_string().as_str()), "seed {seed}, {what}");
            let (stream, version) = words.next().and_then(|at| at.split_once('@')).expect("both");
            let last = versions.entry(stream).or_insert(0_u64);
            *last += 1;
            assert_eq!(version, last.to_string(), "seed {seed}, {what}");
            assert_eq!(words.next(), Some(format!("{written:?}").as_str()), "seed {seed}, {what}");
        }
    };
    check("told", &opened.told.all());
    check("read", &read_all(&opened.journal));
    for _ in 0..4 {
        let image = disk.after_crash(&mut dice);
        check("after a crash", &open(&image, Mode::Write).expect("opens").told.all());
    }
}

#[test]
fn what_was_refused_never_comes_back_and_what_was_acked_stays() {
    (0..150).for_each(live);
}

#[test]
fn whoever_is_told_of_a_full_disk_may_append_again_when_there_is_space() {
    let mut fenced = Vec::new();
    for call in 1..12 {
        let disk = SimulatedDisk::default();
        let opened = open(&disk, Mode::Write).expect("opens");
        disk.set_failure(Failure::NoSpaceAt(disk.calls() + call));
        let commit = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
        let outcome = wait(commit.durable()).map(drop).map_err(|error| error.kind());
        disk.set_failure(Failure::Never);
        if outcome == Err(ErrorKind::DiskFull) && opened.journal.status().fenced.is_some() {
            fenced.push(call);
        }
    }
    assert!(fenced.is_empty(), "told of a full disk and fenced, by calls {fenced:?}");
}
