//! The list of times: every event by its time, for a segment whose times are so much out of order
//! that the blocks do not tell them apart.

use std::ops::{Range, RangeInclusive};

use foundation_types::Result;

use super::blocks::Block;
use super::page::{PAYLOAD_BYTES, Reading, Section, add_page};
use super::varint::{self, VARINT_BYTES_MAX};
use crate::record::reader::Reader;

/// Bytes of a page before its entries: how many there are, and the time of the first one.
const PAGE_HEADER_BYTES: usize = 10;
/// Blocks that a look-up of one moment may look at in vain, on average over the events.
const STRADDLING_BLOCKS_MAX: u64 = 8;

/// A page of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimesPage {
    /// Time of its first entry.
    pub(super) first: i64,
    /// Entries on the pages before it.
    pub(super) before: u32,
}

impl TimesPage {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.before.to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { first: i64::from_le_bytes(reader.array()?), before: reader.u32()? })
    }
}

/// Whether the list is worth its place. An event's time may lie between the times of blocks that
/// do not hold it: they are counted for every event, and on average there may be a few.
pub(super) fn are_scattered(sorted: &[(i64, u32)], blocks: &[Block]) -> bool {
    let timed = || blocks.iter().filter(|block| block.earliest <= block.latest);
    let mut starts: Vec<i64> = timed().map(|block| block.earliest).collect();
    let mut ends: Vec<i64> = timed().map(|block| block.latest).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let (mut begun, mut ended, mut straddling) = (0, 0, 0_u64);
    for (time, _) in sorted {
        while starts.get(begun).is_some_and(|start| start < time) {
            begun += 1;
        }
        while ends.get(ended).is_some_and(|end| end < time) {
            ended += 1;
        }
        straddling += (begun - ended) as u64;
    }
    straddling > STRADDLING_BLOCKS_MAX * sorted.len() as u64
}

/// Adds the pages of the list, whose entries are sorted; gives what each page is about.
pub(super) fn add_list(file: &mut Vec<u8>, sorted: &[(i64, u32)]) -> Vec<TimesPage> {
    let mut pages = Vec::new();
    let mut rest = sorted;
    while let Some((first, _)) = rest.first() {
        pages.push(TimesPage { first: *first, before: (sorted.len() - rest.len()) as u32 });
        let mut entries = Vec::with_capacity(PAYLOAD_BYTES);
        let (mut count, mut before) = (0, *first);
        for (time, offset) in rest {
            if PAGE_HEADER_BYTES + entries.len() + 2 * VARINT_BYTES_MAX > PAYLOAD_BYTES {
                break;
            }
            varint::put(&mut entries, time.wrapping_sub(before) as u64);
            varint::put(&mut entries, (*offset).into());
            (count, before) = (count + 1, *time);
        }
        let mut page = (count as u16).to_le_bytes().to_vec();
        page.extend_from_slice(&first.to_le_bytes());
        page.extend_from_slice(&entries);
        add_page(file, &page);
        rest = rest.get(count..).unwrap_or_default();
    }
    pages
}

/// The list in an open index.
#[derive(Clone, Copy)]
pub(super) struct TimeList<'a> {
    pub(super) section: &'a Section,
    pub(super) pages: &'a [TimesPage],
}

impl TimeList<'_> {
    /// How many events have such times.
    pub(super) fn count(
        &self,
        reading: &mut Reading<'_>,
        times: &RangeInclusive<i64>,
    ) -> Result<u64> {
        let start = self.before(reading, |time| time < *times.start())?;
        Ok(self.before(reading, |time| time <= *times.end())?.saturating_sub(start))
    }

    /// The offsets in `window` of the events with such times, ascending.
    pub(super) fn collect(
        &self,
        reading: &mut Reading<'_>,
        times: &RangeInclusive<i64>,
        window: &Range<u64>,
    ) -> Result<Vec<u32>> {
        let start = self.pages.partition_point(|page| page.first < *times.start());
        let mut found = Vec::new();
        for at in start.saturating_sub(1)..self.pages.len() {
            if self.pages.get(at).is_some_and(|page| page.first > *times.end()) {
                break;
            }
            let entries = self.page(reading, at)?.into_iter();
            let fitting = entries.filter(|(time, offset)| {
                times.contains(time) && window.contains(&u64::from(*offset))
            });
            found.extend(fitting.map(|(_, offset)| offset));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// How many entries come before the first one for whose time `is_before` does not hold.
    fn before(&self, reading: &mut Reading<'_>, is_before: impl Fn(i64) -> bool) -> Result<u64> {
        let pages = self.pages.partition_point(|page| is_before(page.first));
        let Some(at) = pages.checked_sub(1) else { return Ok(0) };
        let before = self.pages.get(at).map_or(0, |page| page.before);
        let entries = self.page(reading, at)?;
        let inside = entries.partition_point(|(time, _)| is_before(*time));
        Ok(u64::from(before) + inside as u64)
    }

    fn page(&self, reading: &mut Reading<'_>, at: usize) -> Result<Vec<(i64, u32)>> {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let entries = entries(reading.page(self.section, at)?);
        entries.ok_or_else(|| reading.damaged(self.section, at, "a list of times is cut short"))
    }
}

fn entries(page: &[u8]) -> Option<Vec<(i64, u32)>> {
    let mut reader = Reader(page);
    let count = reader.u16()?;
    let mut time = i64::from_le_bytes(reader.array()?);
    let mut entries = Vec::with_capacity(usize::from(count).min(PAYLOAD_BYTES));
    for _ in 0..count {
        // The step between any two times fits 64 bits without a sign.
        time = time.wrapping_add(varint::get(&mut reader)? as i64);
        entries.push((time, u32::try_from(varint::get(&mut reader)?).ok()?));
    }
    Some(entries)
}
