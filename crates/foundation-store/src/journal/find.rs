//! Finding records on an engine that has no index: by reading.

use foundation_types::{ErrorKind, Order, Position, Result};

use super::Journal;
use super::looked::Way;
use crate::record::Record;

/// Bytes of the log that one step reads.
pub(super) const STEP_BYTES: usize = 256 * 1024;

/// What one step of [`Journal::find`] came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Records that may answer the query, in its order.
    pub records: Vec<Record>,
    /// Everything up to here was looked at; absent if that is all there is.
    pub cursor: Option<Position>,
    /// The way to the records.
    pub by: Way,
}

impl Default for Found {
    fn default() -> Self {
        Self { records: Vec::new(), cursor: None, by: Way::Reading }
    }
}

/// A step over everything that is kept.
pub(super) async fn by_reading<J: Journal + ?Sized>(
    journal: &J,
    order: Order,
    cursor: Position,
    end: Position,
) -> Result<Found> {
    match order {
        Order::Asc => read_up(journal, cursor, end).await,
        Order::Desc => read_down(journal, cursor, end).await,
    }
}

async fn read_up<J: Journal + ?Sized>(
    journal: &J,
    cursor: Position,
    end: Position,
) -> Result<Found> {
    let cursor = cursor.max(journal.extent().before_first);
    if cursor >= end {
        return Ok(Found::default());
    }
    let mut records = match journal.read_after(cursor, STEP_BYTES).await {
        Err(error) if error.kind() == ErrorKind::Compacted => {
            // Retention was quicker; the next step begins where it left off.
            let moved = journal.extent().before_first;
            let found = Found { cursor: Some(moved), ..Found::default() };
            return if moved > cursor { Ok(found) } else { Err(error) };
        }
        records => records?,
    };
    let Some(last) = records.last().map(Record::position) else { return Ok(Found::default()) };
    records.retain(|record| record.position() <= end);
    Ok(Found { records, cursor: (last < end).then_some(last), ..Found::default() })
}

async fn read_down<J: Journal + ?Sized>(
    journal: &J,
    cursor: Position,
    end: Position,
) -> Result<Found> {
    let before_first = journal.extent().before_first;
    if cursor.min(end) <= before_first {
        return Ok(Found::default());
    }
    let mut records = match journal.read_before(cursor, STEP_BYTES).await {
        Err(error) if error.kind() == ErrorKind::Compacted => return Ok(Found::default()),
        records => records?,
    };
    let first = records.first().map(Record::position);
    records.retain(|record| record.position() <= end);
    records.reverse();
    Ok(Found { records, cursor: first, ..Found::default() })
}
