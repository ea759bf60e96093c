//! Reading a segment group by group, where nothing is trusted yet: a group was written by one call
//! and is whole or does not count. Recovery and verification prove each group; what is proven is
//! read frame by frame ([`super::frames`]).

use std::io;
use std::sync::Arc;

use crate::disk::{DiskFile, read_full};
use crate::record::Record;
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameFault, FrameHeader, GAP_FRAME_BYTES, GROUP_FRAME_BYTES,
    GapMark, GroupMark, KIND_CHANGE, KIND_EVENT, KIND_GAP, KIND_GROUP, read_frame,
};

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// How far a segment was read: all before it is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Offset of the next group.
    pub(super) offset: u64,
    /// Sequence number that comes next.
    pub(super) next: u64,
    /// Checksum of the last frame.
    pub(super) chain: u32,
}

/// Why there is no further group at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) reason: &'static str,
    pub(super) cause: StopCause,
}

/// What can have left bytes that are no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopCause {
    /// A write that was not finished, or damage.
    Torn,
    /// Only damage: the checksums are right, so all of it was written, and not here.
    Misplaced,
    /// A newer program: the checksums are right, and this one does not know what they cover.
    Newer,
}

/// The groups of one segment from its beginning on.
pub(super) struct Groups<'a> {
    file: &'a dyn DiskFile,
    seed: u32,
    file_bytes: u64,
    cursor: Cursor,
}

/// Where a group is and what was durable when it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) offset: u64,
    /// Sequence number of its first record.
    pub(super) first: u64,
    /// The last sequence number that was durable.
    pub(super) durable: u64,
}

/// Whole groups that were read at once.
pub(super) struct Read {
    pub(super) groups: Vec<Begun>,
    pub(super) records: Vec<Record>,
    /// Offset in the segment of each record's frame.
    pub(super) offsets: Vec<u64>,
    /// What is lost between them.
    pub(super) gaps: Vec<Gap>,
}

