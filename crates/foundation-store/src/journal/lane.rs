//! The one lane that appends go through: it gives out sequence numbers, stamps and versions.

use std::collections::HashMap;

use foundation_types::error::Conflict;
use foundation_types::{Error, ErrorKind, Position, Result, Stamp, StreamName, Timestamp, Version};

use super::batch::{Appended, Batch};
use super::recent::{Look, Recent, Unless};
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameHeader, KIND_CHANGE, KIND_EVENT,
};
use crate::record::{EventView, Record, RecordKind, write_event};

/// What the next record gets. Its memory grows with the number of streams, not of records.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The last sequence number given out; 0 before the first.
    sequence: u64,
    stamp: Stamp,
    streams: HashMap<StreamName, Version>,
    recent: Recent,
}

impl Lane {
    /// Version of a stream, with everything placed.
    pub(super) fn version(&self, stream: &StreamName) -> Version {
        self.streams.get(stream).copied().unwrap_or(Version::NONE)
    }

    /// The last sequence number given out.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the last record was recorded.
    pub(super) fn recorded(&self) -> Option<Timestamp> {
        (self.sequence > 0).then(|| self.stamp.recorded())
    }

    /// Whether the version of a stream is known without looking further.
    pub(super) fn knows(&self, stream: &StreamName) -> bool {
        self.streams.contains_key(stream)
    }

    /// Learns the version of a stream of which no record was recovered.
    pub(super) fn learn(&mut self, stream: StreamName, version: Version) {
        self.streams.insert(stream, version);
    }

    /// Goes on behind a record that is not recovered one by one.
    pub(super) fn skip_to(&mut self, sequence: u64, stamp: Stamp) {
        (self.sequence, self.stamp) = (sequence, self.stamp.max(stamp));
    }

    /// Goes on behind records that were lost.
    pub(super) fn reach(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }

    /// Learns of a record that an earlier owner wrote.
    pub(super) fn recover(&mut self, record: &Record) -> Result<()> {
        let event = record.event()?;
        self.sequence = record.position().to_engine();
        self.stamp = record.stamp();
        match self.streams.get_mut(event.stream) {
            Some(version) => *version = event.version,
            None => {
                self.streams.insert(event.stream.into(), event.version);
            }
        }
        Ok(())
    }

    /// Forgets the newest records, which are not coming: those of these frames.
    pub(super) fn take_back(&mut self, frames: &[u8]) {
        let mut undone = Vec::new();
        let mut rest = frames;
        while let Some(header) = FrameHeader::read(rest) {
            let (frame, after) = rest.split_at(header.frame_bytes().min(rest.len()));
            if let Ok(event) = EventView::read(frame.get(FRAME_HEADER_BYTES..).unwrap_or_default())
            {
                undone.push((header.sequence, StreamName::from(event.stream), event.version));
            }
            rest = after;
        }
        for (sequence, stream, version) in undone.into_iter().rev() {
            self.sequence = sequence - 1;
            match version.previous() {
                Version::NONE => self.streams.remove(&stream),
                previous => self.streams.insert(stream, previous),
            };
        }
        self.recent.take_back(self.sequence);
    }

    /// Whether an append that something may stand against can be placed now.
    pub(super) fn look(&mut self, unless: &Unless) -> Look {
        self.recent.look(unless, self.sequence)
    }

    /// Gives the batch its place and appends its frames, not yet sealed, to `out`.
    pub(super) fn place(
        &mut self,
        batch: Batch,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<Appended> {
        let mut version = self.version(&batch.stream);
        if !batch.expected.admits(version) {
            return Err(conflict(&batch, version));
        }
        let kind = match batch.kind {
            RecordKind::Event => KIND_EVENT,
            RecordKind::Change => KIND_CHANGE,
        };
        let first = self.sequence + 1;
        out.reserve(batch.bytes);
        for (at, event) in batch.events.iter().enumerate() {
            version = version.next();
            self.sequence += 1;
            self.stamp = self.stamp.next(now);
            let start = out.len();
            out.resize(start + FRAME_HEADER_BYTES, 0);
            write_event(out, batch.stream.as_str(), version, event);
            let header = FrameHeader {
                length: fitting(out.len() - start - FRAME_HEADER_BYTES),
                sequence: self.sequence,
                kind,
                schema: BODY_VERSION,
                stamp: self.stamp.to_bits(),
                remaining: fitting(batch.events.len() - at - 1),
                ..FrameHeader::default()
            };
            out[start..start + FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
        }
        match self.streams.get_mut(&batch.stream) {
            Some(head) => *head = version,
            None => {
                self.streams.insert(batch.stream.clone(), version);
            }
        }
        let recorded = self.stamp.recorded();
        let Batch { stream, events, bytes, .. } = batch;
        self.recent.remember(first, stream, recorded, events, bytes);
        // Without an allocation for the record that most batches have.
        let others = (first + 1..=self.sequence).map(Position::from_engine).collect();
        Ok(Appended { first: Position::from_engine(first), others, version, recorded })
    }
}

/// A length that the limits of a batch keep far below 4 GiB.
fn fitting(length: usize) -> u32 {
    debug_assert!(u32::try_from(length).is_ok(), "batches are bounded");
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn conflict(batch: &Batch, actual: Version) -> Error {
    let expected = batch.expected.version().unwrap_or_default();
    let message = format!(
        "stream {:?} is at version {actual}, not at the expected version {expected}",
        batch.stream
    );
    Error::new(ErrorKind::VersionConflict, message).with_conflict(Conflict {
        expected,
        actual,
        ..Conflict::default()
    })
}
