//! One file of the log: its name, its header, and the seed that binds its frames to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::index::SegmentIndex;
use crate::disk::DiskFile;
use crate::record::reader::Reader;

pub(super) const HEADER_BYTES: u64 = 64;
const MAGIC: &[u8; 8] = b"FNDSEGMT";
const FORMAT: u16 = 1;
const SUFFIX: &str = ".seg";

/// The fixed part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) store: StoreId,
    /// Ownership of the store that wrote it; a restore begins a new one.
    pub(super) epoch: u64,
    /// Sequence number of the first record.
    pub(super) first: u64,
    /// Checksum of the last frame of the segment before.
    pub(super) previous: u32,
    /// Differs from file to file, so that frames of a recycled file never verify.
    pub(super) salt: u32,
}

impl SegmentHeader {
    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store.to_bits().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.previous.to_le_bytes());
        let sum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads and verifies the header of `file`.
    pub(super) fn read(bytes: &[u8], file: &str) -> Result<Self> {
        let damaged = |what: &str| {
            let message = format!("the header of a segment is damaged: {what}");
            Error::new(ErrorKind::Corruption, message).with("file", file).with("range", "0..64")
        };
        let mut reader = Reader(bytes);
        if reader.array::<8>().as_ref() != Some(MAGIC) {
            return Err(damaged("it does not begin with its mark"));
        }
        let format = reader.u16().ok_or_else(|| damaged("it is cut short"))?;
        if format != FORMAT {
            let message = format!("a segment has format {format}, this program knows {FORMAT}");
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", file));
        }
        let whole = bytes.get(..HEADER_BYTES as usize).ok_or_else(|| damaged("it is cut short"))?;
        if whole[60..64] != crc32c::crc32c(&whole[..60]).to_le_bytes() {
            return Err(damaged("its checksum does not match"));
        }
        Self::read_fields(Reader(&whole[12..])).ok_or_else(|| damaged("it is cut short"))
    }

    fn read_fields(mut reader: Reader<'_>) -> Option<Self> {
        let salt = reader.u32()?;
        let store = StoreId::from_bits(u128::from_le_bytes(reader.array()?));
        let (epoch, first, previous) = (reader.u64()?, reader.u64()?, reader.u32()?);
        Some(Self { store, epoch, first, previous, salt })
    }

    /// What the checksum of every frame in the segment begins with.
    pub(super) fn seed(self) -> u32 {
        crc32c::crc32c(&self.to_bytes()[12..48])
    }
}

/// The name of the segment whose first record has this number.
pub(super) fn name_of(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

/// The number in the name of a segment.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let proper = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if proper { digits.parse().ok() } else { None }
}

pub(super) fn is_segment(name: &str) -> bool {
    first_of(name).is_some()
}

/// An open segment.
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) header: SegmentHeader,
    pub(super) seed: u32,
    pub(super) file: Box<dyn DiskFile>,
    /// Offset after the last durable frame.
    pub(super) end: AtomicU64,
    /// Finds its records, as far as the index covers them.
    pub(super) index: ArcSwapOption<SegmentIndex>,
    /// Sequence numbers and offsets of some frames, ascending: where a read may begin.
    marks: Mutex<Vec<(u64, u64)>>,
}

impl Segment {
    /// Bytes between two marks.
    const MARK_BYTES: u64 = 64 * 1024;

    pub(super) fn new(name: String, header: SegmentHeader, file: Box<dyn DiskFile>) -> Self {
        Self {
            name,
            header,
            seed: header.seed(),
            file,
            end: AtomicU64::new(HEADER_BYTES),
            index: ArcSwapOption::empty(),
            marks: Mutex::new(vec![(header.first, HEADER_BYTES)]),
        }
    }

    /// The same segment, read through another file.
    pub(super) fn through(&self, file: Box<dyn DiskFile>) -> Self {
        Self {
            name: self.name.clone(),
            header: self.header,
            seed: self.seed,
            file,
            end: AtomicU64::new(self.end.load(Ordering::Acquire)),
            index: ArcSwapOption::new(self.index.load_full()),
            marks: Mutex::new(self.marks().clone()),
        }
    }

    /// The index, if it covers all that the segment will ever have.
    pub(super) fn whole_index(&self) -> Option<Arc<SegmentIndex>> {
        self.index.load_full().filter(|index| index.summary().sealed)
    }

    /// Notes where frames are: sequence numbers and offsets, both ascending.
    pub(super) fn mark(&self, frames: impl IntoIterator<Item = (u64, u64)>) {
        let mut marks = self.marks();
        for (sequence, offset) in frames {
            if marks.last().is_none_or(|(_, last)| offset >= last + Self::MARK_BYTES) {
                marks.push((sequence, offset));
            }
        }
    }

    /// An offset from which reading on soon reaches the record with this number.
    pub(super) fn offset_for(&self, sequence: u64) -> u64 {
        // What the index covers was perhaps never read, and then has no marks.
        self.asking_index(sequence, |index| index.offset_of(sequence))
            .unwrap_or_else(|| self.marked_before(sequence, 0))
    }

    /// An offset about `bytes` before that, if the segment has as many.
    pub(super) fn offset_before(&self, sequence: u64, bytes: u64) -> u64 {
        let first = self.header.first;
        self.asking_index(sequence, |index| {
            let summary = index.summary();
            let average = summary.end.offset / summary.records.max(1);
            index.offset_of(sequence.saturating_sub(bytes / average.max(1)).max(first))
        })
        .unwrap_or_else(|| self.marked_before(sequence, bytes))
    }

    /// What the index says, if it covers the record with this number and can be read.
    fn asking_index<T>(
        &self,
        sequence: u64,
        ask: impl FnOnce(&SegmentIndex) -> Result<T>,
    ) -> Option<T> {
        let index = self.index.load_full()?;
        if index.summary().last() < sequence { None } else { ask(&index).ok() }
    }

    /// The last marked offset that is at least `bytes` before the record with this number.
    fn marked_before(&self, sequence: u64, bytes: u64) -> u64 {
        let marks = self.marks();
        let after = marks.partition_point(|(first, _)| *first <= sequence);
        let reached = marks.get(..after).unwrap_or_default();
        let at = reached.last().map_or(HEADER_BYTES, |(_, at)| *at);
        if bytes == 0 {
            return at;
        }
        // The record itself may stand up to one distance of marks after the last mark.
        let wanted = at.saturating_sub(bytes);
        let before = reached.partition_point(|(_, offset)| *offset <= wanted);
        before.checked_sub(1).and_then(|at| reached.get(at)).map_or(HEADER_BYTES, |(_, at)| *at)
    }

    fn marks(&self) -> MutexGuard<'_, Vec<(u64, u64)>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
