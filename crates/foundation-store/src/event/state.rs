//! The buffer with its indices and bounds: everything that changes together.

use foundation_types::config::BufferSettings;
use foundation_types::{EventType, Position, Timestamp};

use super::EventStats;
use super::hash::Hashing;
use super::index::Indices;
use super::intake::Load;
use super::keys::{Digest, Keys};
use super::ring::Ring;
use super::tally::Tally;
use crate::journal::Before;
use crate::record::Record;

/// Bytes that an event in the buffer is counted with beside those of its record: its place in
/// the ring and its entries in the indices.
pub const ENTRY_BYTES: u64 = 80;

/// Bytes that each tag of an event in the buffer, and its parent, are counted with beside those.
pub const POSTING_BYTES: u64 = 40;

/// Records that one piece of a large eviction removes.
const EVICTION_PIECE: usize = 4_096;

#[derive(Debug)]
pub(super) struct State {
    pub(super) ring: Ring,
    pub(super) indices: Indices,
    pub(super) tally: Tally,
    /// Entries in indices that not every record is in.
    postings: u64,
    bounds: Bounds,
    unreadable: u64,
    first_recorded: Option<Timestamp>,
    last_recorded: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    events: u64,
    bytes: u64,
}

impl Bounds {
    fn of(settings: &BufferSettings) -> Self {
        Self { events: settings.max_events, bytes: settings.max_bytes }
    }

    fn admit(self, load: Load) -> bool {
        load.events <= self.events && load.bytes <= self.bytes
    }
}

impl State {
    pub(super) fn new(settings: &BufferSettings) -> Self {
        Self {
            ring: Ring::default(),
            indices: Indices::default(),
            tally: Tally::default(),
            postings: 0,
            bounds: Bounds::of(settings),
            unreadable: 0,
            first_recorded: None,
            last_recorded: None,
        }
    }

    /// Learns of what stands in the log before the first record that it takes.
    pub(super) fn begin(&mut self, hashing: &Hashing, before: &Before) {
        self.ring.begin(before.last);
        self.unreadable += before.unreadable;
        self.first_recorded = before.first_recorded;
        self.last_recorded = before.last_recorded;
        for (kind, records) in &before.by_type {
            let key = hashing.name(kind.as_str().as_bytes());
            self.tally.count(key, *records, || Some(kind.clone()));
        }
    }

    /// Takes the next records of the log; the oldest make room.
    pub(super) fn extend(&mut self, hashing: &Hashing, records: &[Record], digests: &[Digest]) {
        for (record, digest) in records.iter().zip(digests) {
            self.push(record, digest);
            self.evict(hashing, self.bounds, usize::MAX);
        }
        let recorded = |record: Option<&Record>| record.map(Record::recorded);
        self.first_recorded = self.first_recorded.or(recorded(records.first()));
        self.last_recorded = recorded(records.last()).or(self.last_recorded);
    }

    /// Removes some of what is beyond the bounds; gives whether there is more.
    pub(super) fn evict_piece(&mut self, hashing: &Hashing, settings: &BufferSettings) -> bool {
        let bounds = Bounds::of(settings);
        self.evict(hashing, bounds, EVICTION_PIECE);
        !bounds.admit(self.load())
    }

    /// Removes some of the records up to a position; gives whether there is more.
    pub(super) fn evict_up_to(&mut self, hashing: &Hashing, position: Position) -> bool {
        let old = self.ring.up_to(position);
        for _ in 0..old.min(EVICTION_PIECE) {
            self.pop(hashing);
        }
        old > EVICTION_PIECE
    }

    /// Makes the bounds hold from now on.
    pub(super) fn set_bounds(&mut self, hashing: &Hashing, settings: &BufferSettings) {
        self.bounds = Bounds::of(settings);
        self.evict(hashing, self.bounds, usize::MAX);
        self.ring.shrink();
        self.indices.shrink();
    }

    pub(super) fn load(&self) -> Load {
        let events = self.ring.len() as u64;
        let entries = events * ENTRY_BYTES + self.postings * POSTING_BYTES;
        Load { events, bytes: self.ring.record_bytes() + entries }
    }

    pub(super) fn stats(&self) -> EventStats {
        EventStats {
            coverage: self.ring.coverage(),
            buffered_events: self.ring.len() as u64,
            buffered_bytes: self.load().bytes,
            evicted: self.ring.evicted(),
            unreadable: self.unreadable,
            first_recorded: self.first_recorded,
            last_recorded: self.last_recorded,
            by_type: self.tally.by_type(),
            other_types: self.tally.other(),
            ..EventStats::default()
        }
    }

    fn push(&mut self, record: &Record, digest: &Digest) {
        let ordinal = self.ring.push(record.clone());
        match digest {
            Digest::Read { keys, .. } => {
                self.indices.insert(keys, ordinal);
                self.postings += keys.postings();
                let name = || record.event().ok().map(|event| EventType::from(event.kind));
                self.tally.count(keys.kind, 1, name);
            }
            Digest::Unreadable => self.unreadable += 1,
        }
    }

    fn evict(&mut self, hashing: &Hashing, bounds: Bounds, max: usize) {
        for _ in 0..max {
            if bounds.admit(self.load()) || !self.pop(hashing) {
                return;
            }
        }
    }

    /// Removes the oldest record; false if there is none.
    fn pop(&mut self, hashing: &Hashing) -> bool {
        let Some((ordinal, record)) = self.ring.pop() else { return false };
        // The keys are derived again from the record: keeping them costs 32 bytes an event.
        // A record that could not be decoded is in no index and is not found in one.
        if let Some(names) = record.names() {
            let keys = Keys::of(&names, hashing);
            self.indices.remove(&keys, ordinal);
            self.postings = self.postings.saturating_sub(keys.postings());
        }
        true
    }
}
