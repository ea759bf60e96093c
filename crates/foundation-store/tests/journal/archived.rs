//! Segments in an archive: read as before, verified, brought back, and in no crash lost or doubled.

mod answers;
mod attacked;
mod cost;
mod crashed;
mod lost;

use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::disk::Disk;
use foundation_store::event::EventLog;
use foundation_store::journal::{
    ArchiveDirectory, ArchiveMode, ArchivePolicy, Archived, ArchivedStore, Embedded,
    EmbeddedOptions, Follower, Journal, Mode, Verification, VerifyOptions, verify_archived_store,
};
use foundation_store::random::SystemRng;
use foundation_types::Result;
use foundation_types::config::BufferSettings;

use super::super::simulated::SimulatedDisk;
use super::resumed::{Fold, Resumed, fill};
use super::{SEGMENT_BYTES, wait};

/// A store whose archive lies on the same disk, so that every call counts.
pub(super) fn archived_store(disk: &SimulatedDisk) -> Arc<ArchivedStore> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = Arc::new(ArchiveDirectory::on(Arc::clone(&disk)));
    Arc::new(ArchivedStore::new(disk, files, "archive"))
}

pub(super) fn open(disk: &SimulatedDisk, mode: Mode) -> Result<Resumed> {
    let bounds = BufferSettings { max_events: 16, ..BufferSettings::default() };
    let (fold, log) = (Arc::new(Fold::default()), Arc::new(EventLog::new(bounds)));
    let followers: Vec<Arc<dyn Follower>> = vec![log.clone(), fold.clone()];
    let options =
        EmbeddedOptions { mode, segment_bytes: SEGMENT_BYTES, background: false, reserve_bytes: 0 };
    let (journal, recovered) = Embedded::open_archived(
        archived_store(disk),
        options,
        Arc::new(SystemClock::default()),
        &SystemRng::default(),
        Arc::new(followers),
    )?;
    Ok(Resumed { journal, fold, log, recovered })
}

/// Moves all but some full segments.
pub(super) fn archive(journal: &Embedded, keep: u64) -> Result<Archived> {
    let policy = ArchivePolicy { keep_segments: Some(keep), ..ArchivePolicy::default() };
    wait(journal.archive(policy, ArchiveMode::Move))
}

pub(super) fn verified(disk: &SimulatedDisk) -> Verification {
    let clock = Arc::new(SystemClock::default());
    verify_archived_store(&archived_store(disk), VerifyOptions::default(), clock).expect("reads")
}

/// A closed store with 200 records, all but one full segment of which are in the archive.
pub(super) fn sample() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    let first = open(&disk, Mode::Write).expect("opens");
    fill(&first.journal, 0..200);
    assert!(archive(&first.journal, 1).expect("goes").segments.len() > 4);
    wait(first.journal.close()).expect("closes");
    disk
}
