//! One event in the hand of a member.

use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::{Deliveries, Handed, Ticket};
use foundation_types::{Error, ErrorKind, Recorded, Result};

use super::live::Live;

/// An event that a member has. It says what became of it; dropped without a word, as when the
/// member panics, it is given back.
#[must_use = "an event that is dropped is given back and tried again"]
#[derive(Debug)]
pub struct Delivery {
    live: Arc<Live>,
    ticket: Ticket,
    attempt: u32,
    event: Arc<Recorded>,
    is_answered: bool,
}

impl Delivery {
    pub(super) fn new(live: Arc<Live>, handed: &Handed<Recorded>, event: Arc<Recorded>) -> Self {
        let (ticket, attempt) = (handed.ticket, handed.attempt);
        Self { live, ticket, attempt, event, is_answered: false }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &Recorded {
        &self.event
    }

    pub(super) fn shared(&self) -> Arc<Recorded> {
        Arc::clone(&self.event)
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The how manieth try this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// It is done. The place of the consumer is kept soon after; an event whose ack is not kept yet
    /// counts as in flight, and comes again after a crash.
    ///
    /// # Errors
    /// `Timeout` if its deadline has passed: it was given back, and may be with another member.
    /// `NotFound` if the consumer was deleted, `Unavailable` once it has ended: then it comes again.
    pub fn ack(mut self) -> Result<()> {
        let ticket = self.ticket;
        self.answer(|deliveries, _| deliveries.ack(ticket))
    }

    /// It failed: it is tried again later or, after too many tries, is poison.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub fn nack(mut self, reason: &str) -> Result<()> {
        let ticket = self.ticket;
        self.answer(|deliveries, now| deliveries.nack(ticket, reason, now))
    }

    /// It is put aside for somebody to look at, and its stream goes on once that is durable.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub fn park(mut self, reason: &str) -> Result<()> {
        let ticket = self.ticket;
        self.answer(|deliveries, _| deliveries.park(ticket, reason))
    }

    /// Says what became of it, if there still is somebody to tell.
    fn answer(
        &mut self,
        say: impl FnOnce(&mut Deliveries<Recorded>, Duration) -> bool,
    ) -> Result<()> {
        self.is_answered = true;
        let (name, now) = (&self.live.name, self.live.now());
        let is_settled = self.live.change(|inner| match inner.over(name) {
            // What is answered while it ends is kept with the rest.
            Some(over) if inner.is_ended || over.kind() == ErrorKind::NotFound => Err(over),
            _ => Ok(say(&mut inner.deliveries, now)),
        });
        if is_settled? {
            return Ok(());
        }
        let message = format!(
            "the event at position {} was taken back from this member of consumer {name:?}: its \
             deadline has passed",
            self.ticket.position
        );
        Err(Error::new(ErrorKind::Timeout, message).with("position", self.ticket.position))
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.is_answered {
            let ticket = self.ticket;
            let cause = "the member let go of it without an answer";
            // Nobody is there to be told that it came too late.
            let _ = self.answer(|deliveries, now| deliveries.nack(ticket, cause, now));
        }
    }
}
