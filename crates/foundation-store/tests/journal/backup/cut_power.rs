//! The power goes at every call of a backup and of a restore.

use super::super::super::simulated::Dice;
use super::side_by_side::{Power, Powered};
use super::*;

#[test]
fn a_backup_that_was_cut_is_refused_or_whole_and_the_store_is_as_it_was() {
    let disk = SimulatedDisk::default();
    let opened = filled(&disk, 14);
    wait(opened.close()).expect("closes");
    drop(opened);
    let image = disk.image();
    let journal = open(&SimulatedDisk::of_image(&image), Mode::Read).expect("opens").journal;
    let all = read_all(&journal);
    let power = Power::default();
    let target = Powered { disk: SimulatedDisk::default(), power: power.clone() };
    wait(journal.backup(Arc::new(target))).expect("is taken");
    let calls = power.calls();
    let (mut whole, mut refused) = (0, 0);
    for call in 1..=calls {
        let disk = SimulatedDisk::of_image(&image);
        let journal = open(&disk, Mode::Read).expect("opens").journal;
        let target = SimulatedDisk::default();
        let powered = Powered { disk: target.clone(), power: Power::off_at(call) };
        wait(journal.backup(Arc::new(powered))).expect_err("the power is off");
        assert_eq!(disk.image(), image, "call {call}");
        for seed in 0..16 {
            let left = target.after_crash(&mut Dice::of(call * 16 + seed));
            let side = Side::default();
            match restored(&left, &side, RestoreOptions::default()) {
                Ok(_) => {
                    whole += 1;
                    let data = side.directory("data").expect("is there");
                    assert_eq!(content(&data), all, "call {call}");
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.kind(), ErrorKind::NotFound, "call {call}: {error:?}");
                    assert!(side.names().is_empty(), "call {call}");
                }
            }
        }
    }
    println!("{calls} calls cut: {refused} refused, {whole} whole, 0 wrong");
    assert!(whole > 0 && refused > 50, "{whole} {refused}");
}

#[test]
fn a_backup_that_fails_leaves_an_empty_directory() {
    let journal = filled(&SimulatedDisk::default(), 6);
    for call in [5, 9, 12] {
        let target = SimulatedDisk::default();
        target.set_failure(super::super::super::simulated::Failure::OnceAt(call));
        back_up(&journal, &target).expect_err("one call fails");
        assert!(target.image().is_empty(), "call {call}: {:?}", target.image().keys());
    }
}

#[test]
fn a_restore_that_was_cut_leaves_the_old_store_or_none_or_the_new_one() {
    let (backup, all) = sample(14);
    let older = SimulatedDisk::default();
    wait(filled(&older, 2).close()).expect("closes");
    let older = older.image();
    for (is_there, exchanges) in [(false, true), (true, true), (true, false)] {
        let kept = SimulatedDisk::of_image(&older);
        let directories = [("data", &kept)];
        let directories = if is_there { &directories[..] } else { &[] };
        let options = RestoreOptions { replace: true, ..RestoreOptions::default() };
        let side = Side::of(directories, Power::default()).exchanging(exchanges);
        restored(&backup, &side, options).expect("restores");
        let calls = side.power.calls();
        let mut seen = [0; 3];
        for call in 1..=calls {
            let kept = SimulatedDisk::of_image(&older);
            let directories = [("data", &kept)];
            let directories = if is_there { &directories[..] } else { &[] };
            let side = Side::of(directories, Power::off_at(call)).exchanging(exchanges);
            restored(&backup, &side, options).expect_err("the power is off");
            for seed in 0..2 {
                let left = side.after_crash(&mut Dice::of(call * 2 + seed));
                let state = match left.directory("data") {
                    Some(data) if content_is(&data, &older) => 0,
                    Some(data) => {
                        assert_eq!(content(&data), all, "call {call}");
                        2
                    }
                    None => 1,
                };
                seen[state] += 1;
                if is_there && state > 0 {
                    let aside = left.directory("data.replaced-4").expect("is kept");
                    assert!(content_is(&aside, &older), "call {call}");
                }
                // Trying again leads to the end.
                restored(&backup, &left, options).expect("restores");
                let data = left.directory("data").expect("is there");
                assert_eq!(content(&data), all, "call {call}");
                assert!(left.directory("data.restoring").is_none());
            }
        }
        println!("{calls} calls cut: {seen:?} (old, none, new), 0 wrong");
        assert!(!is_there || !exchanges || seen[1] == 0, "the directory is there at every moment");
    }
}

#[test]
fn a_call_that_fails_in_a_restore_leaves_the_old_store_or_tells_where_everything_is() {
    let (backup, all) = sample(14);
    let older = SimulatedDisk::default();
    wait(filled(&older, 2).close()).expect("closes");
    let older = older.image();
    let options = RestoreOptions { replace: true, ..RestoreOptions::default() };
    for (is_there, exchanges) in [(false, true), (true, true), (true, false)] {
        let begin = |power| {
            let kept = SimulatedDisk::of_image(&older);
            let directories = [("data", &kept)];
            let directories = if is_there { &directories[..] } else { &[] };
            Side::of(directories, power).exchanging(exchanges)
        };
        let side = begin(Power::default());
        restored(&backup, &side, options).expect("restores");
        let (calls, mut seen) = (side.power.calls(), [0; 3]);
        for call in 1..=calls {
            let side = begin(Power::fails_at(call));
            let outcome = restored(&backup, &side, options);
            let data = side.directory("data");
            let is_as_it_was = match &data {
                Some(data) => content_is(data, &older),
                None => !is_there,
            };
            // What is unfinished is made anew by the next restore.
            let is_leftover = |name: &str| ["data", "data.restoring"].contains(&name);
            let is_told = |error: &foundation_types::Error, name: &str| {
                assert!(error.message().contains(name), "call {call}: {error}");
            };
            match &outcome {
                Ok(report) => {
                    seen[0] += 1;
                    assert_eq!(content(&data.expect("is there")), all, "call {call}");
                    assert_eq!(report.replaced.is_some(), is_there);
                }
                Err(error) if is_as_it_was => {
                    seen[1] += 1;
                    for name in side.names().iter().filter(|name| !is_leftover(name)) {
                        is_told(error, name);
                    }
                }
                Err(error) => {
                    seen[2] += 1;
                    side.names().iter().for_each(|name| is_told(error, name));
                    assert_eq!(content(&data.expect("is there")), all, "call {call}");
                }
            }
            let kept =
                side.directory("data.replaced-4").is_some_and(|one| content_is(&one, &older));
            assert!(!is_there || is_as_it_was || kept, "call {call}: {outcome:?}");
            for seed in 0..4 {
                // The power goes soon after: the old store is in one of the places still.
                let left = side.after_crash(&mut Dice::of(call * 4 + seed));
                let places = left.names();
                let mut found = places.iter().filter_map(|name| left.directory(name));
                assert!(!is_there || found.any(|one| content_is(&one, &older)), "call {call}");
                restored(&backup, &left, options).expect("restores");
                assert_eq!(content(&left.directory("data").expect("is there")), all);
            }
        }
        println!("{calls} calls failed: {seen:?} (done, as it was, told), 0 wrong");
    }
}

/// Whether a directory has these files, however the lock is left.
fn content_is(disk: &SimulatedDisk, image: &std::collections::BTreeMap<String, Vec<u8>>) -> bool {
    let mut own = disk.image();
    own.remove("LOCK");
    let mut image = image.clone();
    image.remove("LOCK");
    own == image
}
