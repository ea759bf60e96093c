//! Opening a log: proving every group that is read, cutting a torn tail, and telling damage from a
//! crash.
//!
//! Reading begins behind the newest snapshot. The segments before it are taken at the word of their
//! indices, which say where each ends and are compared with the segment that follows; what is in
//! them is verified when it is read, and by verification.
//!
//! A crash can tear what was written after the last sync. So what cannot be read is a torn tail if
//! no later group can be read behind it that was written after its sync, and no mark says that it
//! was durable; everything else is damage and is never cut.
//!
//! A group that is read is not for that on the disk: its writer may have been killed before the
//! sync, or the sync may have failed, after which the system reads the bytes back from memory and
//! holds them for written. So an owner writes the groups again that no later one proves, and syncs
//! them, before anybody can build on them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_types::{
    Error, ErrorKind, EventType, Position, Result, StoreId, Timestamp, Version,
};

use super::checkpoint::{self, Checkpoint};
use super::heads::Heads;
use super::index::{SegmentIndex, Summary};
use super::log::{SegmentLog, checksum_in};
use super::mark::{FRONT, Mark};
use super::options::Mode;
use super::row::{
    check_own, check_place, open_pooled, open_segment, segment_names, without_dropped,
};
use super::scan::{Begun, Cursor, Groups, Stop, StopCause};
use super::segment::{self, HEADER_BYTES, Segment};
use super::{Follower, disk_failure, indexing};
use crate::disk::{Access, Disk, Pool, read_full};
use crate::journal::follower::Before;
use crate::journal::lane::Lane;

/// The epoch of a store that was never restored.
pub(super) const FIRST_EPOCH: u64 = 1;
/// Files of segments and indices that are open at the same time.
const OPEN_FILES_MAX: usize = 128;

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that are kept.
    pub records: u64,
    /// Records of them that were read, since they are newer than the snapshot that was taken.
    pub read: u64,
    /// Position of the last record of the snapshot that was taken, if one was.
    pub snapshot: Option<Position>,
    /// Files of the log.
    pub segments: u64,
    /// Bytes at the end of the log that belong to a write which was never acked. They were cut,
    /// or would be if the store was opened for writing.
    pub torn_bytes: u64,
    /// When the last record was recorded.
    pub last_recorded: Option<Timestamp>,
    /// Snapshots and indices that could not be used, and why: each is made again.
    pub passed_over: Vec<String>,
}

/// A log that was proven, and where it goes on.
pub(super) struct Recovery {
    pub(super) log: SegmentLog,
    pub(super) heads: Heads,
    pub(super) lane: Lane,
    pub(super) tail: Tail,
    pub(super) pool: Arc<Pool>,
    report: Recovered,
}

impl Recovery {
    pub(super) fn report(&self) -> Recovered {
        self.report.clone()
    }
}

/// Where the log goes on.
pub(super) struct Tail {
    pub(super) epoch: u64,
    pub(super) cursor: Cursor,
    /// Absent if the store was opened for reading.
    pub(super) watermark: Option<Mark>,
    /// The last record of the newest snapshot.
    pub(super) snapshot: u64,
}

