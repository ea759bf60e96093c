//! Foundation's journal with its indices, without anything above it.

use std::path::Path;
use std::sync::Arc;

use foundation::{Event, EventId, EventQuery, Order, Position, Timestamp};
use foundation_store::clock::SystemClock;
use foundation_store::disk::Files;
use foundation_store::journal::{Batch, Embedded, EmbeddedOptions, Journal, Retention};
use foundation_store::random::SystemRng;
use foundation_store::record::{Record, RecordKind};
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::engine::{Ack, Engine, Input, Question, Visit};
use crate::sample::{Sample, Seen};

pub(crate) const NAME: &str = "foundation-journal";
/// The stream that all events go to.
const STREAM: &str = "events";
/// Bytes that a scan reads at a time.
const SCAN_BYTES: usize = 256 * 1024;

/// A journal that nobody follows.
pub(crate) struct Journaled {
    journal: Embedded,
    runtime: Arc<Runtime>,
}

/// The sample as an event of Foundation.
pub(super) fn event_of(sample: Sample) -> Outcome<Event> {
    let mut event = Event::new(sample.kind)
        .correlation(sample.correlation)
        .at(Timestamp::from_unix_micros(sample.time));
    event.data = foundation::events::Data::from_json(&sample.data)?;
    Ok(event)
}

/// The question as a query of Foundation.
pub(super) fn query_of(question: &Question) -> EventQuery {
    match question {
        Question::Correlation(id) => EventQuery::all().correlation(id.as_str()),
        Question::Newest(kind, limit) => {
            EventQuery::all().kind(*kind).newest_first().limit(*limit as u64)
        }
        Question::Between(since, until) => EventQuery::all()
            .since(Timestamp::from_unix_micros(*since))
            .until(Timestamp::from_unix_micros(*until)),
        Question::All => EventQuery::all(),
    }
}

impl Journaled {
    pub(crate) fn open(dir: &Path, runtime: Arc<Runtime>) -> Outcome<Self> {
        let (journal, _) = Embedded::open(
            Arc::new(Files::create(dir)?),
            EmbeddedOptions::default(),
            Arc::new(SystemClock::default()),
            &SystemRng::default(),
            Arc::new(()),
        )?;
        Ok(Self { journal, runtime })
    }

    async fn scan(&self, visit: Visit<'_>) -> Outcome<()> {
        let mut position = self.journal.extent().before_first;
        loop {
            let records = self.journal.read_after(position, SCAN_BYTES).await?;
            let Some(last) = records.last() else { return Ok(()) };
            position = last.position();
            for record in &records {
                visit(seen(record)?);
            }
        }
    }

    async fn find(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        let query = query_of(question);
        let end = self.journal.extent().last;
        let mut left = query.limit.unwrap_or(u64::MAX);
        let mut cursor = match query.order {
            Order::Asc => Position::default(),
            Order::Desc => Position::from_engine(end.to_engine() + 1),
        };
        loop {
            let found = self.journal.find(&query, cursor, end).await?;
            for record in &found.records {
                let seen = seen(record)?;
                if left > 0 && answers(question, &seen) {
                    left -= 1;
                    visit(seen);
                }
            }
            match found.cursor {
                Some(next) if left > 0 => cursor = next,
                _ => return Ok(()),
            }
        }
    }
}

/// What the index finds may answer the query: hashes of different words can be the same.
fn answers(question: &Question, seen: &Seen<'_>) -> bool {
    match question {
        Question::Correlation(id) => seen.correlation == id,
        Question::Newest(kind, _) => seen.kind == *kind,
        Question::Between(since, until) => (*since..*until).contains(&seen.time),
        Question::All => true,
    }
}

fn seen(record: &Record) -> Outcome<Seen<'_>> {
    let event = record.event()?;
    Ok(Seen {
        kind: event.kind,
        correlation: event.correlation.unwrap_or_default(),
        time: event.time.map_or(0, Timestamp::as_unix_micros),
        data: event.data,
    })
}

impl Engine for Journaled {
    fn prepare(&self, samples: Vec<Sample>) -> Input {
        let with_id = |sample: Sample| {
            let id = EventId::of_uuid(sample.id);
            Some(event_of(sample).ok()?.id(id))
        };
        Input::Events(samples.into_iter().filter_map(with_id).collect())
    }

    fn append(&self, input: Input) -> Ack<'_> {
        Box::pin(async move {
            let batch = Batch::new(STREAM.into(), RecordKind::Event, input.events()?)?;
            let room = self.journal.reserve(&batch).await?;
            self.journal.append(batch, room)?.durable().await?;
            Ok(())
        })
    }

    fn append_here(&self, input: Input) -> Outcome<()> {
        self.runtime.block_on(self.append(input))
    }

    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        match question {
            Question::All => self.runtime.block_on(self.scan(visit)),
            _ => self.runtime.block_on(self.find(question, visit)),
        }
    }

    fn keep_newest(&self, count: u64) -> Outcome<bool> {
        let keep = Retention { records: Some(count), ..Retention::default() };
        self.runtime.block_on(self.journal.retain(keep))?;
        Ok(true)
    }

    fn slack(&self) -> u64 {
        // It lets go of whole segments, and at most of one segment too few.
        EmbeddedOptions::default().segment_bytes / 200
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.runtime.block_on(self.journal.close())?)
    }
}
