//! Handing out many events at once, to somebody who takes them in their order.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use foundation_types::event::cause_text;
use foundation_types::{Position, StreamName};

use super::{Deliveries, Handed, Step, Ticket};

/// How much is handed out at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Events.
    pub events: usize,
    /// Bytes of all but the first event.
    pub bytes: usize,
}

impl<E> Deliveries<E> {
    /// Events that may be handed out together at this time, those of one stream in their order one
    /// after the other; none if there are none.
    ///
    /// One that failed before is handed out alone, so that its failing is told from that of others.
    pub fn next_batch(&mut self, now: Duration, limits: BatchLimits) -> Vec<Handed<E>> {
        self.tick(now);
        if self.halted.is_some() {
            return Vec::new();
        }
        let room = self.rules.in_flight_max.saturating_sub(self.in_flight());
        let picked = self.pick(room.min(limits.events), limits.bytes);
        picked.into_iter().filter_map(|position| self.hand_out(position, now)).collect()
    }

    /// Whether [`Deliveries::next_batch`] has something to give at this time.
    pub fn has_next(&mut self, now: Duration) -> bool {
        self.tick(now);
        self.halted.is_none()
            && self.in_flight() < self.rules.in_flight_max
            && !self.ready.is_empty()
    }

    /// Events that are here, handed out or not.
    #[must_use]
    pub fn here(&self) -> usize {
        self.slots.len()
    }

    /// Takes an event back that was never tried: it is handed out again with the same number of
    /// tries. False if it is not in hand any more.
    pub fn put_back(&mut self, ticket: Ticket) -> bool {
        let position = ticket.position;
        let is_in_hand = self.take_ticket(ticket);
        if let (true, Some(slot)) = (is_in_hand, self.slots.get_mut(&position)) {
            slot.attempts = slot.attempts.saturating_sub(1);
            slot.step = Step::Queued;
            self.in_hand -= 1;
            if self.lanes.first(&slot.stream) == Some(position) {
                self.ready.insert(position);
            }
        }
        is_in_hand
    }

    /// As [`Deliveries::nack`], but the next try comes after this time.
    pub fn nack_after(
        &mut self,
        ticket: Ticket,
        cause: &str,
        pause: Duration,
        now: Duration,
    ) -> bool {
        let is_in_hand = self.take_ticket(ticket);
        if is_in_hand {
            self.give_back(ticket.position, cause, pause, now);
        }
        is_in_hand
    }

    /// An event in hand is poison, however often it was tried. False as for [`Deliveries::ack`].
    pub fn refuse(&mut self, ticket: Ticket, cause: &str) -> bool {
        let is_in_hand = self.take_ticket(ticket);
        if let (true, Some(slot)) = (is_in_hand, self.slots.get_mut(&ticket.position)) {
            slot.cause = cause_text(cause);
            self.give_up(ticket.position, cause);
        }
        is_in_hand
    }

    /// The first positions of all streams, merged: that of a stream only after all before it.
    fn pick(&self, events_max: usize, bytes_max: usize) -> Vec<Position> {
        let mut heads: BTreeSet<Position> = self.ready.clone();
        let mut places: HashMap<&StreamName, usize> = HashMap::new();
        let (mut picked, mut bytes) = (Vec::new(), 0_usize);
        while picked.len() < events_max {
            let Some(position) = heads.pop_first() else { break };
            let Some(slot) = self.slots.get(&position) else { continue };
            let is_alone = slot.attempts > 0;
            bytes = bytes.saturating_add(slot.bytes);
            if !picked.is_empty() && (is_alone || bytes > bytes_max) {
                break;
            }
            picked.push(position);
            if is_alone {
                break;
            }
            let place = places.entry(&slot.stream).or_insert(0);
            *place += 1;
            heads.extend(self.lanes.nth(&slot.stream, *place));
        }
        picked
    }

    pub(super) fn hand_out(&mut self, position: Position, now: Duration) -> Option<Handed<E>> {
        self.ready.remove(&position);
        let until = now.saturating_add(self.rules.ack_deadline);
        let slot = self.slots.get_mut(&position)?;
        self.serial += 1;
        slot.attempts = slot.attempts.saturating_add(1);
        slot.step = Step::InHand { serial: self.serial, until };
        self.timers.insert((until, position));
        self.in_hand += 1;
        let ticket = Ticket { position, serial: self.serial };
        Some(Handed { ticket, attempt: slot.attempts, event: Arc::clone(&slot.event) })
    }
}

/// The time before another try: it doubles with each, up to the longest.
pub(super) fn doubled_pause(first: Duration, longest: Duration, tries: u32) -> Duration {
    let doubled = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(longest)
}

/// A time before another try that many who failed at once do not share: any part, by these random
/// bits, of what doubles with each try.
///
/// ```
/// use std::time::Duration;
/// use foundation_logic::event::jittered_pause;
/// let second = Duration::from_secs(1);
/// assert_eq!(jittered_pause(second, 60 * second, 3, u64::MAX), 4 * second);
/// assert_eq!(jittered_pause(second, 60 * second, 3, 0), Duration::ZERO);
/// assert!(jittered_pause(second, 60 * second, 40, u64::MAX) == 60 * second);
/// ```
#[must_use]
pub fn jittered_pause(first: Duration, longest: Duration, tries: u32, bits: u64) -> Duration {
    let whole = doubled_pause(first, longest, tries).as_nanos().min(u128::from(u64::MAX));
    let part = (whole * u128::from(bits)) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}
