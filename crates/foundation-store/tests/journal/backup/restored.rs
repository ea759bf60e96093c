//! What is restored is what was there at one position, and it goes on in an epoch of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::side_by_side::Power;
use super::*;

#[test]
fn a_backup_under_load_is_the_store_at_its_position() {
    let mut distances = 0;
    for run in 0..100 {
        let disk = SimulatedDisk::default();
        let options = EmbeddedOptions {
            background: true,
            segment_bytes: 2_048,
            mode: Mode::Write,
            reserve_bytes: 0,
        };
        let journal = open_with(&disk, options).expect("opens").journal;
        (0..run % 7).for_each(|number| put(&journal, number));
        let (stop, target) = (AtomicBool::new(false), SimulatedDisk::default());
        let position = std::thread::scope(|scope| {
            let load = || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    put(&journal, number);
                    number += 1;
                }
            };
            scope.spawn(load);
            scope.spawn(load);
            let position = back_up(&journal, &target).expect("is taken");
            stop.store(true, Ordering::Relaxed);
            position.to_engine()
        });
        let all = read_all(&journal);
        distances += all.len() as u64 - position;
        let side = Side::default();
        let report = restored(&target, &side, RestoreOptions::default()).expect("restores");
        assert_eq!(report.position.to_engine(), position);
        let data = side.directory("data").expect("is there");
        assert_eq!(content(&data), all[..position as usize], "run {run}");
    }
    println!("100 backups under load: restored other than their position 0");
    assert!(distances > 0, "nothing was written meanwhile");
}

#[test]
fn a_restored_store_goes_on_and_begins_an_epoch() {
    let (backup, all) = sample(9);
    let side = Side::default();
    let first = restored(&backup, &side, RestoreOptions::default()).expect("restores");
    assert_eq!((first.epoch, first.replaced), (2, None));
    let data = side.directory("data").expect("is there");
    let journal = open(&data, Mode::Write).expect("opens").journal;
    put(&journal, 90);
    let grown = read_all(&journal);
    assert_eq!((&grown[..all.len()], grown.len()), (&all[..], all.len() + 2));
    wait(journal.close()).expect("closes");
    drop(journal);
    assert_eq!(content(&data), grown);

    // What was recorded since is not given up in passing, though the position would allow it.
    let refused = restored(&backup, &side, RestoreOptions::default()).expect_err("is newer");
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    assert!(refused.message().contains("--allow-rollback"), "{refused}");
    assert_eq!(content(&data), grown);
    let allowed = RestoreOptions { allow_rollback: true, ..RestoreOptions::default() };
    let again = restored(&backup, &side, allowed).expect("restores");
    assert_eq!((again.epoch, again.replaced.as_deref()), (3, Some("data.replaced-20")));
    assert_eq!(content(&side.directory("data").expect("is there")), all);
    assert_eq!(content(&side.directory("data.replaced-20").expect("is kept")), grown);

    // A backup of the new life is not older than it, whatever its position.
    let newest = SimulatedDisk::default();
    let journal = open(&side.directory("data").expect("is there"), Mode::Read).expect("opens");
    back_up(&journal.journal, &newest).expect("is taken");
    drop(journal);
    let last = restored(&newest, &side, RestoreOptions::default()).expect("restores");
    assert_eq!((last.epoch, last.replaced.as_deref()), (4, Some("data.replaced-18")));
}