/// Reads the log of `store` behind the newest snapshot, telling the follower of every record.
pub(super) fn recover(
    disk: &Arc<dyn Disk>,
    store: StoreId,
    mode: Mode,
    follower: &dyn Follower,
) -> Result<Recovery> {
    let access = if mode == Mode::Write { Access::Write } else { Access::Read };
    // Beside a writer all of it moves while it is read. What says how far the log goes is read before
    // the log, and up to where it is gone after it.
    let watermark = Mark::watermark(&**disk, store, access)?;
    let pool = Pool::new(Arc::clone(disk), OPEN_FILES_MAX);
    let checkpoint = checkpoint::restore(&**disk, &pool, store, mode, follower)?;
    let names = segment_names(&**disk)?;
    let mark = Mark::open(&**disk, FRONT, store, Access::Read)?;
    let front = mark.as_ref().map_or(0, Mark::sequence);
    let (dropped, names) = without_dropped(names, front);
    check_reaches(front, &checkpoint, follower)?;
    let heads = Heads::read(&**disk, store, mark.as_ref())?;
    let snapshot = checkpoint.snapshot.unwrap_or(0);
    let mut open = Opening {
        disk: &**disk,
        pool,
        store,
        mode,
        follower,
        marked: watermark.sequence().max(snapshot).max(front),
        epoch: FIRST_EPOCH,
        cursor: Cursor { offset: HEADER_BYTES, next: front + 1, chain: 0 },
        lane: Lane::default(),
        log: SegmentLog::default(),
        torn_bytes: 0,
        unproven: VecDeque::new(),
        skipped: Some(Before { last: Position::from_engine(front), ..Before::default() }),
        read: 0,
        checkpoint,
    };
    for (at, name) in names.iter().enumerate() {
        open.segment(name, names.get(at + 1).map(String::as_str), front)?;
    }
    open.begin();
    open.finish(&names)?;
    if mode == Mode::Write {
        // Only now is it known that the log has what the front says, so that these are let go of.
        super::retention::remove(&**disk, &dropped)?;
    }
    open.learn(&heads)?;
    let last = open.cursor.next - 1;
    let passed_over = open.checkpoint.passed_over.iter().map(Error::to_string).collect();
    let report = Recovered {
        records: last - front,
        read: open.read,
        snapshot: open.checkpoint.snapshot.map(Position::from_engine),
        segments: names.len() as u64,
        torn_bytes: open.torn_bytes,
        last_recorded: open.lane.recorded(),
        passed_over,
    };
    let watermark = (mode == Mode::Write).then_some(watermark);
    let tail = Tail { epoch: open.epoch, cursor: open.cursor, watermark, snapshot };
    Ok(Recovery { log: open.log, heads, lane: open.lane, tail, pool: open.pool, report })
}

/// Whether what was let go of is in a snapshot.
fn check_reaches(front: u64, checkpoint: &Checkpoint, follower: &dyn Follower) -> Result<()> {
    let needs_snapshot = follower.resumes() && !follower.states().is_empty();
    if checkpoint.last >= front || !needs_snapshot {
        return Ok(());
    }
    let message = format!(
        "the log begins after position {front}, and no snapshot can be read that reaches so far"
    );
    let error = Error::new(ErrorKind::AckedDataMissing, message);
    Err(match checkpoint.passed_over.first() {
        Some(cause) => error.caused_by(cause.clone()),
        None => error,
    })
}

/// What a newer program wrote is whole and is not for us to judge, let alone to cut.
pub(super) fn newer(file: &str, offset: u64, stop: Stop) -> Error {
    Error::new(ErrorKind::UnknownFormat, stop.reason).with("file", file).with("offset", offset)
}

struct Opening<'a> {
    disk: &'a dyn Disk,
    pool: Arc<Pool>,
    store: StoreId,
    mode: Mode,
    follower: &'a dyn Follower,
    /// Up to here everything was durable once.
    marked: u64,
    epoch: u64,
    cursor: Cursor,
    lane: Lane,
    log: SegmentLog,
    torn_bytes: u64,
    /// Groups of the last segment that were read and may not be durable, oldest first.
    unproven: VecDeque<Begun>,
    /// What is not read, as long as nothing was read.
    skipped: Option<Before>,
    read: u64,
    checkpoint: Checkpoint,
}

