//! Appending one event: without waiting where nothing has to be waited for.
//!
//! Nearly every append finds its id free and room for it, and in memory it is recorded at once.
//! So the steps are first taken straight through, and what waits is set up only where one of
//! them is in the way.

use std::pin::Pin;
use std::task::{Context, Poll};

use foundation_store::event::Lookup;
use foundation_store::journal::{Batch, Room};
use foundation_store::record::RecordKind;
use foundation_types::{Durability, ErrorKind, Event, EventId, Result};
use foundation_validate::event as rules;

use super::Core;
use super::append::Target;
use super::flight::Open;
use super::receipt::Receipt;
use super::writing::load_of;

/// The append of one event, on its way.
#[must_use = "nothing is appended before it is awaited"]
pub struct AppendFuture<'a>(State<'a>);

#[expect(clippy::large_enum_variant, reason = "a box for each append costs more than it saves")]
enum State<'a> {
    New { core: &'a Core, event: Event, to: Target },
    Waiting(Waiting<'a>),
    Done,
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Receipt>> + Send + 'a>>;

/// An append after its first steps.
enum Begun<'a> {
    Ended(Result<Receipt>),
    Waiting(Waiting<'a>),
}

/// How far an append came without waiting.
enum Step {
    /// To the end: it was stored before.
    Known(Receipt),
    /// To its place in the journal.
    Placed(Receipt),
    /// Somebody else claims its id.
    IdClaimed(Event),
    /// It has the claim, and what is stored under its id has to be read from the log.
    IdStored(Event),
    /// As many are on their way as may be.
    Full(Event),
    /// The journal has no room.
    NoRoom(Batch, EventId),
}

impl<'a> AppendFuture<'a> {
    pub(super) fn new(core: &'a Core, event: Event, to: Target) -> Self {
        Self(State::New { core, event, to })
    }
}

impl Future for AppendFuture<'_> {
    type Output = Result<Receipt>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = match std::mem::replace(&mut self.0, State::Done) {
            State::Waiting(waiting) => waiting,
            State::New { core, event, to } => match core.begin(event, to) {
                Begun::Ended(outcome) => return Poll::Ready(outcome),
                Begun::Waiting(waiting) => waiting,
            },
            // Asked again after its end, which no await does.
            State::Done => return Poll::Pending,
        };
        let polled = waiting.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = State::Waiting(waiting);
        }
        polled
    }
}

