//! The one lane that changes go through.
//!
//! Invariant: what a caller learns of head, it learns after head is published; so an answer
//! never tells of a version that a crash could take back. Whoever stops waiting leaves nothing
//! behind that the next one in the lane does not find: every append stays in the lane with its
//! commit until its end was looked at, so that a failure is noticed even if its caller is gone.

use std::collections::VecDeque;
use std::sync::Arc;

use foundation_logic::config::Layers;
use foundation_store::config::{Head, Proposal, Snapshot};
use foundation_store::journal::{Batch, Commit};
use foundation_store::record::RecordKind;
use foundation_types::config::{Layer, OnConflict};
use foundation_types::{
    Change, Data, Document, Edit, Error, ErrorKind, Event, EventId, EventType, ExpectedVersion,
    Result, Version,
};
use foundation_validate::config::Stored;
use foundation_validate::{ChangeRequest, Origin, event};

use super::decision::{Ask, Cause, Plan, Purpose, Stop};
use super::refusals::Wish;
use super::server::ConfigServer;
use super::sources;
use super::update::Updated;

/// Who says that a document changed.
pub(super) const SOURCE: &str = "foundation.config";

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
    /// It has none, at this version.
    Stopped(Stop, Version),
}

impl<T: Document> ConfigServer<T> {
    /// Takes a change through the lane and waits until it is durable.
    pub(super) async fn apply(&self, request: ChangeRequest) -> Result<Updated> {
        let (wish, way) = (Wish::of(&request), self.way_of(&request));
        let again = (way == OnConflict::Park).then(|| request.clone());
        let error = match self.make(request, None).await {
            Ok(updated) => return Ok(updated),
            Err(error) => error,
        };
        match again {
            Some(request) if error.kind() == ErrorKind::VersionConflict => {
                Err(self.park(request, error).await)
            }
            _ => {
                self.record_refusal(wish, &error);
                Err(error)
            }
        }
    }

    /// Takes a change through the lane, and with it settles what waits as this, if anything.
    pub(super) async fn make(
        &self,
        request: ChangeRequest,
        settles: Option<EventId>,
    ) -> Result<Updated> {
        let mut ask = self.ask(request, Purpose::Make).await?;
        ask.settles = settles;
        loop {
            let (attempt, newest) = self.attempt(&ask).await?;
            match attempt {
                Attempt::Appended(flight, updated) => return self.confirm(flight, updated).await,
                // What was learned of head counts only if head is not taken back.
                Attempt::Stopped(..) if !self.stands(newest).await => {}
                Attempt::Stopped(Stop::Unmoved, version) => {
                    return Ok(Updated::unmoved(version));
                }
                Attempt::Stopped(Stop::Conflict, version) => self.settle(&mut ask, version).await?,
                Attempt::Stopped(Stop::Refused(error), _) => return Err(error),
            }
        }
    }

    /// What a change would do, without doing it.
    pub(super) async fn rehearse(&self, request: ChangeRequest) -> Result<Vec<Edit>> {
        let mut ask = self.ask(request, Purpose::Preview).await?;
        loop {
            let mut lane = self.inner.lane.lock().await;
            let head = self.head(&mut lane).await?;
            let newest = lane.flights.back().cloned();
            let decision = self.decide(&ask, &head).await;
            drop(lane);
            if !self.stands(newest).await {
                continue;
            }
            match decision {
                Ok(plan) => return Ok(plan.edits),
                Err(Stop::Unmoved) => return Ok(Vec::new()),
                Err(Stop::Conflict) => self.settle(&mut ask, head.snapshot.version).await?,
                Err(Stop::Refused(error)) => return Err(error),
            }
        }
    }

    /// One try to give a change its place, with the newest append before it.
    async fn attempt(&self, ask: &Ask) -> Result<(Attempt, Option<Flight>)> {
        let mut lane = self.inner.lane.lock().await;
        let head = self.head(&mut lane).await?;
        let (newest, version) = (lane.flights.back().cloned(), head.snapshot.version);
        let plan = match self.decide(ask, &head).await {
            Ok(plan) => plan,
            Err(stop) => return Ok((Attempt::Stopped(stop, version), newest)),
        };
        let attempt = self.append(&mut lane, version, plan, ask.cause()).await?;
        Ok((attempt, newest))
    }

