//! Letting go of the oldest segments, whole ones, when nobody needs them any more.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Result, Timestamp};

use super::archive::ArchivedSegment;
use super::segment::{self, Segment};
use super::{disk_failure, index};
use crate::disk::Disk;
use crate::journal::retention::{Dropped, Retention};

/// Which of the sealed segments go, oldest first: how many of them, and what they have.
///
/// `needed` is the last record that may go; `away` are those that are in the archive.
pub(super) fn chosen(
    sealed: &[Arc<Segment>],
    last: u64,
    keep: Retention,
    now: Timestamp,
    needed: u64,
    away: &[ArchivedSegment],
) -> (usize, Dropped) {
    let mut dropped = Dropped::default();
    let is_away = |segment: &Segment| {
        away.binary_search_by_key(&segment.header.first, |one| one.first).is_ok()
    };
    let live = sealed.iter().filter(|segment| !is_away(segment));
    let mut bytes: u64 = live.map(|segment| bytes_of(segment)).sum();
    for (at, segment) in sealed.iter().enumerate() {
        let Some(index) = segment.whole_index() else { return (at, dropped) };
        let summary = index.summary();
        let recorded = summary.last_stamp.map(|stamp| stamp.recorded());
        let too_many = keep.records.is_some_and(|most| last - summary.last() >= most);
        let too_large = keep.bytes.is_some_and(|most| bytes > most);
        let goes = match is_away(segment) {
            // The bounds of the log are about what it takes in the store.
            true => keep.archived_age.is_some_and(|age| is_past(recorded, now, age)),
            false => {
                too_many || too_large || keep.age.is_some_and(|age| is_past(recorded, now, age))
            }
        };
        if summary.last() > needed || !goes {
            return (at, dropped);
        }
        dropped.records += summary.records;
        dropped.segments += 1;
        dropped.bytes += bytes_of(segment);
        bytes -= if is_away(segment) { 0 } else { bytes_of(segment) };
    }
    (sealed.len(), dropped)
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
