//! Letting go of the oldest segments, whole ones, when nobody needs them any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_types::{Position, Result, Timestamp};

use super::segment::{self, Segment};
use super::{disk_failure, index};
use crate::disk::Disk;

/// How much of the log is kept. What no bound asks to go stays; without bounds everything does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// At least this many records are kept.
    pub records: Option<u64>,
    /// Files of sealed segments take at most this many bytes.
    pub bytes: Option<u64>,
    /// Records are kept at least for this long after they were recorded.
    pub age: Option<Duration>,
}

/// What was let go of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Records.
    pub records: u64,
    /// Files of the log.
    pub segments: u64,
    /// Bytes of these files.
    pub bytes: u64,
}

/// Positions from which on somebody still has to read.
#[derive(Debug, Default)]
pub(super) struct Holds(Mutex<BTreeMap<u64, u64>>);

/// Keeps the records after a position from being let go of, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    holds: Arc<Holds>,
    position: Position,
}

impl Holds {
    /// The first position that somebody holds.
    pub(super) fn first(&self) -> Option<u64> {
        self.all().keys().next().copied()
    }

    pub(super) fn hold(self: &Arc<Self>, position: Position) -> Hold {
        *self.all().entry(position.to_engine()).or_default() += 1;
        Hold { holds: Arc::clone(self), position }
    }

    fn release(&self, position: Position) {
        let mut all = self.all();
        if let Some(count) = all.get_mut(&position.to_engine()) {
            *count -= 1;
            if *count == 0 {
                all.remove(&position.to_engine());
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Nothing after this position is let go of.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Holds from a later position on.
    pub fn advance(&mut self, position: Position) {
        if position > self.position {
            let held = std::mem::replace(self, self.holds.hold(position));
            drop(held);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.release(self.position);
    }
}

/// Which of the sealed segments go, oldest first: how many of them, and what they have.
///
/// `needed` is the last record that may go.
pub(super) fn chosen(
    sealed: &[Arc<Segment>],
    last: u64,
    keep: Retention,
    now: Timestamp,
    needed: u64,
) -> (usize, Dropped) {
    let mut dropped = Dropped::default();
    let mut bytes: u64 = sealed.iter().map(|segment| bytes_of(segment)).sum();
    for (at, segment) in sealed.iter().enumerate() {
        let Some(index) = segment.whole_index() else { return (at, dropped) };
        let summary = index.summary();
        let recorded = summary.last_stamp.map(|stamp| stamp.recorded());
        let too_many = keep.records.is_some_and(|most| last - summary.last() >= most);
        let too_large = keep.bytes.is_some_and(|most| bytes > most);
        let too_old = keep.age.is_some_and(|age| recorded.is_some_and(|at| is_older(at, now, age)));
        if summary.last() > needed || !(too_many || too_large || too_old) {
            return (at, dropped);
        }
        dropped.records += summary.records;
        dropped.segments += 1;
        dropped.bytes += bytes_of(segment);
        bytes -= bytes_of(segment);
    }
    (sealed.len(), dropped)
}

fn bytes_of(segment: &Segment) -> u64 {
    segment.end.load(std::sync::atomic::Ordering::Acquire)
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
