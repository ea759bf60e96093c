//! The writer thread: everything that was placed meanwhile is one group, one write, one sync.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use foundation_types::{Error, ErrorKind, Result};

use super::identity::remove_if_there;
use super::recovery::Tail;
use super::scan::Cursor;
use super::segment::{self, HEADER_BYTES, Segment, SegmentHeader};
use super::watermark::{self, Watermark};
use super::{EmbeddedOptions, Follower, Shared, disk_failure, fenced_by};
use crate::disk::{Access, Disk};
use crate::journal::batch::Appended;
use crate::journal::commit::{Room, Sync};
use crate::record::Record;
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameHeader, GROUP_FRAME_BYTES, GroupMark, KIND_GROUP,
    seal_frame,
};

/// Zeros are written this far ahead: a sync of bytes that exist is twice as fast as one that
/// makes a file longer.
static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];
/// How long the writer has nothing to do before it writes the watermark.
const IDLE: Duration = Duration::from_millis(50);
const NEW_SEGMENT: &str = "SEGMENT.new";

/// What is placed and not yet given to the disk.
pub(super) struct Group {
    /// Room for the group's own frame, then the frames of the records, not yet sealed.
    bytes: Vec<u8>,
    records: u32,
    rooms: Vec<Room>,
    sync: Arc<Sync>,
}

impl Default for Group {
    fn default() -> Self {
        let bytes = vec![0; GROUP_FRAME_BYTES];
        Self { bytes, records: 0, rooms: Vec::new(), sync: Arc::default() }
    }
}

impl Group {
    /// Takes in a batch; `place` writes its frames or refuses without writing any.
    pub(super) fn add(
        &mut self,
        room: Room,
        place: impl FnOnce(&mut Vec<u8>) -> Result<Appended>,
    ) -> Result<Appended> {
        let appended = place(&mut self.bytes)?;
        // A batch has at most ten thousand records, and what waits is bounded in bytes.
        self.records += u32::try_from(appended.positions.len()).unwrap_or(u32::MAX);
        self.rooms.push(room);
        Ok(appended)
    }

    /// What everybody in this group waits for.
    pub(super) fn sync(&self) -> Arc<Sync> {
        self.sync.clone()
    }

    fn is_empty(&self) -> bool {
        self.records == 0
    }
}

/// What the writer needs beside the shared state.
pub(super) struct Parts {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) follower: Arc<dyn Follower>,
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
    let Tail { epoch, cursor, watermark, marked } = tail;
    let mut writer = Writer { shared, parts, epoch, cursor, filled, watermark, marked };
    let run = move || {
        let shared = writer.shared.clone();
        if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
            let cause = Error::new(ErrorKind::Internal, "the writer of the journal panicked");
            fence(&shared, &cause, None);
            shared.ended.finish(Err(cause));
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
    watermark: Option<Watermark>,
    /// What the watermark says.
    marked: u64,
}

impl Writer {
    fn run(&mut self) {
        let outcome = loop {
            let Some(group) = self.next_group() else { break self.advance_watermark() };
            let sync = group.sync();
            if let Err(cause) = self.write(group) {
                fence(&self.shared, &cause, Some(&sync));
                break Err(cause);
            }
        };
        if let Err(cause) = &outcome {
            fence(&self.shared, cause, None);
        }
        self.shared.ended.finish(outcome);
    }

