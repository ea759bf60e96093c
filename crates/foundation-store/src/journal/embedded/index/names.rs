//! The names of types and streams, by which they are listed and told apart for certain.

use foundation_types::{Result, Version};

use super::page::{Reading, Section};
use super::postings::add_list;
use super::terms::Lead;
use super::varint::{self, VARINT_BYTES_MAX};
use crate::record::reader::Reader;

/// Kind, three numbers, and a name behind its length.
const ENTRY_BYTES_MAX: usize = 1 + 3 * VARINT_BYTES_MAX + 1 + u8::MAX as usize;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    Type = 1,
    Stream = 2,
}

/// A type or a stream of the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) kind: NameKind,
    pub(super) name: Vec<u8>,
    /// Records with it.
    pub(super) records: u64,
    /// The version that the last of them made; of a type that of no stream.
    pub(super) version: Version,
    /// Where they are: a posting if there is one record, else a list.
    pub(super) lead: Lead,
}

/// A name while the index is built.
#[derive(Debug, Default)]
pub(super) struct Posted {
    pub(super) version: Version,
    pub(super) records: u64,
    /// Postings, ascending.
    pub(super) places: Vec<u32>,
}

/// Adds an entry to the section, and its list to that of the lists; gives its address.
pub(super) fn add_name(
    section: &mut Vec<u8>,
    lists: &mut Vec<u8>,
    kind: NameKind,
    name: &[u8],
    posted: &Posted,
) -> u64 {
    let address = section.len() as u64;
    section.push(kind as u8);
    varint::put(section, posted.records);
    varint::put(section, posted.version.number());
    match posted.places.as_slice() {
        [only] if posted.records == 1 => varint::put(section, (*only).into()),
        places => varint::put(section, add_list(lists, places)),
    }
    // A body has its names behind lengths of one byte, so none is cut.
    let name = name.get(..u8::MAX.into()).unwrap_or(name);
    section.push(name.len() as u8);
    section.extend_from_slice(name);
    address
}

/// The entry at an address, and the address of the next one.
pub(super) fn read(
    reading: &mut Reading<'_>,
    section: &Section,
    address: u64,
) -> Result<(Name, u64)> {
    let bytes = reading.bytes(section, address, ENTRY_BYTES_MAX)?;
    let mut reader = Reader(&bytes);
    let name = read_name(&mut reader)
        .ok_or_else(|| reading.damaged_at(section, address, "a name is cut short"))?;
    Ok((name, address + (bytes.len() - reader.0.len()) as u64))
}

fn read_name(reader: &mut Reader<'_>) -> Option<Name> {
    let kind = match reader.u8()? {
        1 => NameKind::Type,
        2 => NameKind::Stream,
        _ => return None,
    };
    let records = varint::get(reader)?;
    let version = Version::new(varint::get(reader)?);
    let place = varint::get(reader)?;
    let lead = match records {
        1 => Lead::Frame(u32::try_from(place).ok()?),
        _ => Lead::List(place),
    };
    let name = reader.short_bytes()?.to_vec();
    Some(Name { kind, name, records, version, lead })
}
