//! The versions of one document without its type: trees, positions, and who is told of changes.
//!
//! A document whose type is not linked into the program is a timeline and nothing more, from an
//! empty map on: what was set at run time can be read, and nothing can be written.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use foundation_logic::diff;
use foundation_logic::overlay::Overlay;
use foundation_types::limits::ANSWER_BYTES_MAX;
use foundation_types::limits::CONFIG_CHANGES_BUFFERED;
use foundation_types::{
    Change, Data, Error, ErrorKind, Position, Result, StreamName, Timestamp, Value, Version,
};
use tokio::sync::broadcast;

use super::parked::Parked;
use super::passing::Passing;
use super::versions::Versions;
use crate::journal::{Journal, is_lost, lost};
use crate::record::{EventView, Record};

/// A change that has become visible, with the trees on both sides of it.
#[derive(Clone, Debug)]
pub struct Published {
    /// Who changed what, when and why.
    pub change: Change,
    /// The tree of the version before.
    pub before: Value,
    /// The tree of the version that the change made.
    pub after: Value,
}

/// Every durable version of one document.
#[derive(Debug)]
pub struct Timeline {
    stream: StreamName,
    parked: Parked,
    versions: RwLock<Versions>,
    published: broadcast::Sender<Arc<Published>>,
    /// Why a logged change could not be followed: the first reason counts.
    fault: Mutex<Option<Error>>,
}

impl Timeline {
    /// The timeline of a document that begins with this tree as version 0.
    #[must_use]
    pub fn new(document: &str, base: Value) -> Self {
        Self::of(document, base, None)
    }

    /// As [`Timeline::new`], where the tree is that of a type with this schema.
    #[must_use]
    pub fn of_schema(document: &str, base: Value, schema: u32) -> Self {
        Self::of(document, base, Some(schema))
    }

    fn of(document: &str, base: Value, present: Option<u32>) -> Self {
        Self {
            stream: StreamName::of_document(document),
            parked: Parked::default(),
            versions: RwLock::new(Versions::new(base, present)),
            published: broadcast::Sender::new(CONFIG_CHANGES_BUFFERED),
            fault: Mutex::default(),
        }
    }

    /// The stream of the document's changes.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The name of the document.
    #[must_use]
    pub fn document(&self) -> &str {
        self.stream.document().unwrap_or_default()
    }

    /// The changes that wait for somebody to decide about them.
    #[must_use]
    pub fn parked(&self) -> &Parked {
        &self.parked
    }

    /// The tree of version 0.
    #[must_use]
    pub fn base(&self) -> Value {
        self.versions().base()
    }

    /// The newest version and the tree that the log folds to.
    #[must_use]
    pub fn last(&self) -> (Version, Value) {
        self.versions().last()
    }

    /// The schema of the newest change; nothing if there is no change.
    #[must_use]
    pub fn schema(&self) -> Option<u32> {
        self.versions().schema()
    }

    /// The schema that the tree of a version has; nothing if no change was made.
    #[must_use]
    pub fn schema_of(&self, version: Version) -> Option<u32> {
        if version == Version::NONE { None } else { self.versions().schema_of(version) }
    }

    /// Whether the change of a version is made on the tree of the version before, as edits are on a
    /// tree: not where the schema is another one.
    #[must_use]
    pub fn follows_on(&self, version: Version) -> bool {
        self.versions().follows_on(version)
    }

    /// What all changes at run time come to.
    #[must_use]
    pub fn overlay(&self) -> Overlay {
        self.versions().overlay.clone()
    }

    /// Whether files or the environment ever said something that was not the default.
    #[must_use]
    pub fn was_sourced(&self) -> bool {
        self.versions().was_sourced
    }

    /// What is set for a time only.
    #[must_use]
    pub fn passing(&self) -> Passing {
        self.versions().passing.clone()
    }

    /// Where the change that made this version is.
    #[must_use]
    pub fn position_of(&self, version: Version) -> Option<Position> {
        self.versions().position(version)
    }

    /// The first version whose change is after a position; the next version if there is none.
    #[must_use]
    pub fn first_after(&self, position: Position) -> Version {
        self.versions().first_after(position)
    }

    /// The change that made this version.
    ///
    /// # Errors
    /// `NotFound` for version 0 and for one that is not published; as [`Journal::record`]
    /// otherwise.
    pub async fn change_at(&self, journal: &dyn Journal, version: Version) -> Result<Change> {
        let record = self.record_of(journal, version).await?;
        change_of(&record).map_err(|error| self.named(error))
    }

    /// The changes that made these versions, in the order asked for; they end early once they have
    /// [`ANSWER_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// As [`Timeline::change_at`].
    pub async fn changes_at(
        &self,
        journal: &dyn Journal,
        versions: impl Iterator<Item = Version> + Send,
    ) -> Result<Vec<Change>> {
        let (mut changes, mut bytes) = (Vec::new(), 0_usize);
        for version in versions {
            if bytes >= ANSWER_BYTES_MAX {
                break;
            }
            let record = self.record_of(journal, version).await?;
            bytes = bytes.saturating_add(record.bytes());
            changes.push(change_of(&record).map_err(|error| self.named(error))?);
        }
        Ok(changes)
    }

