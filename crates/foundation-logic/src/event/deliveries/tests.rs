//! Any row of steps and crashes against what every consumer may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foundation_types::event::{ConsumerPlace, Poison};
use foundation_types::{Position, StreamName};
use proptest::prelude::*;

use super::{Deliveries, DeliveryRules, Handed, Ticket};

const STREAMS: u64 = 3;
const ATTEMPTS_MAX: u32 = 3;

fn rules(in_flight_max: usize, poison: Poison) -> DeliveryRules {
    DeliveryRules {
        in_flight_max,
        ack_deadline: Duration::from_secs(30),
        attempts_max: ATTEMPTS_MAX,
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(8),
        poison,
    }
}

fn stream_of(event: u64) -> StreamName {
    format!("s{}", event % STREAMS).as_str().into()
}

fn at(event: u64) -> Position {
    Position::from_engine(event)
}

/// Whether every try of this event fails.
fn is_poison(event: u64) -> bool {
    event % 7 == 3
}

/// Whether the consumer has no interest in this record.
fn is_other(event: u64) -> bool {
    event % 5 == 4
}

/// What goes on, seen from outside.
struct World {
    consumer: Deliveries<u64>,
    in_flight_max: usize,
    log_end: u64,
    read_up_to: u64,
    now: Duration,
    saved: ConsumerPlace,
    parked: BTreeSet<u64>,
    /// Settled by a member, whether or not anybody kept it.
    acked: BTreeSet<u64>,
    in_hand: BTreeMap<u64, Ticket>,
    /// Handed out since the last crash, by event.
    attempts: BTreeMap<u64, u32>,
    /// Acked between the last two crashes, and handed out after them.
    again: BTreeSet<u64>,
    acked_before: BTreeSet<u64>,
    acked_in_life: BTreeSet<u64>,
    acked_last_life: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
enum Move {
    Append(u64),
    Read(u64),
    Take,
    Ack(prop::sample::Index),
    Fail(prop::sample::Index),
    Wait(u64),
    Save,
    Park,
    Crash,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (1_u64..8).prop_map(Move::Append),
        4 => (1_u64..8).prop_map(Move::Read),
        10 => Just(Move::Take),
        6 => any::<prop::sample::Index>().prop_map(Move::Ack),
        2 => any::<prop::sample::Index>().prop_map(Move::Fail),
        2 => (1_u64..20).prop_map(Move::Wait),
        4 => Just(Move::Save),
        2 => Just(Move::Park),
        1 => Just(Move::Crash),
    ];
    prop::collection::vec(one, 1..150)
}

