//! Finding records in the segments: by their indices, and by reading where there is none yet.
//!
//! A step looks at a bounded number of candidates in one segment. What it finds was read from the
//! log and verified there; an index only says where to read.

use std::ops::Range;

use foundation_types::{EventQuery, Order, Position, Result};

use super::index::{Candidate, SegmentIndex, Term};
use super::indexing::{asked, indexed};
use super::log::{SegmentLog, frames, number, refused};
use super::segment::{HEADER_BYTES, Segment};
use crate::journal::find::{Found, STEP_BYTES};
use crate::record::{IdBytes, IdView, Record};

/// Candidates that one step looks at.
const STEP_CANDIDATES: usize = 128;

impl SegmentLog {
    /// Whether an index may know a record with this id.
    pub(super) fn may_hold(&self, id: &str) -> bool {
        let term = Term::Id(IdBytes::of(id));
        let holds = |index: &SegmentIndex| index.may_hold(term);
        self.any(|segment| segment.index.load().as_deref().is_some_and(holds))
    }

    /// The record with this id, as far as indices know.
    pub(super) fn find_id(&self, id: &str) -> Result<Option<Record>> {
        let (key, view) = (IdBytes::of(id), IdView::of(id));
        for segment in self.every().iter().rev() {
            let found = indexed(segment, Term::Id(key), |index| index.id(key))?;
            let is_wanted = |record: &Record| record.event().is_ok_and(|event| event.id == view);
            for candidate in found.unwrap_or_default() {
                let record = records_of(segment, candidate)?.into_iter().find(is_wanted);
                if record.is_some() {
                    return Ok(record);
                }
            }
        }
        Ok(None)
    }

    /// One step: records in `bounds`, which are sequence numbers that are kept and durable.
    /// Segments of which the index says from memory that they have none are passed over.
    pub(super) fn find(&self, query: &EventQuery, mut bounds: Range<u64>) -> Result<Found> {
        while !bounds.is_empty() {
            let next = match query.order {
                Order::Asc => bounds.start,
                Order::Desc => bounds.end - 1,
            };
            let Some(segment) = self.holding(next) else { break };
            match segment.index.load_full() {
                Some(index) if index.summary().last() < next => {
                    return self.read_step(query.order, bounds);
                }
                Some(index) if index.can_answer(query) => {
                    return asked(&segment, &index, |index| step(&segment, index, query, &bounds));
                }
                Some(index) => match query.order {
                    Order::Asc => bounds.start = index.summary().last() + 1,
                    Order::Desc => bounds.end = segment.header.first.max(bounds.start),
                },
                None => return self.read_step(query.order, bounds),
            }
        }
        Ok(Found::default())
    }

    /// A step without an index.
    fn read_step(&self, order: Order, bounds: Range<u64>) -> Result<Found> {
        let last = bounds.end - 1;
        let mut records = match order {
            Order::Asc => self.read_after(bounds.start - 1, last, STEP_BYTES)?,
            Order::Desc => self.read_before(bounds.end, last, STEP_BYTES)?,
        };
        if order == Order::Desc {
            records.reverse();
        }
        let looked_at = records.last().map(number);
        records.retain(|record| bounds.contains(&number(record)));
        let is_end = match order {
            Order::Asc => looked_at.is_none_or(|at| at >= last),
            Order::Desc => looked_at.is_none_or(|at| at <= bounds.start),
        };
        let cursor = looked_at.filter(|_| !is_end).map(Position::from_engine);
        Ok(Found { records, cursor, ..Found::default() })
    }
}

/// One step through the candidates of a segment.
fn step(
    segment: &Segment,
    index: &SegmentIndex,
    query: &EventQuery,
    bounds: &Range<u64>,
) -> Result<Found> {
    let covered = segment.header.first..index.summary().last() + 1;
    let inside = bounds.start.max(covered.start)..bounds.end.min(covered.end);
    let mut candidates = index.candidates(query, window(index, &inside)?)?;
    let wanted = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let wanted = wanted.clamp(1, STEP_CANDIDATES);
    let (mut records, mut bytes) = (Vec::new(), 0);
    while let Some(candidate) = candidates.next()? {
        let mut read = records_of(segment, candidate)?;
        if query.order == Order::Desc {
            read.reverse();
        }
        // What is read around the place does not count: a step that ends with it comes no further.
        read.retain(|record| inside.contains(&number(record)));
        let looked_at = read.last().map(number);
        bytes += read.iter().map(Record::bytes).sum::<usize>();
        records.extend(read);
        if let Some(looked_at) = looked_at
            && (records.len() >= wanted || bytes >= STEP_BYTES)
        {
            let cursor = rest(query.order, bounds, looked_at);
            return Ok(Found { records, cursor, by: candidates.by() });
        }
    }
    let looked_at = match query.order {
        Order::Asc => inside.end - 1,
        Order::Desc => inside.start,
    };
    Ok(Found { records, cursor: rest(query.order, bounds, looked_at), by: candidates.by() })
}

/// Offsets between which the records with these numbers stand, with a few around them.
fn window(index: &SegmentIndex, numbers: &Range<u64>) -> Result<Range<u64>> {
    let summary = index.summary();
    if numbers.start <= summary.first && numbers.end > summary.last() {
        return Ok(0..u64::MAX);
    }
    let (start, last) = (index.offset_of(numbers.start)?, index.summary().last());
    let reached = index.offset_of(numbers.end.min(last))?;
    // A place is where a stretch of records begins: the end is the first beyond them.
    let (mut ahead, mut end) = (64, reached);
    while end <= reached {
        let beyond = numbers.end.saturating_add(ahead);
        if beyond > last {
            return Ok(start..index.summary().end.offset);
        }
        end = index.offset_of(beyond)?;
        ahead *= 2;
    }
    Ok(start..end)
}

/// Where the next step goes on, if there is one.
fn rest(order: Order, bounds: &Range<u64>, looked_at: u64) -> Option<Position> {
    let is_end = match order {
        Order::Asc => looked_at + 1 >= bounds.end,
        Order::Desc => looked_at <= bounds.start,
    };
    (!is_end).then(|| Position::from_engine(looked_at))
}

fn records_of(segment: &Segment, candidate: Candidate) -> Result<Vec<Record>> {
    match candidate {
        Candidate::Frames(offsets) => records_at(segment, &offsets),
        Candidate::Stretch(stretch) => records_in(segment, stretch),
    }
}

/// The records whose frames stand at these offsets.
fn records_at(segment: &Segment, offsets: &[u64]) -> Result<Vec<Record>> {
    frames(segment, HEADER_BYTES).at(offsets).map_err(|fault| refused(segment, fault))
}

/// All records in a stretch of whole frames.
fn records_in(segment: &Segment, stretch: Range<u64>) -> Result<Vec<Record>> {
    let mut frames = frames(segment, stretch.start);
    frames.end = frames.end.min(stretch.end);
    let mut records = Vec::new();
    while frames.offset < frames.end {
        let read = frames.next(STEP_BYTES).map_err(|fault| refused(segment, fault))?;
        records.extend(read);
    }
    Ok(records)
}
