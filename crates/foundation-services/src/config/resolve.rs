//! Deciding about a change that waits.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use foundation_store::config::Decided;
use foundation_types::config::{OnConflict, ParkedConflict};
use foundation_types::limits::REASON_BYTES_MAX;
use foundation_types::{
    Document, Error, ErrorKind, Event, EventId, EventType, ExpectedVersion, Path, Result,
    StreamName, Value, Version,
};
use foundation_validate::ChangeRequest;
use serde::Serialize;

use super::refusals::Wish;
use super::server::ConfigServer;
use super::update::Updated;

/// What becomes of a change that waits.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// It is made, on the document as it is by then.
    Ours,
    /// It is given up: the document stays as others made it.
    Theirs,
    /// These edits are made in its place; `None` removes what is there.
    Edited(Vec<(Path, Option<Value>)>),
}

/// A decision about a change that waits, made when it is awaited.
#[derive(Debug)]
#[must_use = "a decision does nothing until it is awaited"]
pub struct Resolve<T> {
    server: ConfigServer<T>,
    id: EventId,
    decision: Decision,
}

/// What is decided, on whose behalf, and what is expected.
#[derive(Clone, Debug)]
struct Decision {
    resolution: Resolution,
    expected: ExpectedVersion,
    actor: Option<String>,
    reason: Option<String>,
}

/// Who gave up a change that waited: the data of an event `foundation.config.settled`.
#[derive(Serialize)]
struct Settled<'a> {
    document: &'a str,
    actor: Option<&'a str>,
    reason: Option<&'a str>,
    /// The version of the document by then.
    version: Version,
}

impl<T: Document> Resolve<T> {
    /// On whose behalf, why, and at which version, as a request says it.
    pub(super) fn by(mut self, request: ChangeRequest) -> Self {
        let ChangeRequest { expected, actor, reason, .. } = request;
        self.decision = Decision { expected, actor, reason, ..self.decision };
        self
    }

    /// Only if the document is at this version.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.decision.expected = ExpectedVersion::Exactly(version);
        self
    }

    /// Who decides; whoever wanted the change if nobody is named.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.decision.actor = Some(actor.into());
        self
    }

    /// Why; the reason of the change that waited is kept behind it, if that change is made.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.decision.reason = Some(reason.into());
        self
    }
}

impl<T: Document> IntoFuture for Resolve<T> {
    type Output = Result<Updated>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { server, id, decision } = self;
            server.check_not_within_veto()?;
            // It goes on even if nobody waits any more: what is half decided is decided again.
            let deciding = tokio::spawn(async move { server.decide_alone(id, decision).await });
            deciding.await.unwrap_or_else(|cause| {
                let error = Error::new(ErrorKind::Internal, "a decision ended early");
                Err(error.caused_by(cause))
            })
        })
    }
}

impl<T: Document> ConfigServer<T> {
    /// Decides about a change that waits, when it is awaited. What comes of it is a change like any
    /// other, with all checks and a version of its own; its record names what waited as its parent,
    /// so that each is decided exactly once, whoever comes at the same time and whatever happens.
    ///
    /// # Errors
    /// Of awaiting it: `NotFound` if it does not wait, or not any more; as [`ConfigServer::update`],
    /// and then it goes on waiting.
    pub fn resolve(&self, id: impl Into<EventId>, resolution: Resolution) -> Resolve<T> {
        let expected = ExpectedVersion::Any;
        let decision = Decision { resolution, expected, actor: None, reason: None };
        Resolve { server: self.clone(), id: id.into(), decision }
    }

    async fn decide_alone(&self, id: EventId, decision: Decision) -> Result<Updated> {
        let _alone = self.inner.parking.lock().await;
        let Some(parked) = self.timeline().parked().get(&id) else {
            return Err(self.waits_no_more(&id));
        };
        let Some(request) = request_of(&parked, &decision) else {
            return self.give_up(&parked, &decision).await;
        };
        let request = match &decision.resolution {
            Resolution::Ours => self.as_present(&parked, request)?,
            _ => request,
        };
        let wish = Wish::of(&request);
        let made = self.make(request, Some(id)).await;
        match made {
            // Nothing had to change, so no record of a change says that it is decided.
            Ok(updated) if updated.position.is_none() => {
                let expected = ExpectedVersion::Exactly(updated.version);
                self.give_up(&parked, &Decision { expected, ..decision }).await
            }
            Ok(updated) => Ok(updated),
            Err(error) => {
                self.record_refusal(wish, &error);
                Err(error)
            }
        }
    }

