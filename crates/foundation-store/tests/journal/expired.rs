//! Letting go of what lived its time: all of it and nothing that lives, whoever holds it and whenever the
//! power fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::journal::{
    Batch, Embedded, Holder, Journal, Mode, Prune, PruneMode, Pruned, Retention,
};
use foundation_store::record::RecordKind;
use foundation_types::config::{EventSettings, TtlRule};
use foundation_types::{Durability, ErrorKind, Event, Position, StreamName, Timestamp};

use super::super::simulated::{Dice, Failure, SimulatedDisk};
use super::resumed::{Resumed, resume_at};
use super::{append, read_all, wait};

/// A clock that goes on when it is told to.
#[derive(Debug, Default)]
struct Hands(AtomicU64);

impl Hands {
    fn now_s(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn go_on(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_micros(1_795_000_000_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.now_s())
    }
}

const SECONDS: u64 = 100;

/// `debug.*` lives for 100 seconds, all else for ever.
fn settings() -> Arc<EventSettings> {
    let rule = TtlRule { types: "debug.*".into(), seconds: SECONDS, ..TtlRule::default() };
    let ttl = BTreeMap::from([("debug".to_owned(), rule)]);
    Arc::new(EventSettings { ttl, ..EventSettings::default() })
}

fn open(disk: &SimulatedDisk, hands: &Arc<Hands>) -> Resumed {
    resume_at(disk, Mode::Write, 0, hands.clone()).expect("opens")
}

fn one(kind: &str, text: &str, level: Durability) -> Batch {
    let event = Event::new(kind).id(text).data(&"x".repeat(60)).expect("plain text");
    let stream = StreamName::from("events");
    Batch::new(stream, RecordKind::Event, vec![event]).expect("fits").at(level)
}

fn fill(journal: &Embedded, kind: &str, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let batch = one(kind, &number.to_string(), Durability::Disk);
        wait(append(journal, batch).expect("placed").durable()).expect("durable");
    }
}

fn free(journal: &Embedded) -> Pruned {
    wait(journal.prune(&Prune::expired(settings()))).expect("looks")
}

#[test]
fn what_lived_its_time_goes_and_the_file_with_one_living_event_stays() {
    let (disk, hands) = (SimulatedDisk::default(), Arc::new(Hands::default()));
    let Resumed { journal, .. } = open(&disk, &hands);
    fill(&journal, "debug.tick", 0..100);
    hands.go_on(SECONDS - 1);
    assert_eq!(free(&journal), Pruned::default(), "all of it lives");
    hands.go_on(1);
    fill(&journal, "order.placed", 100..101);
    fill(&journal, "debug.tick", 101..200);
    let plan = Prune { mode: PruneMode::Plan, ..Prune::expired(settings()) };
    let planned = wait(journal.prune(&plan)).expect("looks");
    let freed = free(&journal);
    assert_eq!(planned, freed, "a plan says what goes");
    assert!(freed.dropped.segments >= 3, "{freed:?}");
    assert_eq!(freed.expired, freed.dropped.records, "they are all events");
    let kept = read_all(&journal);
    assert_eq!(kept.len() as u64, 200 - freed.expired);
    assert!(freed.expired <= 100, "the file of the order stays");
    // What comes after it is expired some time, and stays behind it: only the front goes.
    hands.go_on(SECONDS);
    let later = free(&journal);
    assert_eq!((later.dropped.records, later.expired), (0, 0));
    // Bounds of the log go on beside that, and what goes by them is not counted as expired.
    let few = Retention { records: Some(90), ..Retention::default() };
    let by_bounds = Prune { keep: few, ..Prune::expired(settings()) };
    let gone = wait(journal.prune(&by_bounds)).expect("lets go");
    assert!(gone.dropped.records > gone.expired, "{gone:?}");
    assert!(gone.expired > 0, "and behind the order all is expired: {gone:?}");
}

