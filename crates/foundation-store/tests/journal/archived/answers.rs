//! Whatever is asked of a store with an archive is answered as without one.

use std::time::Duration;

use foundation_store::journal::{ArchiveMode, ArchivePolicy, Holder, Journal, Mode, Retention};
use foundation_types::{ErrorKind, EventQuery, Position};
use proptest::prelude::*;

use super::super::super::simulated::SimulatedDisk;
use super::super::resumed::{Resumed, check_answers, fill, resume};
use super::super::{read_all, said, wait};
use super::{archive, open, sample, verified};

fn names(disk: &SimulatedDisk, suffix: &str) -> usize {
    disk.image().keys().filter(|name| name.ends_with(suffix)).count()
}

#[test]
fn archived_segments_are_gone_from_the_store_and_read_as_before() {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let (before, segments) = (read_all(&first.journal), names(&disk, ".seg"));
    let policy = ArchivePolicy { keep_segments: Some(1), ..ArchivePolicy::default() };
    let planned = wait(first.journal.archive(policy, ArchiveMode::Plan)).expect("planned");
    assert_eq!(names(&disk, ".seg"), segments, "a plan changes nothing");
    let image = disk.image();
    let reader = open(&SimulatedDisk::of_image(&image), Mode::Peek).expect("opens");
    let seen = wait(reader.journal.archive(policy, ArchiveMode::Plan)).expect("planned");
    assert_eq!(seen, planned, "beside a writer as well");
    let gone = archive(&first.journal, 1).expect("goes");
    assert_eq!((&gone.segments, gone.records), (&planned.segments, planned.records));
    assert!(gone.stored < gone.bytes && gone.segments.len() > 4, "{gone:?}");
    assert_eq!(names(&disk, ".seg"), segments - gone.segments.len());
    assert_eq!(names(&disk, ".arc"), gone.segments.len());
    assert_eq!(read_all(&first.journal), before);
    check_answers(&first);
    assert!(archive(&first.journal, 1).expect("looks").segments.is_empty());
    fill(&first.journal, 200..260);
    check_answers(&first);
    wait(first.journal.close()).expect("closes");
    for mode in [Mode::Read, Mode::Peek, Mode::Write] {
        let again = open(&disk, mode).expect("opens");
        assert_eq!((again.recovered.read, again.recovered.records), (0, 260), "{mode:?}");
        assert!(again.recovered.passed_over.is_empty());
        check_answers(&again);
    }
    let found = verified(&disk);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!(found.records, 260);
    let error = resume(&disk, Mode::Read).err().expect("is refused without the archive");
    assert_eq!(error.kind(), ErrorKind::AckedDataMissing);
}

#[test]
fn without_indices_a_store_with_an_archive_is_read_all_the_same() {
    let disk = sample();
    let mut bare = disk.image();
    bare.retain(|name, _| !name.ends_with(".idx") && !name.ends_with(".snap"));
    let again = open(&SimulatedDisk::of_image(&bare), Mode::Write).expect("opens");
    assert_eq!(again.recovered.records, 200);
    check_answers(&again);
}

#[test]
fn what_comes_back_is_what_went() {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let before = disk.image();
    let gone = archive(&first.journal, 0).expect("goes");
    let came = wait(first.journal.bring_back()).expect("comes");
    assert_eq!(came, gone);
    let after = disk.image();
    for (name, bytes) in before.iter().filter(|(name, _)| name.ends_with(".seg")) {
        let end = after[name].len();
        assert_eq!(after[name], bytes[..end], "{name}");
        assert!(bytes[end..].iter().all(|byte| *byte == 0), "{name}");
    }
    assert_eq!(names(&disk, ".arc"), 0);
    check_answers(&first);
    wait(first.journal.close()).expect("closes");
    check_answers(&resume(&disk, Mode::Write).expect("opens without the archive"));
}

