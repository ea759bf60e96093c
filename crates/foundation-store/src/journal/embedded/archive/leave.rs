//! Moving the oldest segments to the archive.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use foundation_types::{Error, ErrorKind, Result, Timestamp};

use super::super::index::Grain;
use super::super::retention::is_past;
use super::super::scan::{Cursor, Groups};
use super::super::segment::{HEADER_BYTES, Segment};
use super::super::shared::Shared;
use super::super::snapshot::{self, Snapshot};
use super::super::{disk_failure, index, indexing, upkeep};
use super::container;
use super::manifest::ArchivedSegment;
use super::reader::whole;
use super::shown::ArchivedStore;
use crate::disk::read_full;

/// Which segments go to the archive: the oldest, as long as one bound is exceeded. Without bounds
/// none goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchivePolicy {
    /// A segment goes once its newest record was recorded longer ago than this.
    pub older_than: Option<Duration>,
    /// A segment goes while more full segments than this are in the store.
    pub keep_segments: Option<u64>,
}

/// Whether segments go, or are only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveMode {
    /// Nothing is changed.
    Plan,
    /// They go.
    Move,
}

/// What has gone to the archive, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Names of the segments, oldest first.
    pub segments: Vec<String>,
    /// Records in them.
    pub records: u64,
    /// Bytes that they took in the store.
    pub bytes: u64,
    /// Bytes that they take in the archive; 0 as long as they are not there.
    pub stored: u64,
}

/// Moves what goes, one segment after the other.
pub(in super::super) fn archive(
    shared: &Shared,
    policy: ArchivePolicy,
    mode: ArchiveMode,
) -> Result<Archived> {
    let store = shared.archive()?;
    let mut gone = Archived::default();
    if mode == ArchiveMode::Plan {
        let _upkeep = upkeep::lock(shared);
        for segment in chosen(shared, store, policy)? {
            gone.add(&segment, 0);
        }
        return Ok(gone);
    }
    // An archive that is away would be begun anew, and the two never come together.
    store.whole()?;
    // Let go of between two segments, so that nobody else waits for all of them.
    loop {
        let _upkeep = upkeep::lock(shared);
        if shared.intake().ended {
            return Err(super::super::closing());
        }
        let Some(segment) = chosen(shared, store, policy)?.into_iter().next() else {
            return Ok(gone);
        };
        let stored = move_one(shared, store, &segment)?;
        gone.add(&segment, stored);
    }
}

impl Archived {
    fn add(&mut self, segment: &Segment, stored: u64) {
        self.segments.push(segment.name.clone());
        self.records += segment.whole_index().map_or(0, |index| index.summary().records);
        self.bytes += segment.end.load(Ordering::Acquire);
        self.stored += stored;
    }
}

/// The segments that go, oldest first.
fn chosen(
    shared: &Shared,
    store: &ArchivedStore,
    policy: ArchivePolicy,
) -> Result<Vec<Arc<Segment>>> {
    let away = store.away()?;
    let is_live = |segment: &&Arc<Segment>| {
        away.binary_search_by_key(&segment.header.first, |one| one.first).is_err()
    };
    let live: Vec<Arc<Segment>> = shared.log.sealed().iter().filter(is_live).cloned().collect();
    let now = shared.clock.wall();
    let count = count(&live, policy, now, u64::MAX);
    // Most often none is to go, and then no snapshot need be read.
    let count = if count == 0 { 0 } else { self::count(&live, policy, now, covered(shared)?) };
    Ok(live.into_iter().take(count).collect())
}

/// How many of the oldest go. `covered` is the last record that may.
fn count(live: &[Arc<Segment>], policy: ArchivePolicy, now: Timestamp, covered: u64) -> usize {
    let goes = |(at, segment): &(usize, &Arc<Segment>)| {
        let Some(index) = segment.whole_index() else { return false };
        let summary = index.summary();
        let rest = (live.len() - at) as u64;
        let too_many = policy.keep_segments.is_some_and(|most| rest > most);
        let recorded = summary.last_stamp.map(|stamp| stamp.recorded());
        let too_old = policy.older_than.is_some_and(|age| is_past(recorded, now, age));
        summary.last() <= covered && (too_many || too_old)
    };
    live.iter().enumerate().take_while(goes).count()
}