    /// Waits for something to write; `None` once the journal is closed and all is written.
    fn next_group(&mut self) -> Option<Group> {
        loop {
            let mut intake = self.shared.intake();
            let mut is_idle = false;
            while intake.group.is_empty() && !intake.closing && !is_idle {
                if self.marked < self.cursor.next - 1 {
                    let waited = self.shared.work.wait_timeout(intake, IDLE);
                    let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    (intake, is_idle) = (guard, timeout.timed_out());
                } else {
                    let waited = self.shared.work.wait(intake);
                    intake = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
            if !intake.group.is_empty() {
                return Some(std::mem::take(&mut intake.group));
            }
            if intake.closing {
                return None;
            }
            drop(intake);
            if let Err(cause) = self.advance_watermark() {
                // The log itself is well, but nobody knows any more what a failed sync left.
                fence(&self.shared, &cause, None);
                return None;
            }
        }
    }

    fn write(&mut self, group: Group) -> Result<()> {
        let Group { mut bytes, records, rooms, sync } = group;
        let segment = self.segment_for(bytes.len() as u64)?;
        let chain = self.seal(&mut bytes, records, segment.seed);
        let write = || -> io::Result<u64> {
            let end = self.cursor.offset + bytes.len() as u64;
            let filled = fill_ahead(&segment, self.filled, end, self.parts.options.segment_bytes)?;
            segment.file.write_at(&bytes, self.cursor.offset)?;
            segment.file.sync()?;
            Ok(filled)
        };
        self.filled = write().map_err(|cause| {
            let failed = disk_failure("write to the log", &segment.name, cause);
            Error::new(ErrorKind::Indeterminate, "it is not known whether the write is durable")
                .caused_by(failed)
        })?;
        let records = self.records(&bytes, &segment);
        let end = self.cursor.offset + bytes.len() as u64;
        self.cursor = Cursor { offset: end, next: self.cursor.next + records.len() as u64, chain };
        segment.end.store(end, Ordering::Release);
        self.shared.durable.store(self.cursor.next - 1, Ordering::Release);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        self.parts.follower.follow(&records);
        drop(rooms);
        sync.finish(Ok(()));
        Ok(())
    }

    /// Completes the frames: the group's own first, then chain and checksum of all.
    fn seal(&self, bytes: &mut [u8], records: u32, seed: u32) -> u32 {
        let (own, frames) = bytes.split_at_mut(GROUP_FRAME_BYTES);
        let mark = GroupMark {
            durable: self.cursor.next - 1,
            records,
            // What may wait is bounded far below 4 GiB.
            bytes: u32::try_from(frames.len()).unwrap_or(u32::MAX),
        };
        let header = FrameHeader {
            length: (GROUP_FRAME_BYTES - FRAME_HEADER_BYTES) as u32,
            sequence: self.cursor.next,
            kind: KIND_GROUP,
            schema: BODY_VERSION,
            ..FrameHeader::default()
        };
        own[..FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
        own[FRAME_HEADER_BYTES..].copy_from_slice(&mark.to_bytes());
        let mut chain = seal_frame(own, self.cursor.chain, seed);
        let mut rest = frames;
        while let Some(header) = FrameHeader::read(rest) {
            let (frame, after) = rest.split_at_mut(header.frame_bytes());
            chain = seal_frame(frame, chain, seed);
            rest = after;
        }
        chain
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
    fn segment_for(&mut self, bytes: u64) -> Result<Arc<Segment>> {
        let last = self.shared.log.last();
        let is_full = self.cursor.offset + bytes > self.parts.options.segment_bytes;
        if let Some(last) = last
            && (!is_full || self.cursor.offset == HEADER_BYTES)
        {
            return Ok(last);
        }
        let name = segment::name_of(self.cursor.next);
        let segment = self
            .create_segment(&name)
            .map_err(|cause| disk_failure("begin a segment", &name, cause))?;
        let segment = Arc::new(segment);
        self.shared.log.push(segment.clone());
        self.cursor.offset = HEADER_BYTES;
        self.filled = HEADER_BYTES;
        Ok(segment)
    }

    /// A segment has its name once its header is durable: there is no half-made one.
    fn create_segment(&self, name: &str) -> io::Result<Segment> {
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
        let disk = &*self.parts.disk;
        remove_if_there(disk, NEW_SEGMENT)?;
        let file = disk.open(NEW_SEGMENT, Access::Create)?;
        file.write_at(&header.to_bytes(), 0)?;
        file.sync()?;
        disk.rename(NEW_SEGMENT, name)?;
        disk.sync_names()?;
        Ok(Segment::new(name.to_owned(), header, file))
    }

    fn advance_watermark(&mut self) -> Result<()> {
        let durable = self.cursor.next - 1;
        if self.marked == durable {
            return Ok(());
        }
        let Some(watermark) = &mut self.watermark else { return Ok(()) };
        watermark
            .advance(durable)
            .map_err(|cause| disk_failure("write the watermark", watermark::FILE, cause))?;
        self.marked = durable;
        Ok(())
    }
}

/// Writes zeros behind `end`, up to the next step or the end of the segment; gives the new length
/// of the file.
fn fill_ahead(segment: &Segment, filled: u64, end: u64, segment_bytes: u64) -> io::Result<u64> {
    if end <= filled {
        return Ok(filled);
    }
    let next = end.next_multiple_of(ZEROS.len() as u64).min(segment_bytes.max(end));
    // Up to `end` the group itself is written.
    let zeros = ZEROS.get(..(next - end) as usize).unwrap_or(&ZEROS);
    segment.file.write_at(zeros, end)?;
    Ok(next)
}

/// Refuses writes from now on. What is being written is indeterminate, what waits is not applied.
fn fence(shared: &Shared, cause: &Error, writing: Option<&Sync>) {
    let waiting = {
        let mut intake = shared.intake();
        // The first cause counts.
        let _ = shared.fenced.set(cause.clone());
        std::mem::take(&mut intake.group)
    };
    shared.room.close();
    if let Some(sync) = writing {
        sync.finish(Err(cause.clone()));
    }
    waiting.sync.finish(Err(fenced_by(cause)));
}
