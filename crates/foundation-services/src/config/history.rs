//! What a document was, and who made it so.

use std::ops::RangeInclusive;

use foundation_store::config::Timeline;
use foundation_store::journal::{Journal, is_lost};
use foundation_types::limits::HISTORY_CHANGES_MAX;
use foundation_types::{Change, Error, ErrorKind, Order, Result, Timestamp, Version};
use serde::{Deserialize, Serialize};

/// Which changes of a document, in which order, how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// The first version asked for; if absent, the first whose change is kept.
    pub from: Option<Version>,
    /// The last version asked for; if absent, the newest.
    pub to: Option<Version>,
    /// Changes in the answer: 1 to 1,000.
    pub limit: usize,
    /// Oldest or newest first.
    pub order: Order,
}

impl Default for HistoryQuery {
    fn default() -> Self {
        Self { from: None, to: None, limit: HISTORY_CHANGES_MAX, order: Order::Asc }
    }
}

impl HistoryQuery {
    /// The newest changes, the newest first.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { limit, order: Order::Desc, ..Self::default() }
    }

    /// What was changed after a version, oldest first.
    #[must_use]
    pub fn after(version: Version) -> Self {
        Self { from: Some(version.next()), ..Self::default() }
    }
}

/// The changes that the query asks for, as far as damage has left them.
pub(super) async fn kept_changes(
    timeline: &Timeline,
    journal: &dyn Journal,
    query: HistoryQuery,
) -> Result<Vec<Change>> {
    let range = range(timeline, journal, &query)?;
    let versions = in_order(range, query.order).map(Version::new);
    timeline.kept_changes_at(journal, versions, query.limit).await
}

/// The changes that the query asks for; not knowing one of them is an error.
pub(super) async fn changes(
    timeline: &Timeline,
    journal: &dyn Journal,
    query: HistoryQuery,
) -> Result<Vec<Change>> {
    let range = range(timeline, journal, &query)?;
    let versions = in_order(range, query.order).take(query.limit).map(Version::new);
    timeline.changes_at(journal, versions).await
}

/// The version that was current at a time.
pub(super) async fn version_at(
    timeline: &Timeline,
    journal: &dyn Journal,
    time: Timestamp,
) -> Result<Version> {
    let (mut first, mut after) = (first_kept(timeline, journal), timeline.last().0.next());
    let oldest = first;
    // Times of recording never go back along a journal: the first later one is found by halves.
    while first < after {
        let middle = Version::new(first.number() + (after.number() - first.number()) / 2);
        if recorded_by(timeline, journal, first..=middle).await?.is_none_or(|at| at <= time) {
            first = middle.next();
        } else {
            after = middle;
        }
    }
    if first == oldest && oldest > Version::new(1) {
        let message = format!("the changes before version {oldest} are no longer kept");
        return Err(Error::new(ErrorKind::Compacted, message)
            .with("document", timeline.document())
            .with("time", time));
    }
    Ok(first.previous())
}

/// When the last of these versions was recorded, or the last before it that was not lost to damage:
/// a lost one may have been current since then, and nobody can say that it was not.
async fn recorded_by(
    timeline: &Timeline,
    journal: &dyn Journal,
    versions: RangeInclusive<Version>,
) -> Result<Option<Timestamp>> {
    let (first, mut version) = versions.into_inner();
    loop {
        match timeline.recorded_at(journal, version).await {
            Err(error) if is_lost(&error) && version > first => version = version.previous(),
            Err(error) if is_lost(&error) => return Ok(None),
            recorded => return recorded.map(Some),
        }
    }
}

fn range(
    timeline: &Timeline,
    journal: &dyn Journal,
    query: &HistoryQuery,
) -> Result<RangeInclusive<u64>> {
    if query.limit == 0 || query.limit > HISTORY_CHANGES_MAX {
        let message = format!("the limit is {}, expected 1 to {HISTORY_CHANGES_MAX}", query.limit);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let newest = timeline.last().0;
    let from = query.from.unwrap_or_else(|| first_kept(timeline, journal));
    let to = query.to.unwrap_or(newest).min(newest);
    // Version 0 is the defaults: no change made it.
    Ok(from.number().max(1)..=to.number())
}

fn in_order(range: RangeInclusive<u64>, order: Order) -> Box<dyn Iterator<Item = u64> + Send> {
    match order {
        Order::Asc => Box::new(range),
        Order::Desc => Box::new(range.rev()),
    }
}

fn first_kept(timeline: &Timeline, journal: &dyn Journal) -> Version {
    timeline.first_kept(journal.extent().before_first)
}
