//! Head and published of one table.
//!
//! Invariants: a version is published before it leaves the pending ones, so that head never goes
//! back for a moment; the lock of what is ahead is not held while the journal is asked for
//! anything, since the journal may tell of records while it is asked.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foundation_types::limits::TABLE_ENTRIES_MAX;
use foundation_types::{
    Data, Error, ErrorKind, Keep, Position, Result, StreamName, TableKey, TableValue, Version,
};
use foundation_validate::table::{logged_table_name, table_name};

use super::capture::{Rows, TableCapture, decode};
use super::entry::{Entry, Logged, key_of, located};
use super::lane::Lane;
use super::replay::Replay;
use super::snapshot::{Held, Map, TableSnapshot};
use crate::record::{EventView, Record};

/// One table: it follows the journal, and is told by its writers what is on the way.
pub struct TableState<K, V> {
    stream: StreamName,
    keep: Keep,
    entries_max: usize,
    published: ArcSwap<Held<K, V>>,
    ahead: Mutex<Ahead<K, V>>,
    pub(super) lane: Mutex<Lane>,
    closed: AtomicBool,
    /// Why a logged change could not be followed: the first reason counts.
    fault: Mutex<Option<Error>>,
}

/// What is ahead of published.
struct Ahead<K, V> {
    /// What is appended but not yet durable, oldest first.
    pending: VecDeque<Pending<K, V>>,
    proposals: u64,
    /// What was read of the log, until recovery has ended.
    replay: Option<Replay>,
}

/// A change that waits to be durable.
struct Pending<K, V> {
    proposal: Proposal,
    map: Map<K, V>,
    version: Version,
    /// The data of its record, by which the record is known as this change's.
    data: Data,
}

/// One proposal of a change, to take it back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposal(u64);

/// What the next change is computed on: it may not be durable yet.
pub(super) struct Head<K, V> {
    pub(super) map: Map<K, V>,
    pub(super) version: Version,
}

impl<K: TableKey, V: TableValue> TableState<K, V> {
    /// A table before its journal is read: it has no entries.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that a table may not have.
    pub fn new(name: &str, keep: Keep) -> Result<Self> {
        table_name(name)?;
        Ok(Self::of_stream(StreamName::of_table(name), keep, Some(Replay::default())))
    }

    /// As [`TableState::new`], with a name that may be one of Foundation's own: no application
    /// gets at it.
    ///
    /// # Errors
    /// As there.
    pub fn own(name: &str) -> Result<Self> {
        logged_table_name(name)?;
        Ok(Self::of_stream(StreamName::of_table(name), Keep::Log, Some(Replay::default())))
    }

    /// A table of which nothing was logged so far.
    pub(super) fn live(stream: StreamName) -> Self {
        Self::of_stream(stream, Keep::Log, None)
    }

    fn of_stream(stream: StreamName, keep: Keep, replay: Option<Replay>) -> Self {
        let ahead = Ahead { pending: VecDeque::new(), proposals: 0, replay };
        Self {
            stream,
            keep,
            entries_max: TABLE_ENTRIES_MAX,
            published: ArcSwap::default(),
            ahead: Mutex::new(ahead),
            lane: Mutex::default(),
            closed: AtomicBool::new(false),
            fault: Mutex::default(),
        }
    }

    /// This table with room for fewer entries than [`TABLE_ENTRIES_MAX`].
    #[must_use]
    pub fn with_entries_max(mut self, entries_max: usize) -> Self {
        self.entries_max = entries_max.min(TABLE_ENTRIES_MAX);
        self
    }

    /// What readers see. No lock is taken, and no writer is waited for.
    #[must_use]
    pub fn snapshot(&self) -> TableSnapshot<K, V> {
        TableSnapshot::new(self.published.load_full())
    }

