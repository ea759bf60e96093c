//! The one lane that changes go through.
//!
//! Invariant: what a caller learns of head, it learns after head is published; so an answer
//! never tells of a version that a crash could take back. Whoever stops waiting leaves nothing
//! behind that the next one in the lane does not find: every append stays in the lane with its
//! commit until its end was looked at, so that a failure is noticed even if its caller is gone.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use foundation_logic::{config, diff};
use foundation_store::config::{Head, Proposal, Snapshot};
use foundation_store::journal::{Batch, Commit};
use foundation_store::record::RecordKind;
use foundation_types::error::Conflict;
use foundation_types::limits::CONFLICT_CHANGES_MAX;
use foundation_types::{
    Change, Data, Document, Edit, Error, ErrorKind, Event, EventId, EventType, ExpectedVersion,
    Order, Result, Value, Version,
};
use foundation_validate::config::{Stored, no_such_key, stored};
use foundation_validate::{ChangeRequest, Origin, Validated, event};

use super::history::{self, HistoryQuery};
use super::server::ConfigServer;
use super::update::Updated;

/// Who says that a document changed.
const SOURCE: &str = "foundation.config";

/// What the lane remembers from one change to the next.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Appends whose end was not looked at yet, oldest first. A journal makes them durable in
    /// order, and its room bounds how many they are.
    flights: VecDeque<Flight>,
}

/// A change that has its place in the journal.
#[derive(Clone, Debug)]
struct Flight {
    proposal: Proposal,
    commit: Commit,
}

/// How far a change came.
enum Attempt {
    /// It has its place.
    Appended(Flight, Updated),
    /// Head says the same already.
    Unmoved(Version),
    /// Head is at another version than was expected.
    Conflict(Version),
    /// The journal is at another version than head, and says so.
    Refused(Error),
}

/// What a change leads to.
struct Plan<T> {
    stored: Stored<T>,
    edits: Vec<Edit>,
}

impl<T: Document> ConfigServer<T> {
    /// Takes a change through the lane and waits until it is durable.
    pub(super) async fn apply(&self, request: ChangeRequest) -> Result<Updated> {
        let request = foundation_validate::config::change(request)?;
        loop {
            let (attempt, newest) = self.attempt(&request).await?;
            match attempt {
                Attempt::Appended(flight, updated) => return self.confirm(flight, updated).await,
                // What was learned of head counts only if head is not taken back.
                _ if !self.stands(newest).await => {}
                Attempt::Unmoved(version) => {
                    return Ok(Updated { version, position: None, changes: Vec::new() });
                }
                Attempt::Conflict(actual) => {
                    return Err(self.conflict(request.expected, actual).await);
                }
                Attempt::Refused(conflict) => return Err(conflict),
            }
        }
    }

    /// What a change would do, without doing it.
    pub(super) async fn rehearse(&self, request: ChangeRequest) -> Result<Vec<Edit>> {
        let request = foundation_validate::config::change(request)?;
        loop {
            let mut lane = self.inner.lane.lock().await;
            let head = self.head(&mut lane).await?;
            let newest = lane.flights.back().cloned();
            drop(lane);
            let plan = self.plan(&request, &head);
            if !self.stands(newest).await {
                continue;
            }
            if !request.expected.admits(head.snapshot.version) {
                return Err(self.conflict(request.expected, head.snapshot.version).await);
            }
            return Ok(plan?.map_or_else(Vec::new, |plan| plan.edits));
        }
    }

    /// One try to give a change its place, with the newest append before it.
    async fn attempt(
        &self,
        request: &Validated<ChangeRequest>,
    ) -> Result<(Attempt, Option<Flight>)> {
        let mut lane = self.inner.lane.lock().await;
        let head = self.head(&mut lane).await?;
        let newest = lane.flights.back().cloned();
        if !request.expected.admits(head.snapshot.version) {
            return Ok((Attempt::Conflict(head.snapshot.version), newest));
        }
        let Some(Plan { stored, edits }) = self.plan(request, &head)? else {
            return Ok((Attempt::Unmoved(head.snapshot.version), newest));
        };
        let change = Change {
            document: T::NAME.to_owned(),
            version: head.snapshot.version.next(),
            time: self.inner.clock.wall(),
            actor: request.actor.clone(),
            reason: request.reason.clone(),
            changes: edits.clone(),
        };
        let data = Data::of(&change)?;
        let batch = self.batch(&change, data.clone())?;
        let Stored { document, tree } = stored;
        let snapshot = Snapshot { version: change.version, document, tree };
        // Nothing is proposed yet: whoever stops waiting here has changed nothing.
        let room = self.inner.journal.reserve(&batch).await?;
        let mut updated = Updated { version: change.version, position: None, changes: edits };
        let proposal = self.state.propose(snapshot, change, data);
        let commit = match self.inner.journal.append(batch, room) {
            Ok(commit) => commit,
            Err(error) => {
                self.state.retreat(proposal);
                // Of an append that failed meanwhile: what was computed on it is computed anew.
                let is_conflict = error.kind() == ErrorKind::VersionConflict;
                return if is_conflict {
                    Ok((Attempt::Refused(error), newest))
                } else {
                    Err(error)
                };
            }
        };
        updated.position = Some(commit.place().last());
        let flight = Flight { proposal, commit };
        lane.flights.push_back(flight.clone());
        Ok((Attempt::Appended(flight, updated), newest))
    }