impl Core {
    fn begin(&self, event: Event, mut to: Target) -> Begun<'_> {
        if !to.unless.is_empty() || self.may_be_personal(&event) {
            // A key may have to be made durable first.
            return Begun::Waiting(Box::pin(self.append_alone(event, to)));
        }
        let mut open = Open::new(self);
        open.offer(&to.stream, 1);
        let outcome = match self.straight_through(&mut open, event, &mut to) {
            Ok(Step::Known(receipt)) => Ok(receipt),
            Ok(Step::Placed(receipt)) => match open.outcome() {
                Some(outcome) => outcome.map(|()| receipt),
                None if receipt.durability == Durability::Memory => {
                    open.leave();
                    Ok(receipt)
                }
                None => return self.go_on(open, Step::Placed(receipt), to),
            },
            Ok(step) => return self.go_on(open, step, to),
            Err(error) if error.kind() == ErrorKind::VersionConflict => {
                open.close::<()>(&Err(error.clone()));
                return Begun::Waiting(Box::pin(
                    async move { Err(self.with_missed(error, &to).await) },
                ));
            }
            Err(error) => Err(error),
        };
        open.close(&outcome);
        Begun::Ended(outcome)
    }

    /// Takes the steps of an append up to the first that has to wait.
    fn straight_through(&self, open: &mut Open<'_>, event: Event, to: &mut Target) -> Result<Step> {
        rules::stream_name(&to.stream, to.origin)?;
        let event = self.validated(event, to, open.flight.started)?;
        if let Some(id) = &event.id {
            let ids = std::slice::from_ref(id);
            if self.claims.claim(ids, &mut open.flight.claimed).is_err() {
                return Ok(Step::IdClaimed(event));
            }
            match self.log.get(id.as_str()) {
                Lookup::Absent if !self.journal.may_hold(id.as_str()) => {}
                Lookup::Absent | Lookup::InLog(_) => return Ok(Step::IdStored(event)),
                Lookup::Buffered(record) => {
                    let level = self.level(to);
                    if level >= Durability::Disk && self.is_unsynced(&record) {
                        return Ok(Step::IdStored(event));
                    }
                    if let Some(receipt) = self.compare(id, &event, &record, level)? {
                        open.repeated(1);
                        return Ok(Step::Known(receipt));
                    }
                }
            }
        }
        let event = self.prepared_for(open, event, to)?;
        let load = load_of(std::slice::from_ref(&event), &to.stream);
        if !self.try_let_in(open.flight.row, load, &to.stream) {
            return Ok(Step::Full(event));
        }
        open.flight.load = load;
        let (batch, id) = self.batch_of(event, to)?;
        match self.journal.try_reserve(&batch)? {
            Some(room) => self.place_one(open, batch, room, id).map(Step::Placed),
            None => Ok(Step::NoRoom(batch, id)),
        }
    }

    /// Goes on from a step that has to wait.
    fn go_on<'a>(&'a self, mut open: Open<'a>, step: Step, mut to: Target) -> Begun<'a> {
        Begun::Waiting(Box::pin(async move {
            let outcome = self.wait_through(&mut open, step, &mut to).await;
            open.close(&outcome);
            match outcome {
                Err(error) => Err(self.with_missed(error, &to).await),
                receipt => receipt,
            }
        }))
    }

    async fn wait_through(
        &self,
        open: &mut Open<'_>,
        step: Step,
        to: &mut Target,
    ) -> Result<Receipt> {
        let receipt = match step {
            Step::Known(receipt) => return Ok(receipt),
            Step::Placed(receipt) => receipt,
            Step::NoRoom(batch, id) => self.when_there_is_room(open, batch, id, to).await?,
            Step::Full(event) => self.when_let_in(open, event, to).await?,
            Step::IdStored(event) => match self.known(open, &event, to).await? {
                Some(receipt) => return Ok(receipt),
                None => self.when_new(open, event, to).await?,
            },
            Step::IdClaimed(event) => {
                self.claim(open, event.id.as_slice()).await;
                match self.known(open, &event, to).await? {
                    Some(receipt) => return Ok(receipt),
                    None => self.when_new(open, event, to).await?,
                }
            }
        };
        open.acked(receipt.durability).await?;
        Ok(receipt)
    }

    /// The receipt of the event if it was stored before.
    async fn known(
        &self,
        open: &mut Open<'_>,
        event: &Event,
        to: &Target,
    ) -> Result<Option<Receipt>> {
        let Some(id) = &event.id else { return Ok(None) };
        let receipt = self.repeat(id, event, self.level(to)).await?;
        if receipt.is_some() {
            open.repeated(1);
        }
        Ok(receipt)
    }

    async fn when_new(
        &self,
        open: &mut Open<'_>,
        event: Event,
        to: &mut Target,
    ) -> Result<Receipt> {
        let event = self.prepared_for(open, event, to)?;
        self.when_let_in(open, event, to).await
    }

    async fn when_let_in(&self, open: &mut Open<'_>, event: Event, to: &Target) -> Result<Receipt> {
        let load = load_of(std::slice::from_ref(&event), &to.stream);
        self.let_in(open.flight.row, load, &to.stream).await?;
        open.flight.load = load;
        let (batch, id) = self.batch_of(event, to)?;
        self.when_there_is_room(open, batch, id, to).await
    }

    async fn when_there_is_room(
        &self,
        open: &mut Open<'_>,
        batch: Batch,
        id: EventId,
        to: &Target,
    ) -> Result<Receipt> {
        let room = self.room(&batch, &to.stream).await?;
        self.place_one(open, batch, room, id)
    }

    fn batch_of(&self, mut event: Event, to: &Target) -> Result<(Batch, EventId)> {
        let id = self.identified(&mut event, self.clock.wall());
        let batch = Batch::new(to.stream.clone(), RecordKind::Event, vec![event])?;
        Ok((batch.expecting(to.expected).at(self.level(to)), id))
    }

    fn place_one(
        &self,
        open: &mut Open<'_>,
        batch: Batch,
        room: Room,
        id: EventId,
    ) -> Result<Receipt> {
        let (level, stream) = (batch.durability(), batch.stream().clone());
        let commit = self.journal.append(batch, room)?;
        let receipt = Receipt::of_one(id, stream, commit.place(), level);
        open.placed(commit);
        Ok(receipt)
    }
}
