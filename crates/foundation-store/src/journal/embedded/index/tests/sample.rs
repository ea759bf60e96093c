//! Segments made by hand, and files that are read from memory.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundation_logic::event::matches;
use foundation_types::{Event, EventQuery, Order, Stamp, StoreId, Timestamp, Version};

use super::super::super::scan::Cursor;
use super::super::super::segment::{HEADER_BYTES, SegmentHeader};
use super::super::{Candidate, Grain, IndexBuilder, SegmentIndex, name_of};
use crate::disk::DiskFile;
use crate::record::frame::{FRAME_HEADER_BYTES, FrameHeader, GROUP_FRAME_BYTES, KIND_EVENT};
use crate::record::{EventView, Record, write_event};

/// Number of the first record of every segment here.
pub(super) const FIRST: u64 = 41;

pub(super) fn header() -> SegmentHeader {
    let store = StoreId::from_bits(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
    SegmentHeader { store, epoch: 1, first: FIRST, previous: 7, salt: 99 }
}

/// A record to be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) stream: String,
    pub(super) event: Event,
    /// Whether its body is cut, so that it cannot be decoded.
    pub(super) is_cut: bool,
    /// Whether a group begins with it.
    pub(super) opens: bool,
}

impl Draft {
    pub(super) fn new(stream: &str, event: Event) -> Self {
        Self { stream: stream.to_owned(), event, is_cut: false, opens: false }
    }
}

/// A segment whose records are in memory.
pub(super) struct Sample {
    pub(super) records: Vec<Record>,
    pub(super) offsets: Vec<u64>,
    pub(super) end: Cursor,
}

impl Sample {
    pub(super) fn of(drafts: &[Draft]) -> Self {
        let (mut records, mut offsets, mut offset) = (Vec::new(), Vec::new(), HEADER_BYTES);
        for (at, draft) in drafts.iter().enumerate() {
            if at == 0 || draft.opens {
                offset += GROUP_FRAME_BYTES as u64;
            }
            let record = record(FIRST + at as u64, draft);
            offsets.push(offset);
            offset += record.bytes() as u64;
            records.push(record);
        }
        let next = FIRST + records.len() as u64;
        Self { records, offsets, end: Cursor { offset, next, chain: 5 } }
    }

    pub(super) fn file(&self) -> Vec<u8> {
        self.file_of(Grain::Frames)
    }

    pub(super) fn file_of(&self, grain: Grain) -> Vec<u8> {
        let mut builder = IndexBuilder::new(header(), grain);
        for (record, offset) in self.records.iter().zip(&self.offsets) {
            builder.add(record, *offset).expect("is the next one");
        }
        builder.finish(self.end, true)
    }

    pub(super) fn index(&self) -> SegmentIndex {
        open(self.file())
    }

    pub(super) fn index_of(&self, grain: Grain) -> SegmentIndex {
        open(self.file_of(grain))
    }

    /// Whether the record at this place may be what an id leads to.
    pub(super) fn is_among(&self, at: usize, candidates: &[Candidate]) -> bool {
        candidates.iter().any(|candidate| self.places(candidate).contains(&at))
    }

    /// The offsets of the frames that answer a query: of every frame in the window.
    pub(super) fn scan(&self, query: &EventQuery, window: &Range<u64>) -> Vec<u64> {
        let all = self.records.iter().zip(self.offsets.iter().copied());
        let mut found: Vec<u64> = all
            .filter(|(record, offset)| window.contains(offset) && answers(query, record))
            .map(|(_, offset)| offset)
            .collect();
        if query.order == Order::Desc {
            found.reverse();
        }
        found
    }

    /// The same by the index, as a journal asks it.
    pub(super) fn ask(
        &self,
        index: &SegmentIndex,
        query: &EventQuery,
        window: &Range<u64>,
    ) -> foundation_types::Result<Vec<u64>> {
        let mut found = Vec::new();
        let mut candidates = index.candidates(query, window.clone())?;
        while let Some(candidate) = candidates.next()? {
            let mut places = self.places(&candidate);
            if query.order == Order::Desc {
                places.reverse();
            }
            let fitting = places.into_iter().filter(|at| answers(query, &self.records[*at]));
            found.extend(fitting.map(|at| self.offsets[at]));
        }
        Ok(found)
    }

    /// The records of a candidate.
    pub(super) fn places(&self, candidate: &Candidate) -> Vec<usize> {
        let place = |offset: u64| self.offsets.binary_search(&offset);
        match candidate {
            Candidate::Frames(offsets) => offsets.iter().flat_map(|at| place(*at)).collect(),
            Candidate::Stretch(range) => {
                let start = place(range.start).unwrap_or_else(|at| at);
                let end = place(range.end).unwrap_or_else(|at| at);
                (start..end).collect()
            }
        }
    }
}

pub(super) fn answers(query: &EventQuery, record: &Record) -> bool {
    let answers =
        |event: EventView<'_>| matches(query, &event.keys(record.position(), record.recorded()));
    record.event().is_ok_and(answers)
}

fn record(sequence: u64, draft: &Draft) -> Record {
    let mut bytes = vec![0; FRAME_HEADER_BYTES];
    write_event(&mut bytes, &draft.stream, Version::new(sequence * 2), &draft.event);
    if draft.is_cut {
        bytes.truncate(FRAME_HEADER_BYTES + 12);
    }
    let recorded = Timestamp::from_unix_micros(sequence as i64 * 1_000);
    let header = FrameHeader {
        length: (bytes.len() - FRAME_HEADER_BYTES) as u32,
        sequence,
        kind: KIND_EVENT,
        stamp: Stamp::default().next(recorded).to_bits(),
        ..FrameHeader::default()
    };
    bytes[..FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
    Record::of_frame(bytes.into(), 0, header).expect("a small chunk")
}

/// Opens an index that is right.
pub(super) fn open(file: Vec<u8>) -> SegmentIndex {
    try_open(Bytes::of(file)).expect("is what was written")
}

pub(super) fn try_open(file: Bytes) -> foundation_types::Result<SegmentIndex> {
    SegmentIndex::open(Box::new(file), name_of(FIRST), &header())
}

/// A file in memory, perhaps with a bit that is wrong; it counts what is read.
#[derive(Clone)]
pub(super) struct Bytes {
    bytes: Arc<Vec<u8>>,
    flipped: Option<usize>,
    reads: Arc<AtomicU64>,
}

impl Bytes {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(bytes), flipped: None, reads: Arc::default() }
    }

    pub(super) fn flipped(&self, bit: usize) -> Self {
        Self { flipped: Some(bit), ..self.clone() }
    }

    /// Calls to read since it was asked last.
    pub(super) fn reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl DiskFile for Bytes {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let start = (offset as usize).min(self.bytes.len());
        let count = buffer.len().min(self.bytes.len() - start);
        buffer[..count].copy_from_slice(&self.bytes[start..start + count]);
        let bit = self.flipped.filter(|bit| (start..start + count).contains(&(bit / 8)));
        if let Some(bit) = bit {
            buffer[bit / 8 - start] ^= 1 << (bit % 8);
        }
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}
