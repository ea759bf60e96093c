//! Where a log ends that is to end at an earlier record: behind the last whole batch up to there.

use foundation_types::{Error, ErrorKind, Result};

use super::super::disk_failure;
use super::super::group::seal_group;
use super::super::scan::{Begun, Cursor, Groups};
use super::super::segment::{HEADER_BYTES, Segment};
use crate::disk::read_full;
use crate::record::frame::{FrameHeader, GROUP_FRAME_BYTES};

/// What is kept of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Bytes at its beginning that are kept as they are.
    pub(super) whole: u64,
    /// The batches that are kept of the next group, as a group of their own.
    pub(super) part: Vec<u8>,
    /// Behind both.
    pub(super) end: Cursor,
}

/// Cuts a segment behind the last batch that ends with the record `last` or before it.
///
/// # Errors
/// `Corruption` where the segment is not what was written, `Disk` if it cannot be read.
pub(super) fn cut(segment: &Segment, last: u64) -> Result<Cut> {
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let header = segment.header;
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::new(&*segment.file, segment.seed, start).map_err(fail)?;
    loop {
        let before = groups.cursor();
        let Ok(read) = groups.next().map_err(fail)? else {
            // All of it was proven, so this is its end.
            return Ok(Cut { whole: before.offset, part: Vec::new(), end: before });
        };
        let after = groups.cursor();
        if after.next - 1 <= last {
            continue;
        }
        let nexts = read.groups.iter().skip(1).map(|group| group.first).chain([after.next]);
        let is_cut = |(_, next): &(&Begun, u64)| next - 1 > last;
        let ends = read.groups.iter().skip(1).map(|group| group.offset).chain([after.offset]);
        let found = read.groups.iter().zip(nexts).zip(ends).find(|(group, _)| is_cut(group));
        let Some(((group, _), end)) = found else {
            return Ok(Cut { whole: after.offset, part: Vec::new(), end: after });
        };
        let mut bytes = vec![0; usize::try_from(end - group.offset).unwrap_or(usize::MAX)];
        let count = read_full(&*segment.file, &mut bytes, group.offset).map_err(fail)?;
        bytes.truncate(count);
        return part_of(segment, *group, bytes, last);
    }
}

/// The first batches of a group, sealed as a group.
fn part_of(segment: &Segment, group: Begun, mut bytes: Vec<u8>, last: u64) -> Result<Cut> {
    let chain = FrameHeader::read(&bytes).map(|own| own.previous).ok_or_else(|| {
        Error::new(ErrorKind::Corruption, "a stored group is damaged: it is cut short")
            .with("file", &segment.name)
            .with("offset", group.offset)
    })?;
    let (mut at, mut kept, mut next, mut records) = (GROUP_FRAME_BYTES, 0, group.first, 0);
    while let Some(header) = bytes.get(at..).and_then(FrameHeader::read) {
        if header.sequence > last {
            break;
        }
        at += header.frame_bytes();
        if header.remaining == 0 {
            (kept, next) = (at, header.sequence + 1);
            records = u32::try_from(next - group.first).unwrap_or(u32::MAX);
        }
    }
    bytes.truncate(kept);
    let mut end = Cursor { offset: group.offset + kept as u64, next, chain };
    if kept > 0 {
        end.chain =
            seal_group(&mut bytes, records, group.first, group.durable, chain, segment.seed);
    }
    Ok(Cut { whole: group.offset, part: bytes, end })
}
