//! The first page of an index: whose it is, what it covers, and where its sections are.

use std::ops::RangeInclusive;

use foundation_types::{ErrorKind, Result, Stamp, StoreId};

use super::super::cause;
use super::super::scan::Cursor;
use super::super::segment::{HEADER_BYTES, SegmentHeader};
use super::Summary;
use super::grain::Grain;
use super::page::{PAGE_BYTES, PAYLOAD_BYTES, Pages, Section};
use crate::record::reader::Reader;

pub(in super::super) const MAGIC: &[u8; 8] = b"FNDINDEX";
/// Bytes that say whose the index is, the last four of them their checksum.
pub(in crate::journal::embedded) const OWNER_BYTES: usize = 64;

const SEALED: u16 = 1;
/// At least one record is covered.
const HAS_RECORDS: u16 = 1 << 1;
/// At least one event has a time.
const HAS_TIMES: u16 = 1 << 2;

/// Where everything is, in the order of the file; each section begins where the one before ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) lists: Section,
    pub(super) names: Section,
    pub(super) terms: Section,
    pub(super) blocks: Section,
    pub(super) times: Section,
    pub(super) directory: Section,
}

impl Sections {
    fn in_order(&self) -> [&Section; 6] {
        [&self.lists, &self.names, &self.terms, &self.blocks, &self.times, &self.directory]
    }

    #[cfg(test)]
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &Section)> {
        let names = ["lists", "names", "terms", "blocks", "times", "directory"];
        names.into_iter().zip(self.in_order())
    }
}

/// All that the first page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) grain: Grain,
    pub(super) summary: Summary,
    pub(super) types: u32,
    pub(super) streams: u32,
    /// Address of the name of the first stream: those of the types come before it.
    pub(super) streams_start: u64,
    pub(super) sections: Sections,
}

impl Header {
    /// The payload of the first page.
    pub(super) fn to_bytes(&self, segment: SegmentHeader) -> Vec<u8> {
        let summary = &self.summary;
        let mut flags = 0;
        let mut mark = |is_so: bool, flag: u16| flags |= if is_so { flag } else { 0 };
        mark(summary.sealed, SEALED);
        mark(summary.last_stamp.is_some(), HAS_RECORDS);
        mark(summary.times.is_some(), HAS_TIMES);
        let stamps = [summary.first_stamp, summary.last_stamp];
        let (earliest, latest) = summary.times.clone().map_or((0, 0), RangeInclusive::into_inner);
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.grain.format().to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&segment.salt.to_le_bytes());
        bytes.extend_from_slice(&segment.store.to_bits().to_le_bytes());
        bytes.extend_from_slice(&segment.epoch.to_le_bytes());
        bytes.extend_from_slice(&segment.first.to_le_bytes());
        bytes.resize(OWNER_BYTES - 4, 0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes.extend_from_slice(&summary.end.offset.to_le_bytes());
        bytes.extend_from_slice(&summary.end.next.to_le_bytes());
        bytes.extend_from_slice(&summary.end.chain.to_le_bytes());
        bytes.extend_from_slice(&u32::from(flags).to_le_bytes());
        for stamp in stamps {
            bytes.extend_from_slice(&stamp.map_or(0, Stamp::to_bits).to_le_bytes());
        }
        bytes.extend_from_slice(&earliest.to_le_bytes());
        bytes.extend_from_slice(&latest.to_le_bytes());
        bytes.extend_from_slice(&summary.unreadable.to_le_bytes());
        bytes.extend_from_slice(&self.types.to_le_bytes());
        bytes.extend_from_slice(&self.streams.to_le_bytes());
        bytes.extend_from_slice(&self.streams_start.to_le_bytes());
        for section in self.sections.in_order() {
            bytes.extend_from_slice(&section.pages.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&section.items.to_le_bytes());
        }
        bytes
    }

    /// Reads and verifies the first page; its checksum becomes the seed of the others.
    pub(super) fn read(pages: &mut Pages, segment: &SegmentHeader) -> Result<Self> {
        let mut page = [0; PAGE_BYTES];
        pages.read_raw(0, &mut page)?;
        let grain = check_owner(pages, &page, segment)?;
        pages.seed = pages.verify(0, &page)?;
        let header = read_fields(Reader(&page[OWNER_BYTES..]), segment.first, grain);
        let header = header.ok_or_else(|| pages.damaged(0, "its parts do not fit together"))?;
        let end = header.sections.directory;
        let length = (u64::from(end.first) + u64::from(end.pages)) * PAGE_BYTES as u64;
        if pages.file_bytes()? != length {
            return Err(pages.damaged(end.first, "the file has another length than it says"));
        }
        Ok(header)
    }
}

