//! The file of one archived segment: blocks of whole frames, each compressed and verified by itself.
//!
//! All checksums but that of the header start from that one, which covers a hash of the content: so
//! a block or a table that comes from another place or file does not verify.

use std::ops::Range;

use foundation_types::{Error, ErrorKind, Result, Stamp, limits};
use sha2::{Digest, Sha256};

use super::super::index::Summary;
use super::super::segment::{HEADER_BYTES as SEGMENT_HEADER_BYTES, SegmentHeader};
use super::columns::{Start, chain_after};
use super::packed;
use crate::record::frame::FRAME_HEADER_BYTES;
use crate::record::reader::Reader;

const MAGIC: &[u8; 8] = b"FNDARCHV";
/// The first had the header of the segment in the first block, and no columns.
const FORMAT: u16 = 2;
/// The columns of blocks are compressed by zstd.
const ZSTD: u16 = 1;
/// Bytes of the fixed part.
pub(super) const HEADER_BYTES: usize = 160;
/// Bytes of an entry of the table.
const ENTRY_BYTES: usize = 36;
const SUM_BYTES: usize = 4;

/// The fixed part of an archive file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The first bytes of the segment.
    pub(super) segment: SegmentHeader,
    /// Sequence number of the last record.
    pub(super) last: u64,
    /// Records in it.
    pub(super) records: u64,
    /// Stamps of the first and the last of them.
    pub(super) stamps: Option<[Stamp; 2]>,
    /// Bytes of the segment.
    pub(super) raw_bytes: u64,
    /// SHA-256 of them.
    pub(super) hash: [u8; 32],
    blocks: u32,
    sum: u32,
}

/// One block, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Sequence number that the first frame of it has.
    pub(super) first: u64,
    /// Offset in the segment.
    pub(super) raw_offset: u32,
    pub(super) raw_length: u32,
    /// Checksum of these bytes.
    raw_sum: u32,
    /// Checksum of the frame before them.
    chain: u32,
    /// Offset in the archive file.
    offset: u32,
    length: u32,
    sum: u32,
}

/// Where all blocks of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: Header,
    pub(super) blocks: Vec<Block>,
}