    /// The refusal to decide about what does not wait; who decided, and when, if that is remembered.
    fn waits_no_more(&self, id: &EventId) -> Error {
        let none = format!("no change of document {:?} waits as {id}", T::NAME);
        let Some(Decided { actor, time, made, .. }) = self.timeline().parked().decided(id) else {
            return Error::new(ErrorKind::NotFound, none);
        };
        let who = actor.as_deref().unwrap_or("somebody");
        let what = match made {
            Some(version) => format!("made version {version} of it"),
            None => "gave it up".to_owned(),
        };
        let error = Error::new(ErrorKind::NotFound, format!("{none}: {who} {what} at {time}"));
        error.with("decided_by", who).with("decided_at", time)
    }

    /// What waits, with the paths of the schema that the type has now.
    fn as_present(&self, parked: &ParkedConflict, request: ChangeRequest) -> Result<ChangeRequest> {
        let from = self.timeline().schema_of(parked.actual);
        let Some(from) = from.filter(|from| *from < T::SCHEMA) else { return Ok(request) };
        if !request.patches.is_empty() {
            let message = format!(
                "what waits is a patch of document {:?} with schema {from}, which is {} now: say the \
                 edits that are to be made in its place",
                T::NAME,
                T::SCHEMA
            );
            return Err(Error::new(ErrorKind::MigrationFailed, message));
        }
        let edits = self.state.migrated_edits(from, request.edits)?;
        Ok(ChangeRequest { edits, ..request })
    }

    async fn give_up(&self, parked: &Arc<ParkedConflict>, decision: &Decision) -> Result<Updated> {
        let version = self.version();
        if !decision.expected.admits(version) {
            return Err(self.conflict(decision.expected, version).await);
        }
        let stream = StreamName::of_parked(T::NAME);
        let head = self.inner.journal.head(&stream)?;
        let name = format!("{stream}@{}", head.next());
        let (actor, reason) = (decision.actor.as_deref(), decision.reason.as_deref());
        let told = Event::new(EventType::CONFIG_SETTLED)
            .id(EventId::derived(self.inner.journal.store_id(), &name))
            .parent(parked.id.clone())
            .data(&Settled { document: T::NAME, actor, reason, version })?;
        self.tell_of_parked(told, ExpectedVersion::Exactly(head)).await?;
        Ok(Updated::unmoved(version))
    }
}

/// The change that the decision comes to, if it is one.
fn request_of(parked: &ParkedConflict, decision: &Decision) -> Option<ChangeRequest> {
    let edits = |parked: &ParkedConflict| {
        parked.edits.iter().map(|edit| (edit.path.clone(), edit.after.clone())).collect()
    };
    let (patches, edits) = match &decision.resolution {
        Resolution::Theirs => return None,
        Resolution::Ours => (parked.patches.clone(), edits(parked)),
        Resolution::Edited(edits) => (Vec::new(), edits.clone()),
    };
    Some(ChangeRequest {
        patches,
        edits,
        expected: decision.expected,
        on_conflict: Some(OnConflict::Refuse),
        actor: decision.actor.clone().or_else(|| parked.actor.clone()),
        reason: reason_of(parked, decision),
        ..ChangeRequest::default()
    })
}

/// Why: what was said when it was decided, and what the change was meant for, as far as there is room.
/// Other edits than those that waited have no reason but their own.
fn reason_of(parked: &ParkedConflict, decision: &Decision) -> Option<String> {
    let waited = parked.reason.as_ref().filter(|_| decision.resolution == Resolution::Ours);
    match (&decision.reason, waited) {
        (Some(decided), Some(waited)) if decided != waited => {
            let both = format!("{decided} (waited: {waited})");
            Some(if both.len() <= REASON_BYTES_MAX { both } else { decided.clone() })
        }
        (decided, waited) => decided.clone().or_else(|| waited.cloned()),
    }
}
