//! How far a consumer is, and what of that is not kept yet.

use std::collections::{BTreeMap, BTreeSet};

use foundation_types::Position;
use foundation_types::event::{ConsumerPlace, FailedEvent};
use foundation_types::limits::CONSUMER_IDLE_RECORDS;

use super::{Deliveries, Step};

/// The change that the outcome of an extra event is never part of.
const EXTRA: u64 = u64::MAX;

/// The events past the position, settled or not.
#[derive(Debug)]
pub(super) struct Line {
    position: Position,
    /// Everything up to here came in, if it was to.
    looked: Position,
    /// What came in past the position, and whether it is settled.
    known: BTreeMap<Position, bool>,
    /// What is known of events that did not come in yet.
    settled_before: BTreeSet<Position>,
    failed_before: BTreeMap<Position, FailedEvent>,
    /// Outcomes that are not kept yet, each with the change that it is part of.
    saving: BTreeMap<Position, u64>,
    changes: u64,
    saved: u64,
    saved_position: Position,
}

impl Line {
    pub(super) fn new(place: ConsumerPlace, parked: impl IntoIterator<Item = Position>) -> Self {
        let position = place.position;
        let parked = parked.into_iter().filter(|parked| *parked > position);
        Self {
            position,
            looked: position,
            known: BTreeMap::new(),
            settled_before: place.ahead.into_iter().chain(parked).collect(),
            failed_before: place.failed.into_iter().map(|one| (one.position, one)).collect(),
            saving: BTreeMap::new(),
            changes: 0,
            saved: 0,
            saved_position: position,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn saving(&self) -> usize {
        self.saving.len()
    }

    pub(super) fn is_saving(&self, position: Position) -> bool {
        self.saving.contains_key(&position)
    }

    /// What is known of the tries of an event that comes in; nothing if it is settled.
    pub(super) fn take_in(&mut self, position: Position) -> Option<(u32, String)> {
        if position <= self.looked {
            return None;
        }
        let is_settled = self.settled_before.remove(&position);
        let failed = self.failed_before.remove(&position);
        self.known.insert(position, is_settled);
        self.look_past(position);
        if is_settled {
            return None;
        }
        Some(failed.map_or((0, String::new()), |failed| (failed.attempts, failed.cause)))
    }

    pub(super) fn look_past(&mut self, position: Position) {
        self.looked = self.looked.max(position);
        self.settled_before = self.settled_before.split_off(&next(self.looked));
        self.failed_before = self.failed_before.split_off(&next(self.looked));
        self.move_on();
    }

    pub(super) fn forget_failure(&mut self, position: Position) {
        self.failed_before.remove(&position);
    }

    pub(super) fn settle(&mut self, position: Position) {
        self.known.insert(position, true);
        self.change(Some(position));
        self.move_on();
    }

    /// There is something new to be kept, of this event if of one.
    pub(super) fn change(&mut self, position: Option<Position>) {
        self.changes += 1;
        position.map(|position| self.saving.insert(position, self.changes));
    }

    pub(super) fn extra_saving(&mut self, position: Position) {
        self.saving.insert(position, EXTRA);
    }

    pub(super) fn extra_saved(&mut self, position: Position) {
        if self.saving.get(&position) == Some(&EXTRA) {
            self.saving.remove(&position);
        }
    }

    fn move_on(&mut self) {
        while let Some(first) = self.known.first_entry().filter(|first| *first.get()) {
            self.position = first.remove_entry().0;
        }
        let reached = match self.known.first_key_value() {
            Some((first, _)) => Position::from_engine(first.to_engine().saturating_sub(1)),
            None => self.looked,
        };
        self.position = self.position.max(reached);
    }
}

impl<E> Deliveries<E> {
    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.line.position
    }

    /// What is to be kept now, with the number of the change that it is up to; nothing if nothing
    /// is new.
    #[must_use]
    pub fn to_save(&self) -> Option<(ConsumerPlace, u64)> {
        let idle = self.line.position.to_engine() - self.line.saved_position.to_engine();
        let is_new = self.line.changes > self.line.saved || idle >= CONSUMER_IDLE_RECORDS;
        is_new.then(|| (self.place(), self.line.changes))
    }

    /// What [`Deliveries::to_save`] gave is kept, durably.
    pub fn saved(&mut self, place: &ConsumerPlace, change: u64) {
        self.line.saved = self.line.saved.max(change);
        self.line.saved_position = self.line.saved_position.max(place.position);
        self.line.saving.retain(|_, of| *of > change);
    }

    /// How far it is, as it is kept.
    #[must_use]
    pub fn place(&self) -> ConsumerPlace {
        let line = &self.line;
        let ahead = line.known.iter().filter(|(_, is_settled)| **is_settled).map(|(at, _)| *at);
        let failed = self.slots.iter().filter(|(_, slot)| !slot.is_extra);
        let failed = failed.map(|(position, slot)| {
            // A try whose end is not durable yet is none that failed.
            let open = u32::from(matches!(slot.step, Step::InHand { .. } | Step::Parking));
            let (position, cause) = (*position, slot.cause.clone());
            FailedEvent { position, attempts: slot.attempts.saturating_sub(open), cause }
        });
        let failed = failed.filter(|failed| failed.attempts > 0);
        ConsumerPlace {
            position: line.position,
            ahead: ahead.chain(line.settled_before.iter().copied()).collect(),
            failed: failed.chain(line.failed_before.values().cloned()).collect(),
            halted: self.halted.clone(),
            released: false,
        }
    }
}

fn next(position: Position) -> Position {
    Position::from_engine(position.to_engine().saturating_add(1))
}