/// Records that were lost to damage; a repair has put a frame in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Offset of that frame.
    pub(super) offset: u64,
    pub(super) numbers: std::ops::Range<u64>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(file: &'a dyn DiskFile, seed: u32, cursor: Cursor) -> io::Result<Self> {
        Ok(Self { file, seed, file_bytes: file.len()?, cursor })
    }

    /// The groups that end at `end` at the latest.
    pub(super) fn up_to(
        file: &'a dyn DiskFile,
        seed: u32,
        cursor: Cursor,
        end: u64,
    ) -> io::Result<Self> {
        let file_bytes = file.len()?.min(end);
        Ok(Self { file, seed, file_bytes, cursor })
    }

    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Goes on at another group, known to be one.
    pub(super) fn move_to(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// Reads some whole groups; [`Stop`] where the next one is not whole and right.
    pub(super) fn next(&mut self) -> io::Result<Result<Read, Stop>> {
        let mut bytes = self.read(CHUNK_BYTES)?;
        let first = match group(&bytes, self.seed, self.cursor) {
            Err(Fault::Needs(more)) if more as u64 <= self.left() => {
                bytes = self.read(more)?;
                group(&bytes, self.seed, self.cursor)
            }
            first => first,
        };
        let first = match first {
            Ok(group) => group,
            Err(Fault::Needs(_)) => return Ok(Err(Stop::torn("the group is cut short"))),
            Err(Fault::Bad(stop)) => return Ok(Err(stop)),
        };
        let mut groups = vec![first];
        let mut used = groups[0].bytes;
        let mut end = groups[0].end;
        while let Ok(group) = group(&bytes[used..], self.seed, end) {
            used += group.bytes;
            end = group.end;
            groups.push(group);
        }
        bytes.truncate(used);
        let read = self.records(bytes, &groups);
        self.cursor = end;
        Ok(Ok(read))
    }

    fn records(&self, bytes: Vec<u8>, groups: &[Group]) -> Read {
        let chunk: Arc<[u8]> = bytes.into();
        let count = groups.iter().map(|group| group.frames.len()).sum();
        let mut read = Read {
            groups: Vec::with_capacity(groups.len()),
            records: Vec::with_capacity(count),
            offsets: Vec::with_capacity(count),
            gaps: Vec::new(),
        };
        let mut start = 0;
        for group in groups {
            read.groups.push(Begun {
                offset: self.cursor.offset + start as u64,
                first: group.first,
                durable: group.durable,
            });
            if group.frames.is_empty() {
                let offset = self.cursor.offset + start as u64;
                read.gaps.push(Gap { offset, numbers: group.first..group.end.next });
            }
            for (at, header) in &group.frames {
                // A chunk is far below 4 GiB: a group is bounded by what may wait for the disk.
                if let Ok(record) = Record::of_frame(chunk.clone(), start + at, *header) {
                    read.records.push(record);
                    read.offsets.push(self.cursor.offset + (start + at) as u64);
                }
            }
            start += group.bytes;
        }
        read
    }

    fn left(&self) -> u64 {
        self.file_bytes.saturating_sub(self.cursor.offset)
    }

    fn read(&self, bytes: usize) -> io::Result<Vec<u8>> {
        let bytes = usize::try_from(self.left()).unwrap_or(usize::MAX).min(bytes);
        let mut buffer = vec![0; bytes];
        let count = read_full(self.file, &mut buffer, self.cursor.offset)?;
        buffer.truncate(count);
        Ok(buffer)
    }

    /// The next offset behind the group at the cursor at which a group begins, searched byte by
    /// byte; with the cursor that reading goes on from.
    pub(super) fn find_later(&self) -> io::Result<Option<Cursor>> {
        self.find_after(|_| true)
    }

    /// As [`Groups::find_later`] for a group that was written when the one at the cursor was
    /// durable already, so that no crash can have torn that.
    pub(super) fn find_proof(&self) -> io::Result<Option<Cursor>> {
        self.find_after(|durable| durable >= self.cursor.next)
    }

    /// The next group of which this holds: of the last sequence number that was durable when it
    /// was written.
    fn find_after(&self, holds: impl Fn(u64) -> bool) -> io::Result<Option<Cursor>> {
        let mut offset = self.search_start()?;
        while offset < self.file_bytes {
            let bytes = (self.file_bytes - offset).min(CHUNK_BYTES as u64) as usize;
            let mut buffer = vec![0; bytes];
            let count = read_full(self.file, &mut buffer, offset)?;
            buffer.truncate(count);
            if buffer.len() < GROUP_FRAME_BYTES {
                break;
            }
            for at in 0..=buffer.len() - GROUP_FRAME_BYTES {
                if let Some((header, mark)) = self.later_mark(&buffer[at..])
                    && holds(mark.durable)
                {
                    return Ok(Some(Cursor {
                        offset: offset + at as u64,
                        next: header.sequence,
                        chain: header.previous,
                    }));
                }
            }
            offset += (buffer.len() - GROUP_FRAME_BYTES + 1) as u64;
        }
        Ok(None)
    }

    /// Where a later group can begin. If the frame that opens the group at the cursor is whole, all
    /// the bytes that it speaks of are the group's: text in them that looks like another group,
    /// because somebody put it there, is none.
    fn search_start(&self) -> io::Result<u64> {
        let bytes = self.read(GROUP_FRAME_BYTES)?;
        let own = match opening(&bytes, self.seed, self.cursor) {
            Ok((_, mark)) => GROUP_FRAME_BYTES as u64 + u64::from(mark.bytes),
            Err(_) => 1,
        };
        Ok(self.cursor.offset + own)
    }

    fn later_mark(&self, bytes: &[u8]) -> Option<(FrameHeader, GroupMark)> {
        // The kind is looked at before the checksum, which is dear.
        let header = FrameHeader::read(bytes)?;
        let can_be = header.kind == KIND_GROUP
            && header.length as usize == GROUP_FRAME_BYTES - FRAME_HEADER_BYTES
            && header.sequence > self.cursor.next;
        if !can_be {
            return None;
        }
        let header = read_frame(bytes, self.seed).ok()?;
        Some((header, GroupMark::read(bytes.get(FRAME_HEADER_BYTES..)?)?))
    }

    /// Offset after the last byte that is not zero, from the cursor on.
    pub(super) fn used_end(&self) -> io::Result<u64> {
        let mut end = self.file_bytes;
        while end > self.cursor.offset {
            let start = end.saturating_sub(CHUNK_BYTES as u64).max(self.cursor.offset);
            let mut buffer = vec![0; (end - start) as usize];
            let count = read_full(self.file, &mut buffer, start)?;
            if let Some(at) = buffer[..count].iter().rposition(|byte| *byte != 0) {
                return Ok(start + at as u64 + 1);
            }
            end = start;
        }
        Ok(self.cursor.offset)
    }
}

/// One proven group.
struct Group {
    first: u64,
    durable: u64,
    frames: Vec<(usize, FrameHeader)>,
    bytes: usize,
    end: Cursor,
}

enum Fault {
    /// This many bytes would be needed to say more.
    Needs(usize),
    Bad(Stop),
}

impl Stop {
    fn torn(reason: &'static str) -> Self {
        Self { reason, cause: StopCause::Torn }
    }
}

impl From<FrameFault> for Fault {
    fn from(fault: FrameFault) -> Self {
        Self::Bad(Stop::torn(fault.reason()))
    }
}

fn misplaced(reason: &'static str) -> Fault {
    Fault::Bad(Stop { reason, cause: StopCause::Misplaced })
}

