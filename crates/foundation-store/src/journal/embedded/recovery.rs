//! Opening a log: proving every group, cutting a torn tail, and telling damage from a crash.
//!
//! Only the newest group can be torn by a crash: the writer begins a group after the sync of the
//! one before. So what cannot be read is a torn tail if no later group can be read behind it and
//! no watermark says that it was durable; everything else is damage and is never cut.
//!
//! A group that is read is not for that on the disk: its writer may have been killed before the
//! sync, or the sync may have failed, after which the system reads the bytes back from memory and
//! holds them for written. So an owner writes the newest group again and syncs it before anybody
//! is told that it is there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_types::{Error, ErrorKind, Result, StoreId, Timestamp};

use super::log::SegmentLog;
use super::options::Mode;
use super::scan::{Cursor, Groups, Stop, StopCause};
use super::segment::{self, HEADER_BYTES, Segment, SegmentHeader};
use super::watermark::Watermark;
use super::{Follower, disk_failure};
use crate::disk::{Access, Disk, read_full};
use crate::journal::lane::Lane;

/// The epoch of a store that was never restored.
pub(super) const FIRST_EPOCH: u64 = 1;

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that are kept.
    pub records: u64,
    /// Files of the log.
    pub segments: u64,
    /// Bytes at the end of the log that belong to a write which was never acked. They were cut,
    /// or would be if the store was opened for writing.
    pub torn_bytes: u64,
    /// When the last record was recorded.
    pub last_recorded: Option<Timestamp>,
}

/// A log that was proven, and where it goes on.
pub(super) struct Recovery {
    pub(super) log: SegmentLog,
    pub(super) lane: Lane,
    pub(super) tail: Tail,
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
    pub(super) watermark: Option<Watermark>,
    /// What the watermark says.
    pub(super) marked: u64,
}

/// Reads the whole log of `store`, telling the follower of every record.
pub(super) fn recover(
    disk: &dyn Disk,
    store: StoreId,
    mode: Mode,
    follower: &dyn Follower,
) -> Result<Recovery> {
    let access = if mode == Mode::Write { Access::Write } else { Access::Read };
    // Read before the log: whoever appends meanwhile moves the log first.
    let (watermark, marked) = Watermark::open(disk, store, access)?;
    let names = segment_names(disk)?;
    let mut open = Opening {
        disk,
        store,
        mode,
        follower,
        marked,
        epoch: FIRST_EPOCH,
        cursor: Cursor { offset: HEADER_BYTES, next: 1, chain: 0 },
        lane: Lane::default(),
        log: SegmentLog::default(),
        torn_bytes: 0,
        newest: None,
    };
    for (at, name) in names.iter().enumerate() {
        open.segment(name, names.get(at + 1).map(String::as_str))?;
    }
    let last = open.cursor.next - 1;
    if last < marked {
        let message = format!(
            "the log ends at position {last}, but position {marked} was acked: the rest is missing"
        );
        let error = Error::new(ErrorKind::AckedDataMissing, message);
        return Err(match names.last() {
            Some(name) => error.with("file", name).with("offset", open.cursor.offset),
            None => error.with("file", segment::name_of(1)),
        });
    }
    if mode == Mode::Write && (marked < last || open.cursor.offset == HEADER_BYTES) {
        open.secure()?;
    }
    let report = Recovered {
        records: last,
        segments: names.len() as u64,
        torn_bytes: open.torn_bytes,
        last_recorded: open.lane.recorded(),
    };
    let watermark = (mode == Mode::Write).then_some(watermark);
    let tail = Tail { epoch: open.epoch, cursor: open.cursor, watermark, marked };
    Ok(Recovery { log: open.log, lane: open.lane, tail, report })
}

