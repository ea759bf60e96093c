//! The lane that changes of one table go through.
//!
//! A change is computed without a lock on what was seen of head, and gets its place only if head
//! still has the same entry: so that no code of the application and no JSON holds up the others,
//! and no update is lost. What a caller learns of head counts once the newest append before it is
//! durable. Every append stays in the lane with its commit until its end was looked at, so that a
//! failure is noticed even if its caller is gone.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use foundation_types::{
    Data, Error, ErrorKind, Event, EventId, EventType, ExpectedVersion, Keep, Result, TableKey,
    TableValue, Version,
};
use foundation_validate::{Origin, event};

use super::entry::{Entry, key_text, removed_data};
use super::state::{Head, Proposal, TableState};
use crate::journal::{Batch, Commit, Journal, Room};
use crate::record::RecordKind;

/// Who says that a table changed.
const SOURCE: &str = "foundation.table";

/// Appends whose end was not looked at yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Lane(pub(super) VecDeque<Flight>);

/// A change that has its place in the journal.
#[derive(Clone, Debug)]
pub struct Flight {
    pub(super) proposal: Proposal,
    pub(super) commit: Commit,
}

/// What was seen of head under a key.
#[derive(Clone, Debug)]
pub struct Seen<V> {
    /// The entry; absent if there is none.
    pub entry: Option<Entry<V>>,
    /// The text that the key is written as.
    pub key: Arc<str>,
    /// The newest append before; what was seen counts once it is durable.
    pub newest: Option<Flight>,
}

/// What to do under a key.
#[derive(Clone, Debug)]
pub enum Step<V> {
    /// Put this there.
    Put(Entry<V>),
    /// Remove what is there.
    Remove,
}

/// How far a change came.
#[derive(Debug)]
pub enum Placed {
    /// It has its place.
    Appended(Flight),
    /// It is done, for nothing is logged of the table.
    Done,
    /// Head has another entry than was seen: it has to be computed anew.
    Moved,
    /// The journal has no room for this now.
    NoRoom(Batch),
    /// It is refused, if the newest append before it is durable; computed anew otherwise.
    Refused(Error, Option<Flight>),
}

impl<V> Seen<V> {
    /// The value that was seen.
    #[must_use]
    pub fn value(&self) -> Option<&V> {
        self.entry.as_ref().map(|entry| &*entry.value)
    }
}

impl<K: TableKey, V: TableValue> TableState<K, V> {
    /// What head has under a key whose text is this.
    ///
    /// # Errors
    /// `Unavailable` if the table is closed, and what of the log could not be followed.
    pub fn look(&self, key: &K, text: &Arc<str>) -> Result<Seen<V>> {
        self.check_open()?;
        let mut lane = self.lane();
        self.settle(&mut lane);
        let newest = lane.0.back().cloned();
        let entry = self.head().map.get(key).cloned();
        drop(lane);
        // Keys that are equal are one key, even if they are written differently.
        let key = entry.as_ref().map_or_else(|| text.clone(), |entry| entry.key.clone());
        Ok(Seen { entry, key, newest })
    }

    /// Gives a step its place, if head has what was seen. Without room in `room` some is asked
    /// for; a room is used up when the step has its place.
    ///
    /// # Errors
    /// What the journal answers, and as [`TableState::look`]. Nothing was applied.
    pub fn place(
        &self,
        journal: &dyn Journal,
        key: &K,
        seen: &Seen<V>,
        step: &Step<V>,
        room: &mut Option<Room>,
    ) -> Result<Placed> {
        let (kind, data) = match step {
            Step::Put(entry) => (EventType::TABLE_PUT, entry.put_data()),
            Step::Remove => (EventType::TABLE_REMOVED, removed_data(&seen.key)),
        };
        let data = data.map_err(|error| error.with("table", self.name()))?;
        self.check_open()?;
        let mut lane = self.lane();
        self.settle(&mut lane);
        let Head { mut map, version } = self.head();
        if !Entry::is_same(map.get(key), seen.entry.as_ref()) {
            return Ok(Placed::Moved);
        }
        match step {
            Step::Put(_) if seen.entry.is_none() && map.len() >= self.entries_max() => {
                return Ok(Placed::Refused(self.full(), lane.0.back().cloned()));
            }
            Step::Put(entry) => drop(map.insert(key.clone(), entry.clone())),
            Step::Remove => drop(map.remove(key)),
        }
        let version = version.next();
        if self.keep() == Keep::Nothing {
            self.publish_unlogged(map, version);
            return Ok(Placed::Done);
        }
        let batch = self.batch(journal, kind, version, data.clone())?;
        // What was reserved for an earlier try is used, even if the value has grown since: it is
        // bounded, and who gives room back may wait for ever.
        let reserved = match room.take() {
            Some(room) => Some(room),
            None => journal.try_reserve(&batch)?,
        };
        let Some(reserved) = reserved else { return Ok(Placed::NoRoom(batch)) };
        let proposal = self.propose(map, version, data);
        match journal.append(batch, reserved) {
            Ok(commit) => {
                let flight = Flight { proposal, commit };
                lane.0.push_back(flight.clone());
                Ok(Placed::Appended(flight))
            }
            Err(error) => {
                self.retreat(proposal);
                if error.kind() == ErrorKind::VersionConflict {
                    // Of an append that failed meanwhile.
                    return Ok(Placed::Refused(error, lane.0.back().cloned()));
                }
                Err(error)
            }
        }
    }

