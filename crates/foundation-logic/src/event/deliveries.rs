//! What a consumer may be handed next, and how far it is: the whole of it, without a clock.
//!
//! Events come in in the order of positions. Those of one stream are handed out one after the
//! other, each once the one before is settled; streams go side by side.
//!
//! Invariants: no more than `in_flight_max` events are in hand or have an outcome that is not kept
//! yet, so that a crash has no more of them handed out again; the position lies before the first
//! event that is not settled; what is known past it is bounded.

mod batch;
mod lanes;
mod place;

pub use batch::{BatchLimits, jittered_pause};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foundation_types::event::{Halt, Poison, cause_text};
use foundation_types::limits::{CONSUMER_AHEAD_BYTES_MAX, CONSUMER_AHEAD_MAX};
use foundation_types::{Position, StreamName};

use batch::doubled_pause;
use lanes::Lanes;
use place::Line;

/// How a consumer is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRules {
    /// Events in hand at once.
    pub in_flight_max: usize,
    /// How long one may be in hand.
    pub ack_deadline: Duration,
    /// Tries before an event counts as poison.
    pub attempts_max: u32,
    /// Time between the first try and the second; it doubles with each further one.
    pub backoff: Duration,
    /// The longest time between two tries.
    pub backoff_max: Duration,
    /// What becomes of poison.
    pub poison: Poison,
}

/// What an event in hand is settled by; after another handing out it is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The event.
    pub position: Position,
    serial: u64,
}

/// An event that is handed out.
#[derive(Clone, Debug)]
pub struct Handed<E> {
    /// What it is settled by.
    pub ticket: Ticket,
    /// The how manieth try this is, from 1.
    pub attempt: u32,
    /// The event.
    pub event: Arc<E>,
}

/// An event that is to be parked.
#[derive(Clone, Debug)]
pub struct Poisoned<E> {
    /// Its place.
    pub position: Position,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub cause: String,
    /// The event.
    pub event: Arc<E>,
}

/// The state of one consumer.
#[derive(Debug)]
pub struct Deliveries<E> {
    rules: DeliveryRules,
    line: Line,
    slots: BTreeMap<Position, Slot<E>>,
    lanes: Lanes,
    /// Events that may be handed out: the first ones of their streams.
    ready: BTreeSet<Position>,
    /// When something in hand or waiting is due.
    timers: BTreeSet<(Duration, Position)>,
    bytes: usize,
    in_hand: usize,
    serial: u64,
    halted: Option<Halt>,
    poisoned: VecDeque<Position>,
    retried: VecDeque<Position>,
}

#[derive(Debug)]
struct Slot<E> {
    stream: StreamName,
    event: Arc<E>,
    bytes: usize,
    attempts: u32,
    cause: String,
    step: Step,
    /// Whether it was parked and is handed out once more.
    is_extra: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Queued,
    InHand { serial: u64, until: Duration },
    Waiting { until: Duration },
    Parking,
}

impl<E> Deliveries<E> {
    /// The consumer at this place, whose parked events beyond it are these.
    #[must_use]
    pub fn new(
        rules: DeliveryRules,
        place: foundation_types::event::ConsumerPlace,
        parked: impl IntoIterator<Item = Position>,
    ) -> Self {
        let halted = place.halted.clone();
        Self {
            rules,
            line: Line::new(place, parked),
            slots: BTreeMap::new(),
            lanes: Lanes::default(),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            bytes: 0,
            in_hand: 0,
            serial: 0,
            halted,
            poisoned: VecDeque::new(),
            retried: VecDeque::new(),
        }
    }

