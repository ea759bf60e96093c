//! The last steps of every append: an id for each event, room, a place in the journal.

use foundation_store::event::{Load, buffered_bytes};
use foundation_store::journal::{Batch, Commit};
use foundation_store::record::RecordKind;
use foundation_types::{Durability, Event, EventId, Result, StreamName, Timestamp};
use foundation_validate::event as rules;

use super::Core;
use super::append::Target;

impl Core {
    /// The id of the event, drawn if it has none. A drawn id is new: nothing has to look for it.
    pub(super) fn identified(&self, event: &mut Event, now: Timestamp) -> EventId {
        let draw = || EventId::generate(now, self.rng.ten_bytes());
        event.id.get_or_insert_with(draw).clone()
    }

    /// Whether something of the event is personal and is to be sealed before it is appended.
    pub(super) fn is_personal(&self, event: &Event) -> bool {
        self.reader.vault.as_ref().is_some_and(|vault| vault.concerns(event))
    }

    /// Whether something of an event of this type can be personal, or can become so on its way.
    pub(super) fn may_be_personal(&self, event: &Event) -> bool {
        self.reader.vault.as_ref().is_some_and(|vault| vault.has_rules_for(event))
    }

    /// As [`Core::sealed`], for events that go together.
    pub(super) async fn sealed_batch(&self, events: Vec<Event>, to: &Target) -> Result<Vec<Event>> {
        let mut sealed = Vec::with_capacity(events.len());
        for event in events {
            sealed.push(self.sealed(event).await?);
        }
        // What is sealed is longer.
        rules::batch(sealed, to.origin).map(foundation_validate::Validated::into_inner)
    }

    /// The event with its personal fields sealed. They are sealed for its id, which it has from here.
    ///
    /// # Errors
    /// As [`super::Vault::seal`].
    pub(super) async fn sealed(&self, mut event: Event) -> Result<Event> {
        match &self.reader.vault {
            Some(vault) if vault.concerns(&event) => {
                self.identified(&mut event, self.clock.wall());
                vault.seal(event).await
            }
            _ => Ok(event),
        }
    }

    /// When an append to there is acked.
    pub(super) fn level(&self, to: &Target) -> Durability {
        if !self.is_durable {
            return Durability::Memory;
        }
        to.durability.unwrap_or_else(|| self.durability.of(&to.stream))
    }

    /// Gives the events their place in the journal, in one atomic batch.
    pub(super) async fn place(&self, events: Vec<Event>, to: &Target) -> Result<Commit> {
        let batch = Batch::new(to.stream.clone(), RecordKind::Event, events)?;
        let batch = batch.expecting(to.expected).at(self.level(to));
        if !to.unless.is_empty() {
            return Box::pin(self.place_unless(batch, to)).await;
        }
        let room = self.room(&batch, &to.stream).await?;
        self.journal.append(batch, room)
    }
}

/// What the events are counted with on their way.
pub(super) fn load_of(events: &[Event], stream: &StreamName) -> Load {
    let bytes = events.iter().map(|event| buffered_bytes(stream, event)).sum();
    Load { events: events.len() as u64, bytes }
}