#[test]
fn a_restore_until_a_position_ends_with_the_last_whole_batch() {
    let disk = SimulatedDisk::default();
    let journal = open(&disk, Mode::Write).expect("opens").journal;
    // Several batches wait for one sync, so that groups have more than one.
    let mut commits = Vec::new();
    for number in 0..40 {
        let texts: Vec<String> = (0..=number % 3).map(|at| format!("{number}.{at}")).collect();
        commits.push(append(&journal, batch("a", &texts)).expect("placed"));
    }
    let ends: Vec<u64> = commits
        .iter()
        .filter_map(|one| one.place().positions().last())
        .map(|one| one.to_engine())
        .collect();
    for commit in commits {
        wait(commit.durable()).expect("durable");
    }
    let target = SimulatedDisk::default();
    let position = back_up(&journal, &target).expect("is taken").to_engine();
    let all = read_all(&journal);
    for wanted in 0..=position {
        let side = Side::default();
        let report = restored(&target, &side, until(wanted)).expect("restores");
        let whole = ends.iter().copied().filter(|end| *end <= wanted).max().unwrap_or(0);
        assert_eq!(report.position.to_engine(), whole, "until {wanted}");
        let data = side.directory("data").expect("is there");
        assert_eq!(content(&data), all[..whole as usize], "until {wanted}");
        let journal = open(&data, Mode::Write).expect("opens").journal;
        put(&journal, 3);
        assert_eq!(read_all(&journal).len() as u64, whole + 2, "until {wanted}");
    }
    let beyond = restored(&target, &Side::default(), until(position + 1)).expect_err("too far");
    assert_eq!(beyond.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_backup_of_a_store_that_let_go_of_records_is_whole() {
    let disk = SimulatedDisk::default();
    let follower: Arc<dyn foundation_store::journal::Follower> = Arc::new(());
    let options = EmbeddedOptions {
        background: false,
        segment_bytes: 2_048,
        mode: Mode::Write,
        reserve_bytes: 0,
    };
    let (journal, _) = Embedded::open(
        Arc::new(disk.clone()),
        options,
        Arc::new(foundation_store::clock::SystemClock::default()),
        &SystemRng::default(),
        follower,
    )
    .expect("opens");
    (0..40).for_each(|number| put(&journal, number));
    let dropped = journal.retain(Retention { records: Some(20), ..Retention::default() });
    assert!(wait(dropped).expect("lets go").records > 0);
    let target = SimulatedDisk::default();
    let position = back_up(&journal, &target).expect("is taken").to_engine();
    let all = read_all(&journal);
    let side = Side::default();
    restored(&target, &side, RestoreOptions::default()).expect("restores");
    // Nothing here has states, and verification cannot know that: it misses a snapshot.
    let data = side.directory("data").expect("is there");
    assert_eq!(read_all(&open(&data, Mode::Read).expect("opens").journal), all);
    let front = journal.extent().before_first.to_engine();
    for wanted in [0, front - 1, position - 1] {
        let refused = restored(&target, &Side::default(), until(wanted)).expect_err("is gone");
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{wanted}");
        let told = format!("cannot go back to position {wanted}:");
        assert!(refused.message().contains(&told), "{refused}");
    }
}

#[test]
fn an_empty_store_and_a_fenced_one_can_be_copied() {
    let (backup, all) = sample(0);
    assert!(all.is_empty());
    let side = Side::default();
    restored(&backup, &side, RestoreOptions::default()).expect("restores");
    assert!(content(&side.directory("data").expect("is there")).is_empty());

    let disk = SimulatedDisk::default();
    let journal = filled(&disk, 5);
    let all = read_all(&journal);
    disk.set_failure(super::super::super::simulated::Failure::OnceAt(disk.calls() + 2));
    let commit = append(&journal, batch("a", &["lost".to_owned()])).expect("placed");
    wait(commit.durable()).expect_err("its sync fails");
    let target = SimulatedDisk::default();
    back_up(&journal, &target).expect("is taken");
    let side = Side::default();
    restored(&target, &side, RestoreOptions::default()).expect("restores");
    assert_eq!(content(&side.directory("data").expect("is there")), all);
}

#[test]
fn a_store_in_use_is_not_replaced_and_a_directory_in_use_takes_no_backup() {
    let (backup, _) = sample(3);
    let used = SimulatedDisk::default();
    let journal = filled(&used, 1);
    let side = Side::of(&[("data", &used)], Power::default());
    let options = RestoreOptions { replace: true, ..RestoreOptions::default() };
    let refused = restored(&backup, &side, options).expect_err("is in use");
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert_eq!(side.names(), ["data"]);
    let refused = back_up(&journal, &backup).expect_err("is not empty");
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
}