#[test]
fn no_more_goes_at_once_than_is_said_and_nothing_that_somebody_holds() {
    let (disk, hands) = (SimulatedDisk::default(), Arc::new(Hands::default()));
    let Resumed { journal, .. } = open(&disk, &hands);
    fill(&journal, "debug.tick", 0..200);
    hands.go_on(SECONDS);
    let billing = Holder::Consumer("billing".into());
    let hold = journal.hold(Position::from_engine(3), billing.clone());
    let held = free(&journal);
    assert_eq!((held.dropped.records, held.expired), (0, 0));
    assert!(held.wanted.records > 0);
    assert_eq!(held.held_by[0].holder, billing);
    drop(hold);
    let one = Prune { segments_max: Some(1), ..Prune::expired(settings()) };
    for _ in 0..3 {
        assert_eq!(wait(journal.prune(&one)).expect("goes").dropped.segments, 1);
    }
    assert!(free(&journal).dropped.segments > 1, "the rest at once");
}

/// Several lives with power cuts, while what is expired is let go of: who was acked and lives is there.
/// Gives how many of the expired went.
fn live(seed: u64, asked: &Arc<EventSettings>) -> Result<u64, String> {
    let (mut dice, hands) = (Dice::of(seed), Arc::new(Hands::default()));
    let mut disk = SimulatedDisk::default();
    // The text of each record, and when it is over.
    let mut placed: Vec<(String, Option<u64>)> = Vec::new();
    let (mut synced, mut gone) = (0, 0);
    for round in 0..4 {
        disk.set_failure(Failure::PowerOffAt(disk.calls() + 1 + dice.below(400)));
        if let Ok(opened) = resume_at(&disk, Mode::Write, 0, hands.clone()) {
            for step in 0..60 {
                // Now and then something lives on, between much that does not.
                let lives = dice.below(40) == 0;
                let kind = if lives { "order.placed" } else { "debug.tick" };
                let level = if dice.coin() { Durability::Disk } else { Durability::Os };
                let text = format!("{round}.{step}");
                let Ok(commit) = append(&opened.journal, one(kind, &text, level)) else { break };
                placed.push((text, (!lives).then(|| hands.now_s() + SECONDS)));
                if wait(commit.durable()).is_err() {
                    break;
                }
                if level == Durability::Disk {
                    synced = placed.len();
                }
                hands.go_on(dice.below(5));
                if dice.below(15) == 0 {
                    let _ = wait(opened.journal.prune(&Prune::expired(asked.clone())));
                }
            }
        }
        disk = disk.after_crash(&mut dice);
        let opened = match resume_at(&disk, Mode::Read, 0, hands.clone()) {
            Err(error) if error.kind() == ErrorKind::NotFound && synced == 0 => continue,
            opened => opened.map_err(|error| format!("the store does not open: {error:?}"))?,
        };
        gone = opened.journal.extent().before_first.to_engine() as usize;
        let kept = read_all(&opened.journal).len();
        if gone + kept < synced {
            return Err(format!("{synced} were synced, {} are there", gone + kept));
        }
        let is_living = |over: &Option<u64>| over.is_none_or(|over| over > hands.now_s());
        let lost = placed.iter().take(gone).filter(|(_, over)| is_living(over)).count();
        if lost > 0 {
            return Err(format!("{lost} that live were let go of"));
        }
        if opened.fold.now().records as usize != gone + kept {
            return Err("the state is not the fold of all that there was".to_owned());
        }
        placed.truncate(gone + kept);
        synced = gone + kept;
    }
    Ok(gone as u64)
}

#[test]
fn power_fails_while_what_is_expired_goes() {
    let lives = std::env::var("PROOF_LIVES").ok().and_then(|text| text.parse().ok());
    let seed: Option<u64> = std::env::var("PROOF_SEED").ok().and_then(|text| text.parse().ok());
    let seeds = seed.map_or(0..lives.unwrap_or(40), |seed| seed..seed + 1);
    let (count, mut gone) = (seeds.end - seeds.start, 0);
    for seed in seeds {
        gone += live(seed, &settings()).unwrap_or_else(|what| panic!("PROOF_SEED={seed}: {what}"));
    }
    assert!(seed.is_some() || gone > 100, "{gone}: nothing was put to the test");
    println!("{count} lives with expiry: {gone} expired went, lost of the living 0, unopenable 0");
}

#[test]
fn planted_a_time_to_live_that_is_too_short_is_noticed() {
    let mut wrong = EventSettings::clone(&settings());
    wrong.ttl.values_mut().for_each(|rule| rule.seconds = SECONDS / 4);
    assert!((0..40).any(|seed| live(seed, &Arc::new(wrong.clone())).is_err()));
}