    /// Makes what the sources say now the newest version. What is on its way is waited for first.
    pub(super) async fn adopt(&self, layers: Arc<Layers>) -> Result<Updated> {
        let mut lane = self.inner.lane.lock().await;
        if let Some(flight) = lane.flights.back().cloned() {
            // Whether it came or not: what counts is what head is then.
            let _ = flight.commit.durable().await;
        }
        let head = self.head(&mut lane).await?;
        let version = head.snapshot.version;
        let reason = sources::changed(&head.layers, &layers).join(", ");
        let reason = if reason.is_empty() { "the sources at the start".to_owned() } else { reason };
        let Some(plan) = self.sourced(layers, &head)? else {
            return Ok(Updated::unmoved(version));
        };
        let cause = Cause { reason: Some(reason), ..Cause::default() };
        self.put_to_vetoes(&head, &plan, &cause, false).await?;
        let attempt = self.append(&mut lane, version, plan, cause).await?;
        drop(lane);
        match attempt {
            Attempt::Appended(flight, updated) => self.confirm(flight, updated).await,
            Attempt::Stopped(Stop::Refused(error), _) => Err(error),
            Attempt::Stopped(..) => Err(self.conflict(ExpectedVersion::Any, version).await),
        }
    }

    /// Logs what was migrated at the start, if the log does not know it yet; every change would do it
    /// first.
    ///
    /// # Errors
    /// As [`ConfigServer::update`].
    pub async fn log_migration(&self) -> Result<Updated> {
        let mut lane = self.inner.lane.lock().await;
        let version = self.head(&mut lane).await?.snapshot.version;
        let updated = Updated::unmoved(version);
        let Some(flight) = self.append_migration(&mut lane).await? else { return Ok(updated) };
        drop(lane);
        self.confirm(flight, Updated { version: version.next(), ..updated }).await
    }

    /// Gives what was migrated its place, if it has none yet.
    async fn append_migration(&self, lane: &mut Lane) -> Result<Option<Flight>> {
        let Some(migration) = self.state.migration().filter(|_| self.state.pending().is_empty())
        else {
            return Ok(None);
        };
        let current = self.state.current().to_snapshot();
        let change = Change {
            document: T::NAME.to_owned(),
            version: current.version.next(),
            schema: T::SCHEMA,
            until: None,
            time: self.inner.clock.wall(),
            actor: Some("foundation".to_owned()),
            reason: Some(format!("schema {} → {}", migration.from, T::SCHEMA)),
            layer: Layer::RunTime,
            withdrawn: migration.withdrawn.clone(),
            changes: migration.edits.clone(),
        };
        let data = Data::of(&change)?;
        let batch = self.batch(&change, data.clone(), None)?;
        let (document, tree) = (current.document.clone(), current.tree.clone());
        let snapshot = Snapshot { version: change.version, document, tree };
        let room = self.inner.journal.reserve(&batch).await?;
        let proposal = self.state.propose_migration(snapshot, &migration, change, data);
        match self.inner.journal.append(batch, room) {
            Ok(commit) => {
                let flight = Flight { proposal, commit };
                lane.flights.push_back(flight.clone());
                Ok(Some(flight))
            }
            Err(error) => {
                self.state.retreat(proposal);
                Err(error)
            }
        }
    }

    /// Gives a change its place behind a version.
    async fn append(
        &self,
        lane: &mut Lane,
        version: Version,
        plan: Plan<T>,
        Cause { actor, reason, settles, lasts }: Cause,
    ) -> Result<Attempt> {
        let migrated = self.append_migration(lane).await?;
        let version = migrated.map_or(version, |_| version.next());
        let Plan { stored, edits, layer, withdrawn, layers } = plan;
        let time = self.inner.clock.wall();
        let change = Change {
            document: T::NAME.to_owned(),
            version: version.next(),
            schema: T::SCHEMA,
            until: lasts.map(|lasts| time.plus(lasts)),
            time,
            actor,
            reason,
            layer,
            withdrawn,
            changes: edits.clone(),
        };
        let data = Data::of(&change)?;
        let batch = self.batch(&change, data.clone(), settles)?;
        let Stored { document, tree } = stored;
        let snapshot = Snapshot { version: change.version, document, tree };
        // Nothing is proposed yet: whoever stops waiting here has changed nothing.
        let room = self.inner.journal.reserve(&batch).await?;
        let mut updated = Updated { changes: edits, ..Updated::unmoved(change.version) };
        let proposal = self.state.propose(snapshot, layers, change, data);
        let commit = match self.inner.journal.append(batch, room) {
            Ok(commit) => commit,
            Err(error) => {
                self.state.retreat(proposal);
                // Of an append that failed meanwhile: what was computed on it is computed anew.
                return match error.kind() {
                    ErrorKind::VersionConflict => {
                        Ok(Attempt::Stopped(Stop::Refused(error), version))
                    }
                    _ => Err(error),
                };
            }
        };
        updated.position = Some(commit.place().last());
        let flight = Flight { proposal, commit };
        lane.flights.push_back(flight.clone());
        Ok(Attempt::Appended(flight, updated))
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

    fn batch(&self, change: &Change, data: Data, settles: Option<EventId>) -> Result<Batch> {
        let stream = self.timeline().stream().clone();
        let name = format!("{stream}@{}", change.version);
        let told = Event {
            data,
            parent_id: settles,
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
}
