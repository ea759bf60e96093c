//! A look at the whole history before a program is put to work: can it read all that is stored?

use std::collections::BTreeMap;

use foundation_store::record::Record;
use foundation_types::limits::HISTORY_FAILURES_TOLD;
use foundation_types::{ErrorKind, Event, EventType, Position, Result, TypePattern};
use foundation_validate::event::type_pattern;
use serde::{Deserialize, Serialize};

use super::EventStore;
use super::reader::is_unreadable;

/// Bytes of records that are looked at in one step.
const PAGE_BYTES: usize = 1024 * 1024;

/// What a look at the history found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryReport {
    /// By type and schema as they were stored, in this order.
    pub rows: Vec<HistoryRow>,
}

/// What is stored of one type and one schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The type, as it was stored.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The schema, as it was stored.
    pub schema: u16,
    /// Events.
    pub events: u64,
    /// Those of them that the program cannot read.
    pub failures: u64,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<HistoryFailure>,
}

/// An event that the program cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryFailure {
    /// Its place.
    pub position: Position,
    /// Why.
    pub cause: String,
}

/// A part of a look at the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// What was found in it.
    pub found: HistoryReport,
    /// After which position the next part begins; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Position>,
}

impl HistoryReport {
    /// Events that the program cannot read.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.rows.iter().map(|row| row.failures).sum()
    }

    /// Events that were looked at.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.rows.iter().map(|row| row.events).sum()
    }

    /// Takes in what a later part of the history came to.
    pub fn merge(&mut self, later: Self) {
        let mut rows = rows_of(std::mem::take(self));
        for row in later.rows {
            let into = row_in(&mut rows, &row.kind, row.schema);
            into.events += row.events;
            into.failures += row.failures;
            let room = HISTORY_FAILURES_TOLD.saturating_sub(into.first.len());
            into.first.extend(row.first.into_iter().take(room));
        }
        self.rows = rows.into_values().collect();
    }

    fn count(rows: &mut Rows, event: &Event, position: Position, outcome: Result<()>) {
        let row = row_in(rows, &event.kind, event.schema);
        row.events += 1;
        let Err(error) = outcome else { return };
        row.failures += 1;
        if row.first.len() < HISTORY_FAILURES_TOLD {
            row.first.push(HistoryFailure { position, cause: error.to_string() });
        }
    }
}

type Rows = BTreeMap<(EventType, u16), HistoryRow>;

fn rows_of(report: HistoryReport) -> Rows {
    report.rows.into_iter().map(|row| ((row.kind.clone(), row.schema), row)).collect()
}

fn row_in<'a>(rows: &'a mut Rows, kind: &EventType, schema: u16) -> &'a mut HistoryRow {
    let new =
        || HistoryRow { kind: kind.clone(), schema, events: 0, failures: 0, first: Vec::new() };
    rows.entry((kind.clone(), schema)).or_insert_with(new)
}

impl EventStore {
    /// Reads all events of these types that are kept, of every type of the application's if none is
    /// named: brings each up, and decodes it into the Rust type that the builder was told of. Tells
    /// what cannot be read, and changes nothing. Memory grows with types and schemas.
    ///
    /// # Errors
    /// `InvalidArgument` for a type that can mean nothing, `Corruption` where stored bytes are not what was
    /// written, and what the journal answers.
    pub async fn check_history(&self, types: &[TypePattern]) -> Result<HistoryReport> {
        let (mut report, mut next) = (HistoryReport::default(), Some(Position::START));
        while let Some(after) = next {
            let page = self.check_history_after(types, after).await?;
            report.merge(page.found);
            next = page.next;
            tokio::task::yield_now().await;
        }
        Ok(report)
    }

    /// The part of [`EventStore::check_history`] that begins after a position.
    ///
    /// # Errors
    /// As [`EventStore::check_history`].
    pub async fn check_history_after(
        &self,
        types: &[TypePattern],
        after: Position,
    ) -> Result<HistoryPage> {
        types.iter().try_for_each(type_pattern)?;
        let journal = &self.0.journal;
        let extent = journal.extent();
        let end = self.published();
        let from = after.max(extent.before_first);
        if from >= end {
            return Ok(HistoryPage::default());
        }
        let records = match journal.read_after(from, PAGE_BYTES).await {
            // Retention was quicker: what it let go of is no part of the history.
            Err(error) if error.kind() == ErrorKind::Compacted => {
                let next = journal.extent().before_first;
                let is_further = next > from;
                let page = HistoryPage { next: Some(next), ..HistoryPage::default() };
                return if is_further { Ok(page) } else { Err(error) };
            }
            records => records?,
        };
        let mut rows = Rows::new();
        for record in records.iter().take_while(|record| record.position() <= end) {
            self.look_back_at(record, types, &mut rows)?;
        }
        let last = records.last().map(Record::position);
        let found = HistoryReport { rows: rows.into_values().collect() };
        Ok(HistoryPage { found, next: last.filter(|last| *last < end) })
    }

    fn look_back_at(&self, record: &Record, types: &[TypePattern], rows: &mut Rows) -> Result<()> {
        let reader = self.reader();
        let stored = reader.stored(record)?;
        let kind = stored.event.kind.as_str();
        let is_asked = types.is_empty() || types.iter().any(|pattern| pattern.admits(kind));
        if stored.event.kind.is_reserved() || !is_asked {
            return Ok(());
        }
        let outcome = match reader.opened(stored.clone()) {
            Ok(recorded) => reader.fits(&recorded),
            Err(error) if is_unreadable(&error) => Err(error),
            Err(error) => return Err(error),
        };
        HistoryReport::count(rows, &stored.event, stored.position, outcome);
        Ok(())
    }
}
