//! A record of the journal: framed, checksummed, chained, and read lazily.
//!
//! The bytes that were written are the bytes that are kept in memory and handed around: a
//! [`Record`] is a view of one frame in a shared chunk, and its fields are decoded when asked
//! for. `docs/format.md` draws every byte.

mod body;
pub(crate) mod fields;
pub(crate) mod frame;
pub(crate) mod reader;
mod uuid;
mod write;

pub use body::{EventView, IdView};
pub(crate) use fields::{IdBytes, Names};
pub(crate) use write::{event_length, fits, write_event};

use std::fmt;
use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Position, Recorded, Result, Stamp, Timestamp};

use fields::Fields;
use frame::{FRAME_HEADER_BYTES, FrameHeader};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordKind {
    /// An event that an application or Foundation appended.
    Event,
    /// A change of a configuration document, which is also the event that tells of it.
    Change,
}

/// One durable record. Cloning is O(1) and keeps its chunk alive.
///
/// There are as many of them as records in memory: what is seldom asked for stays in the frame.
#[derive(Clone)]
pub struct Record {
    chunk: Arc<[u8]>,
    start: u32,
    length: u32,
    sequence: u64,
}

impl Record {
    /// The frame that begins at `start`; its checksum was verified by whoever made the chunk.
    pub(crate) fn of_frame(chunk: Arc<[u8]>, start: usize, header: FrameHeader) -> Result<Self> {
        let start = u32::try_from(start).map_err(|_| {
            Error::new(ErrorKind::Internal, "a chunk of records is larger than 4 GiB")
        })?;
        Ok(Self { chunk, start, length: header.length, sequence: header.sequence })
    }

    /// Place in the journal.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::from_engine(self.sequence)
    }

    /// Causal stamp.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp::from_bits(u64::from_le_bytes(self.frame_bytes(frame::STAMP_AT)))
    }

    /// When it was recorded.
    #[must_use]
    pub fn recorded(&self) -> Timestamp {
        self.stamp().recorded()
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        match self.kind_byte() {
            frame::KIND_CHANGE => RecordKind::Change,
            _ => RecordKind::Event,
        }
    }

    /// Checksum of the frame, which binds it to all that came before.
    pub(crate) fn checksum(&self) -> u32 {
        u32::from_le_bytes(self.frame_bytes(frame::CHECKSUM_AT))
    }

    /// Bytes of the frame, header included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.length as usize
    }

    /// The event inside, field by field, without copying.
    ///
    /// # Errors
    /// [`ErrorKind::Corruption`] if the body does not follow the format although its checksum
    /// is right: it was written by a defective program.
    pub fn event(&self) -> Result<EventView<'_>> {
        EventView::read(self.body()).map_err(|reason| self.undecoded(reason))
    }

    /// The error of a record that cannot be decoded.
    pub(crate) fn undecoded(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Corruption, format!("a record cannot be decoded: {reason}"))
            .with("position", self.position())
    }

    /// The name of its stream, as bytes, without a look at its other fields.
    pub(crate) fn stream(&self) -> Option<&[u8]> {
        fields::stream(self.body())
    }

    /// What the record is found by, if its fields can be told apart; whether they are text is
    /// not looked at.
    pub(crate) fn names(&self) -> Option<Names<'_>> {
        Fields::read(self.body()).map(|fields| fields.names(self.recorded()))
    }

    /// As [`Record::names`] if the record can be decoded.
    pub(crate) fn readable_names(&self) -> Option<Names<'_>> {
        let fields = Fields::read(self.body()).filter(Fields::are_text)?;
        Some(fields.names(self.recorded()))
    }

    /// The event inside as a value of its own.
    ///
    /// # Errors
    /// As [`Record::event`].
    pub fn decode(&self) -> Result<Recorded> {
        Ok(self.event()?.into_recorded(self.position(), self.recorded()))
    }

    /// Whether it is the same record, wherever it stands and whatever stands before it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let place = |one: &Self| (one.position(), one.stamp(), one.kind_byte());
        place(self) == place(other) && self.body() == other.body()
    }

    fn kind_byte(&self) -> u8 {
        u8::from_le_bytes(self.frame_bytes(frame::KIND_AT))
    }

    /// The bytes of a field of the frame's header; the frame is there, or there would be no record.
    fn frame_bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        let field = self.chunk.get(self.start as usize + at..).and_then(|rest| rest.first_chunk());
        field.copied().unwrap_or([0; N])
    }

    fn body(&self) -> &[u8] {
        let start = self.start as usize + FRAME_HEADER_BYTES;
        self.chunk.get(start..start + self.length as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Record")
            .field("position", &self.position())
            .field("event", &self.event())
            .finish()
    }
}
