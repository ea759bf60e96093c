//! A query over the buffer, in steps between which others get the lock.

use std::ops::Range;

use foundation_logic::event::matches;
use foundation_types::limits::ANSWER_BYTES_MAX;
use foundation_types::{EventQuery, Order, Position, Result};

use super::beginning;
use super::candidates::Candidates;
use super::hash::Hashing;
use super::keys::event_keys;
use super::ring::Ring;
use super::state::State;
use crate::journal::{Looked, Looking, Way};
use crate::record::Record;

/// Candidates that one step looks at.
const STEP_CANDIDATES: usize = 4_096;

/// Records of the buffer that answer a query, in its order.
#[derive(Clone, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the rest of the answer is.
    pub rest: Rest,
}

/// Where the rest of an answer is, in the order of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There may be more in the buffer past this position.
    Buffer(Position),
    /// The log comes next: its records past `cursor`, none of them after `coverage`. Oldest
    /// first, the buffer comes after them.
    Log {
        /// Everything up to here was looked at.
        cursor: Position,
        /// Everything after here is in the buffer.
        coverage: Position,
    },
    /// There is no more.
    Nothing,
}

/// A query on its way through the log: what it found and how far it is.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    query: &'a EventQuery,
    room: usize,
    found: Vec<Record>,
    /// Bytes of what was found.
    bytes: usize,
    cursor: Position,
    memory: Looking,
    log: Looking,
}

impl<'a> Scan<'a> {
    pub(super) fn new(query: &'a EventQuery, max: usize) -> Self {
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let room = limit.map_or(max, |limit| limit.min(max));
        Self {
            query,
            room,
            found: Vec::new(),
            bytes: 0,
            cursor: beginning(query),
            memory: Looking::default(),
            log: Looking::default(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= self.room || self.bytes >= ANSWER_BYTES_MAX
    }

    pub(super) fn order(&self) -> Order {
        self.query.order
    }

    /// The query with a limit that says how many records are still wanted.
    pub(super) fn rest_of_query(&self) -> EventQuery {
        let wanted = self.room.saturating_sub(self.found.len()) as u64;
        EventQuery { limit: Some(wanted), ..self.query.clone() }
    }

    /// Everything up to here, in the order of the query, was looked at.
    pub(super) fn cursor(&self) -> Position {
        self.cursor
    }

    /// What was looked at in the buffer and in the log.
    pub(super) fn looked(&self) -> (Looked, Looked) {
        (self.memory.told(), self.log.told())
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.found
    }

    /// Goes on past `position`, which nothing that matches lies before.
    pub(super) fn skip_to(&mut self, position: Position) {
        self.cursor = match self.query.order {
            Order::Asc => self.cursor.max(position),
            Order::Desc => self.cursor.min(position),
        };
    }

    /// Looks at the next record of the log, in the order of the query.
    pub(super) fn look_at(&mut self, record: &Record, by: Way) -> Result<()> {
        let is_found = self.is_answer(record)?;
        self.log.count(by, is_found);
        Ok(())
    }

    fn is_answer(&mut self, record: &Record) -> Result<bool> {
        let is_found = matches(self.query, &event_keys(record)?);
        if is_found {
            self.bytes = self.bytes.saturating_add(record.bytes());
            self.found.push(record.clone());
        }
        self.cursor = record.position();
        Ok(is_found)
    }

    /// Looks at the next candidates in the buffer, a bounded number of them.
    pub(super) fn step(&mut self, state: &State, hashing: &Hashing) -> Result<Rest> {
        let (ring, order) = (&state.ring, self.query.order);
        if order == Order::Asc && self.cursor < ring.coverage() {
            return Ok(self.rest_in_log(ring));
        }
        let (mut candidates, by) =
            Candidates::cheapest(state, hashing, self.query, self.window(ring));
        for _ in 0..STEP_CANDIDATES {
            if self.is_full() {
                return Ok(Rest::Buffer(self.cursor));
            }
            match candidates.next(order).and_then(|offset| ring.get(offset)) {
                Some(record) => {
                    let is_found = self.is_answer(record)?;
                    self.memory.count(by, is_found);
                }
                None => return Ok(self.rest_after(ring)),
            }
        }
        Ok(Rest::Buffer(self.cursor))
    }

    /// The part of the ring past the cursor.
    fn window(&self, ring: &Ring) -> Range<usize> {
        match self.query.order {
            Order::Asc => ring.up_to(self.cursor)..ring.len(),
            Order::Desc => 0..ring.before(self.cursor),
        }
    }

    /// Nothing more in the ring.
    fn rest_after(&mut self, ring: &Ring) -> Rest {
        match self.query.order {
            Order::Asc => Rest::Nothing,
            Order::Desc if ring.coverage() == Position::START => Rest::Nothing,
            Order::Desc => {
                if let Some(oldest) = ring.get(0) {
                    self.skip_to(oldest.position());
                }
                self.rest_in_log(ring)
            }
        }
    }

    fn rest_in_log(&self, ring: &Ring) -> Rest {
        Rest::Log { cursor: self.cursor, coverage: ring.coverage() }
    }
}