    /// What the next change is computed on, after a look at how the appends before ended.
    async fn head(&self, lane: &mut Lane) -> Result<Head<T>> {
        if *self.inner.closed.borrow() {
            let message = format!("document {:?} takes no more changes: it is closed", T::NAME);
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        if let Some(fault) = self.timeline().fault() {
            return Err(fault);
        }
        while let Some(flight) = lane.flights.front().filter(|flight| flight.commit.is_done()) {
            if flight.commit.durable().await.is_err() {
                // All later ones were computed on it.
                self.state.retreat(flight.proposal);
                lane.flights.clear();
            }
            lane.flights.pop_front();
        }
        Ok(self.state.head())
    }

    /// The valid document that the request leads to; nothing if head says the same.
    fn plan(&self, request: &Validated<ChangeRequest>, head: &Head<T>) -> Result<Option<Plan<T>>> {
        let candidate =
            config::candidate(&head.snapshot.tree, request).map_err(with_nearest::<T>)?;
        let stored = self.judge(&candidate)?.into_inner();
        if stored.tree == head.snapshot.tree {
            return Ok(None);
        }
        let edits = diff::diff(&head.logged, &stored.tree);
        Ok(Some(Plan { stored, edits }))
    }

    /// Validates a candidate. A rule that panics refuses it and harms nothing else.
    fn judge(&self, candidate: &Value) -> Result<Validated<Stored<T>>> {
        let judged = || stored::<T>(candidate, &self.inner.rules);
        catch_unwind(AssertUnwindSafe(judged)).unwrap_or_else(|_| {
            let message = format!("a rule of document {:?} panicked", T::NAME);
            Err(Error::new(ErrorKind::Invalid, message))
        })
    }

    fn batch(&self, change: &Change, data: Data) -> Result<Batch> {
        let stream = self.timeline().stream().clone();
        let name = format!("{stream}@{}", change.version);
        let told = Event {
            data,
            ..Event::new(EventType::CONFIG_CHANGED)
                .id(EventId::derived(self.inner.journal.store_id(), &name))
                .source(SOURCE)
                .subject(T::NAME)
        };
        let told = event::event(told, Origin::Foundation)?.into_inner();
        let expected = ExpectedVersion::Exactly(change.version.previous());
        Ok(Batch::new(stream, RecordKind::Change, vec![told])?.expecting(expected))
    }

    /// Waits until an append is durable, and takes its change back if it is not coming.
    async fn confirm(&self, flight: Flight, updated: Updated) -> Result<Updated> {
        if let Err(error) = flight.commit.durable().await {
            self.state.retreat(flight.proposal);
            return Err(error.with("document", T::NAME).with("version", updated.version));
        }
        if let Some(fault) = self.timeline().fault() {
            return Err(fault);
        }
        tracing::debug!(document = T::NAME, version = updated.version.number(), "changed");
        Ok(updated)
    }

    /// Whether what was head is published.
    async fn stands(&self, newest: Option<Flight>) -> bool {
        let Some(flight) = newest else { return true };
        let durable = flight.commit.durable().await.is_ok();
        if !durable {
            self.state.retreat(flight.proposal);
        }
        durable
    }

    async fn conflict(&self, expected: ExpectedVersion, actual: Version) -> Error {
        let expected = expected.version().unwrap_or(actual);
        let query = HistoryQuery {
            from: Some(expected.next()),
            to: Some(actual),
            limit: CONFLICT_CHANGES_MAX,
            order: Order::Desc,
        };
        // The conflict is the answer, whether or not what was missed can still be read.
        let missed = history::changes(self.timeline(), &*self.inner.journal, query).await;
        let mut missed = missed.unwrap_or_default();
        missed.reverse();
        let message = format!(
            "document {:?} is at version {actual}, not at the expected version {expected}",
            T::NAME
        );
        Error::new(ErrorKind::VersionConflict, message).with_conflict(Conflict {
            expected,
            actual,
            missed,
        })
    }
}

/// The refusal of edits, with the nearest known key where nothing was found.
fn with_nearest<T: Document>(error: Error) -> Error {
    let problems =
        error.problems().iter().map(|problem| match (problem.kind, problem.path.parse()) {
            (ErrorKind::NotFound, Ok(path)) => no_such_key::<T>(&path),
            _ => problem.clone(),
        });
    Error::of_problems(problems.collect())
}
