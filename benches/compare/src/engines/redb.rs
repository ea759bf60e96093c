//! redb: four tables, changed in one write transaction that is durable at once.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadTransaction, ReadableDatabase, TableDefinition};

use crate::Outcome;
use crate::engine::{Ack, Engine, Input, Question, Visit};
use crate::queue::Queue;
use crate::sample::{Sample, Seen};

pub(crate) const NAME: &str = "redb";

const EVENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("events");
const BY_KIND: TableDefinition<(&str, u64), ()> = TableDefinition::new("by_kind");
const BY_CORRELATION: TableDefinition<(&str, u64), ()> = TableDefinition::new("by_correlation");
const BY_TIME: TableDefinition<(i64, u64), ()> = TableDefinition::new("by_time");

/// Events that one transaction drops.
const DROP_STEP: u64 = 50_000;

/// An open database.
pub(crate) struct Redb {
    // Before the database: its writer has a share of it.
    queue: Option<Queue>,
    database: Arc<Database>,
}

impl Redb {
    pub(crate) fn open(dir: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(dir)?;
        let database = Arc::new(Database::create(dir.join("events.redb"))?);
        let of_writer = database.clone();
        let queue = Queue::new(Box::new(move |samples| commit(&of_writer, samples)));
        Ok(Self { queue: Some(queue), database })
    }
}

fn commit(database: &Database, samples: &[Sample]) -> Outcome<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut events = transaction.open_table(EVENTS)?;
        let mut by_kind = transaction.open_table(BY_KIND)?;
        let mut by_correlation = transaction.open_table(BY_CORRELATION)?;
        let mut by_time = transaction.open_table(BY_TIME)?;
        let mut number = last_number(&events)?;
        let mut value = Vec::new();
        for sample in samples {
            number += 1;
            sample.encode(&mut value);
            events.insert(number, value.as_slice())?;
            by_kind.insert((sample.kind, number), ())?;
            by_correlation.insert((sample.correlation.as_str(), number), ())?;
            by_time.insert((sample.time, number), ())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn last_number(events: &impl redb::ReadableTable<u64, &'static [u8]>) -> Outcome<u64> {
    Ok(events.last()?.map_or(0, |(number, _)| number.value()))
}

fn answer(transaction: &ReadTransaction, question: &Question, visit: Visit<'_>) -> Outcome<()> {
    let events = transaction.open_table(EVENTS)?;
    let mut give = |number: u64| -> Outcome<()> {
        let value = events.get(number)?.ok_or("an index names an event that is not there")?;
        visit(Seen::decode(value.value())?);
        Ok(())
    };
    match question {
        Question::Correlation(id) => {
            let index = transaction.open_table(BY_CORRELATION)?;
            for entry in index.range((id.as_str(), 0)..=(id.as_str(), u64::MAX))? {
                give(entry?.0.value().1)?;
            }
        }
        Question::Newest(kind, limit) => {
            let index = transaction.open_table(BY_KIND)?;
            for entry in index.range((*kind, 0)..=(*kind, u64::MAX))?.rev().take(*limit) {
                give(entry?.0.value().1)?;
            }
        }
        Question::Between(since, until) => {
            let index = transaction.open_table(BY_TIME)?;
            for entry in index.range((*since, 0)..(*until, 0))? {
                give(entry?.0.value().1)?;
            }
        }
        Question::All => {
            for entry in events.range::<u64>(..)? {
                visit(Seen::decode(entry?.1.value())?);
            }
        }
    }
    Ok(())
}

/// Drops the events with numbers below `below`, in one transaction.
fn drop_below(database: &Database, below: u64) -> Outcome<()> {
    let transaction = database.begin_write()?;
    {
        let mut events = transaction.open_table(EVENTS)?;
        let mut by_kind = transaction.open_table(BY_KIND)?;
        let mut by_correlation = transaction.open_table(BY_CORRELATION)?;
        let mut by_time = transaction.open_table(BY_TIME)?;
        for entry in events.extract_from_if(..below, |_, _| true)? {
            let (number, value) = entry?;
            let seen = Seen::decode(value.value())?;
            by_kind.remove((seen.kind, number.value()))?;
            by_correlation.remove((seen.correlation, number.value()))?;
            by_time.remove((seen.time, number.value()))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Engine for Redb {
    fn append(&self, input: Input) -> Ack<'_> {
        match (input.samples(), &self.queue) {
            (Ok(samples), Some(queue)) => queue.append(samples),
            (Err(cause), _) => Box::pin(async { Err(cause) }),
            (_, None) => Box::pin(async { Err("the database is closed".into()) }),
        }
    }

    fn append_here(&self, input: Input) -> Outcome<()> {
        commit(&self.database, &input.samples()?)
    }

    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        answer(&self.database.begin_read()?, question, visit)
    }

    fn keep_newest(&self, count: u64) -> Outcome<bool> {
        let last = last_number(&self.database.begin_read()?.open_table(EVENTS)?)?;
        let first_kept = (last + 1).saturating_sub(count);
        let mut below = 0;
        while below < first_kept {
            below = (below + DROP_STEP).min(first_kept);
            drop_below(&self.database, below)?;
        }
        Ok(true)
    }

    fn give_back(&mut self) -> Outcome<()> {
        // Compaction wants the database for itself.
        self.queue = None;
        let database = Arc::get_mut(&mut self.database).ok_or("the database is shared")?;
        database.compact()?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}
