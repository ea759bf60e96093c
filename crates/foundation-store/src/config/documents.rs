//! All documents of a store: each change goes to the document that it belongs to.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_types::limits::UNLINKED_DOCUMENTS_MAX;
use foundation_types::{Document, Error, ErrorKind, Position, Result, StreamName, Value, Version};
use foundation_validate::config::document_name;

use super::carried::HistoryBound;
use super::kept::{KeptDocument, KeptDocuments};
use super::parked::Waiting;
use super::state::{ConfigState, FollowsChanges};
use super::timeline::Timeline;
use super::versions::Versions;
use crate::journal::{Capture, Follower, Journal, State};
use crate::record::{EventView, Record, RecordKind};

/// The documents that the program has the types of, and the timelines of all others.
///
/// ```
/// use std::sync::Arc;
/// use foundation_store::config::{ConfigState, Documents};
/// use foundation_types::Settings;
/// let state = Arc::new(ConfigState::<Settings>::new()?);
/// let mut documents = Documents::default();
/// documents.link(state)?;
/// assert_eq!(documents.names(), ["foundation"]);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Default)]
pub struct Documents {
    linked: HashMap<StreamName, Arc<dyn FollowsChanges>>,
    unlinked: Mutex<BTreeMap<StreamName, Arc<Timeline>>>,
    unfollowed: AtomicU64,
    /// How much of each history outlives the log, once the settings are known.
    bound: Mutex<Option<HistoryBound>>,
    /// What a snapshot told of: changes up to here are known.
    restored: AtomicU64,
}

