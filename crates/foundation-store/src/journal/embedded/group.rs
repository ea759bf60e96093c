//! What is placed and not yet given to the disk: one write, one sync, one fate.

use std::sync::Arc;

use foundation_types::{Durability, Error, Result};

use crate::journal::batch::Appended;
use crate::journal::commit::{Room, Sync};
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameHeader, GROUP_FRAME_BYTES, GroupMark, KIND_GROUP,
    seal_frame,
};

/// Batches that are written together.
pub(super) struct Group {
    /// Room for the group's own frame, then the frames of the records.
    bytes: Vec<u8>,
    records: u32,
    rooms: Vec<Room>,
    /// The highest level that a batch in it asks for.
    durability: Durability,
    written: Arc<Sync>,
    synced: Arc<Sync>,
}

/// Bytes of a buffer that is used again; a larger one was needed for once.
const BUFFER_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Default for Group {
    fn default() -> Self {
        Self::on(Vec::new())
    }
}

impl Group {
    /// An empty group on the buffer of an earlier one.
    pub(super) fn on(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.resize(GROUP_FRAME_BYTES, 0);
        Self {
            bytes,
            records: 0,
            rooms: Vec::new(),
            durability: Durability::Memory,
            written: Arc::default(),
            synced: Arc::default(),
        }
    }
}

/// What the callers of a group wait for.
#[derive(Clone)]
pub(super) struct Waiting([Arc<Sync>; 2]);

impl Waiting {
    /// Tells all of them how it ended.
    pub(super) fn finish(&self, outcome: &Result<(), Error>) {
        self.0.iter().for_each(|sync| sync.finish(outcome.clone()));
    }
}

impl Group {
    /// Takes in a batch that asks for a level; `place` writes its frames or refuses without writing
    /// any.
    pub(super) fn add(
        &mut self,
        room: Room,
        durability: Durability,
        place: impl FnOnce(&mut Vec<u8>) -> Result<Appended>,
    ) -> Result<(Appended, Arc<Sync>)> {
        let appended = place(&mut self.bytes)?;
        // A batch has at most ten thousand records, and what waits is bounded in bytes.
        self.records += u32::try_from(appended.records()).unwrap_or(u32::MAX);
        self.rooms.push(room);
        self.durability = self.durability.max(durability);
        let sync = if durability < Durability::Disk { &self.written } else { &self.synced };
        Ok((appended, Arc::clone(sync)))
    }

    /// Whether somebody in it waits for a sync.
    pub(super) fn wants_sync(&self) -> bool {
        self.durability >= Durability::Disk
    }

    /// What everybody in this group waits for.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting([Arc::clone(&self.written), Arc::clone(&self.synced)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// All of it, as it is written once it is sealed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The frames of the records.
    pub(super) fn frames(&self) -> &[u8] {
        self.bytes.get(GROUP_FRAME_BYTES..).unwrap_or_default()
    }

    /// Completes the frames: the group's own first, then chain and checksum of all. Gives the
    /// checksum of the last one.
    pub(super) fn seal(&mut self, first: u64, durable: u64, chain: u32, seed: u32) -> u32 {
        seal_group(&mut self.bytes, self.records, first, durable, chain, seed)
    }

    /// Gives the room back and tells everybody how it ended; gives the buffer for another one.
    pub(super) fn end(self, outcome: Result<(), Error>) -> Vec<u8> {
        let waiting = self.waiting();
        drop(self.rooms);
        waiting.finish(&outcome);
        if self.bytes.capacity() > BUFFER_BYTES_MAX { Vec::new() } else { self.bytes }
    }
}

/// Completes the frames of a group, for the first of which there is room: number, chain and checksum
/// of all. Gives the checksum of the last one.
pub(super) fn seal_group(
    bytes: &mut [u8],
    records: u32,
    first: u64,
    durable: u64,
    chain: u32,
    seed: u32,
) -> u32 {
    let (own, frames) = bytes.split_at_mut(GROUP_FRAME_BYTES);
    let mark = GroupMark {
        durable,
        records,
        // What may wait is bounded far below 4 GiB.
        bytes: u32::try_from(frames.len()).unwrap_or(u32::MAX),
    };
    let header = FrameHeader {
        length: (GROUP_FRAME_BYTES - FRAME_HEADER_BYTES) as u32,
        sequence: first,
        kind: KIND_GROUP,
        schema: BODY_VERSION,
        ..FrameHeader::default()
    };
    own[..FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
    own[FRAME_HEADER_BYTES..].copy_from_slice(&mark.to_bytes());
    let mut chain = seal_frame(own, chain, seed);
    let mut rest = frames;
    while let Some(header) = FrameHeader::read(rest) {
        let (frame, after) = rest.split_at_mut(header.frame_bytes());
        chain = seal_frame(frame, chain, seed);
        rest = after;
    }
    chain
}
