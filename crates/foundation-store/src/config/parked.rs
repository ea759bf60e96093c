//! The changes of one document that wait for somebody to decide about them.
//!
//! They are the fold of a stream of their own, which has one record for each that waits and one for
//! each that was given up, and of the changes of the document that were made of them: the record of
//! such a change names what it settles as its parent. So a decision is one record, and a crash
//! leaves it made or not made.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foundation_types::config::ParkedConflict;
use foundation_types::limits::DECIDED_KEPT;
use foundation_types::{Data, Error, ErrorKind, EventId, EventType, Result, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::record::{EventView, Record};

/// What waits of one document, as the durable log has it.
#[derive(Debug, Default)]
pub struct Parked(RwLock<Waiting>);

/// What waits, as it is kept in a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// Version of the stream that it is folded from.
    pub(super) version: Version,
    /// By the version of the stream that its record made: in the order in which they came.
    by_version: BTreeMap<u64, OneWaiting>,
    /// What was decided, the newest last; so many are remembered.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    decided: VecDeque<Decided>,
}

/// A change that waited and was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// What it waited as.
    pub id: EventId,
    /// Who decided, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When it was recorded.
    pub time: Timestamp,
    /// The version that was made of it; nothing if it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Version>,
}

/// Who says so, of any record that settles something.
#[derive(Deserialize)]
struct Actor {
    #[serde(default)]
    actor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneWaiting {
    /// Bytes of its data as it was recorded.
    bytes: usize,
    conflict: Arc<ParkedConflict>,
}

impl Waiting {
    /// Whether nothing ever waited.
    pub(super) fn is_new(&self) -> bool {
        self.version == Version::NONE
    }
}

impl Parked {
    /// All that wait, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<ParkedConflict>> {
        self.read().by_version.values().map(|one| Arc::clone(&one.conflict)).collect()
    }

    /// What they have together, in bytes as they were recorded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let waiting = self.read();
        waiting.by_version.values().map(|one| one.bytes).sum()
    }

    /// The one with this id, if it still waits.
    #[must_use]
    pub fn get(&self, id: &EventId) -> Option<Arc<ParkedConflict>> {
        let waiting = self.read();
        let mut all = waiting.by_version.values();
        all.find(|one| one.conflict.id == *id).map(|one| Arc::clone(&one.conflict))
    }

    /// Learns of a record of the stream.
    pub(super) fn follow(&self, record: &Record, event: &EventView<'_>) -> Result<()> {
        let mut waiting = self.write();
        waiting.version = event.version;
        if event.kind == EventType::CONFIG_PARKED {
            let mut parked: ParkedConflict =
                Data::from_checked(event.data).to().map_err(|cause| {
                    let message = "a record is not the change that waits that it says it is";
                    Error::new(ErrorKind::Corruption, message).caused_by(cause)
                })?;
            parked.time = record.recorded();
            let (bytes, conflict) = (event.data.len(), Arc::new(parked));
            waiting.by_version.insert(event.version.number(), OneWaiting { bytes, conflict });
        }
        drop(waiting);
        self.settle(record, event, None);
        Ok(())
    }

    /// Lets go of what a record settles, by making this version of it if any.
    pub(super) fn settle(&self, record: &Record, event: &EventView<'_>, made: Option<Version>) {
        let Some(id) = event.parent else { return };
        let waits = |waiting: &Waiting| {
            let found = waiting.by_version.iter().find(|(_, one)| one.conflict.id.as_str() == id);
            found.map(|(version, _)| *version)
        };
        let found = waits(&self.read());
        let Some(version) = found else { return };
        let mut waiting = self.write();
        let Some(one) = waiting.by_version.remove(&version) else { return };
        let actor: Option<Actor> = Data::from_checked(event.data).to().ok();
        let (id, actor) = (one.conflict.id.clone(), actor.and_then(|said| said.actor));
        if waiting.decided.len() >= DECIDED_KEPT {
            waiting.decided.pop_front();
        }
        waiting.decided.push_back(Decided { id, actor, time: record.recorded(), made });
    }

    /// What became of one that does not wait any more, if it is remembered.
    #[must_use]
    pub fn decided(&self, id: &EventId) -> Option<Decided> {
        self.read().decided.iter().rev().find(|one| one.id == *id).cloned()
    }

    pub(super) fn all(&self) -> Waiting {
        self.read().clone()
    }

    pub(super) fn replace(&self, waiting: Waiting) {
        *self.write() = waiting;
    }

    fn read(&self) -> RwLockReadGuard<'_, Waiting> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Waiting> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
