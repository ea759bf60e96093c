//! Letting go of the oldest segments, whole ones, when nobody needs them any more.

use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::Lives;
use foundation_types::{EventType, Result, Timestamp};

use super::archive::ArchivedSegment;
use super::index::SegmentIndex;
use super::segment::{self, Segment};
use super::{disk_failure, index, indexing};
use crate::disk::Disk;
use crate::journal::retention::{Dropped, Retention};

/// What says that a segment goes.
pub(super) struct Bounds<'a> {
    pub(super) keep: Retention,
    /// How long events live, if a segment of which all are expired goes.
    pub(super) lives: Option<&'a Lives>,
    /// Segments that go at most.
    pub(super) segments_max: usize,
    /// The last record of the log.
    pub(super) last: u64,
    pub(super) now: Timestamp,
}

/// The oldest segments, as far as something goes.
#[derive(Default)]
pub(super) struct Front {
    /// How many of the sealed ones.
    pub(super) segments: usize,
    pub(super) dropped: Dropped,
    /// Events in segments that go for nothing else than that all in them is expired.
    pub(super) expired: u64,
    /// The last record in them.
    pub(super) last: u64,
    /// When it was recorded.
    pub(super) newest: Option<Timestamp>,
}

/// Which of the sealed segments go, oldest first: how many of them, and what they have.
///
/// `needed` is the last record that may go; `away` are those that are in the archive.
pub(super) fn chosen(
    sealed: &[Arc<Segment>],
    bounds: &Bounds<'_>,
    needed: u64,
    away: &[ArchivedSegment],
) -> Result<Front> {
    let keep = bounds.keep;
    let mut front = Front::default();
    let is_away = |segment: &Segment| {
        away.binary_search_by_key(&segment.header.first, |one| one.first).is_ok()
    };
    let live = sealed.iter().filter(|segment| !is_away(segment));
    let mut bytes: u64 = live.map(|segment| bytes_of(segment)).sum();
    for segment in sealed.iter().take(bounds.segments_max) {
        let Some(index) = segment.whole_index() else { break };
        let summary = index.summary();
        if summary.last() > needed {
            break;
        }
        let recorded = summary.last_stamp.map(|stamp| stamp.recorded());
        let is_past = |age| is_past(recorded, bounds.now, age);
        let too_many = keep.records.is_some_and(|most| bounds.last - summary.last() >= most);
        let too_large = keep.bytes.is_some_and(|most| bytes > most);
        let is_beyond = match is_away(segment) {
            // The bounds of the log are about what it takes in the store.
            true => keep.archived_age.is_some_and(is_past),
            false => too_many || too_large || keep.age.is_some_and(is_past),
        };
        if !is_beyond {
            let expired = if is_away(segment) { None } else { expired(segment, &index, bounds)? };
            let Some(events) = expired else { break };
            front.expired += events;
        }
        front.segments += 1;
        front.dropped.records += summary.records;
        front.dropped.segments += 1;
        front.dropped.bytes += bytes_of(segment);
        (front.last, front.newest) = (summary.last(), recorded);
        bytes -= if is_away(segment) { 0 } else { bytes_of(segment) };
    }
    Ok(front)
}

/// How many events the segment has, if nothing in it lives any more. A record that cannot be decoded is in
/// no list of names: its segment is not expired.
fn expired(
    segment: &Segment,
    index: &Arc<SegmentIndex>,
    bounds: &Bounds<'_>,
) -> Result<Option<u64>> {
    let Some(lives) = bounds.lives else { return Ok(None) };
    let summary = index.summary();
    let Some(newest) = summary.last_stamp.map(|stamp| stamp.recorded()) else { return Ok(None) };
    // Names are read only once something may be over.
    if summary.unreadable > 0 || !lives.may_be_over(newest, bounds.now) {
        return Ok(None);
    }
    let types = indexing::asked(segment, index, |index| index.types())?;
    let streams = indexing::asked(segment, index, |index| index.streams())?;
    let names = types.iter().map(|(name, _)| name.as_str());
    let streams = streams.iter().map(|stream| stream.name.as_str());
    if !lives.are_over(names, streams, newest, bounds.now) {
        return Ok(None);
    }
    let is_own = |name: &str| name.starts_with(EventType::RESERVED_PREFIX);
    let events = types.iter().filter(|(name, _)| !is_own(name)).map(|(_, events)| events);
    Ok(Some(events.sum()))
}

fn bytes_of(segment: &Segment) -> u64 {
    segment.end.load(std::sync::atomic::Ordering::Acquire)
}

/// Whether it is known when something was recorded, and that is longer ago.
pub(super) fn is_past(recorded: Option<Timestamp>, now: Timestamp, age: Duration) -> bool {
    recorded.is_some_and(|at| is_older(at, now, age))
}

fn is_older(recorded: Timestamp, now: Timestamp, age: Duration) -> bool {
    let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    now.as_unix_micros().saturating_sub(recorded.as_unix_micros()) > age
}

/// Removes segments and their indices, the oldest first. Until their names are gone for good, the
/// front tells that they are not part of the log.
pub(super) fn remove(disk: &dyn Disk, segments: &[String]) -> Result<()> {
    if segments.is_empty() {
        return Ok(());
    }
    for name in segments {
        let index = segment::first_of(name).map(index::name_of);
        for name in index.iter().chain([name]) {
            match disk.remove(name) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(disk_failure("remove a segment", name, cause));
                }
                _ => {}
            }
        }
    }
    disk.sync_names().map_err(|cause| disk_failure("remove a segment", "", cause))
}
