//! The state of the event feature: what is derived from the journal so that events are found.
//!
//! [`EventLog`] follows the journal. It keeps the newest records in a bounded buffer with
//! indices by type, correlation, stream and time, knows the ids of records that the journal does
//! not find by itself, and answers one query over the buffer and the log behind it.
//!
//! Invariants: the buffer is a gapless end of the log, so that everything after
//! [`EventLog::coverage`] is in it; a record that leaves the buffer leaves every index; no lock
//! of this module is held while the journal is asked for anything.

mod access;
mod candidates;
mod hash;
mod ids;
mod index;
mod intake;
mod keys;
mod postings;
mod ring;
mod scan;
mod search;
mod sent;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod times;

pub use access::Accesses;
pub use intake::{Intake, IntakeCounts, IntakeRow, Load, Settled};
pub use scan::{Page, Rest};
pub use sent::sent_digest;
pub use state::{ENTRY_BYTES, POSTING_BYTES};

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foundation_types::config::BufferSettings;
use foundation_types::{
    Event, EventQuery, EventType, Order, Position, Result, StreamName, Timestamp,
};
use tokio::sync::watch;

use crate::journal::{Before, Follower};
use crate::record::{IdBytes, IdView, Record, event_length, frame::FRAME_HEADER_BYTES};
use hash::Hashing;
use ids::IdIndex;
use keys::Digest;
use scan::Scan;
use state::State;

/// Recent events with their indices, and the ids of events that the journal does not find.
///
/// Bytes are counted as [`ENTRY_BYTES`] and the record's own for each event in the buffer, and
/// [`POSTING_BYTES`] for each tag and parent.
/// Beside them stand the ids, about 42 bytes for each, until the journal has an index of them.
#[derive(Debug)]
pub struct EventLog {
    hashing: Hashing,
    ids: RwLock<IdIndex>,
    state: RwLock<State>,
    published: watch::Sender<Position>,
}

/// Where an event is.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// In the buffer.
    Buffered(Record),
    /// In the log, if the log still keeps it.
    InLog(Position),
    /// Not here. The journal may find it: [`Journal::may_hold`](crate::journal::Journal::may_hold).
    Absent,
}

/// What the event log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventStats {
    /// Position of the last record that readers see.
    pub published: Position,
    /// Everything after this position is in the buffer.
    pub coverage: Position,
    /// Events in the buffer.
    pub buffered_events: u64,
    /// Bytes of the buffer, indices included.
    pub buffered_bytes: u64,
    /// Events that left the buffer.
    pub evicted: u64,
    /// Ids known here; those of older events are found by the journal.
    pub ids: u64,
    /// Records whose body cannot be decoded.
    pub unreadable: u64,
    /// When the first record was recorded.
    pub first_recorded: Option<Timestamp>,
    /// When the last record was recorded.
    pub last_recorded: Option<Timestamp>,
    /// Events recorded, by type: those that the log kept when it was opened, and all since then.
    pub by_type: BTreeMap<EventType, u64>,
    /// Events of types beyond the 10,000 that have a row of their own.
    pub other_types: u64,
}

impl EventLog {
    /// An empty log with these bounds; it waits to be told of records.
    #[must_use]
    pub fn new(bounds: BufferSettings) -> Self {
        Self {
            hashing: Hashing::default(),
            ids: RwLock::default(),
            state: RwLock::new(State::new(&bounds)),
            published: watch::Sender::new(Position::START),
        }
    }

    /// Takes new bounds; the oldest events leave the buffer until it is within them.
    ///
    /// What happens to new events when the buffer is full is decided where they come in.
    pub fn set_bounds(&self, bounds: &BufferSettings) {
        // Readers get their turn between two pieces of a large eviction.
        while self.state_mut().evict_piece(&self.hashing, bounds) {}
        self.state_mut().set_bounds(&self.hashing, bounds);
    }

    /// Lets all records up to this position leave the buffer.
    pub fn forget_up_to(&self, position: Position) {
        // Readers get their turn between two pieces of a large eviction.
        while self.state_mut().evict_up_to(&self.hashing, position) {}
    }

    /// Everything after this position, up to [`EventLog::published`], is in the buffer.
    #[must_use]
    pub fn coverage(&self) -> Position {
        self.state().ring.coverage()
    }

    /// Position of the last record that readers see.
    #[must_use]
    pub fn published(&self) -> Position {
        *self.published.borrow()
    }

