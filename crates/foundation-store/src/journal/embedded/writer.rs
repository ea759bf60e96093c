//! The writer thread: everything that was placed meanwhile is one group, one write, one sync.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use foundation_types::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::group::{Group, Waiting};
use super::identity::remove_if_there;
use super::mark::Mark;
use super::recovery::Tail;
use super::scan::Cursor;
use super::segment::{self, HEADER_BYTES, Segment, SegmentHeader};
use super::shared::{Shared, fenced_by};
use super::upkeep::{self, Captured};
use super::{EmbeddedOptions, disk_failure, is_full};
use crate::disk::Access;
use crate::record::Record;
use crate::record::frame::{FrameHeader, GROUP_FRAME_BYTES};

/// Zeros are written this far ahead: a sync of bytes that exist is twice as fast as one that
/// makes a file longer.
static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];
/// How long the writer has nothing to do before it writes the watermark.
const IDLE: Duration = Duration::from_millis(50);
/// How old the watermark may grow under a load that leaves the writer no such moment.
const MARK_AGE_MAX: Duration = Duration::from_secs(1);
const NEW_SEGMENT: &str = "SEGMENT.new";

/// What the writer needs beside the shared state.
pub(super) struct Parts {
    pub(super) salt_seed: u64,
    pub(super) options: EmbeddedOptions,
}

/// Starts the writer where recovery ended.
pub(super) fn start(shared: Arc<Shared>, parts: Parts, tail: Tail) -> Result<JoinHandle<()>> {
    let filled = match shared.log.last() {
        Some(segment) => segment
            .file
            .len()
            .map_err(|cause| disk_failure("read the log", &segment.name, cause))?,
        None => 0,
    };
    let Tail { epoch, cursor, watermark, .. } = tail;
    let marked = watermark.as_ref().map_or(0, Mark::sequence);
    let marked_at = shared.clock.monotonic();
    let mut writer = Writer {
        shared,
        parts,
        epoch,
        cursor,
        filled,
        watermark,
        marked,
        marked_at,
        writing: None,
        spare: Vec::new(),
    };
    let run = move || {
        if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
            let cause = Error::new(ErrorKind::Internal, "the writer of the journal panicked");
            fence(&writer.shared, &cause, None);
            if let Some(writing) = writer.writing.take() {
                writing.finish(&Err(indeterminate(cause.clone())));
            }
            writer.shared.end(Err(cause));
        }
    };
    std::thread::Builder::new().name("foundation-journal".to_owned()).spawn(run).map_err(|cause| {
        Error::new(ErrorKind::Unavailable, "cannot start the writer of the journal")
            .caused_by(cause)
    })
}

struct Writer {
    shared: Arc<Shared>,
    parts: Parts,
    epoch: u64,
    cursor: Cursor,
    /// Length of the last segment's file.
    filled: u64,
    watermark: Option<Mark>,
    /// What the watermark says.
    marked: u64,
    /// Monotonic time at which it was written.
    marked_at: Duration,
    /// What everybody waits for whose group is being written.
    writing: Option<Waiting>,
    /// The buffer of the last group.
    spare: Vec<u8>,
}

/// Why a group is not durable.
enum WriteFault {
    /// There was no space for it and no sync has failed: it can be taken back.
    Full(Error),
    /// Nobody knows what is on the disk.
    Failed(Error),
}

impl WriteFault {
    /// The failure of a call that only writes.
    fn of_write(attempt: &str, file: &str, cause: io::Error) -> Self {
        let error = disk_failure(attempt, file, cause);
        match error.kind() {
            ErrorKind::DiskFull => Self::Full(error),
            _ => Self::Failed(error),
        }
    }
}

/// What the writer does next.
enum Next {
    Write(Group),
    /// Syncs what is written, then answers these.
    Sync(Vec<oneshot::Sender<Captured>>, Vec<oneshot::Sender<()>>),
    /// There was nothing to do for a while.
    Rest,
    End,
}