impl Documents {
    /// Has the changes of this document handed to its state.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that a document may not have, `InvalidArgument` for one
    /// that is taken.
    pub fn link<T: Document>(&mut self, state: Arc<ConfigState<T>>) -> Result<()> {
        document_name(T::NAME)?;
        let stream = state.timeline().stream().clone();
        if self.linked.contains_key(&stream) {
            let message = format!("two documents have the name {:?}", T::NAME);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.linked.insert(stream, state);
        Ok(())
    }

    /// The versions of the document with this name, linked or not.
    #[must_use]
    pub fn timeline(&self, name: &str) -> Option<Arc<Timeline>> {
        let stream = StreamName::of_document(name);
        match self.linked.get(&stream) {
            Some(linked) => Some(Arc::clone(linked.timeline())),
            None => self.unlinked().get(&stream).cloned(),
        }
    }

    /// Whether the program has the type of the document with this name.
    #[must_use]
    pub fn is_linked(&self, name: &str) -> bool {
        self.linked.contains_key(&StreamName::of_document(name))
    }

    /// The names of all documents, linked or in the log, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let unlinked = self.unlinked();
        let streams = self.linked.keys().chain(unlinked.keys());
        let mut names: Vec<String> =
            streams.filter_map(StreamName::document).map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Changes that no timeline has: of documents beyond the limit, or not decodable.
    #[must_use]
    pub fn unfollowed(&self) -> u64 {
        self.unfollowed.load(Ordering::Relaxed)
    }

    /// How much of the history of each document is kept whatever becomes of the log, from now on.
    pub fn bound_histories(&self, bound: HistoryBound) {
        *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = Some(bound);
        self.timelines().values().for_each(|timeline| timeline.bound_history(bound));
    }

    /// Takes from the log what the histories beside it should have and do not. Says whether there was
    /// something, which is in no snapshot yet.
    ///
    /// # Errors
    /// As [`Journal::record`].
    pub async fn complete_histories(&self, journal: &dyn Journal) -> Result<bool> {
        let mut is_new = false;
        for timeline in self.timelines().into_values() {
            is_new |= timeline.complete_history(journal).await?;
        }
        Ok(is_new)
    }

    fn unlinked(&self) -> MutexGuard<'_, BTreeMap<StreamName, Arc<Timeline>>> {
        self.unlinked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow_change(&self, record: &Record, event: &EventView<'_>) {
        if let Some(linked) = self.linked.get(event.stream) {
            linked.follow_change(record, event);
            return;
        }
        let Some(timeline) = self.unlinked_timeline(event.stream) else {
            self.unfollowed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        match timeline.fold(record, event) {
            Ok(published) => timeline.announce(published),
            Err(error) => timeline.fail(error, record.position()),
        }
        timeline.parked().settle(record, event, Some(event.version));
    }

    /// Learns of a change that waits, or does not any more.
    fn follow_parked(&self, record: &Record, event: &EventView<'_>) {
        let name = event.stream.strip_prefix(StreamName::PARKED_PREFIX).unwrap_or_default();
        let stream = StreamName::of_document(name);
        let timeline = match self.linked.get(&stream) {
            Some(linked) => Some(Arc::clone(linked.timeline())),
            None => self.unlinked_timeline(stream.as_str()),
        };
        match timeline {
            Some(timeline) => {
                if let Err(error) = timeline.parked().follow(record, event) {
                    timeline.fail(error, record.position());
                }
            }
            None => drop(self.unfollowed.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Why what is here is not what the log says: a snapshot of it would hide that for ever.
    fn astray(&self) -> Option<Error> {
        let fault = self.timelines().values().find_map(|timeline| timeline.fault());
        let beyond = || {
            let message = "changes belong to no document that is followed";
            (self.unfollowed() > 0).then(|| Error::new(ErrorKind::TooLarge, message))
        };
        fault.or_else(beyond)
    }

    /// Every timeline that has versions, in the order of names.
    fn timelines(&self) -> BTreeMap<String, Arc<Timeline>> {
        let linked = self.linked.values().map(|linked| Arc::clone(linked.timeline()));
        let unlinked: Vec<_> = self.unlinked().values().cloned().collect();
        let all = linked.chain(unlinked);
        all.map(|timeline| (timeline.document().to_owned(), timeline)).collect()
    }

    fn unlinked_timeline(&self, stream: &str) -> Option<Arc<Timeline>> {
        let mut unlinked = self.unlinked();
        if let Some(timeline) = unlinked.get(stream) {
            return Some(Arc::clone(timeline));
        }
        let name = stream.strip_prefix(StreamName::CONFIG_PREFIX)?;
        if unlinked.len() >= UNLINKED_DOCUMENTS_MAX {
            return None;
        }
        let timeline = Arc::new(self.new_timeline(name));
        unlinked.insert(stream.into(), Arc::clone(&timeline));
        Some(timeline)
    }
}

impl Documents {
    fn new_timeline(&self, name: &str) -> Timeline {
        let timeline = Timeline::new(name, Value::empty_map());
        let bound = *self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.into_iter().for_each(|bound| timeline.bound_history(bound));
        timeline
    }
}

/// Whether a record tells of changes that wait, without a look at its other fields.
fn is_of_parked(record: &Record) -> bool {
    let prefix = StreamName::PARKED_PREFIX.as_bytes();
    record.kind() == RecordKind::Event
        && record.stream().is_some_and(|stream| stream.starts_with(prefix))
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Documents").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl Follower for Documents {
    fn follow(&self, records: &[Record]) {
        let restored = Position::from_engine(self.restored.load(Ordering::Relaxed));
        let is_news = |record: &&Record| {
            (record.kind() == RecordKind::Change || is_of_parked(record))
                && record.position() > restored
        };
        for record in records.iter().filter(is_news) {
            match record.event() {
                Ok(event) if record.kind() == RecordKind::Event => {
                    self.follow_parked(record, &event);
                }
                Ok(event) => self.follow_change(record, &event),
                Err(_) => drop(self.unfollowed.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    fn resumes(&self) -> bool {
        true
    }

    fn states(&self) -> Vec<&dyn State> {
        vec![self]
    }
}

impl State for Documents {
    fn name(&self) -> &'static str {
        "config"
    }

    fn capture(&self) -> Capture {
        if let Some(error) = self.astray() {
            return Box::new(move || Err(error));
        }
        let all = self.timelines().into_iter();
        let taken: Vec<(String, Versions, Waiting)> =
            all.map(|(name, one)| (name, one.all(), one.parked().all())).collect();
        Box::new(move || {
            let is_changed = |(_, versions, parked): &&(String, Versions, Waiting)| {
                !versions.positions.is_empty() || parked.version != Version::NONE
            };
            let changed = taken.iter().filter(is_changed);
            let kept = changed.map(|(name, all, parked)| KeptDocument::of(name, all, parked));
            let documents = kept.collect();
            serde_json::to_vec(&KeptDocuments { documents }).map_err(|cause| {
                let message = "the documents cannot be written as JSON";
                Error::new(ErrorKind::Internal, message).caused_by(cause)
            })
        })
    }

    fn restore(&self, position: Position, bytes: &[u8]) -> Result<()> {
        let kept: KeptDocuments = serde_json::from_slice(bytes).map_err(|cause| {
            let message = format!("the documents of a snapshot cannot be read: {cause}");
            Error::new(ErrorKind::Corruption, message).caused_by(cause)
        })?;
        let mut restored = Vec::new();
        for document in kept.documents {
            let stream = StreamName::of_document(&document.name);
            let timeline = match self.linked.get(&stream) {
                Some(linked) => Arc::clone(linked.timeline()),
                None => Arc::new(self.new_timeline(&document.name)),
            };
            let (versions, parked) = document.on(timeline.fresh())?;
            restored.push((stream, timeline, versions, parked));
        }
        self.reset();
        for (stream, timeline, versions, parked) in restored {
            timeline.replace(versions);
            timeline.parked().replace(parked);
            if !self.linked.contains_key(&stream) {
                self.unlinked().insert(stream, timeline);
            }
        }
        self.restored.store(position.to_engine(), Ordering::Relaxed);
        Ok(())
    }

    fn heads(&self) -> Vec<(StreamName, Version)> {
        let heads = |timeline: Arc<Timeline>| {
            let parked = StreamName::of_parked(timeline.document());
            [
                (timeline.stream().clone(), timeline.last().0),
                (parked, timeline.parked().all().version),
            ]
        };
        self.timelines().into_values().flat_map(heads).collect()
    }

    fn reset(&self) {
        self.unlinked().clear();
        for linked in self.linked.values() {
            let timeline = linked.timeline();
            timeline.replace(timeline.fresh());
            timeline.parked().replace(Waiting::default());
        }
        self.restored.store(0, Ordering::Relaxed);
    }
}
