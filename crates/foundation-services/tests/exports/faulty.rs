//! A sink that fails, hangs, panics, acks twice, loses acks, takes parts, and takes what it was given
//! up for; and what must be true of all that came to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use foundation_services::export::{Delivered, ExportBatch, Exported, Sink, SinkError, Verdict};

use crate::simulated::Dice;

/// What came to a sink, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Came(Arc<Mutex<Vec<One>>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct One {
    pub(super) dedup_id: String,
    pub(super) stream: String,
    pub(super) version: u64,
    pub(super) number: u64,
}

impl Came {
    pub(super) fn add(&self, events: &[Exported]) {
        let one = |one: &Exported| One {
            dedup_id: one.dedup_id.clone(),
            stream: one.event.stream.to_string(),
            version: one.event.version.to_string().parse().expect("is a number"),
            number: one.event.event.data.to().expect("is a number"),
        };
        self.0.lock().expect("is whole").extend(events.iter().map(one));
    }

    pub(super) fn all(&self) -> Vec<One> {
        self.0.lock().expect("is whole").clone()
    }
}

/// What must be true: nothing but `parked` is missing, and what came first of each event came in the
/// order of its stream. Gives how many came more than once.
pub(super) fn check(
    came: &[One],
    wanted: std::ops::Range<u64>,
    parked: &BTreeSet<u64>,
) -> Result<usize, String> {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for one in came {
        if !seen.insert(&one.dedup_id) {
            continue;
        }
        if !numbers.insert(one.number) {
            return Err(format!("{} came under two ids", one.number));
        }
        if parked.contains(&one.number) {
            // A sink may have had what it refused, at any time.
            continue;
        }
        let before = last.insert(&one.stream, one.version);
        if before.is_some_and(|before| before >= one.version) {
            return Err(format!("{one:?} came after version {before:?}"));
        }
    }
    let missing: Vec<u64> =
        wanted.filter(|one| !numbers.contains(one) && !parked.contains(one)).collect();
    if !missing.is_empty() {
        return Err(format!("{missing:?} are missing, {parked:?} are parked"));
    }
    Ok(came.len() - seen.len())
}

/// An event that no sink can take.
pub(super) fn is_poison(number: u64) -> bool {
    number % 23 == 11
}

/// The sink. It does something wrong so many times, and then takes what it gets.
pub(super) struct Faulty {
    pub(super) came: Came,
    pub(super) dice: Dice,
    pub(super) faults: u64,
}

fn number(one: &Exported) -> u64 {
    one.event.event.data.to().expect("is a number")
}

impl Faulty {
    fn part(&mut self, of: usize) -> usize {
        usize::try_from(self.dice.below(of as u64 + 1)).expect("is small")
    }

    /// One of the wrong things.
    async fn fail(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        let events = &batch.events;
        match self.dice.below(13) {
            0 => Err(SinkError::away("gone")),
            1 => Err(SinkError::away("busy").retry_after(Duration::from_secs(7))),
            2 => Err(SinkError::failed("500")),
            3 => {
                self.came.add(events);
                Err(SinkError::failed("the ack is lost"))
            }
            4 => std::future::pending().await,
            5 => {
                self.came.add(events);
                std::future::pending().await
            }
            6 => {
                let part = self.part(events.len());
                self.came.add(&events[..part]);
                Ok(Delivered::First(part))
            }
            7 => {
                let part = self.part(events.len());
                self.came.add(events);
                Ok(Delivered::First(part))
            }
            8 => {
                let part = self.part(events.len());
                self.came.add(&events[..part]);
                Err(SinkError::away("the connection broke"))
            }
            9 => {
                // What it was given up for comes late, while other things come.
                let (came, events) = (self.came.clone(), events.clone());
                let late = Duration::from_millis(self.dice.below(120_000));
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    came.add(&events);
                });
                std::future::pending().await
            }
            10 => {
                self.came.add(events);
                self.came.add(events);
                Ok(Delivered::All)
            }
            11 => {
                self.came.add(&events[..1]);
                panic!("planted");
            }
            _ => Ok(self.each(batch)),
        }
    }

    /// A word on each event, in which later ones may be taken and earlier ones not.
    fn each(&mut self, batch: &ExportBatch) -> Delivered {
        let mut verdicts = Vec::new();
        let mut held: BTreeSet<String> = BTreeSet::new();
        for one in &batch.events {
            let stream = one.event.stream.to_string();
            if is_poison(number(one)) {
                verdicts.push(Verdict::Never("poison".to_owned()));
            } else if held.contains(&stream) || self.dice.below(4) == 0 {
                held.insert(stream);
                verdicts.push(Verdict::Again("later".to_owned()));
            } else {
                self.came.add(std::slice::from_ref(one));
                verdicts.push(Verdict::Taken);
            }
        }
        if self.dice.below(2) == 0 {
            verdicts.push(Verdict::Taken);
        }
        Delivered::Each(verdicts)
    }
}

#[async_trait]
impl Sink for Faulty {
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        if self.faults > 0 && self.dice.below(2) == 0 {
            self.faults -= 1;
            return self.fail(batch).await;
        }
        if let Some(place) = batch.events.iter().position(|one| is_poison(number(one))) {
            let is_known = number(&batch.events[place]).is_multiple_of(2);
            return match (place, is_known) {
                (0, true) if batch.events.len() == 1 => Err(SinkError::refused("poison")),
                (0, false) if batch.events.len() == 1 => Err(SinkError::failed("poison")),
                _ => Err(SinkError::refused("something in it is poison")),
            };
        }
        tokio::time::sleep(Duration::from_millis(self.dice.below(2_000))).await;
        self.came.add(&batch.events);
        Ok(Delivered::All)
    }
}
