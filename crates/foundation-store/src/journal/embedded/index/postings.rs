//! Posting lists: the offsets of the frames that share a term, ascending, in blocks of which each
//! can be read alone.

use std::ops::Range;

use foundation_types::{Order, Result};

use super::page::{Reading, Section};
use super::varint::{self, VARINT_BYTES_MAX};
use crate::record::reader::Reader;

/// Offsets in a block; the last one may hold fewer.
const BLOCK_POSTINGS: u64 = 128;
/// An offset in a varint.
const OFFSET_BYTES_MAX: usize = 5;
/// For each block of a list that has several: its first offset, and where its bytes begin.
const SKIP_BYTES: u64 = 8;

/// Adds a list to the section; gives its address.
pub(super) fn add_list(section: &mut Vec<u8>, offsets: &[u32]) -> u64 {
    let address = section.len() as u64;
    varint::put(section, offsets.len() as u64);
    let blocks = || offsets.chunks(BLOCK_POSTINGS as usize);
    let mut bytes = Vec::new();
    for block in blocks() {
        if blocks().len() > 1 {
            section.extend_from_slice(&block.first().copied().unwrap_or_default().to_le_bytes());
            section.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        }
        let mut before = 0;
        for offset in block {
            varint::put(&mut bytes, u64::from(offset - before));
            before = *offset;
        }
    }
    section.extend_from_slice(&bytes);
    address
}

/// A list in the section.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    section: Section,
    count: u64,
    /// Address of the skip entries.
    skips: u64,
}

impl List {
    pub(super) fn read(reading: &mut Reading<'_>, section: &Section, address: u64) -> Result<Self> {
        let bytes = reading.bytes(section, address, VARINT_BYTES_MAX)?;
        let mut reader = Reader(&bytes);
        // Each offset takes a byte at least, so a greater count is none.
        let count = varint::get(&mut reader).filter(|count| *count <= section.items);
        let count = count.ok_or_else(|| {
            reading.damaged_at(section, address, "a list has an impossible length")
        })?;
        let skips = address + (bytes.len() - reader.0.len()) as u64;
        Ok(Self { section: *section, count, skips })
    }

    /// The part of the list whose offsets lie in `window`.
    pub(super) fn within(
        &self,
        reading: &mut Reading<'_>,
        window: &Range<u64>,
    ) -> Result<Range<u64>> {
        let start = self.before(reading, window.start)?;
        Ok(start..self.before(reading, window.end)?.max(start))
    }

    /// How many offsets lie before this one.
    fn before(&self, reading: &mut Reading<'_>, offset: u64) -> Result<u64> {
        // Blocks that begin before it; it falls into the last of them.
        let (mut low, mut high) = (0, self.blocks());
        while self.blocks() > 1 && low < high {
            let middle = low.midpoint(high);
            if u64::from(self.skip(reading, middle)?.0) < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let block = if self.blocks() > 1 { low } else { high };
        let Some(block) = block.checked_sub(1) else { return Ok(0) };
        let offsets = self.block(reading, block)?;
        let inside = offsets.partition_point(|one| u64::from(*one) < offset);
        Ok(block * BLOCK_POSTINGS + inside as u64)
    }

    /// The offsets of a block.
    fn block(&self, reading: &mut Reading<'_>, block: u64) -> Result<Vec<u32>> {
        let count = self.count.saturating_sub(block * BLOCK_POSTINGS).min(BLOCK_POSTINGS);
        let skipped = match self.blocks() {
            0 | 1 => 0,
            blocks => blocks * SKIP_BYTES + u64::from(self.skip(reading, block)?.1),
        };
        let address = self.skips + skipped;
        let bytes = reading.bytes(&self.section, address, count as usize * OFFSET_BYTES_MAX)?;
        let damaged = || reading.damaged_at(&self.section, address, "a list does not go up");
        let mut reader = Reader(&bytes);
        let mut offsets = Vec::with_capacity(count as usize);
        let mut offset = 0_u64;
        for _ in 0..count {
            let step = varint::get(&mut reader).filter(|step| *step > 0).ok_or_else(damaged)?;
            offset = offset.checked_add(step).ok_or_else(damaged)?;
            offsets.push(u32::try_from(offset).map_err(|_| damaged())?);
        }
        Ok(offsets)
    }

    fn skip(&self, reading: &mut Reading<'_>, block: u64) -> Result<(u32, u32)> {
        let address = self.skips + block * SKIP_BYTES;
        let bytes = reading.bytes(&self.section, address, SKIP_BYTES as usize)?;
        let mut reader = Reader(&bytes);
        let entry = reader.u32().zip(reader.u32());
        entry.ok_or_else(|| reading.damaged_at(&self.section, address, "a list is cut short"))
    }

    fn blocks(&self) -> u64 {
        self.count.div_ceil(BLOCK_POSTINGS)
    }
}

/// What is left of a list, taken from either end, a block in memory at a time.
pub(super) struct ListCursor {
    list: List,
    range: Range<u64>,
    held: Option<(u64, Vec<u32>)>,
}

impl ListCursor {
    pub(super) fn new(list: List, range: Range<u64>) -> Self {
        Self { list, range, held: None }
    }

    pub(super) fn next(&mut self, reading: &mut Reading<'_>, order: Order) -> Result<Option<u32>> {
        let at = match order {
            Order::Asc => self.range.next(),
            Order::Desc => self.range.next_back(),
        };
        let Some(at) = at else { return Ok(None) };
        let (block, inside) = (at / BLOCK_POSTINGS, (at % BLOCK_POSTINGS) as usize);
        let offsets = match self.held.take() {
            Some((held, offsets)) if held == block => offsets,
            _ => self.list.block(reading, block)?,
        };
        let offset = offsets.get(inside).copied();
        self.held = Some((block, offsets));
        Ok(offset)
    }
}
