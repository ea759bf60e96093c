//! The body of an event, field by field into the columns and out of them.

use std::collections::BTreeMap;

use super::super::super::index::varint;
use super::{Column, Columns, Readers, unzigzag, zigzag};
use crate::record::fields::{
    HAS_ALTERED, HAS_CORRELATION, HAS_PARENT, HAS_SCHEMA, HAS_SOURCE, HAS_SUBJECT, HAS_TAGS,
    HAS_TIME, ID_IS_UUID, KNOWN,
};
use crate::record::frame::{BODY_VERSION, FrameHeader, KIND_CHANGE, KIND_EVENT};
use crate::record::reader::Reader;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// What steps of times are counted in, in nanoseconds: the largest of which one is a multiple.
const TIME_UNITS: [i64; 3] = [1, 1_000, 1_000_000];
/// Steps of the first 48 bits of ids that are kept as steps; ids that are drawn as a whole have others.
const ID_STEP_MAX: u64 = 1 << 28;
const ID_TIME_MASK: u64 = (1 << 48) - 1;

/// The fields of a body as they stand in it, lengths before texts.
pub(super) struct Parts<'a> {
    flags: u16,
    version: u64,
    stream: &'a [u8],
    kind: &'a [u8],
    id: &'a [u8],
    /// Nanoseconds since 1970.
    time: Option<i64>,
    source: &'a [u8],
    /// Subject, correlation and parent.
    links: &'a [u8],
    schema: &'a [u8],
    /// Tags, and what was done to the event.
    tags: &'a [u8],
    data: &'a [u8],
}

/// Takes what `read` reads off the front, as it stands.
fn taken<'a>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Option<()>,
) -> Option<&'a [u8]> {
    let all = reader.0;
    read(reader)?;
    all.get(..all.len() - reader.0.len())
}

fn short(reader: &mut Reader<'_>) -> Option<()> {
    reader.short_bytes().map(drop)
}

fn long(reader: &mut Reader<'_>) -> Option<()> {
    reader.long_bytes().map(drop)
}

/// Reads a field if there is one.
fn only(has: bool, read: impl FnOnce() -> Option<()>) -> Option<()> {
    if has { read() } else { Some(()) }
}

fn source(flags: u16, reader: &mut Reader<'_>) -> Option<()> {
    only(flags & HAS_SOURCE != 0, || long(reader))
}

fn links(flags: u16, reader: &mut Reader<'_>) -> Option<()> {
    only(flags & HAS_SUBJECT != 0, || long(reader))?;
    only(flags & HAS_CORRELATION != 0, || short(reader))?;
    only(flags & HAS_PARENT != 0, || short(reader))
}

fn schema(flags: u16, reader: &mut Reader<'_>) -> Option<()> {
    only(flags & HAS_SCHEMA != 0, || reader.u16().map(drop))
}

fn tags(flags: u16, reader: &mut Reader<'_>) -> Option<()> {
    if flags & HAS_TAGS != 0 {
        for _ in 0..reader.u8()? {
            short(reader)?;
        }
    }
    only(flags & HAS_ALTERED != 0, || long(reader))
}

impl<'a> Parts<'a> {
    /// `None` if it has not the shape of an event.
    pub(super) fn read(header: FrameHeader, body: &'a [u8]) -> Option<Self> {
        let is_usual = matches!(header.kind, KIND_EVENT | KIND_CHANGE);
        if !is_usual || header.schema != BODY_VERSION {
            return None;
        }
        let reader = &mut Reader(body);
        let (flags, version) = (reader.u16()?, reader.u64()?);
        if flags & !KNOWN != 0 {
            return None;
        }
        let (stream, kind) = (taken(reader, short)?, taken(reader, short)?);
        let id = match flags & ID_IS_UUID {
            0 => taken(reader, short)?,
            _ => reader.bytes(16)?,
        };
        let time = match flags & HAS_TIME {
            0 => None,
            _ => Some(read_time(reader)?),
        };
        Some(Self {
            flags,
            version,
            stream,
            kind,
            id,
            time,
            source: taken(reader, |reader| source(flags, reader))?,
            links: taken(reader, |reader| links(flags, reader))?,
            schema: taken(reader, |reader| schema(flags, reader))?,
            tags: taken(reader, |reader| tags(flags, reader))?,
            data: reader.0,
        })
    }
}

/// A time in nanoseconds, if it is one and they fit.
fn read_time(reader: &mut Reader<'_>) -> Option<i64> {
    let seconds = i64::from_le_bytes(reader.array()?);
    let nanos = i64::from(i32::from_le_bytes(reader.array()?));
    let is_proper = (0..NANOS_PER_SECOND).contains(&nanos);
    let total = seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos)?;
    is_proper.then_some(total)
}

/// What the next body is told from.
#[derive(Default)]
pub(super) struct Bodies {
    /// The last version of each stream.
    versions: BTreeMap<Vec<u8>, u64>,
    time: i64,
    id_time: u64,
}

