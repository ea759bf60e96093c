//! A block of frames as columns: what is alike stands together, and what follows from the rest is
//! left out.
//!
//! The checksum of a frame, and the chain from one to the next, follow from its content, the seed of
//! the segment and the chain before the block. Numbers are kept as steps from the frame before. What
//! does not have the usual shape is kept as it stands: each form of a body is told by its frame.

mod body;

use super::super::index::varint;
use crate::record::frame::{
    FRAME_HEADER_BYTES, FrameHeader, GapMark, GroupMark, KIND_GAP, KIND_GROUP, seal_frame,
};
use crate::record::reader::Reader;
use body::Bodies;

/// Bytes of the body of the frame that opens a group.
const GROUP_BODY_BYTES: usize = 16;

/// The columns, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Kind, flags, version of the body's layout, key, form, and of an event which fields it has.
    Shapes,
    /// Bytes of data, or of a body that is kept as it stands.
    Lengths,
    /// Steps of sequence numbers, and of the records still to come.
    Numbers,
    Stamps,
    /// What the frames that open groups say.
    Groups,
    Versions,
    /// Streams, types, sources and schemas.
    Names,
    /// Ids that are text, subjects, correlations and parents.
    Links,
    /// Tags, and what was done to events.
    Tags,
    Times,
    /// Steps of the first 48 bits of UUIDs.
    IdTimes,
    /// The byte of a UUID that begins with its version.
    IdVersions,
    /// The byte of a UUID that begins with its variant.
    IdVariants,
    /// All other bytes of UUIDs.
    IdBits,
    Data,
    /// Bodies that are kept as they stand.
    Bodies,
}

impl Column {
    pub(super) const ALL: [Self; 16] = [
        Self::Shapes,
        Self::Lengths,
        Self::Numbers,
        Self::Stamps,
        Self::Groups,
        Self::Versions,
        Self::Names,
        Self::Links,
        Self::Tags,
        Self::Times,
        Self::IdTimes,
        Self::IdVersions,
        Self::IdVariants,
        Self::IdBits,
        Self::Data,
        Self::Bodies,
    ];
}

/// How a body is kept.
const AS_IT_STANDS: u8 = 0;
const AS_EVENT: u8 = 1;
const AS_GROUP: u8 = 2;

/// What the first frame of a block follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Of the segment.
    pub(super) seed: u32,
    /// Checksum of the frame before.
    pub(super) chain: u32,
}

/// What the next frame is told from.
#[derive(Default)]
struct Before {
    sequence: u64,
    remaining: u32,
    stamp: u64,
    bodies: Bodies,
}

/// The columns of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Columns([Vec<u8>; Column::ALL.len()]);

impl Columns {
    pub(super) fn of(columns: [Vec<u8>; Column::ALL.len()]) -> Self {
        Self(columns)
    }

    pub(super) fn get(&self, column: Column) -> &[u8] {
        &self.0[column as usize]
    }

    fn add(&mut self, column: Column) -> &mut Vec<u8> {
        &mut self.0[column as usize]
    }

    /// The columns of whole frames; `None` if these bytes are none. Whether the frames have the
    /// checksums that they are to have is not looked at.
    pub(super) fn split(mut frames: &[u8]) -> Option<Self> {
        let (mut columns, mut before) = (Self::default(), Before::default());
        while !frames.is_empty() {
            let header = FrameHeader::read(frames)?;
            let (frame, rest) = frames.split_at_checked(header.frame_bytes())?;
            columns.add_frame(&mut before, header, frame.get(FRAME_HEADER_BYTES..)?);
            frames = rest;
        }
        Some(columns)
    }

    fn add_frame(&mut self, before: &mut Before, header: FrameHeader, body: &[u8]) {
        let shapes = self.add(Column::Shapes);
        shapes.extend_from_slice(&[header.kind, header.flags]);
        shapes.extend_from_slice(&header.schema.to_le_bytes());
        shapes.extend_from_slice(&header.key_id.to_le_bytes());
        before.add(self, header);
        let group = GroupMark::read(body)
            .filter(|_| header.kind == KIND_GROUP && body.len() == GROUP_BODY_BYTES);
        if let Some(group) = group {
            self.add(Column::Shapes).push(AS_GROUP);
            let groups = self.add(Column::Groups);
            varint::put(groups, header.sequence.wrapping_sub(group.durable));
            varint::put(groups, group.records.into());
            varint::put(groups, group.bytes.into());
        } else if let Some(event) = body::Parts::read(header, body) {
            self.add(Column::Shapes).push(AS_EVENT);
            before.bodies.add(self, &event);
        } else {
            self.add(Column::Shapes).push(AS_IT_STANDS);
            varint::put(self.add(Column::Lengths), body.len() as u64);
            self.add(Column::Bodies).extend_from_slice(body);
        }
    }

