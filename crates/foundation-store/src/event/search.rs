//! One query over the buffer and the log behind it.
//!
//! The cursor is the only thing carried from step to step, and each step looks anew at how far
//! the buffer reaches. So an event that leaves the buffer while the log is read is found in the
//! log, and none is found twice.

use foundation_types::{EventQuery, Order, Position, Result};

use super::EventLog;
use super::scan::{Rest, Scan};
use crate::journal::{Journal, Looked};
use crate::record::Record;

impl EventLog {
    /// Up to `max` events that answer the query, from all that the buffer and the journal keep;
    /// fewer once they have [`ANSWER_BYTES_MAX`](foundation_types::limits::ANSWER_BYTES_MAX) bytes.
    ///
    /// `check` is called before each step, and its error ends the search: a deadline, for
    /// example. The log is not read if the buffer covers all that the journal keeps.
    ///
    /// # Errors
    /// As [`Journal::find`]: what is not kept is not part of the answer.
    /// `Corruption` if a record that may be part of the answer cannot be decoded. Whatever
    /// `check` says.
    pub async fn search(
        &self,
        journal: &dyn Journal,
        query: &EventQuery,
        max: usize,
        check: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Vec<Record>> {
        let mut scan = Scan::new(query, max);
        self.go_through(&mut scan, journal, check).await?;
        Ok(scan.into_records())
    }

    /// As [`EventLog::search`]; gives what was looked at instead of what was found: in the buffer and
    /// in the log.
    ///
    /// # Errors
    /// As [`EventLog::search`].
    pub async fn explain(
        &self,
        journal: &dyn Journal,
        query: &EventQuery,
        max: usize,
        check: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<(Looked, Looked)> {
        let mut scan = Scan::new(query, max);
        self.go_through(&mut scan, journal, check).await?;
        Ok(scan.looked())
    }

    async fn go_through(
        &self,
        scan: &mut Scan<'_>,
        journal: &dyn Journal,
        check: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<()> {
        while !scan.is_full() {
            check()?;
            let rest = scan.step(&self.state(), &self.hashing)?;
            let more = match rest {
                Rest::Buffer(_) => true,
                Rest::Nothing => false,
                Rest::Log { coverage, .. } => match scan.order() {
                    Order::Asc => read_up(scan, journal, coverage).await?,
                    Order::Desc => read_down(scan, journal, coverage).await?,
                },
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// Looks at some of the log towards `coverage`, where the buffer goes on: there is always more.
async fn read_up(scan: &mut Scan<'_>, journal: &dyn Journal, coverage: Position) -> Result<bool> {
    let found = journal.find(&scan.rest_of_query(), scan.cursor(), coverage).await?;
    for record in &found.records {
        scan.look_at(record, found.by)?;
        if scan.is_full() {
            return Ok(true);
        }
    }
    scan.skip_to(found.cursor.unwrap_or(coverage));
    Ok(true)
}

/// Looks at some of the log away from `coverage`; gives whether there may be more.
async fn read_down(scan: &mut Scan<'_>, journal: &dyn Journal, coverage: Position) -> Result<bool> {
    let found = journal.find(&scan.rest_of_query(), scan.cursor(), coverage).await?;
    for record in &found.records {
        scan.look_at(record, found.by)?;
        if scan.is_full() {
            return Ok(true);
        }
    }
    if let Some(cursor) = found.cursor {
        scan.skip_to(cursor);
    }
    Ok(found.cursor.is_some())
}
