//! Head and published of one typed document.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arc_swap::ArcSwap;
use foundation_logic::diff;
use foundation_types::value::{from_value, to_value};
use foundation_types::{Change, Document, Error, Position, Result, StreamName, Value, Version};
use tokio::sync::broadcast;

use super::versions::{Versions, change_of};
use crate::journal::{Follower, Journal};
use crate::record::{Record, RecordKind};

/// Changes that a slow subscriber may be behind before it is told that it lags.
const CHANGES_KEPT: usize = 1024;

/// One version of a document: immutable, typed and as a tree.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// Version.
    pub version: Version,
    /// The document as the application's type.
    pub document: T,
    /// The document as a tree.
    pub tree: Value,
}

/// The published version of a document, held while it is looked at.
///
/// It dereferences to the document. Reading it takes no lock and allocates nothing; all that is
/// read through one of them is of one version.
pub struct Current<T>(arc_swap::Guard<Arc<Snapshot<T>>>);

impl<T> Current<T> {
    /// The version that is looked at.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The document as a tree.
    #[must_use]
    pub fn tree(&self) -> &Value {
        &self.0.tree
    }

    /// The snapshot itself, to be kept as long as needed.
    #[must_use]
    pub fn to_snapshot(&self) -> Arc<Snapshot<T>> {
        Arc::clone(&self.0)
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.document
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Current<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// One document: it follows the journal, and is told by its writer what is on the way.
#[derive(Debug)]
pub struct ConfigState<T> {
    stream: StreamName,
    published: ArcSwap<Snapshot<T>>,
    /// What is appended but not yet durable, oldest first.
    pending: Mutex<VecDeque<Pending<T>>>,
    versions: RwLock<Versions>,
    changes: broadcast::Sender<Arc<Change>>,
    /// Why a logged change could not be followed.
    fault: Mutex<Option<Error>>,
}

/// A change that waits to be durable.
#[derive(Debug)]
struct Pending<T> {
    snapshot: Arc<Snapshot<T>>,
    change: Change,
}

impl<T: Document> ConfigState<T> {
    /// The document at version 0: its defaults.
    ///
    /// # Errors
    /// If the defaults cannot be written as a tree.
    pub fn new() -> Result<Self> {
        let document = T::default();
        let tree = to_value(&document)?;
        let snapshot = Snapshot { version: Version::NONE, document, tree: tree.clone() };
        Ok(Self {
            stream: StreamName::of_document(T::NAME),
            published: ArcSwap::from_pointee(snapshot),
            pending: Mutex::default(),
            versions: RwLock::new(Versions::new(tree)),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            fault: Mutex::default(),
        })
    }

    /// The stream of its changes.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// What readers see.
    #[must_use]
    pub fn current(&self) -> Current<T> {
        Current(self.published.load())
    }

    /// What the next change is computed on: it may not be durable yet.
    #[must_use]
    pub fn head(&self) -> Arc<Snapshot<T>> {
        let pending = self.pending();
        pending.back().map_or_else(|| self.published.load_full(), |last| last.snapshot.clone())
    }

    /// Tells of a change that is about to be appended; its snapshot becomes the head.
    pub fn propose(&self, snapshot: Snapshot<T>, change: Change) {
        self.pending().push_back(Pending { snapshot: Arc::new(snapshot), change });
    }

    /// Sets head back to published: what was proposed and not told of is not coming.
    pub fn retreat(&self) {
        self.pending().clear();
    }

    /// Takes back the newest proposal, whose append was refused.
    pub fn withdraw(&self, version: Version) {
        let mut pending = self.pending();
        if pending.back().is_some_and(|last| last.snapshot.version == version) {
            pending.pop_back();
        }
    }

    /// Every change from now on, in order, each after it is published.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// Where the change that made this version is.
    #[must_use]
    pub fn position_of(&self, version: Version) -> Option<Position> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).position(version)
    }

    /// The tree as of an earlier version.
    ///
    /// # Errors
    /// `NotFound` for a version that is not published yet; as [`Journal::record`] otherwise.
    pub async fn tree_at(&self, journal: &dyn Journal, version: Version) -> Result<Value> {
        let plan = self.versions.read().unwrap_or_else(PoisonError::into_inner).plan(version)?;
        let mut tree = plan.base;
        for position in plan.positions {
            let change = change_of(&journal.record(position).await?)?;
            tree = diff::apply(&tree, &change.changes)?;
        }
        Ok(tree)
    }

    /// Ends recovery: types the tree that the log folds to.
    ///
    /// Nothing is validated here beyond its type: the caller asks whether the result may be used.
    ///
    /// # Errors
    /// What of the log or of the folded tree does not fit the type.
    pub fn recovered(&self) -> Result<()> {
        if let Some(fault) = self.fault() {
            return Err(fault.with("document", T::NAME));
        }
        let (version, tree) = self.versions.read().unwrap_or_else(PoisonError::into_inner).last();
        let document = from_value(&tree)
            .map_err(|error| error.with("document", T::NAME).with("version", version))?;
        self.published.store(Arc::new(Snapshot { version, document, tree }));
        Ok(())
    }

    /// Why a logged change could not be followed, if one could not.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn pending(&self) -> MutexGuard<'_, VecDeque<Pending<T>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow_change(&self, record: &Record) -> Result<()> {
        let version = record.event()?.version;
        let ours = {
            let mut pending = self.pending();
            match pending.front() {
                Some(first) if first.snapshot.version == version => pending.pop_front(),
                _ => None,
            }
        };
        let (snapshot, mut change) = match ours {
            Some(Pending { snapshot, change }) => (Some(snapshot), change),
            None => (None, change_of(record)?),
        };
        change.time = record.recorded();
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        match snapshot {
            Some(snapshot) => {
                versions.push(record.position(), version, snapshot.tree.clone())?;
                self.published.store(snapshot);
            }
            // Typed when recovery ends: most of these trees are never looked at.
            None => {
                let (_, tree) = versions.last();
                let tree = diff::apply(&tree, &change.changes)?;
                versions.push(record.position(), version, tree)?;
            }
        }
        drop(versions);
        // Nobody listening is no failure.
        let _ = self.changes.send(Arc::new(change));
        Ok(())
    }
}

impl<T: Document> Follower for ConfigState<T> {
    fn follow(&self, records: &[Record]) {
        for record in records.iter().filter(|record| record.kind() == RecordKind::Change) {
            let is_ours = |record: &Record| {
                record.event().is_ok_and(|event| event.stream == self.stream.as_str())
            };
            if !is_ours(record) {
                continue;
            }
            if let Err(error) = self.follow_change(record) {
                let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                fault.get_or_insert(error.with("position", record.position()));
            }
        }
    }
}