#[test]
fn what_is_young_stays_and_without_a_bound_so_does_everything() {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let young = Some(Duration::from_secs(86_400));
    for older_than in [None, young] {
        let policy = ArchivePolicy { older_than, keep_segments: None };
        let gone = wait(first.journal.archive(policy, ArchiveMode::Move)).expect("looks");
        assert!(gone.segments.is_empty(), "{older_than:?}");
    }
    let policy = ArchivePolicy { older_than: Some(Duration::ZERO), keep_segments: None };
    let gone = wait(first.journal.archive(policy, ArchiveMode::Move)).expect("goes");
    // The rest is not in both snapshots.
    assert!(gone.segments.len() > 4, "{gone:?}");
}

#[test]
fn the_archive_is_shortened_by_its_own_bound_alone() {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    let gone = archive(&first.journal, 2).expect("goes");
    let few = Retention { records: Some(1), bytes: Some(1), ..Retention::default() };
    assert_eq!(wait(first.journal.retain(few)).expect("looks").records, 0);
    let hold = first.journal.hold(Position::START, Holder::Application);
    let old = Retention { archived_age: Some(Duration::ZERO), ..Retention::default() };
    assert_eq!(wait(first.journal.retain(old)).expect("looks").records, 0, "is held");
    drop(hold);
    assert_eq!(wait(first.journal.retain(old)).expect("lets go").records, gone.records);
    assert_eq!(names(&disk, ".arc"), 0);
    assert_eq!(first.journal.extent().before_first.to_engine(), gone.records);
    assert!(wait(first.journal.archived()).expect("reads").is_empty());
    wait(first.journal.close()).expect("closes");
    assert!(!verified(&disk).is_damaged());
    let again = open(&disk, Mode::Write).expect("opens");
    assert_eq!(again.recovered.records, 200 - gone.records);
}

#[test]
fn a_backup_has_archived_segments_and_needs_no_archive() {
    let disk = sample();
    let store = open(&disk, Mode::Read).expect("opens");
    let target = SimulatedDisk::default();
    wait(store.journal.backup(std::sync::Arc::new(target.clone()))).expect("taken");
    assert_eq!(names(&target, ".arc"), 0);
    let segments = store.journal.status().segments;
    assert_eq!(names(&target, ".seg") as u64, segments);
}

fn asked(resumed: &Resumed, query: &EventQuery) -> Vec<String> {
    let found = wait(resumed.log.search(&resumed.journal, query, usize::MAX, &|| Ok(())));
    found.expect("readable").iter().map(said).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_query_is_answered_alike_wherever_the_segments_are(
        count in 100_usize..260,
        keep in 0_u64..6,
        queries in proptest::collection::vec((0_usize..5, any::<bool>(), 0_u64..260, 1_u64..50), 1..12),
        positions in proptest::collection::vec(1_u64..260, 1..12),
    ) {
        let disk = SimulatedDisk::default();
        let live = open(&disk, Mode::Write).expect("opens");
        fill(&live.journal, 0..count);
        let query = |(stream, newest, cursor, limit): &(usize, bool, u64, u64)| {
            let mut query = EventQuery::all().limit(*limit);
            if *stream < 4 {
                query = query.stream(format!("s{stream}").as_str());
            }
            query = query.after(Position::from_engine(*cursor));
            if *newest { query.newest_first() } else { query }
        };
        let answers = |of: &Resumed| -> Vec<Vec<String>> {
            queries.iter().map(|one| asked(of, &query(one))).collect()
        };
        let read = |of: &Resumed| -> Vec<Option<Vec<String>>> {
            let before = |at| wait(of.journal.read_before(Position::from_engine(at), 700));
            let after = |at| wait(of.journal.read_after(Position::from_engine(at), 700));
            let say = |page: foundation_types::Result<Vec<_>>| page.ok().map(|page| page.iter().map(said).collect());
            positions.iter().flat_map(|at| [say(before(*at)), say(after(*at))]).collect()
        };
        let (found, pages) = (answers(&live), read(&live));
        archive(&live.journal, keep).expect("goes");
        prop_assert_eq!(&answers(&live), &found);
        prop_assert_eq!(&read(&live), &pages);
        wait(live.journal.close()).expect("closes");
        let again = open(&disk, Mode::Read).expect("opens");
        prop_assert_eq!(&answers(&again), &found);
        prop_assert_eq!(&read(&again), &pages);
    }
}