    /// Tells of every new [`EventLog::published`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.published.subscribe()
    }

    /// Where the event with this id was recorded, in the buffer or not.
    ///
    /// Ids are kept as keyed 128-bit fingerprints: among 10¹⁰ events, the chance that an id
    /// never recorded is taken for a recorded one is below 10⁻²⁸.
    #[must_use]
    pub fn position_of(&self, id: &str) -> Option<Position> {
        let fingerprint = self.hashing.fingerprint(IdBytes::of(id));
        self.ids().position(fingerprint)
    }

    /// The event with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Lookup {
        let Some(position) = self.position_of(id) else { return Lookup::Absent };
        let buffered = self.state().ring.find(position).cloned();
        match buffered {
            None => Lookup::InLog(position),
            Some(record) if has_id(&record, id) => Lookup::Buffered(record),
            Some(_) => Lookup::Absent,
        }
    }

    /// Up to `max` records of the buffer that answer the query, and where the rest is.
    ///
    /// # Errors
    /// `Corruption` if a record that may be part of the answer cannot be decoded.
    pub fn query(&self, query: &EventQuery, max: usize) -> Result<Page> {
        let mut scan = Scan::new(query, max);
        loop {
            let rest = scan.step(&self.state(), &self.hashing)?;
            if scan.is_full() || !matches!(rest, Rest::Buffer(_)) {
                return Ok(Page { records: scan.into_records(), rest });
            }
        }
    }

    /// What is in the buffer.
    #[must_use]
    pub fn load(&self) -> Load {
        self.state().load()
    }

    /// What the log holds and has seen.
    #[must_use]
    pub fn stats(&self) -> EventStats {
        let ids = self.ids().len();
        EventStats { ids, published: self.published(), ..self.state().stats() }
    }

    /// The ids go first: whoever finds an event by query also finds it by id.
    fn take(&self, records: &[Record], digests: &[Digest]) {
        let Some(last) = records.last() else { return };
        self.ids.write().unwrap_or_else(PoisonError::into_inner).extend(records, digests);
        self.state_mut().extend(&self.hashing, records, digests);
        // Without a receiver nobody is woken. Asked under the lock of the value: who subscribes
        // later reads what is written here.
        self.published.send_if_modified(|published| {
            *published = last.position();
            self.published.receiver_count() > 0
        });
    }

    fn ids(&self) -> RwLockReadGuard<'_, IdIndex> {
        self.ids.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower for EventLog {
    /// Takes the records at once: a reader sees all of them or none.
    fn follow(&self, records: &[Record]) {
        // Decoded and hashed before any lock is taken.
        match records {
            [] => {}
            [one] => self.take(records, &[Digest::of(one, &self.hashing)]),
            many => {
                let digests: Vec<Digest> =
                    many.iter().map(|record| Digest::of(record, &self.hashing)).collect();
                self.take(many, &digests);
            }
        }
    }

    fn begin(&self, before: &Before) {
        self.state_mut().begin(&self.hashing, before);
        self.published.send_replace(before.last);
    }

    fn indexed(&self, last: Position) {
        // A piece at a time: whoever looks for an id gets a turn in between.
        for piece in 0..IdIndex::PIECES {
            self.ids.write().unwrap_or_else(PoisonError::into_inner).forget(piece, last);
        }
    }

    fn let_go(&self, last: Position) {
        // What is still in the buffer is found by query, and so by its id.
        let last = last.min(self.coverage());
        if self.ids.write().unwrap_or_else(PoisonError::into_inner).let_go(last) {
            self.indexed(last);
        }
    }

    fn done_with(&self) -> Option<Position> {
        Some(self.coverage())
    }

    fn resumes(&self) -> bool {
        true
    }
}

/// Bytes that the event is counted with in the buffer once it is recorded in this stream.
#[must_use]
pub fn buffered_bytes(stream: &StreamName, event: &Event) -> u64 {
    let postings = event.tags.len() as u64 + u64::from(event.parent_id.is_some());
    let record = (FRAME_HEADER_BYTES + event_length(stream.as_str(), event)) as u64;
    record + ENTRY_BYTES + postings * POSTING_BYTES
}

/// Where a query without a cursor begins.
fn beginning(query: &EventQuery) -> Position {
    query.after.unwrap_or(match query.order {
        Order::Asc => Position::START,
        Order::Desc => Position::END,
    })
}

fn has_id(record: &Record, id: &str) -> bool {
    record.event().is_ok_and(|event| event.id == IdView::of(id))
}
