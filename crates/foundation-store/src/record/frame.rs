//! The frame around every record, and the frame that opens a group of them.
//!
//! The checksum covers everything but itself: length, sequence, chain, kind and body, under a
//! seed drawn from the segment's store id, epoch and salt. A frame that was moved to another
//! place, segment or store does not verify.

use foundation_types::limits::{CONFIG_BYTES_MAX, EVENT_BYTES_MAX};

use super::reader::Reader;

/// Bytes before the body of a frame.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;
/// Where the checksum, the kind and the stamp stand in a frame.
pub(crate) const CHECKSUM_AT: usize = 4;
pub(crate) const KIND_AT: usize = 20;
pub(crate) const STAMP_AT: usize = 24;
/// Largest body; a longer length is damage and is never allocated.
pub(crate) const FRAME_BODY_BYTES_MAX: usize = 4 * (EVENT_BYTES_MAX + CONFIG_BYTES_MAX);
/// Bytes of the frame that opens a group.
pub(crate) const GROUP_FRAME_BYTES: usize = FRAME_HEADER_BYTES + 16;

pub(crate) const KIND_GROUP: u8 = 1;
pub(crate) const KIND_EVENT: u8 = 2;
pub(crate) const KIND_CHANGE: u8 = 3;
/// In the place of groups that were lost to damage.
pub(crate) const KIND_GAP: u8 = 4;
/// Bytes of the frame that stands for a gap.
pub(crate) const GAP_FRAME_BYTES: usize = FRAME_HEADER_BYTES + 12;

/// Version of the body layout that is written.
pub(crate) const BODY_VERSION: u16 = 1;

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Bytes of the body.
    pub(crate) length: u32,
    /// CRC-32C of everything else.
    pub(crate) checksum: u32,
    /// Sequence number; for a group that of its first record.
    pub(crate) sequence: u64,
    /// Checksum of the frame before this one.
    pub(crate) previous: u32,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Version of the body's layout.
    pub(crate) schema: u16,
    /// Causal stamp.
    pub(crate) stamp: u64,
    /// Key that seals parts of the body; 0 = none.
    pub(crate) key_id: u32,
    /// Records still to come of the same atomic batch.
    pub(crate) remaining: u32,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFault {
    /// Fewer bytes than the frame says it has.
    Short,
    /// The length is beyond the limit.
    Length,
    /// The checksum does not match.
    Checksum,
}

impl FrameFault {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Short => "the frame is cut short",
            Self::Length => "the length of the frame is impossible",
            Self::Checksum => "the checksum does not match",
        }
    }
}

impl FrameHeader {
    /// The header as bytes.
    pub(crate) fn to_bytes(self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.previous.to_le_bytes());
        bytes[20] = self.kind;
        bytes[21] = self.flags;
        bytes[22..24].copy_from_slice(&self.schema.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.stamp.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.key_id.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.remaining.to_le_bytes());
        bytes
    }

    /// The header at the front of `bytes`, not yet verified.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        Some(Self {
            length: reader.u32()?,
            checksum: reader.u32()?,
            sequence: reader.u64()?,
            previous: reader.u32()?,
            kind: reader.u8()?,
            flags: reader.u8()?,
            schema: reader.u16()?,
            stamp: reader.u64()?,
            key_id: reader.u32()?,
            remaining: reader.u32()?,
        })
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_bytes(self) -> usize {
        FRAME_HEADER_BYTES + self.length as usize
    }
}

/// The frame at the front of `bytes`, verified under `seed`.
pub(crate) fn read_frame(bytes: &[u8], seed: u32) -> Result<FrameHeader, FrameFault> {
    let header = FrameHeader::read(bytes).ok_or(FrameFault::Short)?;
    if header.length as usize > FRAME_BODY_BYTES_MAX {
        return Err(FrameFault::Length);
    }
    let frame = bytes.get(..header.frame_bytes()).ok_or(FrameFault::Short)?;
    if checksum(frame, seed) == header.checksum { Ok(header) } else { Err(FrameFault::Checksum) }
}

/// Writes the chain and then the checksum into a frame; gives the checksum.
pub(crate) fn seal_frame(frame: &mut [u8], previous: u32, seed: u32) -> u32 {
    frame[16..20].copy_from_slice(&previous.to_le_bytes());
    let sum = checksum(frame, seed);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
    sum
}

fn checksum(frame: &[u8], seed: u32) -> u32 {
    let length = crc32c::crc32c_append(seed, &frame[..4]);
    crc32c::crc32c_append(length, &frame[8..])
}

/// What the frame that opens a group says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupMark {
    /// The last sequence known to be durable when the group was written.
    pub(crate) durable: u64,
    /// Records in the group.
    pub(crate) records: u32,
    /// Bytes of their frames.
    pub(crate) bytes: u32,
}

impl GroupMark {
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[0..8].copy_from_slice(&self.durable.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.records.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.bytes.to_le_bytes());
        bytes
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        Some(Self { durable: reader.u64()?, records: reader.u32()?, bytes: reader.u32()? })
    }
}

/// What the frame that stands for a gap says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GapMark {
    /// Records that are lost.
    pub(crate) lost: u64,
    /// What the group behind it carries on: the checksum of the last frame that is lost.
    pub(crate) chain: u32,
}

impl GapMark {
    /// The frame in the place of the records from `first` on, sealed.
    pub(crate) fn to_frame(self, first: u64, previous: u32, seed: u32) -> [u8; GAP_FRAME_BYTES] {
        let header = FrameHeader {
            length: (GAP_FRAME_BYTES - FRAME_HEADER_BYTES) as u32,
            sequence: first,
            kind: KIND_GAP,
            schema: BODY_VERSION,
            ..FrameHeader::default()
        };
        let mut frame = [0; GAP_FRAME_BYTES];
        frame[..FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
        frame[FRAME_HEADER_BYTES..][..8].copy_from_slice(&self.lost.to_le_bytes());
        frame[FRAME_HEADER_BYTES + 8..].copy_from_slice(&self.chain.to_le_bytes());
        seal_frame(&mut frame, previous, seed);
        frame
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        Some(Self { lost: reader.u64()?, chain: reader.u32()? })
    }
}