    /// Whether a writer may write at all: of a table that is kept, the journal knows.
    ///
    /// # Errors
    /// `ReadOnly`, `Fenced` or `Unavailable`.
    pub fn check_writable(&self, journal: &dyn Journal, key: &str) -> Result<()> {
        self.check_open()?;
        if self.keep() == Keep::Nothing {
            return Ok(());
        }
        let data = removed_data(key)?;
        let batch = self.batch(journal, EventType::TABLE_REMOVED, Version::NONE.next(), data)?;
        journal.try_reserve(&batch).map(drop)
    }

    /// Waits until an append is durable; takes its change back if it is not coming.
    ///
    /// # Errors
    /// As [`Commit::durable`], with the name of the table; what of the log could not be followed.
    pub async fn confirm(&self, flight: &Flight) -> Result<()> {
        if let Err(error) = flight.commit.durable().await {
            self.retreat(flight.proposal);
            return Err(error.with("table", self.name()));
        }
        self.check_fault()
    }

    /// Whether what was seen of head is durable.
    pub async fn stands(&self, newest: Option<&Flight>) -> bool {
        match newest {
            None => true,
            Some(flight) => self.confirm(flight).await.is_ok(),
        }
    }

    /// Takes a look at how the appends before ended.
    pub(super) fn settle(&self, lane: &mut Lane) {
        while let Some((proposal, is_durable)) = lane.0.front().and_then(Flight::end) {
            if !is_durable {
                // All later ones were computed on it.
                self.retreat(proposal);
                lane.0.clear();
            }
            lane.0.pop_front();
        }
    }

    pub(super) fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn batch(
        &self,
        journal: &dyn Journal,
        kind: &str,
        version: Version,
        data: Data,
    ) -> Result<Batch> {
        let told = self.told(journal, kind, version, data)?;
        let expected = ExpectedVersion::Exactly(version.previous());
        let batch = Batch::new(self.stream().clone(), RecordKind::Event, vec![told])?;
        Ok(batch.expecting(expected))
    }

    /// The event that tells of one change.
    pub(super) fn told(
        &self,
        journal: &dyn Journal,
        kind: &str,
        version: Version,
        data: Data,
    ) -> Result<Event> {
        let name = format!("{}@{version}", self.stream());
        let told = Event {
            data,
            ..Event::new(kind)
                .id(EventId::derived(journal.store_id(), &name))
                .source(SOURCE)
                .subject(self.name())
        };
        Ok(event::event(told, Origin::Foundation)?.into_inner())
    }

    pub(super) fn full(&self) -> Error {
        let message = format!(
            "table {:?} has {} entries, which is its limit",
            self.name(),
            self.entries_max()
        );
        Error::new(ErrorKind::TooLarge, message)
    }

    /// The text that a key of this table is written as.
    ///
    /// # Errors
    /// As [`key_text`], with the name of the table.
    pub fn text_of(&self, key: &K) -> Result<Arc<str>> {
        key_text(key).map_err(|error| error.with("table", self.name()))
    }
}

impl Flight {
    /// Whether it became durable, once that is known.
    fn end(&self) -> Option<(Proposal, bool)> {
        match pin!(self.commit.durable()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some((self.proposal, outcome.is_ok())),
            Poll::Pending => None,
        }
    }
}
