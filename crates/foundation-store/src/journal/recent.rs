//! What was placed last, so that an append can be refused for events that no follower knows of yet.
//!
//! Nothing is remembered before the first append that asks: most journals never have one.

use std::collections::VecDeque;

use foundation_logic::event::{EventKeys, matches};
use foundation_types::{Event, EventQuery, Position, StreamName, Timestamp};

use super::commit::Commit;

/// Events that are remembered, and bytes of their records: a writer that looked so long ago looks
/// again.
const EVENTS_MAX: usize = 16_384;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// No event past a position may answer any of these queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Unless {
    /// The queries, each with a position of its own, past which it counts, if it has a cursor.
    pub queries: Vec<EventQuery>,
    /// Everything up to here was looked at, and none answers.
    pub seen: Position,
}

/// What an append that something may stand against came to.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// It has its place.
    Placed(Commit),
    /// The event at this position stands against it, durable or not yet. Nothing was applied.
    Taken(Position),
    /// Its writer has to look at what comes up to here first. Nothing was applied.
    Behind(Position),
}

/// What is known of an append before it is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing that was placed since answers.
    Clear,
    /// This one does.
    Taken(Position),
    /// What was placed up to here is not remembered.
    Behind(Position),
}

/// The events that were placed last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    batches: VecDeque<Placed>,
    events: usize,
    bytes: usize,
    /// Everything behind this sequence number is remembered, if anything is.
    floor: Option<u64>,
}

#[derive(Debug)]
struct Placed {
    first: u64,
    stream: StreamName,
    recorded: Timestamp,
    events: Vec<Event>,
    bytes: usize,
}

impl Recent {
    /// Whether an append may come in the place behind `last`; from now on what comes is remembered.
    pub(super) fn look(&mut self, unless: &Unless, last: u64) -> Look {
        let floor = *self.floor.get_or_insert(last);
        if unless.seen.to_engine() < floor {
            return Look::Behind(Position::from_engine(floor));
        }
        let seen = unless.seen.to_engine();
        let unseen = self.batches.iter().filter(|placed| placed.last() > seen);
        let answers = |keys: &EventKeys<'_>| unless.queries.iter().any(|one| matches(one, keys));
        let taken =
            unseen.flat_map(Placed::keys).find(|keys| keys.position > unless.seen && answers(keys));
        taken.map_or(Look::Clear, |keys| Look::Taken(keys.position))
    }

    /// Remembers a batch whose first record has this sequence number, if anybody ever asked.
    pub(super) fn remember(
        &mut self,
        first: u64,
        stream: StreamName,
        recorded: Timestamp,
        events: Vec<Event>,
        bytes: usize,
    ) {
        if self.floor.is_none() {
            return;
        }
        self.events += events.len();
        self.bytes += bytes;
        self.batches.push_back(Placed { first, stream, recorded, events, bytes });
        while self.events > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.forget(&oldest);
            self.floor = Some(oldest.last());
        }
    }

    /// Forgets what comes behind this sequence number: it was taken back.
    pub(super) fn take_back(&mut self, last: u64) {
        while self.batches.back().is_some_and(|placed| placed.last() > last) {
            if let Some(newest) = self.batches.pop_back() {
                self.forget(&newest);
            }
        }
        self.floor = self.floor.map(|floor| floor.min(last));
    }

    fn forget(&mut self, placed: &Placed) {
        self.events -= placed.events.len();
        self.bytes -= placed.bytes;
    }
}

impl Placed {
    fn last(&self) -> u64 {
        (self.first + self.events.len() as u64).saturating_sub(1)
    }

    fn keys(&self) -> impl Iterator<Item = EventKeys<'_>> {
        self.events.iter().zip(self.first..).map(|(event, sequence)| {
            let position = Position::from_engine(sequence);
            EventKeys::of_event(event, self.stream.as_str(), position, self.recorded)
        })
    }
}
