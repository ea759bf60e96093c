//! The log as it is, page by page: everything that is kept, in order.

use foundation_store::journal::Journal;
use foundation_types::{Position, Recorded, Result};
use serde::{Deserialize, Serialize};

use super::Node;

/// Bytes of records in one page, about.
const PAGE_BYTES: usize = 1024 * 1024;

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
    /// The next records after a position, none of them after `until`. A position before everything
    /// that is kept is that of the first record that is.
    ///
    /// # Errors
    /// As [`Journal::read_after`], without `Compacted`; `Corruption` for a record that cannot be
    /// decoded.
    pub async fn replay(&self, after: Position, until: Option<Position>) -> Result<ReplayPage> {
        page(&*self.journal, after, until).await
    }
}

async fn page(
    journal: &dyn Journal,
    after: Position,
    until: Option<Position>,
) -> Result<ReplayPage> {
    let extent = journal.extent();
    let after = after.max(extent.before_first);
    let until = until.map_or(extent.last, |until| until.min(extent.last));
    if after >= until {
        return Ok(ReplayPage::default());
    }
    let read = journal.read_after(after, PAGE_BYTES).await?;
    let last = read.last().map(|record| record.position());
    let wanted = read.iter().take_while(|record| record.position() <= until);
    let records = wanted.map(|record| record.decode()).collect::<Result<Vec<_>>>()?;
    Ok(ReplayPage { records, next: last.filter(|last| *last < until) })
}
