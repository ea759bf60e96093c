//! The index of one segment: a derived file beside it that answers what else takes a reading of
//! the whole segment.
//!
//! The file of segment `00000000000000000001.seg` is `00000000000000000001.idx`. It is written
//! once, from the records of the segment up to some group, and says up to which: the whole of a
//! sealed segment, or what an active one held when it was closed. Whoever finds none, or one that
//! is refused, builds it anew from the segment: nothing is lost with it.
//!
//! An [`IndexBuilder`] is told of each record and gives the bytes of the file. A [`SegmentIndex`]
//! is an open file, of which it keeps a summary, a directory and a filter of terms in memory. All
//! else is read page by page, and every page is verified each time.
//!
//! A *term* is what a record is found by: its id, type, stream or correlation. What is found by a
//! term is a *candidate*, the offset of a frame in the segment: names are kept as hashes, so the
//! record is read and compared before it is an answer. No record that has the term is ever left
//! out, save those that cannot be decoded, which have no terms and are counted in the [`Summary`].

use std::ops::{Range, RangeInclusive};

use foundation_types::{Error, ErrorKind, EventQuery, Result, Stamp, Timestamp, Version};

use super::scan::Cursor;
use super::segment::SegmentHeader;
use crate::disk::DiskFile;
use crate::record::{IdBytes, Record};

/// The name of the index of the segment whose first record has this number.
pub(super) fn name_of(first: u64) -> String {
    format!("{first:020}.idx")
}

/// What a record is found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Term<'a> {
    Id(IdBytes<'a>),
    Type(&'a [u8]),
    Stream(&'a [u8]),
    Correlation(&'a [u8]),
}

/// What an index says of its segment as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Sequence number of the first record.
    pub(super) first: u64,
    /// After the last group that is covered.
    pub(super) end: Cursor,
    /// Whether that is the end of the segment, to which nothing is added.
    pub(super) sealed: bool,
    /// Records that are covered.
    pub(super) records: u64,
    /// Those of them that cannot be decoded: no term leads to them.
    pub(super) unreadable: u64,
    /// Stamp of the last record.
    pub(super) last_stamp: Option<Stamp>,
    /// When the first record was recorded.
    pub(super) first_recorded: Option<Timestamp>,
    /// The earliest and the latest time of an event, in microseconds since 1970.
    pub(super) times: Option<RangeInclusive<i64>>,
}

impl Summary {
    /// Sequence number of the last record that is covered; one before the first if none is.
    pub(super) fn last(&self) -> u64 {
        self.end.next.saturating_sub(1)
    }
}

/// A stream in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamEntry {
    pub(super) name: String,
    /// The version that its last record here made.
    pub(super) version: Version,
    /// Records of it in the segment.
    pub(super) records: u64,
}

/// Where a record may be that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// In the frame at this offset.
    Frame(u64),
    /// Among the frames in this stretch, which begins with a frame and ends after one.
    Stretch(Range<u64>),
}

/// Builds the index of one segment.
pub(super) struct IndexBuilder {
    header: SegmentHeader,
}

impl IndexBuilder {
    pub(super) fn new(header: SegmentHeader) -> Self {
        Self { header }
    }

    /// Adds the next record, whose frame stands at `offset` in the segment.
    ///
    /// # Errors
    /// `Internal` if the offset is beyond 4 GiB, which no segment reaches.
    pub(super) fn add(&mut self, _record: &Record, _offset: u64) -> Result<()> {
        Err(unfinished(self.header))
    }

    /// The bytes of the file. `end` is the place after the last group whose records were added.
    pub(super) fn finish(self, _end: Cursor, _sealed: bool) -> Vec<u8> {
        Vec::new()
    }
}

/// An open index.
pub(super) struct SegmentIndex {
    file: Box<dyn DiskFile>,
    summary: Summary,
}

impl SegmentIndex {
    /// Opens the index of the segment with this header; `name` is for messages.
    ///
    /// # Errors
    /// `ForeignFile` if it belongs to another segment, `UnknownFormat` if a newer program wrote
    /// it, `Corruption` if it is not what was written, `Disk` if it cannot be read.
    pub(super) fn open(
        _file: Box<dyn DiskFile>,
        _name: String,
        header: &SegmentHeader,
    ) -> Result<Self> {
        Err(unfinished(*header))
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether a record with this term can be here; told from memory.
    pub(super) fn may_hold(&self, _term: Term<'_>) -> bool {
        true
    }

    /// Offsets of the frames that may hold the event with this id.
    pub(super) fn id(&self, _id: IdBytes<'_>) -> Result<Vec<u64>> {
        Err(unfinished_file(&*self.file))
    }

    /// The version that the last record of the stream in this segment made.
    pub(super) fn stream_version(&self, _stream: &[u8]) -> Result<Option<Version>> {
        Err(unfinished_file(&*self.file))
    }

    /// All types with the number of their records, by name.
    pub(super) fn types(&self) -> Result<Vec<(String, u64)>> {
        Err(unfinished_file(&*self.file))
    }

    /// All streams, by name.
    pub(super) fn streams(&self) -> Result<Vec<StreamEntry>> {
        Err(unfinished_file(&*self.file))
    }

    /// Where the records in `window` may be that answer the query, in its order. The window is a
    /// range of offsets, each of which is that of a frame or lies outside of all; cursor and
    /// limit of the query are not looked at.
    pub(super) fn candidates(
        &self,
        _query: &EventQuery,
        _window: Range<u64>,
    ) -> Result<Candidates<'_>> {
        Err(unfinished_file(&*self.file))
    }

    /// The offset of a frame from which reading on reaches the record with this number.
    pub(super) fn offset_of(&self, _sequence: u64) -> Result<u64> {
        Err(unfinished_file(&*self.file))
    }
}

/// Candidates in the order of their query, found as they are asked for.
pub(super) struct Candidates<'a> {
    index: &'a SegmentIndex,
}

impl Candidates<'_> {
    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Candidate>> {
        Err(unfinished_file(&*self.index.file))
    }
}

fn unfinished(header: SegmentHeader) -> Error {
    Error::new(ErrorKind::Internal, "an index cannot be built yet").with("first", header.first)
}

fn unfinished_file(file: &dyn DiskFile) -> Error {
    Error::new(ErrorKind::Internal, "an index cannot be read yet")
        .with("bytes", file.len().unwrap_or_default())
}