    /// Whether another event may come in.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.line.len().max(self.slots.len()) < CONSUMER_AHEAD_MAX
            && self.bytes < CONSUMER_AHEAD_BYTES_MAX
    }

    /// Takes in the next event of the log, after all that was looked at.
    pub fn take_in(&mut self, position: Position, stream: StreamName, bytes: usize, event: E) {
        let Some((attempts, cause)) = self.line.take_in(position) else { return };
        let slot = Slot {
            stream,
            event: Arc::new(event),
            bytes,
            attempts,
            cause,
            step: Step::Queued,
            is_extra: false,
        };
        self.bytes += bytes;
        if self.lanes.push(&slot.stream, position) {
            self.ready.insert(position);
        }
        self.slots.insert(position, slot);
    }

    /// Nothing else of what it is to have lies up to here.
    pub fn look_past(&mut self, position: Position) {
        self.line.look_past(position);
    }

    /// Takes in an event that was parked, to be handed out before all others; one that is there
    /// already stays as it is.
    pub fn take_extra(&mut self, position: Position, stream: StreamName, bytes: usize, event: E) {
        if self.slots.contains_key(&position) || self.line.is_saving(position) {
            return;
        }
        let first = self.lanes.first(&stream);
        let in_hand = first.filter(|first| self.is_taken(*first));
        if in_hand.is_none() {
            self.lanes.push_front(&stream, position);
            first.map(|first| self.ready.remove(&first));
            self.stop_waiting(first);
            self.ready.insert(position);
        } else {
            self.lanes.push_second(&stream, position);
        }
        let (event, step) = (Arc::new(event), Step::Queued);
        let slot =
            Slot { stream, event, bytes, attempts: 0, cause: String::new(), step, is_extra: true };
        self.bytes += bytes;
        self.slots.insert(position, slot);
    }

    /// The next event that may be handed out at this time.
    pub fn next(&mut self, now: Duration) -> Option<Handed<E>> {
        self.tick(now);
        if self.halted.is_some() || self.in_flight() >= self.rules.in_flight_max {
            return None;
        }
        let position = self.ready.first().copied()?;
        self.hand_out(position, now)
    }

    /// Takes back what was in hand for too long, and has what waited long enough be ready. Gives
    /// whether there was anything.
    pub fn tick(&mut self, now: Duration) -> bool {
        let mut is_changed = false;
        while let Some(&(due, position)) = self.timers.first().filter(|(due, _)| *due <= now) {
            self.timers.remove(&(due, position));
            is_changed = true;
            let Some(slot) = self.slots.get_mut(&position) else { continue };
            match slot.step {
                Step::InHand { .. } => {
                    let limit = self.rules.ack_deadline.as_millis();
                    let cause = format!("no answer within {limit} ms");
                    self.give_back(position, &cause, self.pause_of(position), now);
                }
                Step::Waiting { .. } => {
                    slot.step = Step::Queued;
                    if self.lanes.first(&slot.stream) == Some(position) {
                        self.ready.insert(position);
                    }
                }
                Step::Queued | Step::Parking => {}
            }
        }
        is_changed
    }

    /// When [`Deliveries::tick`] has something to do next.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Whether this ticket is still worth something.
    #[must_use]
    pub fn is_in_hand(&self, ticket: Ticket) -> bool {
        let step = self.slots.get(&ticket.position).map(|slot| slot.step);
        matches!(step, Some(Step::InHand { serial, .. }) if serial == ticket.serial)
    }

    /// Settles an event in hand as taken. False if it is not in hand any more: it was given back.
    pub fn ack(&mut self, ticket: Ticket) -> bool {
        if !self.take_ticket(ticket) {
            return false;
        }
        self.in_hand -= 1;
        self.settle(ticket.position);
        true
    }

    /// Gives an event in hand back, to be tried again or, after too many tries, as poison. False
    /// as for [`Deliveries::ack`].
    pub fn nack(&mut self, ticket: Ticket, cause: &str, now: Duration) -> bool {
        let is_in_hand = self.take_ticket(ticket);
        if is_in_hand {
            self.give_back(ticket.position, cause, self.pause_of(ticket.position), now);
        }
        is_in_hand
    }

    /// Has an event in hand parked, however often it was tried. False as for
    /// [`Deliveries::ack`].
    pub fn park(&mut self, ticket: Ticket, cause: &str) -> bool {
        let is_in_hand = self.take_ticket(ticket);
        if is_in_hand {
            self.put_aside(ticket.position, cause);
        }
        is_in_hand
    }

    /// The next event that is to be parked; until it is, it counts as in hand. None while
    /// everything stands still.
    pub fn next_poisoned(&mut self) -> Option<Poisoned<E>> {
        if self.halted.is_some() {
            return None;
        }
        let position = self.poisoned.pop_front()?;
        let slot = self.slots.get(&position)?;
        let (attempts, cause) = (slot.attempts, slot.cause.clone());
        Some(Poisoned { position, attempts, cause, event: Arc::clone(&slot.event) })
    }

    /// It is parked, durably.
    pub fn parked(&mut self, position: Position) {
        if let Some(slot) = self.slots.get(&position).filter(|slot| slot.step == Step::Parking) {
            let is_extra = slot.is_extra;
            self.in_hand -= 1;
            self.settle(position);
            if is_extra {
                // What is durable of it is that it is parked.
                self.retried.retain(|one| *one != position);
                self.line.extra_saved(position);
            }
        }
    }

    /// It could not be parked, and is to be once more.
    pub fn not_parked(&mut self, position: Position) {
        self.poisoned.push_front(position);
    }

    /// It may not be parked: everything stands still until somebody resumes it.
    pub fn refuse_parking(&mut self, position: Position, cause: &str) {
        self.not_parked(position);
        self.halt(position, cause);
    }

    /// The next event that was parked and is now taken: nothing is to be kept of it any more.
    pub fn next_retried(&mut self) -> Option<Position> {
        self.retried.pop_front()
    }

    /// As [`Deliveries::next_retried`] said, durably.
    pub fn retried(&mut self, position: Position) {
        self.line.extra_saved(position);
    }

    /// Goes on after a halt; the event that it stood before gets all its tries anew.
    pub fn resume(&mut self) {
        let Some(halt) = self.halted.take() else { return };
        self.line.forget_failure(halt.position);
        let slot = self.slots.get_mut(&halt.position);
        if let Some(slot) = slot.filter(|slot| slot.step == Step::Queued) {
            slot.attempts = 0;
            self.ready.insert(halt.position);
        }
        self.line.change(None);
    }

    /// Why it stands still.
    #[must_use]
    pub fn halted(&self) -> Option<&Halt> {
        self.halted.as_ref()
    }

    /// Events that are in hand, or whose outcome is not kept yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_hand + self.line.saving()
    }

    /// Events that failed and wait for another try.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.slots.values().filter(|slot| matches!(slot.step, Step::Waiting { .. })).count()
    }

    /// The first event that is not settled.
    #[must_use]
    pub fn oldest(&self) -> Option<&Arc<E>> {
        self.slots.values().find(|slot| !slot.is_extra).map(|slot| &slot.event)
    }

    fn is_taken(&self, position: Position) -> bool {
        let step = self.slots.get(&position).map(|slot| slot.step);
        matches!(step, Some(Step::InHand { .. } | Step::Parking))
    }

    /// One that waits at the front of its stream gives its turn to another.
    fn stop_waiting(&mut self, position: Option<Position>) {
        let slot = position.and_then(|position| self.slots.get_mut(&position));
        let (Some(slot), Some(position)) = (slot, position) else { return };
        if let Step::Waiting { until } = slot.step {
            self.timers.remove(&(until, position));
            slot.step = Step::Queued;
        }
    }

    /// Whether the ticket is worth something; its deadline is off then.
    fn take_ticket(&mut self, ticket: Ticket) -> bool {
        let Some(slot) = self.slots.get(&ticket.position) else { return false };
        match slot.step {
            Step::InHand { serial, until } if serial == ticket.serial => {
                self.timers.remove(&(until, ticket.position));
                true
            }
            _ => false,
        }
    }

    /// How long an event that failed waits.
    fn pause_of(&self, position: Position) -> Duration {
        let tries = self.slots.get(&position).map_or(1, |slot| slot.attempts);
        doubled_pause(self.rules.backoff, self.rules.backoff_max, tries)
    }

    /// What was in hand failed.
    fn give_back(&mut self, position: Position, cause: &str, pause: Duration, now: Duration) {
        let Some(slot) = self.slots.get_mut(&position) else { return };
        slot.cause = cause_text(cause);
        if slot.attempts >= self.rules.attempts_max {
            return self.give_up(position, cause);
        }
        let until = now.saturating_add(pause);
        slot.step = Step::Waiting { until };
        self.timers.insert((until, position));
        self.no_more_in_hand(position);
    }

    /// What is in hand is poison.
    fn give_up(&mut self, position: Position, cause: &str) {
        let Some(slot) = self.slots.get_mut(&position) else { return };
        if self.rules.poison == Poison::Park || slot.is_extra {
            return self.put_aside(position, cause);
        }
        slot.step = Step::Queued;
        self.halt(position, cause);
        self.no_more_in_hand(position);
    }

    fn no_more_in_hand(&mut self, position: Position) {
        self.in_hand -= 1;
        if !self.slots.get(&position).is_some_and(|slot| slot.is_extra) {
            self.line.change(Some(position));
        }
    }

    fn put_aside(&mut self, position: Position, cause: &str) {
        if let Some(slot) = self.slots.get_mut(&position) {
            slot.cause = cause_text(cause);
            slot.step = Step::Parking;
            self.poisoned.push_back(position);
        }
    }

    fn halt(&mut self, position: Position, cause: &str) {
        self.halted = Some(Halt { position, cause: cause_text(cause) });
        self.line.change(None);
    }

    /// An event is done with: its stream goes on.
    fn settle(&mut self, position: Position) {
        let Some(slot) = self.slots.remove(&position) else { return };
        self.bytes -= slot.bytes;
        self.ready.remove(&position);
        let next = self.lanes.pop(&slot.stream, position);
        let is_queued =
            |next: &Position| self.slots.get(next).is_some_and(|slot| slot.step == Step::Queued);
        if let Some(next) = next.filter(is_queued) {
            self.ready.insert(next);
        }
        if slot.is_extra {
            self.retried.push_back(position);
            self.line.extra_saving(position);
        } else {
            self.line.settle(position);
        }
    }
}

#[cfg(test)]
mod tests;