/// A segment as an archive file. Its frames are proven.
///
/// # Errors
/// `TooLarge` if it is larger than a segment that can be archived.
pub(super) fn pack(segment: SegmentHeader, summary: &Summary, raw: &[u8]) -> Result<Vec<u8>> {
    if raw.len() > limits::ARCHIVE_SEGMENT_BYTES_MAX {
        let most = limits::ARCHIVE_SEGMENT_BYTES_MAX;
        let message = format!("a segment of {} bytes is not archived, {most} are", raw.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let cuts = cuts(raw, segment.first);
    let mut header = Header::of(segment, summary, raw, cuts.len() as u32);
    let head = header.to_bytes();
    header.sum = sum_of(&head);
    let mut at = HEADER_BYTES + cuts.len() * ENTRY_BYTES + SUM_BYTES;
    let (mut table, mut bodies) = (Vec::new(), Vec::new());
    let mut start = Start { seed: segment.seed(), chain: segment.previous };
    for (number, (range, first)) in cuts.into_iter().enumerate() {
        let part = raw.get(range.clone()).unwrap_or_default();
        let body = packed::pack(part, start)?;
        table.extend_from_slice(&first.to_le_bytes());
        let [raw_sum, sum] = [part, &body].map(|of| block_sum(header.sum, number as u32, of));
        let (raw_offset, raw_length) = (range.start as u32, range.len() as u32);
        let places = [raw_offset, raw_length, raw_sum, start.chain, at as u32, body.len() as u32];
        for number in places.into_iter().chain([sum]) {
            table.extend_from_slice(&number.to_le_bytes());
        }
        at += body.len();
        bodies.extend_from_slice(&body);
        start.chain = chain_after(part, start.chain).unwrap_or_default();
    }
    let sum = crc32c::crc32c_append(header.sum, &table);
    Ok([&head[..], &table, &sum.to_le_bytes(), &bodies].concat())
}

/// Where the blocks of a segment are, and the first sequence number in each. Every one but the last
/// ends with the first frame that makes it large enough.
fn cuts(raw: &[u8], first: u64) -> Vec<(Range<usize>, u64)> {
    let mut at = SEGMENT_HEADER_BYTES as usize;
    let (mut cuts, mut start, mut start_first) = (Vec::new(), at, first);
    while let Some((length, sequence)) = frame_at(raw, at) {
        if at - start >= limits::ARCHIVE_BLOCK_BYTES {
            cuts.push((start..at, start_first));
            (start, start_first) = (at, sequence);
        }
        at += length;
    }
    if raw.len() > start {
        cuts.push((start..raw.len(), start_first));
    }
    cuts
}

/// Length and sequence number of the frame at an offset.
fn frame_at(raw: &[u8], at: usize) -> Option<(usize, u64)> {
    let mut reader = Reader(raw.get(at..)?);
    let length = reader.u32()? as usize;
    reader.u32()?;
    let sequence = reader.u64()?;
    let whole = length.checked_add(FRAME_HEADER_BYTES)?;
    (at.checked_add(whole)? <= raw.len()).then_some((whole, sequence))
}

fn sum_of(head: &[u8; HEADER_BYTES]) -> u32 {
    crc32c::crc32c(&head[..HEADER_BYTES - SUM_BYTES])
}

fn block_sum(header: u32, number: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(header, &number.to_le_bytes()), body)
}

impl Header {
    fn of(segment: SegmentHeader, summary: &Summary, raw: &[u8], blocks: u32) -> Self {
        Self {
            segment,
            last: summary.last(),
            records: summary.records,
            stamps: summary.first_stamp.zip(summary.last_stamp).map(|(one, other)| [one, other]),
            raw_bytes: raw.len() as u64,
            hash: Sha256::digest(raw).into(),
            blocks,
            sum: 0,
        }
    }

    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let [first, last] = self.stamps.map_or([0; 2], |stamps| stamps.map(Stamp::to_bits));
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[10..12].copy_from_slice(&ZSTD.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.blocks.to_le_bytes());
        bytes[16..80].copy_from_slice(&self.segment.to_bytes());
        bytes[80..88].copy_from_slice(&self.last.to_le_bytes());
        bytes[88..96].copy_from_slice(&self.records.to_le_bytes());
        bytes[96..104].copy_from_slice(&first.to_le_bytes());
        bytes[104..112].copy_from_slice(&last.to_le_bytes());
        bytes[112..120].copy_from_slice(&self.raw_bytes.to_le_bytes());
        bytes[120..152].copy_from_slice(&self.hash);
        let sum = sum_of(&bytes);
        bytes[HEADER_BYTES - SUM_BYTES..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads and verifies the fixed part.
    pub(super) fn read(bytes: &[u8], file: &str) -> Result<Self> {
        let damaged = |what| damaged(file, 0..HEADER_BYTES as u64, what);
        let mut reader = Reader(bytes);
        if reader.array::<8>().as_ref() != Some(MAGIC) {
            return Err(damaged("it does not begin with its mark"));
        }
        let (format, codec) = (reader.u16(), reader.u16());
        let whole: &[u8; HEADER_BYTES] =
            bytes.first_chunk().ok_or_else(|| damaged("it is cut short"))?;
        let sum = sum_of(whole);
        if whole[HEADER_BYTES - SUM_BYTES..] != sum.to_le_bytes() {
            return Err(damaged("the checksum of its header does not match"));
        }
        if format != Some(FORMAT) || codec != Some(ZSTD) {
            let format = format.unwrap_or_default();
            let message =
                format!("an archived segment has format {format}, this program knows {FORMAT}");
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", file));
        }
        let segment = SegmentHeader::read(whole.get(16..80).unwrap_or_default(), file)?;
        let header = Self::read_fields(reader, segment, sum);
        let header = header.ok_or_else(|| damaged("its parts do not fit together"))?;
        let numbers =
            segment.first.checked_sub(1).and_then(|before| header.last.checked_sub(before));
        let fits = (SEGMENT_HEADER_BYTES..=limits::ARCHIVE_SEGMENT_BYTES_MAX as u64)
            .contains(&header.raw_bytes)
            && u64::from(header.blocks) <= header.raw_bytes
            && numbers.is_some_and(|numbers| header.records <= numbers);
        if fits { Ok(header) } else { Err(damaged("its parts do not fit together")) }
    }

    fn read_fields(mut reader: Reader<'_>, segment: SegmentHeader, sum: u32) -> Option<Self> {
        let blocks = reader.u32()?;
        reader.bytes(SEGMENT_HEADER_BYTES as usize)?;
        let (last, records) = (reader.u64()?, reader.u64()?);
        let stamps = [reader.u64()?, reader.u64()?];
        let stamps = (stamps != [0; 2]).then(|| stamps.map(Stamp::from_bits));
        let (raw_bytes, hash) = (reader.u64()?, reader.array()?);
        Some(Self { segment, last, records, stamps, raw_bytes, hash, blocks, sum })
    }

    /// Where the table stands behind the header.
    pub(super) fn table_range(&self) -> Range<u64> {
        let start = HEADER_BYTES as u64;
        start..start + u64::from(self.blocks) * ENTRY_BYTES as u64 + SUM_BYTES as u64
    }
}

impl Table {
    /// Reads and verifies the table that stands behind a header.
    pub(super) fn read(header: Header, bytes: &[u8], file: &str) -> Result<Self> {
        let range = header.table_range();
        let damaged = |what| damaged(file, range.clone(), what);
        let (entries, sum) =
            bytes.split_last_chunk::<4>().ok_or_else(|| damaged("its table is cut short"))?;
        let is_whole = bytes.len() as u64 == range.end - range.start;
        if !is_whole || crc32c::crc32c_append(header.sum, entries).to_le_bytes() != *sum {
            return Err(damaged("the checksum of its table does not match"));
        }
        let mut reader = Reader(entries);
        let mut blocks = Vec::new();
        let (mut raw_next, mut next) = (SEGMENT_HEADER_BYTES, range.end);
        while !reader.0.is_empty() {
            let block = read_entry(&mut reader).ok_or_else(|| damaged("its table is cut short"))?;
            let follows = u64::from(block.raw_offset) == raw_next
                && u64::from(block.offset) == next
                && block.raw_length > 0;
            if !follows {
                return Err(damaged("its blocks do not follow each other"));
            }
            raw_next += u64::from(block.raw_length);
            next += u64::from(block.length);
            blocks.push(block);
        }
        if raw_next != header.raw_bytes {
            return Err(damaged("its blocks are not the whole segment"));
        }
        Ok(Self { header, blocks })
    }

    /// Bytes of the file.
    pub(super) fn file_bytes(&self) -> u64 {
        let last = self.blocks.last().map(|block| block.range().end);
        last.unwrap_or(self.header.table_range().end)
    }

    /// The number of the block that has a byte of the segment, behind its header.
    pub(super) fn holding(&self, raw_offset: u64) -> Option<usize> {
        if raw_offset >= self.header.raw_bytes {
            return None;
        }
        let after = self.blocks.partition_point(|one| u64::from(one.raw_offset) <= raw_offset);
        after.checked_sub(1)
    }

    /// Verifies and decompresses a block.
    pub(super) fn unpack(&self, number: usize, body: &[u8], file: &str) -> Result<Vec<u8>> {
        let block = self.blocks.get(number).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("there is no block {number} in {file}"))
        })?;
        let damaged = |what| damaged(file, block.range(), what);
        if body.len() as u64 != u64::from(block.length) {
            return Err(damaged("a block is cut short"));
        }
        if block_sum(self.header.sum, number as u32, body) != block.sum {
            return Err(damaged("the checksum of a block does not match"));
        }
        let start = Start { seed: self.header.segment.seed(), chain: block.chain };
        let raw = packed::unpack(body, start, block.raw_length as usize)
            .ok_or_else(|| damaged("a block cannot be decompressed"))?;
        if block_sum(self.header.sum, number as u32, &raw) != block.raw_sum {
            return Err(damaged("a block is not what it was made of"));
        }
        Ok(raw)
    }
}

impl Block {
    /// Where it is in the archive file.
    pub(super) fn range(&self) -> Range<u64> {
        u64::from(self.offset)..u64::from(self.offset) + u64::from(self.length)
    }
}

fn read_entry(reader: &mut Reader<'_>) -> Option<Block> {
    let first = reader.u64()?;
    let (raw_offset, raw_length) = (reader.u32()?, reader.u32()?);
    let (raw_sum, chain) = (reader.u32()?, reader.u32()?);
    let (offset, length, sum) = (reader.u32()?, reader.u32()?, reader.u32()?);
    Some(Block { first, raw_offset, raw_length, raw_sum, chain, offset, length, sum })
}

pub(super) fn damaged(file: &str, range: Range<u64>, what: &str) -> Error {
    let message = format!("an archived segment is damaged: {what}");
    Error::new(ErrorKind::Corruption, message)
        .with("file", file)
        .with("offset", range.start)
        .with("range", format!("{}..{}", range.start, range.end))
}
