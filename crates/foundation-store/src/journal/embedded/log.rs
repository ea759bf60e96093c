//! The row of segments: which one holds a record, and reading below the durable end.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use foundation_types::{Error, ErrorKind, Result, Version};

use super::disk_failure;
use super::frames::{Frames, ReadFault};
use super::index::Term;
use super::indexing::indexed;
use super::segment::{HEADER_BYTES, Segment};
use crate::journal::lost;
use crate::record::Record;

/// Bytes that are read at a time, at least.
const LOOK_UP_BYTES: usize = 64 * 1024;

/// Every segment of the log, oldest first.
#[derive(Default)]
pub(super) struct SegmentLog {
    segments: RwLock<Vec<Arc<Segment>>>,
}

impl SegmentLog {
    pub(super) fn push(&self, segment: Arc<Segment>) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    pub(super) fn last(&self) -> Option<Arc<Segment>> {
        self.all().last().cloned()
    }

    /// Puts another view of a segment in its place, if that is still there.
    pub(super) fn replace(&self, segment: Arc<Segment>) {
        let mut all = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&mut Arc<Segment>| one.header.first == segment.header.first;
        if let Some(place) = all.iter_mut().find(same) {
            *place = segment;
        }
    }

    /// Forgets the segments whose records all come before this number; gives their names.
    pub(super) fn forget_before(&self, first: u64) -> Vec<String> {
        let mut all = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let keep = all.partition_point(|segment| segment.header.first < first);
        all.drain(..keep).map(|segment| segment.name.clone()).collect()
    }

    /// All segments but the last one, which are never added to, oldest first.
    pub(super) fn sealed(&self) -> Vec<Arc<Segment>> {
        let all = self.all();
        all.split_last().map(|(_, sealed)| sealed.to_vec()).unwrap_or_default()
    }

    /// All segments, oldest first.
    pub(super) fn every(&self) -> Vec<Arc<Segment>> {
        self.all().clone()
    }

    /// The sequence number before the first record that is kept.
    pub(super) fn before_first(&self) -> u64 {
        self.all().first().map_or(0, |first| first.header.first.saturating_sub(1))
    }

