//! The versions of one document without its type: trees, positions, and who is told of changes.
//!
//! A document whose type is not linked into the program is a timeline and nothing more, from an
//! empty map on: what was set at run time can be read, and nothing can be written.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use foundation_logic::diff;
use foundation_logic::overlay::Overlay;
use foundation_types::limits::{
    ANSWER_BYTES_MAX, CONFIG_CHANGES_BUFFERED, CONFIG_HISTORY_BYTES_MAX,
};
use foundation_types::{
    Change, Data, Error, ErrorKind, Position, Result, StreamName, Timestamp, Value, Version,
};
use tokio::sync::broadcast;

use super::carried::{CarriedChange, HistoryBound};
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

    /// The first version whose change is kept, in the log after this position or beside it; the next
    /// version if there is none.
    #[must_use]
    pub fn first_kept(&self, before_first: Position) -> Version {
        let versions = self.versions();
        versions.first_after(before_first).min(versions.carried.first())
    }

    /// How much of the history is kept whatever becomes of the log, from now on.
    pub fn bound_history(&self, bound: HistoryBound) {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.carried.set_bound(bound);
    }

    /// Takes from the log what the history beside it should have and does not, as after the bound was
    /// raised. Says whether there was something.
    ///
    /// # Errors
    /// As [`Journal::record`].
    pub async fn complete_history(&self, journal: &dyn Journal) -> Result<bool> {
        let (mut carried, kept) = {
            let versions = self.versions();
            (versions.carried.clone(), versions.first_after(journal.extent().before_first))
        };
        let (first, mut earlier) = (carried.first(), Vec::new());
        for version in (kept.number()..first.number()).rev().map(Version::new) {
            let change = match self.told(journal, version).await {
                Err(error) if is_lost(&error) => None,
                Err(error) if error.kind() == ErrorKind::Compacted => break,
                told => Some(told?.to_carried()?),
            };
            let bytes = carried.bytes() + change.as_ref().map_or(0, CarriedChange::bytes);
            if bytes > CONFIG_HISTORY_BYTES_MAX || !carried.wants(version, change.as_ref()) {
                break;
            }
            carried.put_before(change.clone());
            earlier.push(change);
        }
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = !earlier.is_empty() && versions.carried.first() == first;
        if is_new {
            versions.carried.precede(earlier);
        }
        Ok(is_new)
    }

    /// The change that made this version.
    ///
    /// # Errors
    /// `NotFound` for version 0 and for one that is not published; as [`Journal::record`]
    /// otherwise.
    pub async fn change_at(&self, journal: &dyn Journal, version: Version) -> Result<Change> {
        self.told(journal, version).await?.to_change().map_err(|error| self.named(error))
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
            let told = self.told(journal, version).await?;
            bytes = bytes.saturating_add(told.bytes());
            changes.push(told.to_change().map_err(|error| self.named(error))?);
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
            let told = match self.told(journal, version).await {
                Err(error) if is_lost(&error) => continue,
                told => told?,
            };
            bytes = bytes.saturating_add(told.bytes());
            changes.push(told.to_change().map_err(|error| self.named(error))?);
        }
        Ok(changes)
    }

    /// When this version was recorded.
    ///
    /// # Errors
    /// As [`Timeline::change_at`].
    pub async fn recorded_at(&self, journal: &dyn Journal, version: Version) -> Result<Timestamp> {
        Ok(self.told(journal, version).await?.recorded())
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
            match self.told(journal, version).await {
                Err(error) if error.kind() != ErrorKind::Compacted => return Err(error),
                _ => {}
            }
        }
        for (number, _) in (first..).zip(plan.positions) {
            let change = self.told(journal, Version::new(number)).await;
            let change = change.map_err(|error| self.asked(journal, version, error))?;
            let change = change.to_change().map_err(|error| self.named(error))?;
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
    pub(super) fn push(
        &self,
        record: &Record,
        event: &EventView<'_>,
        change: &Change,
        tree: Value,
    ) -> Result<Value> {
        let logged = CarriedChange::of(record.recorded(), event.data)?;
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let (_, before) = versions.last();
        versions.push(record.position(), change, logged, tree)?;
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
    pub(super) fn fold(&self, record: &Record, event: &EventView<'_>) -> Result<Published> {
        let change = change_in(record, event)?;
        let logged = CarriedChange::of(record.recorded(), event.data)?;
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = versions.next(&change)?;
        versions.push(record.position(), &change, logged, after.clone())?;
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

    /// What tells of the change that made a version: the log, or what is kept once the log has let go.
    async fn told(&self, journal: &dyn Journal, version: Version) -> Result<Told> {
        let Some(position) = self.position_of(version) else {
            let message = format!("no change made version {version}");
            return Err(self.named(Error::new(ErrorKind::NotFound, message)));
        };
        match journal.record(position).await {
            Ok(record) => self.own(record, version).map(Told::Logged),
            Err(error) if error.kind() == ErrorKind::Compacted => {
                let carried = self.versions().carried.get(version);
                match carried {
                    Some(Some(change)) => Ok(Told::Carried(version, change)),
                    Some(None) => Err(self.lost(version)),
                    None => Err(self.let_go(journal, version).caused_by(error)),
                }
            }
            Err(error) => Err(self.named(error)),
        }
    }

    /// The error of reading a change on the way to a version, as that of the version that was asked for.
    fn asked(&self, journal: &dyn Journal, version: Version, error: Error) -> Error {
        if error.kind() != ErrorKind::Compacted {
            return error;
        }
        let first = self.first_kept(journal.extent().before_first);
        let message = format!(
            "version {version} is no longer known: it is made of changes to which neither the log \
             goes back nor the history beside it, which is as long as config.history says; the \
             first change that is kept made version {first}"
        );
        self.named(Error::new(ErrorKind::Compacted, message).caused_by(error))
    }

    fn let_go(&self, journal: &dyn Journal, version: Version) -> Error {
        let first = self.first_kept(journal.extent().before_first);
        let message = format!(
            "the change that made version {version} is no longer kept: neither the log goes back to \
             it nor the history beside it, which is as long as config.history says; the first \
             change that is kept made version {first}"
        );
        self.named(Error::new(ErrorKind::Compacted, message))
    }

    /// The record, if it made this version: what was lost to damage has no place of its own.
    fn own(&self, record: Record, version: Version) -> Result<Record> {
        let event = record.event()?;
        if event.stream == self.stream.as_str() && event.version == version {
            return Ok(record);
        }
        Err(self.lost(version))
    }

    fn lost(&self, version: Version) -> Error {
        self.named(lost(format!("the change that made version {version} was lost to damage")))
    }

    fn versions(&self) -> RwLockReadGuard<'_, Versions> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, error: Error) -> Error {
        error.with("document", self.document())
    }
}

/// What tells of a change.
enum Told {
    Logged(Record),
    Carried(Version, CarriedChange),
}

impl Told {
    fn to_change(&self) -> Result<Change> {
        match self {
            Self::Logged(record) => change_in(record, &record.event()?),
            Self::Carried(version, change) => change.to_change(*version),
        }
    }

    fn to_carried(&self) -> Result<CarriedChange> {
        match self {
            Self::Logged(record) => CarriedChange::of(record.recorded(), record.event()?.data),
            Self::Carried(_, change) => Ok(change.clone()),
        }
    }

    fn recorded(&self) -> Timestamp {
        match self {
            Self::Logged(record) => record.recorded(),
            Self::Carried(_, change) => change.time,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Logged(record) => record.bytes(),
            Self::Carried(_, change) => change.bytes(),
        }
    }
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