impl World {
    fn new(in_flight_max: usize) -> Self {
        let saved = ConsumerPlace::default();
        Self {
            consumer: Deliveries::new(rules(in_flight_max, Poison::Park), saved.clone(), []),
            in_flight_max,
            log_end: 0,
            read_up_to: 0,
            now: Duration::ZERO,
            saved,
            parked: BTreeSet::new(),
            acked: BTreeSet::new(),
            in_hand: BTreeMap::new(),
            attempts: BTreeMap::new(),
            again: BTreeSet::new(),
            acked_before: BTreeSet::new(),
            acked_in_life: BTreeSet::new(),
            acked_last_life: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Move) -> Result<(), String> {
        match step {
            Move::Append(count) => self.log_end += count,
            Move::Read(count) => self.read(*count),
            Move::Take => self.take()?,
            Move::Ack(which) => {
                if let Some((event, ticket)) = self.pick(which) {
                    if is_poison(event) {
                        self.consumer.nack(ticket, "poison", self.now);
                    } else if self.consumer.ack(ticket) {
                        self.acked(event);
                    }
                }
            }
            Move::Fail(which) => {
                // A good event fails at most until its last try.
                if let Some((event, ticket)) = self.pick(which) {
                    let tries = self.consumer.slots[&at(event)].attempts;
                    if is_poison(event) || tries < ATTEMPTS_MAX {
                        self.consumer.nack(ticket, "not now", self.now);
                    } else if self.consumer.ack(ticket) {
                        self.acked(event);
                    }
                }
            }
            Move::Wait(seconds) => self.wait(*seconds),
            Move::Save => self.save(),
            Move::Park => self.park(),
            Move::Crash => self.crash(),
        }
        let in_flight = self.consumer.in_flight();
        if in_flight > self.in_flight_max {
            return Err(format!("{in_flight} in flight"));
        }
        Ok(())
    }

    fn acked(&mut self, event: u64) {
        self.acked.insert(event);
        self.acked_in_life.insert(event);
    }

    fn read(&mut self, count: u64) {
        for _ in 0..count {
            if self.read_up_to == self.log_end || !self.consumer.has_room() {
                return;
            }
            self.read_up_to += 1;
            let event = self.read_up_to;
            if is_other(event) {
                self.consumer.look_past(at(event));
            } else {
                self.consumer.take_in(at(event), stream_of(event), 10, event);
            }
        }
    }

    fn take(&mut self) -> Result<(), String> {
        let Some(Handed { ticket, attempt, event }) = self.consumer.next(self.now) else {
            return Ok(());
        };
        let event = *event;
        // One that comes again is open again.
        if self.acked.remove(&event) {
            if !self.acked_before.contains(&event) {
                return Err(format!("{event} is handed out and was acked"));
            }
            if self.acked_last_life.contains(&event) {
                self.again.insert(event);
            }
            if self.again.len() > self.in_flight_max {
                return Err(format!("{:?} came again after one crash", self.again));
            }
        }
        if self.parked.contains(&event) {
            return Err(format!("{event} is handed out and was parked"));
        }
        if self.in_hand.insert(event, ticket).is_some() {
            return Err(format!("{event} is handed out twice"));
        }
        let tried = self.attempts.entry(event).or_insert(attempt - 1);
        *tried += 1;
        if *tried != attempt || attempt > ATTEMPTS_MAX {
            return Err(format!("{event}: attempt {attempt}, not {tried}"));
        }
        let earlier =
            (1..event).filter(|one| !is_other(*one) && stream_of(*one) == stream_of(event));
        let mut open =
            earlier.filter(|one| !self.acked.contains(one) && !self.parked.contains(one));
        match open.next_back() {
            Some(open) => Err(format!("{event} is handed out before {open}")),
            None => Ok(()),
        }
    }

    fn pick(&mut self, which: &prop::sample::Index) -> Option<(u64, Ticket)> {
        if self.in_hand.is_empty() {
            return None;
        }
        let event = *self.in_hand.keys().nth(which.index(self.in_hand.len()))?;
        self.in_hand.remove_entry(&event)
    }

    /// Time goes by, and members that hang lose what they have.
    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.consumer.tick(self.now);
        let slots = &self.consumer.slots;
        let last_try = |event: &u64| {
            let slot = slots.get(&at(*event));
            slot.is_some_and(|slot| matches!(slot.step, super::Step::InHand { .. }))
        };
        self.in_hand.retain(|event, _| last_try(event));
    }

    fn save(&mut self) {
        if let Some((place, change)) = self.consumer.to_save() {
            self.saved = place.clone();
            self.consumer.saved(&place, change);
        }
    }

    fn park(&mut self) {
        while let Some(poisoned) = self.consumer.next_poisoned() {
            self.parked.insert(*poisoned.event);
            self.consumer.parked(poisoned.position);
        }
    }

    fn crash(&mut self) {
        let parked = self.parked.iter().map(|event| at(*event));
        let rules = rules(self.in_flight_max, Poison::Park);
        self.consumer = Deliveries::new(rules, self.saved.clone(), parked);
        self.read_up_to = self.saved.position.to_engine();
        self.in_hand.clear();
        self.attempts.clear();
        self.again.clear();
        self.acked_before = self.acked.clone();
        self.acked_last_life = std::mem::take(&mut self.acked_in_life);
    }