/// The names of all segments, oldest first.
pub(super) fn segment_names(disk: &dyn Disk) -> Result<Vec<String>> {
    let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    let mut names: Vec<String> =
        names.into_iter().filter(|name| segment::is_segment(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// Opens a segment and reads its header.
pub(super) fn open_segment(disk: &dyn Disk, name: &str, access: Access) -> Result<Segment> {
    let fail = |cause| disk_failure("open a segment", name, cause);
    let file = disk.open(name, access).map_err(fail)?;
    let mut bytes = [0; HEADER_BYTES as usize];
    let count = read_full(&*file, &mut bytes, 0).map_err(fail)?;
    let header = SegmentHeader::read(bytes.get(..count).unwrap_or_default(), name)?;
    Ok(Segment::new(name.to_owned(), header, file))
}

/// Whether a segment belongs to this store and to this name.
pub(super) fn check_own(name: &str, header: SegmentHeader, store: StoreId) -> Result<()> {
    let foreign = |what: String| Error::new(ErrorKind::ForeignFile, what).with("file", name);
    if header.store != store {
        let message = format!("a segment belongs to store {}, not to {store}", header.store);
        return Err(foreign(message));
    }
    if segment::first_of(name) != Some(header.first) {
        let message = format!("a segment begins with {} and has another name", header.first);
        return Err(foreign(message));
    }
    Ok(())
}

/// Whether a segment is the one that comes next.
pub(super) fn check_place(
    name: &str,
    header: SegmentHeader,
    epoch: u64,
    cursor: Cursor,
) -> Result<()> {
    if header.first != cursor.next {
        let message = format!(
            "positions {} to {} are missing: a segment is not there",
            cursor.next,
            header.first.saturating_sub(1)
        );
        return Err(Error::new(ErrorKind::AckedDataMissing, message).with("file", name));
    }
    if header.previous != cursor.chain || header.epoch < epoch {
        let what = "a segment does not carry on the one before it";
        return Err(Error::new(ErrorKind::ForeignFile, what).with("file", name));
    }
    Ok(())
}

/// What a newer program wrote is whole and is not for us to judge, let alone to cut.
pub(super) fn newer(file: &str, offset: u64, stop: Stop) -> Error {
    Error::new(ErrorKind::UnknownFormat, stop.reason).with("file", file).with("offset", offset)
}

struct Opening<'a> {
    disk: &'a dyn Disk,
    store: StoreId,
    mode: Mode,
    follower: &'a dyn Follower,
    marked: u64,
    epoch: u64,
    cursor: Cursor,
    lane: Lane,
    log: SegmentLog,
    torn_bytes: u64,
    /// Where the newest group begins in the last segment, if that has one.
    newest: Option<u64>,
}

impl Opening<'_> {
    /// Makes durable what was read and may not be: the newest group and the name of its file.
    ///
    /// A sync alone would not do: after one that failed, the system has nothing left to write.
    fn secure(&self) -> Result<()> {
        let Some(segment) = self.log.last() else { return Ok(()) };
        let again = || -> std::io::Result<()> {
            if let Some(start) = self.newest {
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

    fn segment(&mut self, name: &str, following: Option<&str>) -> Result<()> {
        let access = match (self.mode, following) {
            (Mode::Write, None) => Access::Write,
            _ => Access::Read,
        };
        let segment = open_segment(self.disk, name, access)?;
        check_own(name, segment.header, self.store)?;
        check_place(name, segment.header, self.epoch, self.cursor)?;
        self.epoch = segment.header.epoch;
        self.cursor.offset = HEADER_BYTES;
        let fail = |cause| disk_failure("read the log", name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, self.cursor).map_err(fail)?;
        let stop = loop {
            let read = match groups.next().map_err(fail)? {
                Ok(read) => read,
                Err(stop) => break stop,
            };
            for record in &read.records {
                self.lane.recover(record)?;
            }
            let numbers = read.records.iter().map(|record| record.position().to_engine());
            segment.mark(numbers.zip(read.offsets.iter().copied()));
            self.follower.follow(&read.records);
        };
        self.cursor = groups.cursor();
        self.newest = groups.newest();
        segment.end.store(self.cursor.offset, Ordering::Release);
        self.end_of(&segment, &groups, stop, following)?;
        self.log.push(Arc::new(segment));
        Ok(())
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
        if let Some(later) = groups.find_later().map_err(fail)? {
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