    /// The version of a stream, as far as indices know of it.
    pub(super) fn stream_version(&self, stream: &str) -> Result<Option<Version>> {
        for segment in self.every().iter().rev() {
            let term = Term::Stream(stream.as_bytes());
            let found = indexed(segment, term, |index| index.stream_version(stream.as_bytes()))?;
            if let Some(version) = found.flatten() {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    pub(super) fn segments(&self) -> usize {
        self.all().len()
    }

    /// Bytes up to the durable end of every segment.
    pub(super) fn bytes(&self) -> u64 {
        self.all().iter().map(|segment| segment.end.load(Ordering::Acquire)).sum()
    }

    /// The first records after `sequence` that are durable, about `bytes_max` bytes of them.
    pub(super) fn read_after(
        &self,
        sequence: u64,
        durable: u64,
        bytes_max: usize,
    ) -> Result<Vec<Record>> {
        if sequence >= durable {
            return Ok(Vec::new());
        }
        self.check_kept(sequence + 1)?;
        // The next number is durable, so the segment that it falls into holds it, unless it was lost
        // to damage; then the next record may be in a later one.
        let Some(mut segment) = self.holding(sequence + 1) else { return Ok(Vec::new()) };
        while segment.header.first <= durable {
            let records = read_in(&segment, sequence, durable, bytes_max)?;
            let next = if records.is_empty() { self.behind(&segment) } else { None };
            match next {
                Some(next) => segment = next,
                None => return Ok(records),
            }
        }
        Ok(Vec::new())
    }

    /// The segment after this one.
    fn behind(&self, segment: &Segment) -> Option<Arc<Segment>> {
        let all = self.all();
        let after = all.partition_point(|one| one.header.first <= segment.header.first);
        all.get(after).cloned()
    }

    /// The last records before `sequence` that are durable, about `bytes_max` bytes of them.
    pub(super) fn read_before(
        &self,
        sequence: u64,
        durable: u64,
        bytes_max: usize,
    ) -> Result<Vec<Record>> {
        let last = sequence.saturating_sub(1).min(durable);
        if last == 0 {
            return Ok(Vec::new());
        }
        let Some(segment) = self.holding(last) else { return Ok(Vec::new()) };
        let first = segment.header.first;
        let mut frames = frames(&segment, segment.offset_before(last, bytes_max as u64));
        let mut records = Vec::new();
        loop {
            let read = frames
                .next(bytes_max.max(LOOK_UP_BYTES))
                .map_err(|fault| refused(&segment, fault))?;
            let is_past = frames.offset >= frames.end
                || read.last().is_some_and(|record| number(record) >= last);
            records.extend(read.into_iter().filter(|record| number(record) <= last));
            if is_past {
                break;
            }
        }
        if records.is_empty() && first > self.before_first() + 1 {
            // All that the segment has up to there was lost to damage.
            return self.read_before(first, durable, bytes_max);
        }
        records.reverse();
        cut(&mut records, bytes_max);
        records.reverse();
        Ok(records)
    }

    /// The record with this number.
    pub(super) fn record(&self, sequence: u64, durable: u64) -> Result<Record> {
        let missing = || {
            let message = format!("there is no record at position {sequence}");
            Error::new(ErrorKind::NotFound, message)
        };
        if sequence == 0 || sequence > durable {
            return Err(missing());
        }
        self.check_kept(sequence)?;
        let segment = self.holding(sequence).ok_or_else(missing)?;
        let mut frames = frames(&segment, segment.offset_for(sequence));
        loop {
            let read = frames.next(LOOK_UP_BYTES).map_err(|fault| refused(&segment, fault))?;
            let is_past = read.last().is_some_and(|last| number(last) > sequence);
            if let Some(record) = read.into_iter().find(|record| number(record) == sequence) {
                return Ok(record);
            }
            if is_past || frames.offset >= frames.end {
                let message = format!(
                    "the record at position {sequence} was lost to damage; what was left of it is \
                     in quarantine"
                );
                return Err(lost(message).with("file", &segment.name));
            }
        }
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file that is gone because retention was quicker is no failure of the disk.
    pub(super) fn judged<T>(&self, read: Result<T>, sequence: u64) -> Result<T> {
        match read {
            Err(error) if error.kind() == ErrorKind::Disk => {
                self.check_kept(sequence)?;
                Err(error)
            }
            read => read,
        }
    }

    /// Whether there is a segment of which this holds.
    pub(super) fn any(&self, holds: impl Fn(&Arc<Segment>) -> bool) -> bool {
        self.all().iter().any(holds)
    }

    fn check_kept(&self, sequence: u64) -> Result<()> {
        let before_first = self.before_first();
        if sequence > before_first {
            return Ok(());
        }
        let message = format!("records up to position {before_first} were let go of");
        Err(Error::new(ErrorKind::Compacted, message))
    }

    /// The segment that holds the record with this number, if it is written.
    pub(super) fn holding(&self, sequence: u64) -> Option<Arc<Segment>> {
        let all = self.all();
        let after = all.partition_point(|segment| segment.header.first <= sequence);
        after.checked_sub(1).and_then(|at| all.get(at)).cloned()
    }
}

/// The first records after `sequence` in a segment, about `bytes_max` bytes of them.
fn read_in(
    segment: &Segment,
    sequence: u64,
    durable: u64,
    bytes_max: usize,
) -> Result<Vec<Record>> {
    let mut frames = frames(segment, segment.offset_for(sequence + 1));
    let wanted = |record: &Record| number(record) > sequence && number(record) <= durable;
    loop {
        let mut records =
            frames.next(bytes_max.max(LOOK_UP_BYTES)).map_err(|fault| refused(segment, fault))?;
        let is_end = records.is_empty() && frames.offset >= frames.end;
        // Most often all are wanted, and then nothing is moved.
        records.retain(wanted);
        if !records.is_empty() || is_end {
            cut(&mut records, bytes_max);
            return Ok(records);
        }
    }
}

pub(super) fn frames(segment: &Segment, offset: u64) -> Frames<'_> {
    Frames {
        file: &*segment.file,
        seed: segment.seed,
        offset: offset.max(HEADER_BYTES),
        end: segment.end.load(Ordering::Acquire),
        chain: None,
    }
}

/// The checksum of the frame of a record, if it can be read in this stretch of a segment, which
/// begins with a frame and ends after one.
pub(super) fn checksum_in(
    segment: &Segment,
    stretch: Range<u64>,
    sequence: u64,
) -> Result<Option<u32>> {
    let mut frames = Frames { end: stretch.end, ..frames(segment, stretch.start) };
    while frames.offset < frames.end {
        match frames.next(LOOK_UP_BYTES) {
            Ok(records) => {
                let last = records.last().map_or(sequence, number);
                let found = records.iter().find(|record| number(record) == sequence);
                if found.is_some() || last >= sequence {
                    return Ok(found.map(Record::checksum));
                }
            }
            Err(ReadFault::Damaged(..)) => return Ok(None),
            Err(fault) => return Err(refused(segment, fault)),
        }
    }
    Ok(None)
}

pub(super) fn number(record: &Record) -> u64 {
    record.position().to_engine()
}

/// Keeps the first records, up to about `bytes_max` bytes and at least one.
fn cut(records: &mut Vec<Record>, bytes_max: usize) {
    let mut bytes = 0;
    let over = records.iter().position(|record| {
        bytes += record.bytes();
        bytes > bytes_max
    });
    if let Some(over) = over {
        records.truncate(over.max(1));
    }
}

pub(super) fn refused(segment: &Segment, fault: ReadFault) -> Error {
    match fault {
        ReadFault::Disk(cause) => disk_failure("read the log", &segment.name, cause),
        ReadFault::Damaged(offset, reason) => {
            Error::new(ErrorKind::Corruption, format!("a stored record is damaged: {reason}"))
                .with("file", &segment.name)
                .with("offset", offset)
        }
    }
}
