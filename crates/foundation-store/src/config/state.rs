//! Head and published of one typed document.
//!
//! Invariants: a version is published before it leaves the pending ones, so that head never goes
//! back for a moment; no lock of this module is held while the journal is asked for anything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foundation_logic::config::{Evolution, Layers};
use foundation_logic::overlay::Overlay;
use foundation_types::value::{from_value, to_value};
use foundation_types::{Change, Data, Document, Error, Result, Value, Version};
use foundation_validate::config::Stored;

use super::recovery::{ParkedDocument, Unlogged};
use super::seal::Seals;
use super::snapshot::{Current, Snapshot};
use super::timeline::{Published, Timeline};
use crate::journal::Follower;
use crate::record::{EventView, Record, RecordKind};

/// One document: it follows the journal, and is told by its writer what is on the way.
#[derive(Debug)]
pub struct ConfigState<T> {
    pub(super) published: ArcSwap<Snapshot<T>>,
    ahead: Mutex<Ahead<T>>,
    pub(super) timeline: Arc<Timeline>,
    pub(super) seals: Arc<Seals>,
    pub(super) evolution: Evolution,
}

/// What is ahead of published.
#[derive(Debug)]
pub(super) struct Ahead<T> {
    /// What is appended but not yet durable, oldest first.
    pending: VecDeque<Pending<T>>,
    proposals: u64,
    /// What the sources of the published version say.
    pub(super) layers: Arc<Layers>,
    /// Whether recovery has ended: until then nothing is typed, for most trees are never read.
    pub(super) live: bool,
    /// What has to be logged before anything else is.
    pub(super) migration: Option<Arc<Unlogged>>,
    /// What was logged and its type does not take.
    pub(super) parked: Option<Arc<ParkedDocument>>,
}

/// A change that waits to be durable.
#[derive(Debug)]
struct Pending<T> {
    proposal: Proposal,
    snapshot: Arc<Snapshot<T>>,
    /// What its sources say, if that is what changed.
    layers: Option<Arc<Layers>>,
    /// What the log folds to with it, if that is not what readers see: of a migration.
    logged: Option<Value>,
    change: Change,
    /// The data of its record, by which the record is known as this change's.
    data: Data,
}

/// One proposal of a change, to take it back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal(u64);

/// What the next change is computed on: it may not be durable yet.
#[derive(Debug)]
pub struct Head<T> {
    /// The newest version that was appended.
    pub snapshot: Arc<Snapshot<T>>,
    /// The tree that the log folds to. It differs from the snapshot's after the type of the
    /// document changed: the next change leads from this one, and brings the two together.
    pub logged: Value,
    /// What its sources say.
    pub layers: Arc<Layers>,
}

impl<T: Document> ConfigState<T> {
    /// The state of a document before its journal is read: its defaults, as version 0.
    ///
    /// # Errors
    /// If the defaults cannot be written as a tree.
    pub fn new() -> Result<Self> {
        Self::with_seals(Arc::default())
    }

    /// As [`ConfigState::new`], of a document whose secrets are sealed and opened by these.
    ///
    /// # Errors
    /// As [`ConfigState::new`].
    pub fn with_seals(seals: Arc<Seals>) -> Result<Self> {
        Self::evolving(seals, Evolution::none::<T>())
    }

    /// As [`ConfigState::with_seals`], of a document of which this leads from earlier schemas to that
    /// of its type.
    ///
    /// # Errors
    /// As [`ConfigState::new`].
    pub fn evolving(seals: Arc<Seals>, evolution: Evolution) -> Result<Self> {
        let document = T::default();
        let tree = to_value(&document).map_err(|error| error.with("document", T::NAME))?;
        let timeline = Arc::new(Timeline::of_schema(T::NAME, tree.clone(), T::SCHEMA));
        let snapshot = Snapshot { version: Version::NONE, document, tree: tree.clone() };
        let layers = Arc::new(Layers::new::<T>(tree.clone(), Vec::new()));
        let ahead = Ahead {
            pending: VecDeque::new(),
            proposals: 0,
            layers,
            live: false,
            migration: None,
            parked: None,
        };
        Ok(Self {
            published: ArcSwap::from_pointee(snapshot),
            ahead: Mutex::new(ahead),
            timeline,
            seals,
            evolution,
        })
    }

