//! Keeping a change that conflicts until somebody decides about it.
//!
//! Invariant: whoever parks or decides does so alone, in a task of its own, until it is durable;
//! so the bound holds, and nothing is decided twice even if a caller goes away.

use std::sync::Arc;

use foundation_store::journal::{Batch, Commit};
use foundation_store::record::RecordKind;
use foundation_types::config::{OnConflict, ParkedConflict, Patch};
use foundation_types::error::Conflict;
use foundation_types::limits::{CONFLICT_PLACES_MAX, PARKED_BYTES_MAX, PARKED_MAX};
use foundation_types::{
    Document, Edit, Error, ErrorKind, Event, EventId, EventType, ExpectedVersion, Result,
    StreamName, Value,
};
use foundation_validate::{ChangeRequest, Origin, event};

use super::lane::SOURCE;
use super::place::Place;
use super::server::ConfigServer;

impl<T: Document> ConfigServer<T> {
    /// What is to happen at this place to a change that conflicts and does not say it itself, from
    /// now on and for this process. Without one it is refused.
    ///
    /// A change of several places is answered in the most careful of their ways: `Refuse`, then
    /// `Park`, then `Merge`, then `Overwrite`.
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path, `TooLarge` beyond 1,000 places.
    pub fn on_conflict(&self, place: impl Place<T>, way: OnConflict) -> Result<()> {
        let path = place.into_path()?;
        let mut usual = self.inner.usual.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        usual.retain(|(other, _)| *other != path);
        if usual.len() >= CONFLICT_PLACES_MAX {
            let message =
                format!("{CONFLICT_PLACES_MAX} places have a way of their own, the limit");
            return Err(Error::new(ErrorKind::TooLarge, message).with("document", T::NAME));
        }
        usual.push((path, way));
        Ok(())
    }

    /// The changes that wait for somebody to decide about them, the oldest first; see
    /// [`OnConflict::Park`] and [`ConfigServer::resolve`].
    #[must_use]
    pub fn conflicts(&self) -> Vec<Arc<ParkedConflict>> {
        self.timeline().parked().list()
    }

    pub(super) fn usual_way(&self, request: &ChangeRequest) -> OnConflict {
        let usual = self.inner.usual.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        foundation_logic::config::usual_way(&usual, request)
    }

    /// Parks the change that this conflict refused; gives what its caller is told.
    pub(super) async fn park(&self, request: ChangeRequest, conflict: Error) -> Error {
        let server = self.clone();
        let parking = tokio::spawn(async move {
            let parked = server.park_alone(request, &conflict).await;
            parked.unwrap_or_else(|error| match conflict.conflict() {
                Some(missed) => error.with_conflict(missed.clone()),
                None => error,
            })
        });
        parking.await.unwrap_or_else(|cause| {
            Error::new(ErrorKind::Internal, "parking a change ended early").caused_by(cause)
        })
    }

    async fn park_alone(&self, request: ChangeRequest, refusal: &Error) -> Result<Error> {
        let _alone = self.inner.parking.lock().await;
        let Some(conflict) = refusal.conflict() else { return Ok(refusal.clone()) };
        if has_secret(&request) || request.lasts.is_some() {
            // What waits is written as it is, and a secret is not; and its time would go by.
            return Ok(refusal.clone());
        }
        let edit = |(path, after): (_, Option<Value>)| Edit { path, before: None, after };
        let edits: Vec<Edit> = request.edits.into_iter().map(edit).collect();
        let is_same = |one: &Arc<ParkedConflict>| {
            one.base == conflict.expected
                && one.actor == request.actor
                && one.edits == edits
                && one.patches == request.patches
        };
        if let Some(waits) = self.timeline().parked().list().iter().find(|one| is_same(one)) {
            return Ok(waiting(refusal, conflict, waits.id.clone(), "it waits already"));
        }
        let stream = StreamName::of_parked(T::NAME);
        let head = self.inner.journal.head(&stream)?;
        let name = format!("{stream}@{}", head.next());
        let id = EventId::derived(self.inner.journal.store_id(), &name);
        let parked = ParkedConflict {
            id: id.clone(),
            document: T::NAME.to_owned(),
            base: conflict.expected,
            actual: conflict.actual,
            clashes: conflict.clashes.clone(),
            patches: request.patches,
            edits,
            actor: request.actor,
            reason: request.reason,
            time: self.inner.clock.wall(),
        };
        let told = Event::new(EventType::CONFIG_PARKED).id(id.clone()).data(&parked)?;
        self.check_room_for_parked(told.data.as_json().len())?;
        self.tell_of_parked(told, ExpectedVersion::Exactly(head)).await?;
        Ok(waiting(refusal, conflict, id, "it waits"))
    }

    fn check_room_for_parked(&self, bytes: usize) -> Result<()> {
        let parked = self.timeline().parked();
        let (count, waiting) = (parked.list().len(), parked.bytes());
        if count < PARKED_MAX && waiting.saturating_add(bytes) <= PARKED_BYTES_MAX {
            return Ok(());
        }
        let message = format!(
            "{count} changes of document {:?} with {waiting} bytes wait for somebody to decide, and \
             the change has {bytes} bytes: the limits are {PARKED_MAX} and {PARKED_BYTES_MAX}",
            T::NAME
        );
        Err(Error::new(ErrorKind::ParkedFull, message))
    }

    /// Records something about what waits, and waits until it is durable.
    pub(super) async fn tell_of_parked(
        &self,
        told: Event,
        expected: ExpectedVersion,
    ) -> Result<Commit> {
        let told = event::event(told.source(SOURCE).subject(T::NAME), Origin::Foundation)?;
        let stream = StreamName::of_parked(T::NAME);
        let batch = Batch::new(stream, RecordKind::Event, vec![told.into_inner()])?;
        let batch = batch.expecting(expected);
        let room = self.inner.journal.reserve(&batch).await?;
        let commit = self.inner.journal.append(batch, room)?;
        commit.durable().await?;
        Ok(commit)
    }
}

/// What the caller of a change is told that waits as this.
fn waiting(refusal: &Error, conflict: &Conflict, id: EventId, how: &str) -> Error {
    let message = format!("{}; {how} for somebody to decide", refusal.message());
    let conflict = Conflict { parked: Some(id.clone()), ..conflict.clone() };
    Error::new(ErrorKind::Parked, message).with_conflict(conflict).with("parked", id)
}

fn has_secret(request: &ChangeRequest) -> bool {
    let in_patch = |patch: &Patch| match patch {
        Patch::Merge(value) => value.has_secret(),
        Patch::Operations(operations) => {
            operations.iter().any(|one| one.value().is_some_and(Value::has_secret))
        }
    };
    let in_edit = |(_, value): &(_, Option<Value>)| value.as_ref().is_some_and(Value::has_secret);
    request.patches.iter().any(in_patch) || request.edits.iter().any(in_edit)
}