impl Writer {
    fn run(&mut self) {
        let outcome = self.work();
        match &outcome {
            Ok(()) => upkeep::last_checkpoint(&self.shared, self.captured()),
            Err(cause) => fence(&self.shared, cause, self.writing.take()),
        }
        self.shared.end(outcome);
    }

    /// Works until the journal is closed and all is written.
    fn work(&mut self) -> Result<()> {
        loop {
            match self.next() {
                Next::Write(group) => {
                    self.writing = Some(group.waiting());
                    self.write(group)?;
                    self.writing = None;
                    self.mark_if_old()?;
                }
                Next::Sync(captures, flushes) => {
                    self.sync()?;
                    // Who asked may have gone.
                    for wanted in flushes {
                        let _ = wanted.send(());
                    }
                    for wanted in captures {
                        let _ = wanted.send(self.captured());
                    }
                }
                Next::Rest => self.mark()?,
                Next::End => return self.mark(),
            }
        }
    }

    fn captured(&self) -> Captured {
        Captured::at(&self.shared, self.cursor, self.epoch)
    }

    /// Waits for something to do.
    fn next(&mut self) -> Next {
        let mut intake = self.shared.intake();
        loop {
            // First, so that a load which never ends does not keep them waiting.
            if intake.has_wishes() {
                let captures = std::mem::take(&mut intake.captures);
                return Next::Sync(captures, std::mem::take(&mut intake.flushes));
            }
            if !intake.group.is_empty() {
                let next = Group::on(std::mem::take(&mut self.spare));
                return Next::Write(std::mem::replace(&mut intake.group, next));
            }
            if intake.closing {
                return Next::End;
            }
            if self.marked < self.last() {
                let waited = self.shared.work.wait_timeout(intake, IDLE);
                let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                intake = guard;
                if timeout.timed_out() && intake.is_idle() {
                    return Next::Rest;
                }
            } else {
                let waited = self.shared.work.wait(intake);
                intake = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// The last sequence number that is written.
    fn last(&self) -> u64 {
        self.cursor.next - 1
    }

    /// Makes a group as durable as it asks for and tells of it, or takes it back if there is no
    /// space for it.
    ///
    /// # Errors
    /// Why nothing may be written any more.
    fn write(&mut self, mut group: Group) -> Result<()> {
        let (segment, chain) = match self.put(&mut group) {
            Ok(put) => put,
            Err(WriteFault::Full(cause)) => return self.take_back(group, &cause),
            Err(WriteFault::Failed(cause)) => return Err(cause),
        };
        let records = self.records(group.bytes(), &segment);
        let end = self.cursor.offset + group.bytes().len() as u64;
        self.cursor = Cursor { offset: end, next: self.cursor.next + records.len() as u64, chain };
        if group.wants_sync() {
            self.synced(self.last());
        }
        segment.end.store(end, Ordering::Release);
        self.shared.durable.store(self.last(), Ordering::Release);
        self.shared.note_space(None);
        self.shared.follower.follow(&records);
        self.spare = group.end(Ok(()));
        Ok(())
    }

    /// Writes a group, and syncs it if somebody waits for that; gives its segment and the checksum
    /// of its last frame.
    fn put(&mut self, group: &mut Group) -> Result<(Arc<Segment>, u32), WriteFault> {
        let segment = self.segment_for(group.bytes().len() as u64)?;
        let durable = self.shared.synced.load(Ordering::Acquire);
        let chain = group.seal(self.cursor.next, durable, self.cursor.chain, segment.seed);
        let bytes = group.bytes();
        let end = self.cursor.offset + bytes.len() as u64;
        let write = || -> io::Result<u64> {
            let filled = fill_ahead(&segment, self.filled, end, self.parts.options.segment_bytes)?;
            segment.file.write_at(bytes, self.cursor.offset)?;
            Ok(filled)
        };
        let filled = write().map_err(|cause| {
            match WriteFault::of_write("write to the log", &segment.name, cause) {
                WriteFault::Failed(failed) => WriteFault::Failed(indeterminate(failed)),
                full @ WriteFault::Full(_) => full,
            }
        })?;
        if group.wants_sync() {
            segment.file.sync().map_err(|cause| {
                let failed = disk_failure("write to the log", &segment.name, cause);
                WriteFault::Failed(indeterminate(failed))
            })?;
        }
        self.filled = filled;
        Ok((segment, chain))
    }

    /// Notes that a sync has reached a record.
    fn synced(&self, last: u64) {
        self.shared.synced.store(last, Ordering::Release);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// Syncs what was acked at a lower level.
    fn sync(&self) -> Result<()> {
        if self.shared.synced.load(Ordering::Acquire) == self.last() {
            return Ok(());
        }
        let Some(segment) = self.shared.log.last() else { return Ok(()) };
        // Whatever the reason, nobody knows what is on the disk: that is no mere want of space.
        segment.file.sync().map_err(|cause| {
            Error::new(ErrorKind::Disk, format!("cannot sync the log: {cause}"))
                .with("file", &segment.name)
                .caused_by(cause)
        })?;
        self.synced(self.last());
        Ok(())
    }

    /// Undoes a group for which there was no space, and what was placed behind it: it was computed
    /// on versions that are not coming. Appends are taken again afterwards.
    ///
    /// A write that found no space has not written its end, so the group cannot be whole; what it
    /// has written is cut all the same, so that nothing of it stands behind the next group.
    fn take_back(&mut self, group: Group, full: &Error) -> Result<()> {
        if let Some(segment) = self.shared.log.last() {
            let cut = || -> io::Result<()> {
                segment.file.set_len(self.cursor.offset)?;
                segment.file.sync()
            };
            cut().map_err(|cause| {
                let failed = disk_failure("cut an unfinished write", &segment.name, cause);
                Error::new(ErrorKind::Indeterminate, "it is not known what a full disk has kept")
                    .caused_by(failed)
            })?;
            self.filled = self.cursor.offset;
        }
        let refused = Error::new(ErrorKind::DiskFull, "the disk is full; nothing was applied")
            .caused_by(full.clone());
        self.shared.note_space(Some(refused.clone()));
        // Under the lock until all are told: nobody appends to versions that are taken back.
        let mut intake = self.shared.intake();
        let behind = std::mem::take(&mut intake.group);
        intake.lane.take_back(behind.frames());
        intake.lane.take_back(group.frames());
        group.end(Err(refused.clone()));
        behind.end(Err(refused));
        Ok(())
    }

    /// The group as records for the followers, with the places of their frames marked.
    fn records(&self, bytes: &[u8], segment: &Segment) -> Vec<Record> {
        let chunk: Arc<[u8]> = bytes.into();
        let (mut records, mut marks) = (Vec::new(), Vec::new());
        let mut at = GROUP_FRAME_BYTES;
        while let Some(header) = chunk.get(at..).and_then(FrameHeader::read) {
            if let Ok(record) = Record::of_frame(chunk.clone(), at, header) {
                marks.push((header.sequence, self.cursor.offset + at as u64));
                records.push(record);
            }
            at += header.frame_bytes();
        }
        segment.mark(marks);
        records
    }

    /// The segment that takes the next group: the last one, or a new one if that is full.
    fn segment_for(&mut self, bytes: u64) -> Result<Arc<Segment>, WriteFault> {
        let last = self.shared.log.last();
        let is_full = self.cursor.offset + bytes > self.parts.options.segment_bytes;
        match &last {
            Some(last) if !is_full || self.cursor.offset == HEADER_BYTES => {
                return Ok(Arc::clone(last));
            }
            _ => {}
        }
        // Only the last segment can have what is not synced.
        self.sync().map_err(WriteFault::Failed)?;
        let name = segment::name_of(self.cursor.next);
        let segment = Arc::new(self.create_segment(&name)?);
        let captured = last.map(|full| {
            // Nothing is added to it any more, so its file need not stay open.
            self.shared.log.replace(Arc::new(full.through(self.shared.pool.file(&full.name))));
            self.captured()
        });
        self.shared.log.push(segment.clone());
        if let Some(captured) = captured {
            upkeep::begin(&self.shared, captured, self.parts.options.background);
        }
        self.cursor.offset = HEADER_BYTES;
        self.filled = HEADER_BYTES;
        Ok(segment)
    }

    /// A segment has its name once its header is durable: there is no half-made one.
    fn create_segment(&self, name: &str) -> Result<Segment, WriteFault> {
        let first = self.cursor.next;
        let salt = crc32c::crc32c_append(
            crc32c::crc32c(&self.parts.salt_seed.to_le_bytes()),
            &first.to_le_bytes(),
        );
        let header = SegmentHeader {
            store: self.shared.store,
            epoch: self.epoch,
            first,
            previous: self.cursor.chain,
            salt,
        };
        let disk = &*self.shared.disk;
        let attempt = "begin a segment";
        // Whoever is told of a full disk may try again, so what fences is another kind of failure.
        let failed = |cause: io::Error| {
            let message = format!("cannot {attempt}: {cause}");
            let error = Error::new(ErrorKind::Disk, message).with("file", name);
            WriteFault::Failed(error.caused_by(cause))
        };
        remove_if_there(disk, NEW_SEGMENT).map_err(failed)?;
        let write = || -> io::Result<_> {
            let file = disk.open(NEW_SEGMENT, Access::Create)?;
            file.write_at(&header.to_bytes(), 0)?;
            file.sync()?;
            disk.rename(NEW_SEGMENT, name)?;
            Ok(file)
        };
        // Without its name it is nothing yet, and the next attempt removes it.
        let file = write().map_err(|cause| WriteFault::of_write(attempt, name, cause))?;
        disk.sync_names().map_err(failed)?;
        Ok(Segment::new(name.to_owned(), header, file))
    }

    /// A writer that is never idle writes the watermark too, only less often.
    fn mark_if_old(&mut self) -> Result<()> {
        if self.shared.clock.monotonic().saturating_sub(self.marked_at) < MARK_AGE_MAX {
            return Ok(());
        }
        self.mark()
    }

    /// Syncs what is not, and has the watermark say so.
    fn mark(&mut self) -> Result<()> {
        self.sync()?;
        let last = self.last();
        if self.marked == last {
            return Ok(());
        }
        self.marked_at = self.shared.clock.monotonic();
        match self.watermark.as_mut().map(|watermark| watermark.advance(last)) {
            // It is a lower bound, and stays the one that it is until there is space again.
            Some(Err(full)) if full.kind() == ErrorKind::DiskFull => {
                self.shared.note_space(Some(full));
                return Ok(());
            }
            Some(advanced) => advanced?,
            None => {}
        }
        self.marked = last;
        Ok(())
    }
}

fn indeterminate(failed: Error) -> Error {
    Error::new(ErrorKind::Indeterminate, "it is not known whether the write is durable")
        .caused_by(failed)
}

/// Writes zeros behind `end`, up to the next step or the end of the segment; gives the new length
/// of the file. Where there is no space for them, the group may still have some.
fn fill_ahead(segment: &Segment, filled: u64, end: u64, segment_bytes: u64) -> io::Result<u64> {
    if end <= filled {
        return Ok(filled);
    }
    let next = end.next_multiple_of(ZEROS.len() as u64).min(segment_bytes.max(end));
    // Up to `end` the group itself is written.
    let zeros = ZEROS.get(..(next - end) as usize).unwrap_or(&ZEROS);
    match segment.file.write_at(zeros, end) {
        Ok(()) => Ok(next),
        Err(cause) if is_full(&cause) => {
            segment.file.set_len(filled)?;
            Ok(end)
        }
        Err(cause) => Err(cause),
    }
}

/// Refuses writes from now on. What is being written is indeterminate, what waits is not applied.
fn fence(shared: &Shared, cause: &Error, writing: Option<Waiting>) {
    let waiting = {
        let mut intake = shared.intake();
        // The first cause counts.
        let _ = shared.fenced.set(cause.clone());
        intake.captures.clear();
        intake.flushes.clear();
        std::mem::take(&mut intake.group)
    };
    shared.room.close();
    if let Some(writing) = writing {
        writing.finish(&Err(cause.clone()));
    }
    waiting.end(Err(fenced_by(cause)));
}
