//! Events whose outcome is open: a guard that settles them whatever happens.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_store::event::{IntakeRow, Load, Settled};
use foundation_store::journal::Commit;
use foundation_types::{Durability, Error, ErrorKind, Result, StreamName};

use super::Core;
use super::claims::Claimed;

/// Events that were offered and are not settled yet.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Events not settled.
    pub(super) open: u64,
    /// Of them: those that turned out to be stored already.
    pub(super) repeats: u64,
    /// What of them was let in.
    pub(super) load: Load,
    pub(super) claimed: Claimed,
    /// The append, once the journal has given it its place.
    pub(super) commit: Option<Commit>,
    pub(super) started: Duration,
    /// Where it is counted.
    pub(super) row: IntakeRow,
}

/// A flight in the hands of its caller. Dropped before it is settled, it is settled as what
/// became of it: refused if it had no place in the journal yet, as the journal says otherwise.
pub(super) struct Open<'a> {
    pub(super) core: &'a Core,
    pub(super) flight: Flight,
}

/// Flights whose callers went away while the journal was writing.
#[derive(Debug, Default)]
pub(super) struct Left {
    flights: Mutex<Vec<Flight>>,
    count: AtomicUsize,
}

impl<'a> Open<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        Self::since(core, core.clock.monotonic())
    }

    /// One whose time counts from `started`.
    pub(super) fn since(core: &'a Core, started: Duration) -> Self {
        Self { core, flight: Flight { started, ..Flight::default() } }
    }

    /// Takes over all that is open in another one, of the same stream, which has no place yet.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        let theirs = std::mem::take(&mut other.flight);
        let ours = &mut self.flight;
        ours.open += theirs.open;
        ours.repeats += theirs.repeats;
        ours.row = theirs.row;
        ours.load = ours.load.and(theirs.load);
        ours.claimed.absorb(theirs.claimed);
    }

    /// Counts events as offered for a stream.
    pub(super) fn offer(&mut self, stream: &StreamName, events: u64) {
        self.flight.row = self.core.intake.offer(stream, events);
        self.flight.open += events;
    }

    /// Counts what was offered as offered for this stream instead.
    pub(super) fn rerouted(&mut self, stream: &StreamName) {
        let flight = &mut self.flight;
        flight.row = self.core.intake.reroute(flight.row, stream, flight.open);
    }

    /// Tells of events that are stored already.
    pub(super) fn repeated(&mut self, events: u64) {
        self.flight.repeats += events;
    }

    /// Tells that the append has its place.
    pub(super) fn placed(&mut self, commit: Commit) {
        self.flight.claimed.placed(&commit);
        self.flight.commit = Some(commit);
    }

    /// Waits until the append can be acked at this level. One that is acked in memory is left to
    /// itself.
    ///
    /// # Errors
    /// As [`Commit::durable`].
    pub(super) async fn acked(&mut self, level: Durability) -> Result<()> {
        match &self.flight.commit {
            Some(_) if level == Durability::Memory => self.leave(),
            Some(commit) => drop(commit.durable().await?),
            None => {}
        }
        Ok(())
    }

    /// Nobody waits for it any more: it is settled when it is known what became of it.
    pub(super) fn leave(&mut self) {
        let flight = std::mem::take(&mut self.flight);
        self.core.abandon(flight);
    }

    /// How the append ended, if it has.
    pub(super) fn outcome(&self) -> Option<Result<()>> {
        self.flight.commit.as_ref().and_then(outcome_of)
    }

    /// Settles what is open: its outcome is known.
    pub(super) fn close<T>(&mut self, outcome: &Result<T>) {
        self.core.close(&mut self.flight, outcome);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // Nothing is open in most: they were closed.
        if self.flight.open > 0 {
            let flight = std::mem::take(&mut self.flight);
            self.core.abandon(flight);
        }
    }
}

impl Core {
    fn settle(&self, row: IntakeRow, events: u64, how: Settled) {
        if events > 0 {
            self.intake.settle(row, events, how);
            self.meters.settle(events, how);
        }
    }

    /// Ends a flight: its events are settled, its room and its ids are free.
    fn close<T>(&self, flight: &mut Flight, outcome: &Result<T>) {
        let open = std::mem::take(&mut flight.open);
        if open == 0 {
            return;
        }
        match outcome {
            Ok(_) => {
                let stored = open.saturating_sub(flight.repeats);
                self.settle(flight.row, stored, Settled::Stored);
                self.settle(flight.row, open - stored, Settled::Repeated);
                self.meters.took(self.clock.monotonic().saturating_sub(flight.started));
            }
            Err(error) => {
                let how = how_it_ended(error);
                self.settle(flight.row, open, how);
                if how == Settled::Rejected {
                    self.meters.refuse(open, error.kind());
                }
            }
        }
        if flight.load != Load::default() {
            self.intake.let_out(flight.row, std::mem::take(&mut flight.load));
        }
        self.claims.release(&mut flight.claimed);
        flight.commit = None;
    }

    /// Takes over a flight whose caller went away.
    fn abandon(&self, mut flight: Flight) {
        let Some(commit) = flight.commit.clone() else {
            return self.close::<()>(&mut flight, &Err(gone()));
        };
        match outcome_of(&commit) {
            Some(outcome) => self.close(&mut flight, &outcome),
            None => {
                self.left.push(flight);
                // Who waits for room may have to wait for this one now.
                self.intake.look_again();
            }
        }
    }

    /// Closes what callers left behind and the journal has ended.
    pub(super) fn sweep(&self) {
        for (mut flight, outcome) in self.left.take_ended() {
            self.close(&mut flight, &outcome);
        }
    }
}

impl Left {
    /// The commit of a flight that was left, if there is one.
    pub(super) fn first(&self) -> Option<Commit> {
        self.flights().first().and_then(|flight| flight.commit.clone())
    }

    fn push(&self, flight: Flight) {
        let mut flights = self.flights();
        flights.push(flight);
        self.count.store(flights.len(), Ordering::Release);
    }

    fn take_ended(&self) -> Vec<(Flight, Result<()>)> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let mut flights = self.flights();
        let mut ended = Vec::new();
        for flight in std::mem::take(&mut *flights) {
            match flight.commit.as_ref().map(outcome_of) {
                Some(None) => flights.push(flight),
                Some(Some(outcome)) => ended.push((flight, outcome)),
                None => {}
            }
        }
        self.count.store(flights.len(), Ordering::Release);
        ended
    }

    fn flights(&self) -> MutexGuard<'_, Vec<Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn how_it_ended(error: &Error) -> Settled {
    match error.kind() {
        ErrorKind::EventDropped => Settled::Dropped,
        _ => Settled::Rejected,
    }
}

/// How the commit ended, if it has.
fn outcome_of(commit: &Commit) -> Option<Result<()>> {
    match pin!(commit.durable()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome.map(|_| ())),
        Poll::Pending => None,
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Unavailable, "the caller went away before the event had its place")
}