impl Opening<'_> {
    /// Tells the follower where it begins. From now on everything is read.
    fn begin(&mut self) {
        if let Some(before) = self.skipped.take() {
            self.follower.begin(&before);
        }
    }

    fn segment(&mut self, name: &str, following: Option<&str>, front: u64) -> Result<()> {
        let segment = match (self.mode, following) {
            (Mode::Write, None) => open_segment(self.disk, name, Access::Write)?,
            _ => open_pooled(&self.pool, name)?,
        };
        let header = segment.header;
        check_own(name, header, self.store)?;
        if front > 0 && self.log.segments() == 0 && header.first <= front + 1 {
            // What the first one carries on is gone.
            self.cursor = Cursor { next: header.first, chain: header.previous, ..self.cursor };
        }
        check_place(name, header, self.epoch, self.cursor)?;
        self.epoch = header.epoch;
        self.cursor.offset = HEADER_BYTES;
        self.unproven.clear();
        if let Some(index) = self.index(&segment, following)? {
            segment.index.store(Some(Arc::new(index)));
            self.skip(&segment, following)?;
        }
        if segment.whole_index().is_none() || self.cursor.next <= header.first {
            self.groups(&segment, following)?;
        }
        segment.end.store(self.cursor.offset, Ordering::Release);
        self.log.push(Arc::new(segment));
        Ok(())
    }

    /// The index of a segment, unless it has none that can be used.
    fn index(
        &mut self,
        segment: &Segment,
        following: Option<&str>,
    ) -> Result<Option<SegmentIndex>> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        let summary = match indexing::open(&self.pool, segment) {
            Ok(index) if index.summary().end.offset <= segment.file.len().map_err(fail)? => index,
            Ok(index) => {
                let last = index.summary().last();
                let message = format!("the segment ends before position {last}, which was acked");
                return Err(
                    Error::new(ErrorKind::AckedDataMissing, message).with("file", &segment.name)
                );
            }
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => {
                self.checkpoint.passed_over.push(error);
                return Ok(None);
            }
        };
        // Beside a writer the next one may have been begun since the names were read.
        if summary.summary().sealed && following.is_none() && self.mode != Mode::Peek {
            let message = "the segment that follows this one is missing";
            return Err(
                Error::new(ErrorKind::AckedDataMissing, message).with("file", &segment.name)
            );
        }
        self.marked = self.marked.max(summary.summary().last());
        Ok(Some(summary))
    }

    /// Goes on behind what the index covers, if none of it has to be told.
    fn skip(&mut self, segment: &Segment, following: Option<&str>) -> Result<()> {
        let Some(index) = segment.index.load_full() else { return Ok(()) };
        let summary = index.summary();
        let Some(before) = &mut self.skipped else { return Ok(()) };
        if summary.last() > self.checkpoint.last || summary.records == 0 {
            return Ok(());
        }
        // What an index says of a segment is proven by the one that follows; of the last one by itself.
        if following.is_none() && !ends_as(segment, summary)? {
            let message = "the index of a segment is of another log than this one";
            let error = Error::new(ErrorKind::ForeignFile, message);
            self.checkpoint.passed_over.push(error.with("file", &segment.name));
            segment.index.store(None);
            return Ok(());
        }
        let counts = match index.types() {
            Ok(counts) => counts,
            Err(error) => {
                // Without its index it is read.
                self.checkpoint.passed_over.push(error);
                segment.index.store(None);
                return Ok(());
            }
        };
        count(before, summary, counts);
        self.cursor = summary.end;
        if let Some(stamp) = summary.last_stamp {
            self.lane.skip_to(summary.last(), stamp);
        }
        Ok(())
    }

    /// Reads the groups at the cursor to the end of the segment.
    fn groups(&mut self, segment: &Segment, following: Option<&str>) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, self.cursor).map_err(fail)?;
        let stop = loop {
            let read = match groups.next().map_err(fail)? {
                Ok(read) => read,
                Err(stop) => break stop,
            };
            for group in &read.groups {
                // Everything up to there was synced before this group was written.
                while self.unproven.front().is_some_and(|one| one.first <= group.durable) {
                    self.unproven.pop_front();
                }
                self.unproven.push_back(*group);
            }
            for record in &read.records {
                self.lane.recover(record)?;
            }
            let numbers = read.records.iter().map(|record| record.position().to_engine());
            segment.mark(numbers.zip(read.offsets.iter().copied()));
            self.begin();
            self.read += read.records.len() as u64;
            self.follower.follow(&read.records);
        };
        self.cursor = groups.cursor();
        self.lane.reach(self.cursor.next - 1);
        self.end_of(segment, &groups, stop, following)
    }

    /// Learns what followers know of their streams and the log does not say any more.
    fn learn(&mut self, heads: &Heads) -> Result<()> {
        for (stream, version) in self.follower.states().iter().flat_map(|state| state.heads()) {
            let in_log = if self.lane.knows(&stream) {
                self.lane.version(&stream)
            } else {
                let in_index = self.log.stream_version(stream.as_str())?;
                in_index.or_else(|| heads.version(stream.as_str())).unwrap_or(Version::NONE)
            };
            if version > in_log {
                // A repair gave up the records that made these versions; they are not given out again.
                self.lane.learn(stream, version);
            }
        }
        Ok(())
    }

    /// The end of the log: nothing that was acked is missing, and what was read is durable.
    fn finish(&mut self, names: &[String]) -> Result<()> {
        let last = self.cursor.next - 1;
        self.lane.reach(last);
        if last < self.marked {
            let message = format!(
                "the log ends at position {last}, but position {} was acked: the rest is missing",
                self.marked
            );
            let error = Error::new(ErrorKind::AckedDataMissing, message);
            return Err(match names.last() {
                Some(name) => error.with("file", name).with("offset", self.cursor.offset),
                None => error.with("file", segment::name_of(1)),
            });
        }
        let is_new = self.marked < last || self.cursor.offset == HEADER_BYTES;
        if self.mode == Mode::Write && is_new { self.secure() } else { Ok(()) }
    }

    /// Makes durable what was read and may not be: the newest groups and the name of their file.
    ///
    /// A sync alone would not do: after one that failed, the system has nothing left to write.
    fn secure(&self) -> Result<()> {
        let Some(segment) = self.log.last() else { return Ok(()) };
        let again = || -> std::io::Result<()> {
            if let Some(Begun { offset: start, .. }) = self.unproven.front().copied() {
                let length = usize::try_from(self.cursor.offset - start).unwrap_or(usize::MAX);
                let mut bytes = vec![0; length];
                let count = read_full(&*segment.file, &mut bytes, start)?;
                segment.file.write_at(bytes.get(..count).unwrap_or_default(), start)?;
                segment.file.sync()?;
            }
            self.disk.sync_names()
        };
        again().map_err(|cause| disk_failure("make the log durable", &segment.name, cause))
    }

    /// Decides what it means that reading stopped here.
    fn end_of(
        &mut self,
        segment: &Segment,
        groups: &Groups<'_>,
        stop: Stop,
        following: Option<&str>,
    ) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        if stop.cause == StopCause::Newer {
            return Err(newer(&segment.name, self.cursor.offset, stop));
        }
        let used = groups.used_end().map_err(fail)?;
        let next = self.cursor.next;
        // Beside a writer the newest group may be half written, and later ones may follow while one
        // looks; what was marked before the look is there or damaged.
        let is_in_flight = self.mode == Mode::Peek && following.is_none() && next > self.marked;
        if used == self.cursor.offset || is_in_flight {
            // Nothing follows here; whether something should is seen from what comes next.
            return Ok(());
        }
        let damaged = |what: String| {
            Error::new(ErrorKind::Corruption, format!("the log is damaged: {what}"))
                .with("file", &segment.name)
                .with("range", format!("{}..{used}", self.cursor.offset))
        };
        if following.is_some() {
            return Err(damaged(format!("{} although a later segment follows", stop.reason)));
        }
        if stop.cause == StopCause::Misplaced {
            return Err(damaged(stop.reason.to_owned()));
        }
        if let Some(later) = groups.find_proof().map_err(fail)? {
            let what = format!("{}, but a later group stands at {}", stop.reason, later.offset);
            return Err(damaged(what));
        }
        if next <= self.marked {
            let what = format!("{}, but position {} was acked", stop.reason, self.marked);
            return Err(damaged(what));
        }
        self.torn_bytes = used - self.cursor.offset;
        if self.mode == Mode::Write {
            let cut = || -> std::io::Result<()> {
                segment.file.set_len(self.cursor.offset)?;
                segment.file.sync()
            };
            cut().map_err(|cause| disk_failure("cut a torn tail", &segment.name, cause))?;
        }
        Ok(())
    }
}

