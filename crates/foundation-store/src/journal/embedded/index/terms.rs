//! The table of terms: sorted by the kept part of their hashes, with what leads on from each.

use foundation_types::Result;

use super::grain::Grain;
use super::page::{PAYLOAD_BYTES, Reading, Section, add_page};
use super::varint::{self, VARINT_BYTES_MAX};
use crate::record::reader::Reader;

/// Bytes of a page before its entries: how many there are.
const PAGE_HEADER_BYTES: usize = 2;

/// What leads on from a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// The only posting of it.
    Frame(u32),
    /// Address of its posting list.
    List(u64),
    /// Address of its entry among the names.
    Name(u64),
}

impl Lead {
    fn to_number(self) -> u64 {
        match self {
            Self::Frame(offset) => u64::from(offset) << 2,
            Self::List(address) => (address << 2) | 1,
            Self::Name(address) => (address << 2) | 2,
        }
    }

    fn of_number(number: u64) -> Option<Self> {
        match number & 3 {
            0 => u32::try_from(number >> 2).ok().map(Self::Frame),
            1 => Some(Self::List(number >> 2)),
            2 => Some(Self::Name(number >> 2)),
            _ => None,
        }
    }
}

/// Adds the pages of a table of hashes, ascending, and leads; gives the first hash of each page.
pub(super) fn add_table(file: &mut Vec<u8>, terms: &[(u64, Lead)], grain: Grain) -> Vec<u64> {
    let mut firsts = Vec::new();
    let mut rest = terms;
    while let Some((first, _)) = rest.first() {
        firsts.push(grain.kept(*first));
        let mut entries = Vec::with_capacity(PAYLOAD_BYTES);
        let (mut count, mut before) = (0, 0);
        for (hash, lead) in rest {
            if PAGE_HEADER_BYTES + entries.len() + 2 * VARINT_BYTES_MAX > PAYLOAD_BYTES {
                break;
            }
            let kept = grain.kept(*hash);
            varint::put(&mut entries, kept - before);
            varint::put(&mut entries, lead.to_number());
            (count, before) = (count + 1, kept);
        }
        let mut page = (count as u16).to_le_bytes().to_vec();
        page.extend_from_slice(&entries);
        add_page(file, &page);
        rest = rest.get(count..).unwrap_or_default();
    }
    firsts
}

/// What leads on from the terms that share this kept part of their hashes.
pub(super) fn find(
    reading: &mut Reading<'_>,
    section: &Section,
    firsts: &[u64],
    wanted: u64,
) -> Result<Vec<Lead>> {
    let start = firsts.partition_point(|first| *first < wanted).saturating_sub(1);
    let mut found = Vec::new();
    for (at, first) in firsts.iter().enumerate().skip(start) {
        if *first > wanted {
            break;
        }
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let page = reading.page(section, at)?;
        if find_on(page, wanted, &mut found).is_none() {
            return Err(reading.damaged(section, at, "a table of terms is cut short"));
        }
    }
    Ok(found)
}

fn find_on(page: &[u8], wanted: u64, found: &mut Vec<Lead>) -> Option<()> {
    let mut reader = Reader(page);
    let count = reader.u16()?;
    let mut hash = 0_u64;
    for _ in 0..count {
        hash = hash.checked_add(varint::get(&mut reader)?)?;
        let number = varint::get(&mut reader)?;
        if hash > wanted {
            break;
        }
        if hash == wanted {
            found.push(Lead::of_number(number)?);
        }
    }
    Some(())
}