/// The last record that is in both kept snapshots: opening does not read what comes before.
fn covered(shared: &Shared) -> Result<u64> {
    // One that is told everything at each opening is told it from the archive as well.
    if !shared.follower.resumes() || shared.follower.states().is_empty() {
        return Ok(u64::MAX);
    }
    let disk = &*shared.disk;
    let is_read = |name: &String| Snapshot::read(disk, name, shared.store).is_ok();
    let names = snapshot::names(disk)?;
    let older = names.iter().filter(|name| is_read(name)).nth(upkeep::SNAPSHOTS_KEPT - 1);
    Ok(older.and_then(|name| snapshot::last_of(name)).unwrap_or(0))
}

/// Moves one segment; gives the bytes that it takes in the archive.
fn move_one(shared: &Shared, store: &ArchivedStore, segment: &Segment) -> Result<u64> {
    let (raw, summary) = proven(segment)?;
    let packed = container::pack(segment.header, &summary, &raw)?;
    let stored = packed.len() as u64;
    let header = container::Header::read(&packed, &super::manifest::name_of(segment.header.first))?;
    let archived = ArchivedSegment::of(&header, stored);
    refuse_another(shared, store, &archived)?;
    store.files().put(&archived.name, &packed)?;
    if *whole(store.files(), &archived)? != raw {
        let message = "what was written to the archive is not what is read from it";
        return Err(Error::new(ErrorKind::Corruption, message).with("file", &archived.name));
    }
    // A read costs a block from now on: stretches of frames are found as fast, by a fifth of the bytes.
    indexing::write(&*shared.disk, &shared.pool, segment, Grain::Stretches)?;
    store.write(store.begun(shared.store)?.with(archived)?)?;
    let gone = store.live().remove(&segment.name).and_then(|()| store.live().sync_names());
    gone.map_err(|cause| disk_failure("remove an archived segment", &segment.name, cause))?;
    // Through the old one the system would keep its bytes.
    shared.log.replace(Arc::new(segment.through(shared.pool.file(&segment.name))));
    Ok(stored)
}

/// The bytes of a segment, all of them verified, and what its index says.
fn proven(segment: &Segment) -> Result<(Vec<u8>, index::Summary)> {
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let index = segment.whole_index().ok_or_else(|| {
        Error::new(ErrorKind::Internal, "a segment without an index is not archived")
    })?;
    let summary = index.summary().clone();
    let end = summary.end.offset;
    let mut raw = vec![0; usize::try_from(end).unwrap_or(usize::MAX)];
    let count = read_full(&*segment.file, &mut raw, 0).map_err(fail)?;
    let damaged = |offset: u64, what: &str| {
        Error::new(ErrorKind::Corruption, format!("a segment is damaged and stays: {what}"))
            .with("file", &segment.name)
            .with("offset", offset)
    };
    if count as u64 != end {
        return Err(damaged(count as u64, "it is cut short"));
    }
    if raw.get(..HEADER_BYTES as usize) != Some(&segment.header.to_bytes()[..]) {
        return Err(damaged(0, "its header is another one"));
    }
    let held = indexing::Held(raw);
    let header = segment.header;
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::up_to(&held, segment.seed, start, end).map_err(fail)?;
    while groups.cursor().offset < end {
        let at = groups.cursor().offset;
        groups.next().map_err(fail)?.map_err(|stop| damaged(at, stop.reason))?;
    }
    if groups.cursor() != summary.end {
        return Err(damaged(end, "it ends otherwise than its index says"));
    }
    Ok((held.0, summary))
}

/// What another store has put there stays.
fn refuse_another(shared: &Shared, store: &ArchivedStore, own: &ArchivedSegment) -> Result<()> {
    let files = store.files();
    let there = match files.get_range(&own.name, 0..container::HEADER_BYTES as u64) {
        Err(error) if error.kind() == ErrorKind::ArchiveMissing => return Ok(()),
        there => there?,
    };
    match container::Header::read(&there, &own.name) {
        Ok(header) if header.segment.store != shared.store => {
            let message =
                format!("{} has an archive of store {}", files.place(), header.segment.store);
            Err(Error::new(ErrorKind::ForeignFile, message).with("file", &own.name))
        }
        // Left from a run that was not finished.
        _ => Ok(()),
    }
}
