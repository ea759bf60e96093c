//! What is appended, and what an append answers.

use foundation_types::{
    Durability, Event, ExpectedVersion, Position, Result, StreamName, Timestamp, Version, limits,
};
use foundation_types::{Error, ErrorKind};

use crate::record::{RecordKind, event_length, fits, frame::FRAME_HEADER_BYTES};

/// Records for one stream, appended all or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub(crate) stream: StreamName,
    pub(crate) kind: RecordKind,
    pub(crate) expected: ExpectedVersion,
    pub(crate) durability: Durability,
    pub(crate) events: Vec<Event>,
    pub(crate) bytes: usize,
}

impl Batch {
    /// A batch of validated events, each with its id.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] beyond 10,000 records or 16 MiB, or for text that validation refuses, [`ErrorKind::InvalidArgument`]
    /// if it is empty.
    pub fn new(stream: StreamName, kind: RecordKind, events: Vec<Event>) -> Result<Self> {
        if events.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "a batch needs an event"));
        }
        if !events.iter().all(|event| fits(stream.as_str(), event)) {
            let message = "a name, id or text of an event is longer than a record can hold";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let length = |event| FRAME_HEADER_BYTES + event_length(stream.as_str(), event);
        let bytes = events.iter().map(length).sum();
        if events.len() > limits::BATCH_EVENTS_MAX || bytes > limits::BATCH_BYTES_MAX {
            let message = format!(
                "a batch of {} events and {bytes} bytes is too large: the limits are {} and {}",
                events.len(),
                limits::BATCH_EVENTS_MAX,
                limits::BATCH_BYTES_MAX
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let (expected, durability) = (ExpectedVersion::Any, Durability::default());
        Ok(Self { stream, kind, expected, durability, events, bytes })
    }

    /// This batch only if its stream is at that version.
    #[must_use]
    pub fn expecting(mut self, expected: ExpectedVersion) -> Self {
        self.expected = expected;
        self
    }

    /// This batch acked at another level than [`Durability::Disk`]. [`Durability::Memory`] is for
    /// who does not wait for its commit, which ends as at [`Durability::Os`].
    #[must_use]
    pub fn at(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The stream that it is for.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The level at which it is acked.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }
}

/// Where a batch went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Position of the first record.
    pub first: Position,
    /// Those of the others, in the order of the batch.
    pub others: Vec<Position>,
    /// Version of the stream after the last record.
    pub version: Version,
    /// When the last record was recorded.
    pub recorded: Timestamp,
}

impl Appended {
    /// Position of each record, in the order of the batch.
    pub fn positions(&self) -> impl Iterator<Item = Position> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// Records that were appended.
    #[must_use]
    pub fn records(&self) -> usize {
        1 + self.others.len()
    }

    /// Position of the last record.
    #[must_use]
    pub fn last(&self) -> Position {
        self.others.last().copied().unwrap_or(self.first)
    }
}