impl Bodies {
    pub(super) fn add(&mut self, columns: &mut Columns, parts: &Parts<'_>) {
        columns.add(Column::Shapes).extend_from_slice(&parts.flags.to_le_bytes());
        let names = columns.add(Column::Names);
        [parts.stream, parts.kind, parts.source, parts.schema]
            .iter()
            .for_each(|bytes| names.extend_from_slice(bytes));
        let step = parts.version.wrapping_sub(self.version_before(parts.stream, parts.version));
        varint::put(columns.add(Column::Versions), zigzag(step));
        match parts.id.first_chunk() {
            Some(id) if parts.flags & ID_IS_UUID != 0 => self.add_uuid(columns, id),
            _ => columns.add(Column::Links).extend_from_slice(parts.id),
        }
        if let Some(time) = parts.time {
            let step = time.wrapping_sub(self.time);
            self.time = time;
            let numbered = TIME_UNITS.iter().enumerate().rev();
            let fits = |(_, unit): &(usize, &i64)| step % **unit == 0;
            let (number, unit) = numbered.into_iter().find(fits).unwrap_or((0, &1));
            columns.add(Column::Times).push(number as u8);
            varint::put(columns.add(Column::Times), zigzag((step / unit).cast_unsigned()));
        }
        columns.add(Column::Links).extend_from_slice(parts.links);
        columns.add(Column::Tags).extend_from_slice(parts.tags);
        varint::put(columns.add(Column::Lengths), parts.data.len() as u64);
        columns.add(Column::Data).extend_from_slice(parts.data);
    }

    /// Adds the next body.
    pub(super) fn read(&mut self, readers: &mut Readers<'_>, out: &mut Vec<u8>) -> Option<()> {
        let flags = readers.of(Column::Shapes).u16()?;
        let names = readers.of(Column::Names);
        let (stream, kind) = (taken(names, short)?, taken(names, short)?);
        let source = taken(names, |reader| source(flags, reader))?;
        let schema = taken(names, |reader| schema(flags, reader))?;
        let step = unzigzag(readers.number(Column::Versions)?);
        let version = step.wrapping_add(self.versions.get(stream).copied().unwrap_or_default());
        self.version_before(stream, version);
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&version.to_le_bytes());
        out.extend_from_slice(stream);
        out.extend_from_slice(kind);
        match flags & ID_IS_UUID {
            0 => out.extend_from_slice(taken(readers.of(Column::Links), short)?),
            _ => out.extend_from_slice(&self.read_uuid(readers)?),
        }
        if flags & HAS_TIME != 0 {
            self.read_time(readers, out)?;
        }
        out.extend_from_slice(source);
        out.extend_from_slice(taken(readers.of(Column::Links), |reader| links(flags, reader))?);
        out.extend_from_slice(schema);
        out.extend_from_slice(taken(readers.of(Column::Tags), |reader| tags(flags, reader))?);
        let length = readers.length(Column::Lengths)?;
        out.extend_from_slice(readers.of(Column::Data).bytes(length)?);
        Some(())
    }

    /// The version of a stream before this one; 0 if none was.
    fn version_before(&mut self, stream: &[u8], version: u64) -> u64 {
        match self.versions.get_mut(stream) {
            Some(before) => std::mem::replace(before, version),
            None => {
                self.versions.insert(stream.to_vec(), version);
                0
            }
        }
    }

    fn add_uuid(&mut self, columns: &mut Columns, id: &[u8; 16]) {
        let [time @ .., _, _] = id.first_chunk::<8>().copied().unwrap_or_default();
        let now = time.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        let step = now.wrapping_sub(self.id_time) & ID_TIME_MASK;
        self.id_time = now;
        if step < ID_STEP_MAX {
            varint::put(columns.add(Column::IdTimes), step + 1);
        } else {
            columns.add(Column::IdTimes).push(0);
            columns.add(Column::IdBits).extend_from_slice(&time);
        }
        columns.add(Column::IdVersions).push(id[6]);
        columns.add(Column::IdVariants).push(id[8]);
        let bits = columns.add(Column::IdBits);
        bits.push(id[7]);
        bits.extend_from_slice(&id[9..]);
    }

    fn read_uuid(&mut self, readers: &mut Readers<'_>) -> Option<[u8; 16]> {
        let mut id = [0; 16];
        match readers.number(Column::IdTimes)?.checked_sub(1) {
            Some(step) => {
                self.id_time = self.id_time.wrapping_add(step) & ID_TIME_MASK;
                id[..6].copy_from_slice(&self.id_time.to_be_bytes()[2..]);
            }
            None => {
                let time: [u8; 6] = readers.of(Column::IdBits).array()?;
                self.id_time = time.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
                id[..6].copy_from_slice(&time);
            }
        }
        id[6] = readers.of(Column::IdVersions).u8()?;
        id[8] = readers.of(Column::IdVariants).u8()?;
        let bits = readers.of(Column::IdBits);
        id[7] = bits.u8()?;
        id[9..].copy_from_slice(bits.bytes(7)?);
        Some(id)
    }

    fn read_time(&mut self, readers: &mut Readers<'_>, out: &mut Vec<u8>) -> Option<()> {
        let unit = *TIME_UNITS.get(usize::from(readers.of(Column::Times).u8()?))?;
        let step = unzigzag(readers.number(Column::Times)?).cast_signed().checked_mul(unit)?;
        self.time = self.time.wrapping_add(step);
        let seconds = self.time.div_euclid(NANOS_PER_SECOND);
        let nanos = i32::try_from(self.time.rem_euclid(NANOS_PER_SECOND)).ok()?;
        out.extend_from_slice(&seconds.to_le_bytes());
        out.extend_from_slice(&nanos.to_le_bytes());
        Some(())
    }
}