/// Refuses what a newer program may write and this one would misread.
fn check_known(header: FrameHeader) -> Result<(), Fault> {
    let is_known = matches!(header.kind, KIND_GROUP | KIND_EVENT | KIND_CHANGE | KIND_GAP)
        && (header.schema, header.flags, header.key_id) == (BODY_VERSION, 0, 0);
    if is_known {
        return Ok(());
    }
    let reason = "the record is of a kind or layout that this program does not know";
    Err(Fault::Bad(Stop { reason, cause: StopCause::Newer }))
}

/// The frame at the front of `bytes` that opens the group which the cursor says to expect.
fn opening(bytes: &[u8], seed: u32, cursor: Cursor) -> Result<(FrameHeader, GroupMark), Fault> {
    let header = read_frame(bytes, seed)?;
    check_known(header)?;
    if header.kind != KIND_GROUP {
        return Err(misplaced("a record stands where a group begins"));
    }
    if header.sequence != cursor.next {
        return Err(misplaced("the group does not carry on the sequence"));
    }
    if header.previous != cursor.chain {
        return Err(misplaced("the group does not carry on the chain"));
    }
    let body = bytes.get(FRAME_HEADER_BYTES..header.frame_bytes()).unwrap_or_default();
    let mark = GroupMark::read(body).filter(|_| header.frame_bytes() == GROUP_FRAME_BYTES);
    let mark = mark.ok_or(misplaced("the frame of the group has another length"))?;
    if mark.durable >= cursor.next {
        return Err(misplaced("the group was written after a record that follows it was durable"));
    }
    Ok((header, mark))
}

/// The group at the front of `bytes`, which the cursor says what to expect of.
fn group(bytes: &[u8], seed: u32, cursor: Cursor) -> Result<Group, Fault> {
    if FrameHeader::read(bytes).is_some_and(|header| header.kind == KIND_GAP) {
        return gap(bytes, seed, cursor);
    }
    if bytes.len() < GROUP_FRAME_BYTES {
        return Err(Fault::Needs(GROUP_FRAME_BYTES));
    }
    let (header, mark) = opening(bytes, seed, cursor)?;
    let total = GROUP_FRAME_BYTES + mark.bytes as usize;
    let Some(whole) = bytes.get(..total) else { return Err(Fault::Needs(total)) };
    let mut frames = Vec::with_capacity((mark.records as usize).min(total / FRAME_HEADER_BYTES));
    let (mut at, mut next, mut chain) = (GROUP_FRAME_BYTES, cursor.next, header.checksum);
    // Records still to come of the batch that was begun.
    let mut remaining = 0;
    while at < total {
        let header = read_frame(&whole[at..], seed)?;
        check_known(header)?;
        let is_record = !matches!(header.kind, KIND_GROUP | KIND_GAP);
        if !is_record || header.sequence != next || header.previous != chain {
            return Err(misplaced("the record does not carry on sequence and chain"));
        }
        if remaining > 0 && header.remaining != remaining - 1 {
            return Err(misplaced("a batch is not whole"));
        }
        remaining = header.remaining;
        frames.push((at, header));
        at += header.frame_bytes();
        next += 1;
        chain = header.checksum;
    }
    if remaining > 0 {
        return Err(misplaced("a batch is not whole"));
    }
    if frames.len() != mark.records as usize {
        return Err(misplaced("the group has another number of records than it says"));
    }
    let end = Cursor { offset: cursor.offset + total as u64, next, chain };
    Ok(Group { first: cursor.next, durable: mark.durable, frames, bytes: total, end })
}

/// What stands for lost groups at the front of `bytes`.
fn gap(bytes: &[u8], seed: u32, cursor: Cursor) -> Result<Group, Fault> {
    if bytes.len() < GAP_FRAME_BYTES {
        return Err(Fault::Needs(GAP_FRAME_BYTES));
    }
    let header = read_frame(bytes, seed)?;
    check_known(header)?;
    let body = bytes.get(FRAME_HEADER_BYTES..header.frame_bytes()).unwrap_or_default();
    let mark = GapMark::read(body).filter(|mark| mark.lost > 0);
    let (Some(mark), GAP_FRAME_BYTES) = (mark, header.frame_bytes()) else {
        return Err(misplaced("the frame of a gap is not as it should be"));
    };
    if header.sequence != cursor.next || header.previous != cursor.chain {
        return Err(misplaced("the gap does not carry on sequence and chain"));
    }
    let next = cursor.next.checked_add(mark.lost).ok_or(misplaced("the gap has no end"))?;
    let end = Cursor { offset: cursor.offset + GAP_FRAME_BYTES as u64, next, chain: mark.chain };
    let durable = cursor.next - 1;
    Ok(Group { first: cursor.next, durable, frames: Vec::new(), bytes: GAP_FRAME_BYTES, end })
}
