//! Making indices of segments, and asking them: an index that turns out damaged is made anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_types::error::Category;
use foundation_types::{Error, ErrorKind, Result};

use super::disk_failure;
use super::identity::remove_if_there;
use super::index::{Grain, IndexBuilder, SegmentIndex, Term, name_of};
use super::scan::{Cursor, Groups};
use super::segment::{HEADER_BYTES, Segment};
use crate::disk::{Access, Disk, DiskFile, Pool};

const NEW_FILE: &str = "INDEX.new";

/// Asks the index of a segment if the segment can have the term; `None` if it cannot, or is not
/// indexed.
pub(super) fn indexed<T>(
    segment: &Segment,
    term: Term<'_>,
    ask: impl Fn(&SegmentIndex) -> Result<T>,
) -> Result<Option<T>> {
    match segment.index.load_full() {
        Some(index) if index.may_hold(term) => asked(segment, &index, ask).map(Some),
        _ => Ok(None),
    }
}

/// Asks an index; one that is damaged is built again, in memory, from its segment.
pub(super) fn asked<T>(
    segment: &Segment,
    index: &Arc<SegmentIndex>,
    ask: impl Fn(&SegmentIndex) -> Result<T>,
) -> Result<T> {
    match ask(index) {
        Err(error) if error.kind().row().category == Category::Corruption => {
            let summary = index.summary();
            let bytes = build(segment, summary.end.offset, summary.sealed, index.grain())?;
            let again = Arc::new(SegmentIndex::open(
                Box::new(Held(bytes)),
                name_of(segment.header.first),
                &segment.header,
            )?);
            // Unless another one took its place meanwhile.
            segment.index.compare_and_swap(&Some(Arc::clone(index)), Some(Arc::clone(&again)));
            ask(&again)
        }
        answer => answer,
    }
}

/// Reads a segment up to `end`, the end of a group, and gives the bytes of its index.
///
/// # Errors
/// `Corruption` where the segment is not what was written.
pub(super) fn build(segment: &Segment, end: u64, sealed: bool, grain: Grain) -> Result<Vec<u8>> {
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let header = segment.header;
    let mut builder = IndexBuilder::new(header, grain);
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::up_to(&*segment.file, segment.seed, start, end).map_err(fail)?;
    while groups.cursor().offset < end {
        let read = groups.next().map_err(fail)?.map_err(|stop| {
            let message = format!("a stored record is damaged: {}", stop.reason);
            Error::new(ErrorKind::Corruption, message)
                .with("file", &segment.name)
                .with("offset", groups.cursor().offset)
        })?;
        let mut gaps = read.gaps.iter().peekable();
        for (record, offset) in read.records.iter().zip(&read.offsets) {
            while let Some(gap) = gaps.next_if(|gap| gap.offset < *offset) {
                builder.pass_over(gap.numbers.end);
            }
            builder.add(record, *offset)?;
        }
        gaps.for_each(|gap| builder.pass_over(gap.numbers.end));
    }
    Ok(builder.finish(groups.cursor(), sealed))
}

/// Builds the index of a segment to which nothing is added any more, and puts it beside the log.
pub(super) fn write(
    disk: &dyn Disk,
    pool: &Arc<Pool>,
    segment: &Segment,
    grain: Grain,
) -> Result<()> {
    let end = segment.end.load(Ordering::Acquire);
    put(disk, pool, segment, &build(segment, end, true, grain)?)
}

/// Builds the index of what a segment has up to `end`, the end of a group, and puts it beside the
/// log.
pub(super) fn write_up_to(
    disk: &dyn Disk,
    pool: &Arc<Pool>,
    segment: &Segment,
    end: u64,
) -> Result<()> {
    put(disk, pool, segment, &build(segment, end, false, Grain::Frames)?)
}

fn put(disk: &dyn Disk, pool: &Arc<Pool>, segment: &Segment, bytes: &[u8]) -> Result<()> {
    let name = name_of(segment.header.first);
    let write = || -> io::Result<()> {
        remove_if_there(disk, NEW_FILE)?;
        let file = disk.open(NEW_FILE, Access::Create)?;
        file.write_at(bytes, 0)?;
        file.sync()?;
        disk.rename(NEW_FILE, &name)?;
        disk.sync_names()
    };
    write().map_err(|cause| disk_failure("write an index", &name, cause))?;
    segment.index.store(Some(Arc::new(open(pool, segment)?)));
    Ok(())
}

/// The index of a segment that lies beside the log.
pub(super) fn open(pool: &Arc<Pool>, segment: &Segment) -> Result<SegmentIndex> {
    let name = name_of(segment.header.first);
    SegmentIndex::open(pool.file(&name), name, &segment.header)
}

/// An index that is only in memory.
pub(super) struct Held(pub(super) Vec<u8>);

impl DiskFile for Held {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let rest = self.0.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        let (to, from) = (buffer.get_mut(..count), rest.get(..count));
        if let (Some(to), Some(from)) = (to, from) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}