/// Whether a segment has the last record that its index covers, with the checksum that it had. Damage
/// that hides it is told by whoever reads there, as all that an index covers.
fn ends_as(segment: &Segment, summary: &Summary) -> Result<bool> {
    let (last, end) = (summary.last(), summary.end);
    if let Some(checksum) = checksum_in(segment, segment.offset_for(last)..end.offset, last)? {
        return Ok(checksum == end.chain);
    }
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let header = segment.header;
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::new(&*segment.file, segment.seed, start).map_err(fail)?;
    while let Ok(read) = groups.next().map_err(fail)? {
        let found = read.records.iter().find(|one| one.position().to_engine() == last);
        if let Some(record) = found {
            return Ok(record.checksum() == end.chain);
        }
    }
    Ok(groups.used_end().map_err(fail)? > groups.cursor().offset)
}

fn is_missing(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &std::io::Error| cause.kind() == std::io::ErrorKind::NotFound)
}

/// Counts a segment to what is not told.
fn count(before: &mut Before, summary: &Summary, counts: Vec<(String, u64)>) {
    before.last = Position::from_engine(summary.last());
    before.first_recorded = before.first_recorded.or(summary.first_recorded());
    before.last_recorded =
        summary.last_stamp.map(|stamp| stamp.recorded()).or(before.last_recorded);
    before.unreadable += summary.unreadable;
    for (name, records) in counts {
        *before.by_type.entry(EventType::from(name)).or_default() += records;
    }
}
