//! An archived segment, read as if it were a file: one block at a time, each verified, the ones that
//! were read last kept.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use foundation_types::{Error, ErrorKind, Result, limits};
use sha2::{Digest, Sha256};

use super::super::backup::hex;
use super::super::segment::{self, HEADER_BYTES as SEGMENT_HEADER_BYTES};
use super::container::{HEADER_BYTES, Header, Table, damaged};
use super::manifest::ArchivedSegment;
use super::store::ArchiveStore;
use crate::disk::{Access, Disk, DiskFile};

/// Bytes that are read of a file before it is known how long its table is.
const FIRST_READ_BYTES: u64 = 8 * 1024;

/// The blocks that were read last, of all files of one archive.
#[derive(Default)]
pub(super) struct BlockCache(Mutex<VecDeque<Kept>>);

struct Kept {
    /// The segment's first record, and the number of the block.
    key: (u64, usize),
    bytes: Arc<Vec<u8>>,
}

impl BlockCache {
    fn get(&self, key: (u64, usize)) -> Option<Arc<Vec<u8>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|one| one.key == key)?;
        let found = kept.remove(at)?;
        let bytes = Arc::clone(&found.bytes);
        kept.push_back(found);
        Some(bytes)
    }

    fn keep(&self, key: (u64, usize), bytes: &Arc<Vec<u8>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.key != key);
        kept.push_back(Kept { key, bytes: Arc::clone(bytes) });
        let mut total: usize = kept.iter().map(|one| one.bytes.len()).sum();
        while total > limits::ARCHIVE_CACHE_BYTES && kept.len() > 1 {
            total -= kept.pop_front().map_or(0, |one| one.bytes.len());
        }
    }

    /// Forgets the blocks of a segment.
    pub(super) fn forget(&self, first: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.key.0 != first);
    }
}

/// Reads and verifies the header and the table of an archive file.
pub(super) fn table_of(store: &dyn ArchiveStore, segment: &ArchivedSegment) -> Result<Table> {
    let name = &segment.name;
    let begun = store.get_range(name, 0..FIRST_READ_BYTES)?;
    let header = Header::read(&begun, name)?;
    if header.segment.first != segment.first
        || header.raw_bytes != segment.bytes
        || hex(&header.hash) != segment.sha256
    {
        let what = "it is another segment than the manifest says";
        return Err(damaged(name, 0..HEADER_BYTES as u64, what));
    }
    table_behind(store, header, &begun, name)
}

/// Reads and verifies the table behind a header, of which the first bytes of the file were read.
pub(super) fn table_behind(
    store: &dyn ArchiveStore,
    header: Header,
    begun: &[u8],
    name: &str,
) -> Result<Table> {
    let range = header.table_range();
    let there = begun.get(HEADER_BYTES..usize::try_from(range.end).unwrap_or(usize::MAX));
    let table = match there {
        Some(bytes) => Table::read(header, bytes, name)?,
        None => Table::read(header, &store.get_range(name, range)?, name)?,
    };
    Ok(table)
}

/// An archived segment that is open.
pub(super) struct ArchivedFile {
    /// The store, to which it may be brought back meanwhile.
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store: Arc<dyn ArchiveStore>,
    pub(super) cache: Arc<BlockCache>,
    pub(super) segment: ArchivedSegment,
    pub(super) header: [u8; SEGMENT_HEADER_BYTES as usize],
    /// Read when the first block is.
    pub(super) table: OnceLock<Table>,
}

impl ArchivedFile {
    fn table(&self) -> Result<&Table> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = table_of(&*self.store, &self.segment)?;
        Ok(self.table.get_or_init(|| table))
    }

    fn block(&self, table: &Table, number: usize) -> Result<Arc<Vec<u8>>> {
        let key = (self.segment.first, number);
        if let Some(kept) = self.cache.get(key) {
            return Ok(kept);
        }
        let name = &self.segment.name;
        let range = table.blocks.get(number).map(|block| block.range()).unwrap_or_default();
        let body = self.store.get_range(name, range)?;
        let bytes = Arc::new(table.unpack(number, &body, name)?);
        self.cache.keep(key, &bytes);
        Ok(bytes)
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        if offset < SEGMENT_HEADER_BYTES {
            // Known without the archive, so that a store opens where that is missing.
            return Ok(copy(&self.header, offset, buffer));
        }
        let table = self.table()?;
        let Some(number) = table.holding(offset) else { return Ok(0) };
        let bytes = self.block(table, number)?;
        let start = table.blocks.get(number).map_or(0, |block| u64::from(block.raw_offset));
        Ok(copy(&bytes, offset - start, buffer))
    }
}

/// Copies as much as there is from an offset on.
fn copy(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let from = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
    let from = from.unwrap_or_default();
    let count = from.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

/// An error of ours on its way through a call of a disk.
pub(super) fn as_io(error: Error) -> io::Error {
    io::Error::other(error)
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "an archived segment is only read")
}

impl DiskFile for ArchivedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.read(buffer, offset) {
            Err(error) if error.kind() == ErrorKind::ArchiveMissing => {
                match self.disk.open(&segment::name_of(self.segment.first), Access::Read) {
                    Ok(live) => live.read_at(buffer, offset),
                    Err(_) => Err(as_io(error)),
                }
            }
            read => read.map_err(as_io),
        }
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn sync(&self) -> io::Result<()> {
        Err(read_only())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.segment.bytes)
    }
}

/// The whole of an archived segment, verified to the last byte.
///
/// # Errors
/// `Corruption`, `ArchiveMissing`, or what the archive says if it cannot be read.
pub(super) fn whole(store: &dyn ArchiveStore, segment: &ArchivedSegment) -> Result<Vec<u8>> {
    let table = table_of(store, segment)?;
    let name = &segment.name;
    let mut raw = Vec::with_capacity(usize::try_from(segment.bytes).unwrap_or_default());
    raw.extend_from_slice(&table.header.segment.to_bytes());
    for (number, block) in table.blocks.iter().enumerate() {
        raw.extend_from_slice(&table.unpack(
            number,
            &store.get_range(name, block.range())?,
            name,
        )?);
    }
    if Sha256::digest(&raw)[..] != table.header.hash {
        let what = "it has another hash than it says";
        return Err(damaged(name, 0..table.file_bytes(), what));
    }
    Ok(raw)
}