    /// Everything is read, taken and kept; what every member does is its best.
    fn settle_all(&mut self) -> Result<(), String> {
        for _ in 0..10_000 {
            self.read(u64::MAX);
            self.take()?;
            let first = self.in_hand.pop_first();
            if let Some((event, ticket)) = first {
                if is_poison(event) {
                    self.consumer.nack(ticket, "poison", self.now);
                } else if self.consumer.ack(ticket) {
                    self.acked(event);
                }
            }
            self.park();
            self.save();
            self.wait(1);
            if self.saved.position == at(self.log_end) && self.consumer.slots.is_empty() {
                return Ok(());
            }
        }
        Err(format!("it stands at {} of {}", self.saved.position, self.log_end))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_is_missed_or_out_of_order_and_little_comes_again(
        in_flight_max in 1_usize..6,
        moves in moves(),
    ) {
        let mut world = World::new(in_flight_max);
        for step in &moves {
            world.step(step).map_err(TestCaseError::fail)?;
        }
        world.settle_all().map_err(TestCaseError::fail)?;
        let wanted = (1..=world.log_end).filter(|event| !is_other(*event));
        for event in wanted {
            // One that hangs each time is poison to the consumer.
            let is_settled = world.acked.contains(&event) || world.parked.contains(&event);
            prop_assert!(is_settled, "{} is missed", event);
            prop_assert!(!is_poison(event) || world.parked.contains(&event));
        }
    }
}

#[test]
fn a_halt_stands_still_over_a_restart_until_it_is_resumed() {
    let mut consumer = Deliveries::new(rules(4, Poison::Halt), ConsumerPlace::default(), []);
    for event in 1..=4 {
        consumer.take_in(at(event), stream_of(event), 1, event);
    }
    for attempt in 1..=ATTEMPTS_MAX {
        let now = Duration::from_secs(u64::from(attempt) * 100);
        let handed = consumer.next(now).expect("there is one");
        assert_eq!((*handed.event, handed.attempt), (1, attempt));
        assert!(consumer.nack(handed.ticket, "no route", now));
    }
    let later = Duration::from_secs(1_000);
    assert!(consumer.next(later).is_none(), "others stand still too");
    let place = consumer.place();
    assert_eq!(place.halted.as_ref().map(|halt| halt.cause.as_str()), Some("no route"));

    let mut again = Deliveries::new(rules(4, Poison::Halt), place, []);
    again.take_in(at(1), stream_of(1), 1, 1_u64);
    assert!(again.next(later).is_none());
    again.resume();
    let handed = again.next(later).expect("goes on");
    assert_eq!((*handed.event, handed.attempt), (1, 1));
}

#[test]
fn a_ticket_is_worth_nothing_after_its_deadline() {
    let mut consumer = Deliveries::new(rules(4, Poison::Park), ConsumerPlace::default(), []);
    consumer.take_in(at(1), stream_of(1), 1, 1_u64);
    let handed = consumer.next(Duration::ZERO).expect("there is one");
    assert_eq!(consumer.next_tick(), Some(Duration::from_secs(30)));
    assert!(consumer.tick(Duration::from_secs(30)));
    assert!(!consumer.ack(handed.ticket));
    assert_eq!(consumer.waiting(), 1);
    let again = consumer.next(Duration::from_secs(31)).expect("is tried again");
    assert_eq!(again.attempt, 2);
    assert!(!consumer.nack(handed.ticket, "late", Duration::from_secs(31)));
    assert!(consumer.ack(again.ticket));
    assert_eq!(consumer.position(), at(1));
}

#[test]
fn what_was_parked_comes_before_all_others_of_its_stream() {
    let mut consumer = Deliveries::new(rules(4, Poison::Park), ConsumerPlace::default(), []);
    let now = Duration::ZERO;
    for event in [3, 6, 9] {
        consumer.take_in(at(event), stream_of(0), 1, event);
    }
    let first = consumer.next(now).expect("there is one");
    consumer.take_extra(at(0), stream_of(0), 1, 0_u64);
    assert!(consumer.next(now).is_none(), "one of a stream at a time");
    assert!(consumer.ack(first.ticket));
    let extra = consumer.next(now).expect("it comes");
    assert_eq!((*extra.event, extra.attempt), (0, 1));
    assert!(consumer.ack(extra.ticket));
    assert_eq!(consumer.in_flight(), 2, "neither is kept");
    assert_eq!(consumer.next_retried(), Some(at(0)));
    consumer.retried(at(0));
    let (place, change) = consumer.to_save().expect("there is something");
    consumer.saved(&place, change);
    assert_eq!((consumer.in_flight(), place.position), (0, at(5)));
}
