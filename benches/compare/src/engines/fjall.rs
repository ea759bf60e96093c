//! fjall: a keyspace for the events and one for each index, written in one atomic batch that is
//! synced.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::Outcome;
use crate::engine::{Ack, Engine, Input, Question, Visit};
use crate::queue::Queue;
use crate::sample::{Sample, Seen};

pub(crate) const NAME: &str = "fjall";

/// Events that one batch drops.
const DROP_STEP: usize = 50_000;

/// An open database.
pub(crate) struct Fjall {
    queue: Queue,
    parts: Parts,
}

#[derive(Clone)]
struct Parts {
    database: Database,
    events: Keyspace,
    by_kind: Keyspace,
    by_correlation: Keyspace,
    by_time: Keyspace,
}

impl Fjall {
    pub(crate) fn open(dir: &Path) -> Outcome<Self> {
        let database = Database::builder(dir).open()?;
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default);
        let parts = Parts {
            events: keyspace("events")?,
            by_kind: keyspace("by_kind")?,
            by_correlation: keyspace("by_correlation")?,
            by_time: keyspace("by_time")?,
            database: database.clone(),
        };
        let of_writer = parts.clone();
        let queue = Queue::new(Box::new(move |samples| of_writer.commit(samples)));
        Ok(Self { queue, parts })
    }
}

/// The key of a word in an index: the word, a zero, the number.
fn word_key(word: &str, number: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(word.len() + 9);
    key.extend_from_slice(word.as_bytes());
    key.push(0);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The key of a time in an index. Times here are not negative.
fn time_key(time: i64, number: u64) -> Vec<u8> {
    [time.to_be_bytes(), number.to_be_bytes()].concat()
}

fn number_at_end(key: &[u8]) -> Outcome<u64> {
    let number = key.last_chunk::<8>().ok_or("the key of an index is too short")?;
    Ok(u64::from_be_bytes(*number))
}

impl Parts {
    fn last_number(&self) -> Outcome<u64> {
        match self.events.last_key_value() {
            Some(last) => number_at_end(&last.key()?),
            None => Ok(0),
        }
    }

    fn commit(&self, samples: &[Sample]) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        let mut number = self.last_number()?;
        let mut value = Vec::new();
        for sample in samples {
            number += 1;
            sample.encode(&mut value);
            batch.insert(&self.events, number.to_be_bytes(), value.as_slice());
            batch.insert(&self.by_kind, word_key(sample.kind, number), "");
            batch.insert(&self.by_correlation, word_key(&sample.correlation, number), "");
            batch.insert(&self.by_time, time_key(sample.time, number), "");
        }
        Ok(batch.commit()?)
    }

    fn give(&self, guard: fjall::Guard, visit: Visit<'_>) -> Outcome<()> {
        let number = number_at_end(&guard.key()?)?;
        let value = self.events.get(number.to_be_bytes())?;
        visit(Seen::decode(&value.ok_or("an index names an event that is not there")?)?);
        Ok(())
    }

    fn answer(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        let of_word = |word: &str| word_key(word, 0)..=word_key(word, u64::MAX);
        match question {
            Question::Correlation(id) => {
                self.by_correlation.range(of_word(id)).try_for_each(|one| self.give(one, visit))
            }
            Question::Newest(kind, limit) => {
                let newest = self.by_kind.range(of_word(kind)).rev().take(*limit);
                newest.into_iter().try_for_each(|one| self.give(one, visit))
            }
            Question::Between(since, until) => {
                let times = time_key(*since, 0)..time_key(*until, 0);
                self.by_time.range(times).try_for_each(|one| self.give(one, visit))
            }
            Question::All => self.events.iter().try_for_each(|one| {
                visit(Seen::decode(&one.value()?)?);
                Ok(())
            }),
        }
    }

    fn drop_below(&self, below: u64) -> Outcome<()> {
        let mut batch = self.database.batch();
        let mut in_batch = 0;
        for one in self.events.range(..below.to_be_bytes()) {
            let (key, value) = one.into_inner()?;
            let (number, seen) = (number_at_end(&key)?, Seen::decode(&value)?);
            batch.remove(&self.events, key);
            batch.remove(&self.by_kind, word_key(seen.kind, number));
            batch.remove(&self.by_correlation, word_key(seen.correlation, number));
            batch.remove(&self.by_time, time_key(seen.time, number));
            in_batch += 1;
            if in_batch == DROP_STEP {
                batch.commit()?;
                (batch, in_batch) = (self.database.batch(), 0);
            }
        }
        Ok(batch.durability(Some(PersistMode::SyncAll)).commit()?)
    }
}

impl Engine for Fjall {
    fn append(&self, input: Input) -> Ack<'_> {
        match input.samples() {
            Ok(samples) => self.queue.append(samples),
            Err(cause) => Box::pin(async { Err(cause) }),
        }
    }

    fn append_here(&self, input: Input) -> Outcome<()> {
        self.parts.commit(&input.samples()?)
    }

    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        self.parts.answer(question, visit)
    }

    fn keep_newest(&self, count: u64) -> Outcome<bool> {
        let below = (self.parts.last_number()? + 1).saturating_sub(count);
        self.parts.drop_below(below)?;
        Ok(true)
    }

    fn give_back(&mut self) -> Outcome<()> {
        let Parts { events, by_kind, by_correlation, by_time, .. } = &self.parts;
        for keyspace in [events, by_kind, by_correlation, by_time] {
            keyspace.rotate_memtable_and_wait()?;
            keyspace.major_compact()?;
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.parts.database.persist(PersistMode::SyncAll)?)
    }
}
