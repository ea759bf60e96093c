//! Head and published of one typed document.
//!
//! Invariants: a version is published before it leaves the pending ones, so that head never goes
//! back for a moment; no lock of this module is held while the journal is asked for anything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foundation_logic::config::Layers;
use foundation_logic::overlay::Overlay;
use foundation_types::value::{from_value, to_value};
use foundation_types::{Change, Data, Document, Error, Result, Value, Version};
use foundation_validate::BusinessRule;
use foundation_validate::config::{stored, without_plain_secrets};

use super::seal::Seals;
use super::snapshot::{Current, Snapshot};
use super::timeline::{Published, Timeline, change_in};
use crate::journal::Follower;
use crate::record::{EventView, Record, RecordKind};

/// One document: it follows the journal, and is told by its writer what is on the way.
#[derive(Debug)]
pub struct ConfigState<T> {
    published: ArcSwap<Snapshot<T>>,
    ahead: Mutex<Ahead<T>>,
    timeline: Arc<Timeline>,
    seals: Arc<Seals>,
}

/// What is ahead of published.
#[derive(Debug)]
struct Ahead<T> {
    /// What is appended but not yet durable, oldest first.
    pending: VecDeque<Pending<T>>,
    proposals: u64,
    /// What the sources of the published version say.
    layers: Arc<Layers>,
    /// Whether recovery has ended: until then nothing is typed, for most trees are never read.
    live: bool,
}

/// A change that waits to be durable.
#[derive(Debug)]
struct Pending<T> {
    proposal: Proposal,
    snapshot: Arc<Snapshot<T>>,
    /// What its sources say, if that is what changed.
    layers: Option<Arc<Layers>>,
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
        let document = T::default();
        let tree = to_value(&document).map_err(|error| error.with("document", T::NAME))?;
        let timeline = Arc::new(Timeline::new(T::NAME, tree.clone()));
        let snapshot = Snapshot { version: Version::NONE, document, tree: tree.clone() };
        let layers = Arc::new(Layers::new::<T>(tree.clone(), Vec::new()));
        let (pending, proposals, live) = (VecDeque::new(), 0, false);
        let ahead = Ahead { pending, proposals, layers, live };
        Ok(Self {
            published: ArcSwap::from_pointee(snapshot),
            ahead: Mutex::new(ahead),
            timeline,
            seals,
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
        match ahead.pending.back() {
            Some(last) => {
                let snapshot = Arc::clone(&last.snapshot);
                Head { logged: snapshot.tree.clone(), snapshot, layers }
            }
            None => {
                let snapshot = self.published.load_full();
                Head { snapshot, logged: self.timeline.last().1, layers }
            }
        }
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
        (self.published.load_full(), Arc::clone(&ahead.layers), self.timeline.overlay())
    }

    /// Takes what the sources say, if it makes no difference to readers: nothing may be on its way.
    pub fn relayer(&self, layers: Arc<Layers>) {
        self.ahead().layers = layers;
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
        let mut ahead = self.ahead();
        ahead.proposals += 1;
        let proposal = Proposal(ahead.proposals);
        let snapshot = Arc::new(snapshot);
        ahead.pending.push_back(Pending { proposal, snapshot, layers, change, data });
        proposal
    }

    /// What was proposed and is not published yet, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Change> {
        self.ahead().pending.iter().map(|pending| pending.change.clone()).collect()
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

    /// Ends recovery: takes the tree that the log folds to, if it may still be used. With sources it
    /// is what they say, and on top of it what was set at run time.
    ///
    /// # Errors
    /// What of the log could not be followed, or every path at which the tree breaks a rule of
    /// the document as it is now; `SecretSealed` with the path of a secret that does not open; with
    /// the document and its version as context.
    pub fn recovered(&self, rules: &[BusinessRule<T>], sources: Option<Arc<Layers>>) -> Result<()> {
        if let Some(fault) = self.timeline.fault() {
            return Err(fault);
        }
        let mut ahead = self.ahead();
        let (version, logged) = self.timeline.last();
        let named = |error: Error| error.with("document", T::NAME).with("version", version);
        // A secret that a source said is not in the log: it is as the sources say now.
        let (tree, logged) = match &sources {
            Some(layers) => {
                let overlaid = self.timeline.overlay().on(layers.tree()).map_err(named)?;
                let tree = self.seals.open(T::NAME, &overlaid).map_err(named)?;
                let logged = self.seals.settle(T::NAME, &logged, &tree).unwrap_or(logged);
                (tree, logged)
            }
            None => {
                let base = self.timeline.base();
                let tree = self.seals.settle(T::NAME, &logged, &base).map_err(named)?;
                (tree.clone(), tree)
            }
        };
        let valid = stored::<T>(&tree, rules).map_err(|error| match &sources {
            Some(layers) => named(layers.placed::<T>(error)),
            None => named(error),
        })?;
        if let Some(layers) = sources {
            ahead.layers = layers;
        }
        let document = valid.into_inner();
        self.timeline.opened(without_plain_secrets::<T>(logged));
        // What is the same has the seals that were logged.
        let tree = if document.tree == tree { tree } else { document.tree };
        let snapshot = Snapshot { version, document: document.document, tree };
        self.published.store(Arc::new(snapshot));
        ahead.live = true;
        Ok(())
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead<T>> {
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
            let mut published = self.timeline.fold(record.position(), change_in(record, event)?)?;
            if !ahead.live {
                return Ok(None);
            }
            published.after = self.seals.settle(T::NAME, &published.after, &published.before)?;
            self.timeline.opened(published.after.clone());
            self.published.store(Arc::new(typed(&published)?));
            return Ok(Some(published));
        }
        let Some(ours) = ahead.pending.front() else { return Ok(None) };
        let after = ours.snapshot.tree.clone();
        let before = self.timeline.push(record.position(), &ours.change, after.clone())?;
        self.published.store(Arc::clone(&ours.snapshot));
        if let Some(layers) = ours.layers.clone() {
            ahead.layers = layers;
        }
        let published = ahead.pending.pop_front().map(|ours| {
            let change = Change { time: record.recorded(), ..ours.change };
            Published { change, before, after }
        });
        Ok(published)
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
        self.timeline.parked().settle(event.parent);
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