/// The grain of an index and the store that it is of, from its first bytes; nothing if they do not say.
pub(in crate::journal::embedded) fn owner(head: &[u8]) -> Option<(Grain, StoreId)> {
    let (owner, sum) = head.get(..OWNER_BYTES)?.split_at(OWNER_BYTES - 4);
    let mut reader = Reader(owner);
    let is_whole =
        reader.array::<8>().as_ref() == Some(MAGIC) && sum == crc32c::crc32c(owner).to_le_bytes();
    let grain = Grain::of_format(reader.u16()?).filter(|_| is_whole)?;
    let store = Reader(owner.get(16..)?).array()?;
    Some((grain, StoreId::from_bits(u128::from_le_bytes(store))))
}

/// Refuses an index of something else before it can be told as damage; gives the grain of this one.
fn check_owner(pages: &Pages, page: &[u8; PAGE_BYTES], segment: &SegmentHeader) -> Result<Grain> {
    let mut reader = Reader(page);
    if reader.array::<8>().as_ref() != Some(MAGIC) {
        return Err(pages.damaged(0, "it does not begin with its mark"));
    }
    let format = reader.u16().unwrap_or_default();
    let grain = Grain::of_format(format).ok_or_else(|| {
        let message =
            format!("the index of a segment has format {format}, this program knows 2, 3");
        pages.error(ErrorKind::UnknownFormat, message)
    })?;
    let (owner, sum) = page[..OWNER_BYTES].split_at(OWNER_BYTES - 4);
    if sum != crc32c::crc32c(owner).to_le_bytes() {
        return Err(pages.damaged(0, "the checksum of its header does not match"));
    }
    let read = || {
        let mut reader = Reader(owner.get(12..)?);
        let salt = reader.u32()?;
        let store = StoreId::from_bits(u128::from_le_bytes(reader.array()?));
        Some((store, reader.u64()?, reader.u64()?, salt))
    };
    if let Some((theirs, ..)) = read()
        && theirs != segment.store
    {
        return Err(cause::foreign("an index", theirs).with("file", &pages.name));
    }
    if read() != Some((segment.store, segment.epoch, segment.first, segment.salt)) {
        let message = "an index belongs to another segment than the one beside it".to_owned();
        return Err(pages.error(ErrorKind::ForeignFile, message));
    }
    Ok(grain)
}

fn read_fields(mut reader: Reader<'_>, first: u64, grain: Grain) -> Option<Header> {
    let reader = &mut reader;
    let end = Cursor { offset: reader.u64()?, next: reader.u64()?, chain: reader.u32()? };
    let flags = reader.u32()?;
    let has = |flag: u16| flags & u32::from(flag) != 0;
    let (first_stamp, last_stamp) =
        (Stamp::from_bits(reader.u64()?), Stamp::from_bits(reader.u64()?));
    let earliest = i64::from_le_bytes(reader.array()?);
    let latest = i64::from_le_bytes(reader.array()?);
    let unreadable = reader.u64()?;
    let (types, streams, streams_start) = (reader.u32()?, reader.u32()?, reader.u64()?);
    let records = end.next.checked_sub(first)?;
    let sections = read_sections(reader)?;
    let fits = records <= u64::from(u32::MAX)
        && unreadable <= records
        && end.offset >= HEADER_BYTES
        && end.offset <= u64::from(u32::MAX)
        // All of them may be lost to damage.
        && (records > 0 || !has(HAS_RECORDS))
        && streams_start <= sections.names.items;
    let summary = Summary {
        first,
        end,
        sealed: has(SEALED),
        records,
        unreadable,
        first_stamp: has(HAS_RECORDS).then_some(first_stamp),
        last_stamp: has(HAS_RECORDS).then_some(last_stamp),
        times: has(HAS_TIMES).then_some(earliest..=latest),
    };
    fits.then_some(Header { grain, summary, types, streams, streams_start, sections })
}

fn read_sections(reader: &mut Reader<'_>) -> Option<Sections> {
    let mut first = 1;
    let mut section = || {
        let pages = reader.u32()?;
        reader.u32()?;
        let read = Section { first, pages, items: reader.u64()? };
        first = first.checked_add(pages)?;
        // An entry takes a byte at least.
        let bytes = u64::from(pages) * PAYLOAD_BYTES as u64;
        (read.items <= bytes).then_some(read)
    };
    Some(Sections {
        lists: section()?,
        names: section()?,
        terms: section()?,
        blocks: section()?,
        times: section()?,
        directory: section()?,
    })
}