    /// The frames again, with their checksums; `None` if these columns are not those of frames that
    /// take so many bytes.
    pub(super) fn join(&self, start: Start, bytes: usize) -> Option<Vec<u8>> {
        let mut readers = Readers(self.0.each_ref().map(|column| Reader(column)));
        let (mut out, mut before, mut chain) =
            (Vec::with_capacity(bytes), Before::default(), start.chain);
        while !readers.of(Column::Shapes).0.is_empty() {
            let at = out.len();
            let kind = read_frame(&mut readers, &mut before, &mut out)?;
            if out.len() > bytes {
                return None;
            }
            let frame = out.get_mut(at..)?;
            let length = u32::try_from(frame.len() - FRAME_HEADER_BYTES).ok()?;
            frame[0..4].copy_from_slice(&length.to_le_bytes());
            let sum = seal_frame(frame, chain, start.seed);
            let gap =
                if kind == KIND_GAP { GapMark::read(&frame[FRAME_HEADER_BYTES..]) } else { None };
            chain = gap.map_or(sum, |gap| gap.chain);
        }
        let is_used_up = readers.0.iter().all(|reader| reader.0.is_empty());
        (is_used_up && out.len() == bytes).then_some(out)
    }
}

/// The checksum that the frame after these is chained to.
pub(super) fn chain_after(mut frames: &[u8], mut chain: u32) -> Option<u32> {
    while !frames.is_empty() {
        let header = FrameHeader::read(frames)?;
        let (frame, rest) = frames.split_at_checked(header.frame_bytes())?;
        let body = frame.get(FRAME_HEADER_BYTES..)?;
        let gap = if header.kind == KIND_GAP { GapMark::read(body) } else { None };
        chain = gap.map_or(header.checksum, |gap| gap.chain);
        frames = rest;
    }
    Some(chain)
}

/// What is left of each column.
struct Readers<'a>([Reader<'a>; Column::ALL.len()]);

impl<'a> Readers<'a> {
    fn of(&mut self, column: Column) -> &mut Reader<'a> {
        &mut self.0[column as usize]
    }

    fn number(&mut self, column: Column) -> Option<u64> {
        varint::get(self.of(column))
    }

    fn length(&mut self, column: Column) -> Option<usize> {
        self.number(column).and_then(|length| usize::try_from(length).ok())
    }
}

/// Adds the next frame, without length, chain and checksum; gives its kind.
fn read_frame(readers: &mut Readers<'_>, before: &mut Before, out: &mut Vec<u8>) -> Option<u8> {
    let shapes = readers.of(Column::Shapes);
    let mut header = FrameHeader {
        kind: shapes.u8()?,
        flags: shapes.u8()?,
        schema: shapes.u16()?,
        key_id: shapes.u32()?,
        ..FrameHeader::default()
    };
    let form = shapes.u8()?;
    before.read(readers, &mut header)?;
    out.extend_from_slice(&header.to_bytes());
    match form {
        AS_GROUP => {
            let durable = header.sequence.wrapping_sub(readers.number(Column::Groups)?);
            let records = u32::try_from(readers.number(Column::Groups)?).ok()?;
            let bytes = u32::try_from(readers.number(Column::Groups)?).ok()?;
            out.extend_from_slice(&GroupMark { durable, records, bytes }.to_bytes());
        }
        AS_EVENT => before.bodies.read(readers, out)?,
        AS_IT_STANDS => {
            let length = readers.length(Column::Lengths)?;
            out.extend_from_slice(readers.of(Column::Bodies).bytes(length)?);
        }
        _ => return None,
    }
    Some(header.kind)
}

impl Before {
    /// Adds the numbers of a frame.
    fn add(&mut self, columns: &mut Columns, header: FrameHeader) {
        let numbers = columns.add(Column::Numbers);
        varint::put(numbers, zigzag(header.sequence.wrapping_sub(self.sequence)));
        let remaining = u64::from(header.remaining).wrapping_sub(self.remaining.into());
        varint::put(numbers, zigzag(remaining));
        let stamp = if header.kind == KIND_GROUP { 0 } else { self.stamp };
        varint::put(columns.add(Column::Stamps), zigzag(header.stamp.wrapping_sub(stamp)));
        self.follow(header);
    }

    /// Reads them again.
    fn read(&mut self, readers: &mut Readers<'_>, header: &mut FrameHeader) -> Option<()> {
        let step = unzigzag(readers.number(Column::Numbers)?);
        header.sequence = self.sequence.wrapping_add(step);
        let step = unzigzag(readers.number(Column::Numbers)?);
        header.remaining = u32::try_from(u64::from(self.remaining).wrapping_add(step)).ok()?;
        let stamp = if header.kind == KIND_GROUP { 0 } else { self.stamp };
        header.stamp = stamp.wrapping_add(unzigzag(readers.number(Column::Stamps)?));
        self.follow(*header);
        Some(())
    }

    fn follow(&mut self, header: FrameHeader) {
        (self.sequence, self.remaining) = (header.sequence, header.remaining);
        if header.kind != KIND_GROUP {
            self.stamp = header.stamp;
        }
    }
}

/// A step that may go back, as a number that is small if the step is.
fn zigzag(step: u64) -> u64 {
    (step << 1) ^ (0_u64.wrapping_sub(step >> 63))
}

fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (0_u64.wrapping_sub(number & 1))
}