    /// Its versions, without their type.
    #[must_use]
    pub fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// What seals its secrets, and opens them.
    #[must_use]
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    /// What readers see.
    #[must_use]
    pub fn current(&self) -> Current<T> {
        Current(self.published.load())
    }

    /// What the next change is computed on.
    #[must_use]
    pub fn head(&self) -> Head<T> {
        let ahead = self.ahead();
        let layers = ahead.pending.iter().rev().find_map(|pending| pending.layers.as_ref());
        let layers = Arc::clone(layers.unwrap_or(&ahead.layers));
        let last = ahead.pending.back();
        if let Some(last) = last.filter(|last| last.logged.is_none()) {
            let snapshot = Arc::clone(&last.snapshot);
            return Head { logged: snapshot.tree.clone(), snapshot, layers };
        }
        let mut snapshot = match last {
            Some(last) => Arc::clone(&last.snapshot),
            None => self.published.load_full(),
        };
        if let Some(parked) = &ahead.parked {
            // The next change corrects what was logged, and not what stands in for it.
            let Snapshot { version, document, .. } = Snapshot::clone(&snapshot);
            snapshot = Arc::new(Snapshot { version, document, tree: parked.tree.clone() });
        }
        let logged = match (last.and_then(|last| last.logged.clone()), &ahead.migration) {
            (Some(logged), _) => logged,
            (None, Some(migration)) => migration.tree.clone(),
            (None, None) => self.timeline.last().1,
        };
        Head { snapshot, logged, layers }
    }

    /// What the sources of the published version say.
    #[must_use]
    pub fn layers(&self) -> Arc<Layers> {
        Arc::clone(&self.ahead().layers)
    }

    /// The published version with what its sources say and what was set at run time, all as of one
    /// moment.
    #[must_use]
    pub fn in_force(&self) -> (Arc<Snapshot<T>>, Arc<Layers>, Overlay) {
        // Publishing holds it.
        let ahead = self.ahead();
        let overlay = self.overlay_of(&ahead);
        (self.published.load_full(), Arc::clone(&ahead.layers), overlay)
    }

    /// Takes what the sources say, if it makes no difference to readers: nothing may be on its way.
    pub fn relayer(&self, layers: Arc<Layers>) {
        self.ahead().layers = layers;
    }

    /// Brings back what was parked, once it passes as it was logged: nothing may be on its way.
    pub fn unpark(&self, stored: Stored<T>) {
        let mut ahead = self.ahead();
        if ahead.parked.take().is_some() {
            let version = self.timeline.last().0;
            let snapshot = Snapshot { version, document: stored.document, tree: stored.tree };
            self.published.store(Arc::new(snapshot));
        }
    }

    /// Tells of a change that is about to be appended with this data; its snapshot becomes the
    /// head, and so do layers that come with it.
    pub fn propose(
        &self,
        snapshot: Snapshot<T>,
        layers: Option<Arc<Layers>>,
        change: Change,
        data: Data,
    ) -> Proposal {
        self.place(snapshot, layers, None, change, data)
    }

    /// As [`ConfigState::propose`] of a migration: readers see this snapshot, and the log folds to what
    /// was migrated.
    pub fn propose_migration(
        &self,
        snapshot: Snapshot<T>,
        migration: &Unlogged,
        change: Change,
        data: Data,
    ) -> Proposal {
        self.place(snapshot, None, Some(migration.tree.clone()), change, data)
    }

    fn place(
        &self,
        snapshot: Snapshot<T>,
        layers: Option<Arc<Layers>>,
        logged: Option<Value>,
        change: Change,
        data: Data,
    ) -> Proposal {
        let mut ahead = self.ahead();
        ahead.proposals += 1;
        let proposal = Proposal(ahead.proposals);
        let snapshot = Arc::new(snapshot);
        ahead.pending.push_back(Pending { proposal, snapshot, layers, logged, change, data });
        proposal
    }

