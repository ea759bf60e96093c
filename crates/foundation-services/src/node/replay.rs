//! The log as it is, page by page: everything that is kept, in order.

use foundation_store::journal::Journal;
use foundation_types::{Error, ErrorKind, Position, Recorded, Result};
use serde::{Deserialize, Serialize};

use super::Node;
use crate::event::Reader;

/// Bytes of records in one page, about.
const PAGE_BYTES: usize = 1024 * 1024;

/// In which shape events are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayShape {
    /// As readers see them.
    #[default]
    Read,
    /// As they are stored: personal fields sealed, data of the schema that it had.
    Stored,
}

/// A part of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayPage {
    /// The records, in order: events and changes of configuration and tables alike.
    pub records: Vec<Recorded>,
    /// After which position the next page begins; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Position>,
}

impl Node {
    /// The next records after a position, none of them after `until`. [`Position::START`] begins
    /// with the first record that is kept.
    ///
    /// # Errors
    /// As [`Journal::read_after`]: `Compacted`, with the position that resumes, if records after
    /// any other position were let go of. `Corruption` for a record that cannot be decoded,
    /// `UpcastFailed` or `NewerSchema` for one that readers cannot see.
    pub async fn replay(
        &self,
        after: Position,
        until: Option<Position>,
        shape: ReplayShape,
    ) -> Result<ReplayPage> {
        let as_stored = Reader::default();
        let reader = match shape {
            ReplayShape::Read => self.events.reader(),
            ReplayShape::Stored => &as_stored,
        };
        page(&*self.journal, reader, after, until).await
    }
}

async fn page(
    journal: &dyn Journal,
    reader: &Reader,
    after: Position,
    until: Option<Position>,
) -> Result<ReplayPage> {
    loop {
        let extent = journal.extent();
        let from = if after == Position::START { extent.before_first } else { after };
        let until = until.map_or(extent.last, |until| until.min(extent.last));
        if from < extent.before_first {
            return Err(let_go_of(from, extent.before_first));
        }
        if from >= until {
            return Ok(ReplayPage::default());
        }
        let read = match journal.read_after(from, PAGE_BYTES).await {
            // Retention was quicker than this call: looked at anew, it is told or passed over.
            Err(error) if is_behind(&error, journal, from) => continue,
            read => read?,
        };
        let last = read.last().map(|record| record.position());
        let wanted = read.iter().take_while(|record| record.position() <= until);
        let records = wanted.map(|record| reader.read(record)).collect::<Result<Vec<_>>>()?;
        return Ok(ReplayPage { records, next: last.filter(|last| *last < until) });
    }
}

fn is_behind(error: &Error, journal: &dyn Journal, from: Position) -> bool {
    error.kind() == ErrorKind::Compacted && journal.extent().before_first > from
}

fn let_go_of(after: Position, kept_after: Position) -> Error {
    let message = format!("records after position {after} up to {kept_after} are no longer kept");
    Error::new(ErrorKind::Compacted, message).with("resumes_after", kept_after)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use foundation_store::clock::SystemClock;
    use foundation_store::event::EventLog;
    use foundation_store::journal::{Batch, MemoryJournal};
    use foundation_store::record::RecordKind;
    use foundation_types::config::BufferSettings;
    use foundation_types::{Event, StoreId, StreamName};

    use super::*;

    /// Keeps the last 60 or so of records of 100 kB.
    fn journal() -> MemoryJournal {
        let log = Arc::new(EventLog::new(BufferSettings::default()));
        let clock = Arc::new(SystemClock::default());
        MemoryJournal::new(StoreId::from_bits(7), 6_000_000, clock, log)
    }

    async fn append(journal: &MemoryJournal, count: usize) {
        for _ in 0..count {
            let event = Event::new("tick").id("one").data(&"x".repeat(100_000));
            let events = vec![event.expect("small enough")];
            let batch = Batch::new(StreamName::from("ticks"), RecordKind::Event, events);
            let batch = batch.expect("one event");
            let room = journal.reserve(&batch).await.expect("there is room");
            drop(journal.append(batch, room).expect("it may be appended"));
        }
    }

    #[tokio::test]
    async fn what_was_let_go_of_between_two_pages_is_told() {
        let journal = journal();
        append(&journal, 100).await;
        let first = page(&journal, &Reader::default(), Position::START, None)
            .await
            .expect("it begins with what is kept");
        let kept_after = journal.extent().before_first;
        assert_eq!(
            first.records.first().map(|one| one.position),
            Some(Position::from_engine(kept_after.to_engine() + 1))
        );
        let next = first.next.expect("there is more than a page");
        append(&journal, 100).await;
        let error = page(&journal, &Reader::default(), next, None)
            .await
            .expect_err("records are missing in between");
        assert_eq!(error.kind(), ErrorKind::Compacted);
        let mut next = Some(journal.extent().before_first);
        let mut records = 0;
        while let Some(after) = next {
            let page =
                page(&journal, &Reader::default(), after, None).await.expect("all of it is kept");
            records += page.records.len() as u64;
            next = page.next;
        }
        assert_eq!(records, journal.extent().records);
    }
}