    /// As [`Timeline::changes_at`], up to `limit` of them, without those that were lost to damage.
    ///
    /// # Errors
    /// As [`Timeline::change_at`].
    pub async fn kept_changes_at(
        &self,
        journal: &dyn Journal,
        versions: impl Iterator<Item = Version> + Send,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let (mut changes, mut bytes) = (Vec::new(), 0_usize);
        for version in versions {
            if bytes >= ANSWER_BYTES_MAX || changes.len() >= limit {
                break;
            }
            let record = match self.record_of(journal, version).await {
                Err(error) if is_lost(&error) => continue,
                record => record?,
            };
            bytes = bytes.saturating_add(record.bytes());
            changes.push(change_of(&record).map_err(|error| self.named(error))?);
        }
        Ok(changes)
    }

    /// When this version was recorded.
    ///
    /// # Errors
    /// As [`Timeline::change_at`].
    pub async fn recorded_at(&self, journal: &dyn Journal, version: Version) -> Result<Timestamp> {
        Ok(self.record_of(journal, version).await?.recorded())
    }

    /// The tree as of an earlier version, as it was logged: one whose schema is earlier than that of
    /// the type has no defaults in it.
    ///
    /// # Errors
    /// `NotFound` for a version that is not published; as [`Journal::record`] otherwise.
    pub async fn tree_at(&self, journal: &dyn Journal, version: Version) -> Result<Value> {
        let plan = self.versions().plan(version).map_err(|error| self.named(error))?;
        let mut tree = plan.base;
        let first = version.number() - plan.positions.len() as u64 + 1;
        if plan.positions.is_empty() && version != self.last().0 && version != Version::NONE {
            // The tree of a version that was lost is not known, whatever is kept in its place.
            match self.record_of(journal, version).await {
                Err(error) if error.kind() != ErrorKind::Compacted => return Err(error),
                _ => {}
            }
        }
        for (number, position) in (first..).zip(plan.positions) {
            let record = self.own(journal.record(position).await?, Version::new(number))?;
            let change = change_of(&record)?;
            tree = diff::apply(&tree, &change.changes)?;
        }
        Ok(tree)
    }

    /// Every change from now on, in order, each after it is visible.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Published>> {
        self.published.subscribe()
    }

    /// Why a logged change could not be followed, if one could not.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn fail(&self, error: Error, position: Position) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert_with(|| self.named(error).with("position", position));
    }

    /// Learns of the next version, whose tree is known; gives the tree of the one before.
    pub(super) fn push(&self, position: Position, change: &Change, tree: Value) -> Result<Value> {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let (_, before) = versions.last();
        versions.push(position, change, tree)?;
        Ok(before)
    }

    /// Every version, as it is kept in a snapshot.
    pub(super) fn all(&self) -> Versions {
        self.versions().clone()
    }

    /// No version yet.
    pub(super) fn fresh(&self) -> Versions {
        self.versions().emptied()
    }

    /// Takes other versions in place of those that it has.
    pub(super) fn replace(&self, versions: Versions) {
        *self.versions.write().unwrap_or_else(PoisonError::into_inner) = versions;
    }

    /// Learns of the next version from its change alone.
    pub(super) fn fold(&self, position: Position, change: Change) -> Result<Published> {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = versions.next(&change)?;
        versions.push(position, &change, after.clone())?;
        Ok(Published { change, before, after })
    }

    /// Takes the newest tree with the content of its secrets in place of the one without.
    pub(super) fn opened(&self, tree: Value) {
        self.versions.write().unwrap_or_else(PoisonError::into_inner).last = tree;
    }

    /// Tells subscribers. Whoever subscribes later has seen the version already.
    pub(super) fn announce(&self, published: Published) {
        if self.published.receiver_count() > 0 {
            // The last one may just have gone: nobody listening is no failure.
            let _ = self.published.send(Arc::new(published));
        }
    }

    async fn record_of(&self, journal: &dyn Journal, version: Version) -> Result<Record> {
        match self.position_of(version) {
            Some(position) => {
                let record = journal.record(position).await.map_err(|error| self.named(error))?;
                self.own(record, version)
            }
            None => {
                let message = format!("no change made version {version}");
                Err(self.named(Error::new(ErrorKind::NotFound, message)))
            }
        }
    }

    /// The record, if it made this version: what was lost to damage has no place of its own.
    fn own(&self, record: Record, version: Version) -> Result<Record> {
        let event = record.event()?;
        if event.stream == self.stream.as_str() && event.version == version {
            return Ok(record);
        }
        let message = format!("the change that made version {version} was lost to damage");
        Err(self.named(lost(message)))
    }

    fn versions(&self) -> RwLockReadGuard<'_, Versions> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, error: Error) -> Error {
        error.with("document", self.document())
    }
}

/// The change that a record tells of.
pub(super) fn change_of(record: &Record) -> Result<Change> {
    change_in(record, &record.event()?)
}

/// The change that the event of a record tells of.
pub(super) fn change_in(record: &Record, event: &EventView<'_>) -> Result<Change> {
    let damaged = |cause: Error| {
        Error::new(ErrorKind::Corruption, "a record is not the change that it says it is")
            .with("position", record.position())
            .caused_by(cause)
    };
    let mut change: Change = Data::from_checked(event.data).to().map_err(damaged)?;
    change.version = event.version;
    change.time = record.recorded();
    Ok(change)
}