    /// What was proposed and is not published yet, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Change> {
        self.ahead().pending.iter().map(|pending| pending.change.clone()).collect()
    }

    /// What is set at run time by head.
    #[must_use]
    pub fn overlay_ahead(&self) -> Overlay {
        let ahead = self.ahead();
        let mut overlay = self.overlay_of(&ahead);
        for Pending { snapshot, logged, change, .. } in &ahead.pending {
            match logged {
                Some(_) => overlay.follow_migration(change),
                None => overlay.follow(change, &snapshot.tree),
            }
        }
        overlay
    }

    /// Takes back a proposal that is not coming, and all that were computed on it. One that was
    /// published or taken back before is left alone.
    pub fn retreat(&self, proposal: Proposal) {
        let mut ahead = self.ahead();
        let place = ahead.pending.iter().position(|pending| pending.proposal == proposal);
        if let Some(place) = place {
            ahead.pending.truncate(place);
        }
    }

    pub(super) fn ahead(&self) -> MutexGuard<'_, Ahead<T>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what a record says, if it is ours as it was proposed or as another one wrote it.
    fn publish(&self, record: &Record, event: &EventView<'_>) -> Result<Option<Published>> {
        let mut ahead = self.ahead();
        let is_ours = |pending: &Pending<T>| {
            pending.snapshot.version == event.version && pending.data.as_json() == event.data
        };
        if !ahead.pending.front().is_some_and(is_ours) {
            // Somebody else was first: what was proposed here is not coming.
            ahead.pending.clear();
            let mut published = self.timeline.fold(record, event)?;
            if !ahead.live {
                return Ok(None);
            }
            published.after = self.seals.settle(T::NAME, &published.after, &published.before)?;
            self.timeline.opened(published.after.clone());
            self.published.store(Arc::new(typed(&published)?));
            (ahead.migration, ahead.parked) = (None, None);
            return Ok(Some(published));
        }
        let Some(ours) = ahead.pending.pop_front() else { return Ok(None) };
        let after = ours.snapshot.tree.clone();
        let logged = ours.logged.clone().unwrap_or_else(|| after.clone());
        let mut before = match self.timeline.push(record, event, &ours.change, logged) {
            Ok(before) => before,
            Err(error) => {
                ahead.pending.push_front(ours);
                return Err(error);
            }
        };
        if ours.logged.is_some() || ahead.parked.is_some() {
            before = self.published.load().tree.clone();
        }
        match ours.logged {
            Some(_) => ahead.migration = None,
            None => ahead.parked = None,
        }
        self.published.store(ours.snapshot);
        if let Some(layers) = ours.layers {
            ahead.layers = layers;
        }
        let change = Change { time: record.recorded(), ..ours.change };
        Ok(Some(Published { change, before, after }))
    }
}

fn typed<T: Document>(published: &Published) -> Result<Snapshot<T>, Error> {
    let document = from_value(&published.after)?;
    Ok(Snapshot { version: published.change.version, document, tree: published.after.clone() })
}

/// What the registry of documents hands a change to.
pub(super) trait FollowsChanges: Send + Sync {
    fn timeline(&self) -> &Arc<Timeline>;

    /// Learns of a change of this document.
    fn follow_change(&self, record: &Record, event: &EventView<'_>);
}

impl<T: Document> FollowsChanges for ConfigState<T> {
    fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    fn follow_change(&self, record: &Record, event: &EventView<'_>) {
        match self.publish(record, event) {
            Ok(Some(published)) => self.timeline.announce(published),
            Ok(None) => {}
            Err(error) => self.timeline.fail(error, record.position()),
        }
        self.timeline.parked().settle(record, event, Some(event.version));
    }
}

impl<T: Document> Follower for ConfigState<T> {
    fn follow(&self, records: &[Record]) {
        for record in records.iter().filter(|record| record.kind() == RecordKind::Change) {
            match record.event() {
                Ok(event) if event.stream == self.timeline.stream().as_str() => {
                    self.follow_change(record, &event);
                }
                Ok(_) => {}
                Err(error) => self.timeline.fail(error, record.position()),
            }
        }
    }
}