    /// The value that readers see under a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.published.load().map.get(key).map(|entry| Arc::clone(&entry.value))
    }

    /// Ends recovery: gives what the log folds to its types.
    ///
    /// # Errors
    /// What of the log could not be followed; `Malformed`, with table, key and position, if an
    /// entry does not fit the types as they are now.
    pub fn recovered(&self) -> Result<()> {
        self.check_fault()?;
        let mut ahead = self.ahead();
        let Some(replay) = ahead.replay.take() else { return Ok(()) };
        let held = replay.typed().map_err(|error| error.with("table", self.name()))?;
        self.published.store(Arc::new(held));
        Ok(())
    }

    /// Becomes what was captured of the table as of a position; records after it follow.
    ///
    /// # Errors
    /// `Corruption` for bytes that no capture wrote, and as [`TableState::recovered`] once that
    /// was called.
    pub fn restore(&self, bytes: &[u8], position: Position) -> Result<()> {
        let named = |error: Error| error.with("table", self.name());
        let replay = decode(bytes, position).map_err(named)?;
        let mut ahead = self.ahead();
        if ahead.replay.is_some() {
            ahead.replay = Some(replay);
            return Ok(());
        }
        ahead.pending.clear();
        self.published.store(Arc::new(replay.typed().map_err(named)?));
        Ok(())
    }

    /// Becomes what it was before any record; one of which nothing is kept stays as it is.
    pub fn reset(&self) {
        if self.keep == Keep::Nothing {
            return;
        }
        let mut ahead = self.ahead();
        ahead.pending.clear();
        if let Some(replay) = &mut ahead.replay {
            *replay = Replay::default();
        }
        self.published.store(Arc::default());
    }

    pub(super) fn head(&self) -> Head<K, V> {
        let ahead = self.ahead();
        match ahead.pending.back() {
            Some(last) => Head { map: last.map.clone(), version: last.version },
            None => {
                let held = self.published.load();
                Head { map: held.map.clone(), version: held.version }
            }
        }
    }

    /// Tells of a change that is about to be appended with this data; its map becomes the head.
    pub(super) fn propose(&self, map: Map<K, V>, version: Version, data: Data) -> Proposal {
        let mut ahead = self.ahead();
        ahead.proposals += 1;
        let proposal = Proposal(ahead.proposals);
        ahead.pending.push_back(Pending { proposal, map, version, data });
        proposal
    }

    /// Takes back a proposal that is not coming, and all that were computed on it. One that was
    /// published or taken back before is left alone.
    pub(super) fn retreat(&self, proposal: Proposal) {
        let mut ahead = self.ahead();
        let place = ahead.pending.iter().position(|pending| pending.proposal == proposal);
        if let Some(place) = place {
            ahead.pending.truncate(place);
        }
    }

    /// Publishes what is not logged.
    pub(super) fn publish_unlogged(&self, map: Map<K, V>, version: Version) {
        self.published.store(Arc::new(Held { map, version, position: Position::START }));
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead<K, V>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what a record says, if it is ours as it was proposed or as another one wrote it.
    fn publish(&self, record: &Record, event: &EventView<'_>) -> Result<()> {
        let (position, version) = (record.position(), event.version);
        let mut ahead = self.ahead();
        let ours = ahead.pending.front();
        let ours = ours.filter(|ours| ours.version == version && ours.data.as_json() == event.data);
        if let Some(ours) = ours {
            let map = ours.map.clone();
            self.published.store(Arc::new(Held { map, version, position }));
            ahead.pending.pop_front();
            return Ok(());
        }
        // Somebody else was first: what was proposed here is not coming.
        ahead.pending.clear();
        let logged = Logged::read(record, event)?;
        if let Some(replay) = &mut ahead.replay {
            replay.learn(&logged, version, position);
            return Ok(());
        }
        let map = fold(&self.published.load().map, &logged, position)?;
        self.published.store(Arc::new(Held { map, version, position }));
        Ok(())
    }
}

impl<K, V> TableState<K, V> {
    /// The name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stream.table().unwrap_or_default()
    }

    /// What is kept of it.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// The stream of its changes.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The most entries that it takes.
    #[must_use]
    pub fn entries_max(&self) -> usize {
        self.entries_max
    }

    /// Takes no more changes.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Why a logged change could not be followed, if one could not.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn check_fault(&self) -> Result<()> {
        self.fault().map_or(Ok(()), Err)
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            let message = format!("table {:?} takes no more changes: it is closed", self.name());
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        self.check_fault()
    }

    fn fail(&self, error: Error, position: Position) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert_with(|| error.with("table", self.name()).with("position", position));
    }
}

impl<K: TableKey, V: TableValue> TableState<K, V> {
    pub(super) fn follow_record(&self, record: &Record, event: &EventView<'_>) {
        if self.keep == Keep::Nothing {
            return;
        }
        if let Err(error) = self.publish(record, event) {
            self.fail(error, record.position());
        }
    }

    /// The table as it is now, to be written later. It takes no time that grows with the table.
    #[must_use]
    pub fn capture(&self) -> TableCapture {
        let held = self.published.load_full();
        TableCapture {
            stream: self.stream.clone(),
            keep: self.keep,
            version: held.version,
            position: held.position,
            rows: Box::new(held),
        }
    }
}

impl<K: TableKey, V: TableValue> Rows for Arc<Held<K, V>> {
    fn each<'a>(&'a self, row: &mut dyn FnMut(&'a str, &'a str)) {
        self.map.values().for_each(|entry| row(&entry.key, &entry.json));
    }
}

/// The map after a logged change.
fn fold<K: TableKey, V: TableValue>(
    map: &Map<K, V>,
    logged: &Logged<'_>,
    position: Position,
) -> Result<Map<K, V>> {
    match logged {
        Logged::Put { key, value } => {
            let typed =
                key_of(key).and_then(|typed| Ok((typed, Entry::read((*key).into(), value)?)));
            let (typed, entry) = typed.map_err(|error| located(error, key, position))?;
            Ok(map.update(typed, entry))
        }
        Logged::Removed { key } => {
            let typed: K = key_of(key).map_err(|error| located(error, key, position))?;
            Ok(map.without(&typed))
        }
        Logged::Nothing => Ok(map.clone()),
    }
}

impl<K, V> std::fmt::Debug for TableState<K, V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TableState")
            .field("name", &self.name())
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}
