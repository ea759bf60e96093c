//! The table of blocks: about every 4 KiB of the segment, or 16 if it is archived, where a frame begins, and between which
//! times the events from there to the next block lie.

use std::ops::{Range, RangeInclusive};

use foundation_types::Result;

use super::page::{PAYLOAD_BYTES, Reading, Section, add_page};
use crate::record::reader::Reader;

const ENTRY_BYTES: usize = 24;
const ENTRIES_PER_PAGE: u64 = (PAYLOAD_BYTES / ENTRY_BYTES) as u64;

/// A block of frames; or a page of them, of which the same is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Number of its first record, counted from the first of the segment.
    pub(super) record: u32,
    /// Offset of the frame of that record.
    pub(super) offset: u32,
    /// The earliest and the latest time in it; the wrong way round if no event in it has one.
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

impl Block {
    pub(super) fn new(record: u32, offset: u32) -> Self {
        Self { record, offset, earliest: i64::MAX, latest: i64::MIN }
    }

    pub(super) fn include(&mut self, time: i64) {
        self.earliest = self.earliest.min(time);
        self.latest = self.latest.max(time);
    }

    pub(super) fn overlaps(&self, times: &RangeInclusive<i64>) -> bool {
        self.earliest <= self.latest
            && self.earliest <= *times.end()
            && self.latest >= *times.start()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.earliest.to_le_bytes());
        out.extend_from_slice(&self.latest.to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (record, offset) = (reader.u32()?, reader.u32()?);
        let earliest = i64::from_le_bytes(reader.array()?);
        let latest = i64::from_le_bytes(reader.array()?);
        Some(Self { record, offset, earliest, latest })
    }
}

/// Adds the pages of a table; gives what each page is about.
pub(super) fn add_table(file: &mut Vec<u8>, blocks: &[Block]) -> Vec<Block> {
    let mut pages = Vec::new();
    for page in blocks.chunks(ENTRIES_PER_PAGE as usize) {
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
        page.iter().for_each(|block| block.write(&mut bytes));
        add_page(file, &bytes);
        if let Some(mut whole) = page.first().copied() {
            whole.earliest = page.iter().map(|block| block.earliest).min().unwrap_or(i64::MAX);
            whole.latest = page.iter().map(|block| block.latest).max().unwrap_or(i64::MIN);
            pages.push(whole);
        }
    }
    pages
}

/// The table in an open index.
#[derive(Clone, Copy)]
pub(super) struct BlockTable<'a> {
    pub(super) section: &'a Section,
    /// What each page is about.
    pub(super) pages: &'a [Block],
    /// After the last frame.
    pub(super) end: u64,
}

impl BlockTable<'_> {
    /// The block with this number.
    pub(super) fn get(&self, reading: &mut Reading<'_>, at: u64) -> Result<Block> {
        let page = u32::try_from(at / ENTRIES_PER_PAGE).unwrap_or(u32::MAX);
        let start = (at % ENTRIES_PER_PAGE) as usize * ENTRY_BYTES;
        let bytes = reading.page(self.section, page)?.get(start..).unwrap_or_default();
        let block = Block::read(&mut Reader(bytes));
        block.ok_or_else(|| reading.damaged(self.section, page, "a block is cut short"))
    }

    /// How many blocks come before the first one for which `is_before` does not hold.
    pub(super) fn before(
        &self,
        reading: &mut Reading<'_>,
        is_before: impl Fn(&Block) -> bool,
    ) -> Result<u64> {
        let Some(page) = self.pages.partition_point(&is_before).checked_sub(1) else {
            return Ok(0);
        };
        let mut low = page as u64 * ENTRIES_PER_PAGE;
        let mut high = (low + ENTRIES_PER_PAGE).min(self.section.items);
        while low < high {
            let middle = low.midpoint(high);
            if is_before(&self.get(reading, middle)?) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The blocks with frames in a window of offsets.
    pub(super) fn within(
        &self,
        reading: &mut Reading<'_>,
        window: &Range<u64>,
    ) -> Result<Range<u64>> {
        let start = self.before(reading, |block| u64::from(block.offset) <= window.start)?;
        let end = self.before(reading, |block| u64::from(block.offset) < window.end)?;
        Ok(start.saturating_sub(1)..end)
    }

    /// Number of the first record of a block; after the last one, the number of all records.
    pub(super) fn record(&self, reading: &mut Reading<'_>, at: u64, records: u64) -> Result<u64> {
        if at >= self.section.items {
            return Ok(records);
        }
        Ok(self.get(reading, at)?.record.into())
    }

    /// The frames of a block.
    pub(super) fn stretch(&self, reading: &mut Reading<'_>, at: u64) -> Result<Range<u64>> {
        let start = self.get(reading, at)?.offset.into();
        let next = at.saturating_add(1);
        let end = match next < self.section.items {
            true => self.get(reading, next)?.offset.into(),
            false => self.end,
        };
        Ok(start..end)
    }

    /// The frames of the block that a posting names.
    pub(super) fn numbered(&self, reading: &mut Reading<'_>, number: u32) -> Result<Range<u64>> {
        let at = u64::from(number).wrapping_sub(1);
        if at >= self.section.items {
            return Err(reading.damaged(
                self.section,
                0,
                "a posting names a block that is not there",
            ));
        }
        self.stretch(reading, at)
    }

    /// Takes the first block of `range` that has such times, and those before it.
    pub(super) fn next(
        &self,
        reading: &mut Reading<'_>,
        range: &mut Range<u64>,
        times: Option<&RangeInclusive<i64>>,
    ) -> Result<Option<u64>> {
        while let Some(at) = range.clone().next() {
            let page = at / ENTRIES_PER_PAGE;
            if self.is_elsewhere(page, times) {
                range.start = range.end.min((page + 1) * ENTRIES_PER_PAGE);
                continue;
            }
            range.start = at + 1;
            if self.has_times(reading, at, times)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Takes the last block of `range` that has such times, and those behind it.
    pub(super) fn next_back(
        &self,
        reading: &mut Reading<'_>,
        range: &mut Range<u64>,
        times: Option<&RangeInclusive<i64>>,
    ) -> Result<Option<u64>> {
        while let Some(at) = range.clone().next_back() {
            let page = at / ENTRIES_PER_PAGE;
            if self.is_elsewhere(page, times) {
                range.end = range.start.max(page * ENTRIES_PER_PAGE);
                continue;
            }
            range.end = at;
            if self.has_times(reading, at, times)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn is_elsewhere(&self, page: u64, times: Option<&RangeInclusive<i64>>) -> bool {
        let page = usize::try_from(page).ok().and_then(|page| self.pages.get(page));
        times.zip(page).is_some_and(|(times, page)| !page.overlaps(times))
    }

    fn has_times(
        &self,
        reading: &mut Reading<'_>,
        at: u64,
        times: Option<&RangeInclusive<i64>>,
    ) -> Result<bool> {
        match times {
            Some(times) => Ok(self.get(reading, at)?.overlaps(times)),
            None => Ok(true),
        }
    }
}
