//! One query over the buffer and the log behind it.
//!
//! The cursor is the only thing carried from step to step, and each step looks anew at how far
//! the buffer reaches. So an event that leaves the buffer while the log is read is found in the
//! log, and none is found twice.

use foundation_types::{ErrorKind, EventQuery, Order, Position, Result};

use super::EventLog;
use super::scan::{Rest, Scan};
use crate::journal::Journal;
use crate::record::Record;

/// Bytes of the log that are read at a time.
const LOG_PAGE_BYTES: usize = 256 * 1024;

impl EventLog {
    /// Up to `max` events that answer the query, from all that the buffer and the journal keep;
    /// fewer once they have [`ANSWER_BYTES_MAX`](foundation_types::limits::ANSWER_BYTES_MAX) bytes.
    ///
    /// `check` is called before each step, and its error ends the search: a deadline, for
    /// example. The log is not read if the buffer covers all that the journal keeps.
    ///
    /// # Errors
    /// As [`Journal::read_after`], less `Compacted`: what is not kept is not part of the answer.
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
        while !scan.is_full() {
            check()?;
            let rest = scan.step(&self.state(), &self.hashing)?;
            let more = match rest {
                Rest::Buffer(_) => true,
                Rest::Nothing => false,
                Rest::Log { coverage, .. } => match scan.order() {
                    Order::Asc => read_up(&mut scan, journal, coverage).await?,
                    Order::Desc => read_down(&mut scan, journal, coverage).await?,
                },
            };
            if !more {
                break;
            }
        }
        Ok(scan.into_records())
    }
}

/// Reads a page of the log towards `coverage`, where the buffer goes on: there is always more.
async fn read_up(scan: &mut Scan<'_>, journal: &dyn Journal, coverage: Position) -> Result<bool> {
    scan.skip_to(journal.extent().before_first.min(coverage));
    if scan.cursor() >= coverage {
        return Ok(true);
    }
    let records = match journal.read_after(scan.cursor(), LOG_PAGE_BYTES).await {
        Err(error) if error.kind() == ErrorKind::Compacted => {
            // Retention was quicker; the next step begins where it left off.
            let moved = journal.extent().before_first > scan.cursor();
            return if moved { Ok(true) } else { Err(error) };
        }
        records => records?,
    };
    let inside = |record: &&Record| record.position() <= coverage;
    for record in records.iter().take_while(inside) {
        scan.look_at(record)?;
        if scan.is_full() {
            return Ok(true);
        }
    }
    if records.last().is_none_or(|last| last.position() > coverage) {
        scan.skip_to(coverage);
    }
    Ok(true)
}

/// Reads a page of the log away from `coverage`; gives whether there may be more.
async fn read_down(scan: &mut Scan<'_>, journal: &dyn Journal, coverage: Position) -> Result<bool> {
    if journal.extent().before_first >= coverage.min(scan.cursor()) {
        return Ok(false);
    }
    let records = match journal.read_before(scan.cursor(), LOG_PAGE_BYTES).await {
        Err(error) if error.kind() == ErrorKind::Compacted => return Ok(false),
        records => records?,
    };
    for record in records.iter().rev() {
        if record.position() > coverage {
            scan.skip_to(record.position());
        } else {
            scan.look_at(record)?;
        }
        if scan.is_full() {
            return Ok(true);
        }
    }
    Ok(!records.is_empty())
}
