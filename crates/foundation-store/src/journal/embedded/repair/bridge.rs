//! Writing a segment again with a frame in the place of what is lost. The file as it was is kept
//! whole in quarantine before the new one takes its name.

use std::io;

use foundation_types::{Result, StoreId};

use super::super::identity::remove_if_there;
use super::super::segment::{HEADER_BYTES, SegmentHeader, first_of};
use super::super::{disk_failure, index, row};
use super::holes::{Hole, Unusable};
use crate::disk::{Access, Disk, DiskFile, read_full};
use crate::record::frame::GapMark;

const NEW_SEGMENT: &str = "SEGMENT.new";
/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Mends the holes of one segment.
pub(super) fn bridge(
    disk: &dyn Disk,
    store: StoreId,
    holes: &[&Hole],
    quarantine: Option<&str>,
) -> Result<()> {
    let Some(first) = holes.first() else { return Ok(()) };
    let name = first.file.as_str();
    let fail = |cause| disk_failure("mend a segment", name, cause);
    if first.is_whole {
        return fill(disk, store, first).map_err(fail);
    }
    let segment = row::open_segment(disk, name, Access::Read)?;
    let write = || -> io::Result<()> {
        let bytes = segment.file.len()?;
        if let Some(quarantine) = quarantine {
            let kept = disk.open(quarantine, Access::Create)?;
            copy(&*segment.file, 0..bytes, &*kept, 0)?;
            kept.sync()?;
        }
        // Its index speaks of what it was.
        remove_if_there(disk, &index_of(name))?;
        disk.sync_names()?;
        remove_if_there(disk, NEW_SEGMENT)?;
        let file = disk.open(NEW_SEGMENT, Access::Create)?;
        let (mut from, mut to) = (0, 0);
        for hole in holes {
            to = copy(&*segment.file, from..hole.range.start, &*file, to)?;
            to = gap(&*file, to, hole, segment.seed)?;
            from = hole.range.end;
        }
        copy(&*segment.file, from..bytes, &*file, to)?;
        file.sync()?;
        disk.rename(NEW_SEGMENT, name)?;
        disk.sync_names()
    };
    write().map_err(fail)
}

/// Makes a segment that stands for one of which nothing is left.
fn fill(disk: &dyn Disk, store: StoreId, hole: &Hole) -> io::Result<()> {
    let mut seed = crc32c::crc32c(&hole.before.next.to_le_bytes());
    seed = crc32c::crc32c_append(seed, &hole.chain.to_le_bytes());
    let header = SegmentHeader {
        store,
        epoch: hole.epoch,
        first: hole.before.next,
        previous: hole.before.chain,
        salt: seed,
    };
    for Unusable { file, quarantine } in &hole.unusable {
        disk.rename(file, quarantine)?;
        remove_if_there(disk, &index_of(file))?;
    }
    remove_if_there(disk, &index_of(&hole.file))?;
    disk.sync_names()?;
    remove_if_there(disk, NEW_SEGMENT)?;
    let file = disk.open(NEW_SEGMENT, Access::Create)?;
    file.write_at(&header.to_bytes(), 0)?;
    gap(&*file, HEADER_BYTES, hole, header.seed())?;
    file.sync()?;
    disk.rename(NEW_SEGMENT, &hole.file)?;
    disk.sync_names()
}

/// Writes the frame that stands for a hole; gives the offset behind it.
fn gap(file: &dyn DiskFile, offset: u64, hole: &Hole, seed: u32) -> io::Result<u64> {
    if hole.lost == 0 {
        return Ok(offset);
    }
    let mark = GapMark { lost: hole.lost, chain: hole.chain };
    let frame = mark.to_frame(hole.before.next, hole.before.chain, seed);
    file.write_at(&frame, offset)?;
    Ok(offset + frame.len() as u64)
}

/// Copies a range to an offset of another file; gives the offset behind it.
fn copy(
    from: &dyn DiskFile,
    range: std::ops::Range<u64>,
    to: &dyn DiskFile,
    mut offset: u64,
) -> io::Result<u64> {
    let mut at = range.start;
    let mut buffer = vec![0; CHUNK_BYTES];
    while at < range.end {
        let wanted = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..wanted).unwrap_or_default();
        let count = read_full(from, part, at)?;
        if count == 0 {
            break;
        }
        to.write_at(part.get(..count).unwrap_or_default(), offset)?;
        (at, offset) = (at + count as u64, offset + count as u64);
    }
    Ok(offset)
}

fn index_of(segment: &str) -> String {
    first_of(segment).map(index::name_of).unwrap_or_default()
}
