//! Finding events: by id, by query page after page, by story.

use std::collections::BTreeSet;
use std::time::Duration;

use foundation_logic::event::{Trace, missing_parents, trace_beside};
use foundation_store::journal::Looked;
use foundation_store::record::Record;
use foundation_types::limits::{ANSWER_BYTES_MAX, TRACE_EVENTS_MAX, TRACE_LOOKUPS_MAX};
use foundation_types::{
    CorrelationId, Error, ErrorKind, EventId, EventQuery, Order, Position, Recorded, Result,
};
use foundation_validate::event as rules;
use serde::{Deserialize, Serialize};

use super::lifetime::last_of;
use super::{Core, EventStore};

/// Records that are read at once where each has to be read to know whether it answers.
const WIDE_STEP: usize = 256;

/// One page of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, in the order of the query.
    pub events: Vec<Recorded>,
    /// Oldest first, everything up to this position was looked at, so that one who goes on behind it
    /// misses nothing: the last event of a page that is not the last, or that used up the limit of its
    /// query. What an append that depends on the answer has to be past of, with
    /// [`EventQuery::after`], once there is no `next`.
    #[serde(default)]
    pub seen: Position,
    /// The query for the rest, its cursor past this page and its limit less what is in it;
    /// absent if there is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<EventQuery>,
    /// Present if the query reaches back before what is kept: what was recorded up to this position was
    /// let go of, and is not part of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_up_to: Option<Position>,
}

/// What a query looks at for the first page of its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedQuery {
    /// Among the events in memory.
    pub memory: Looked,
    /// In the log behind them, on disk or in the archive.
    pub log: Looked,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// Whether events whose time to live is over are part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// They are hidden, as from every reader.
    Hidden,
    /// They are there as long as they are kept, for whoever has to have all.
    Shown,
}

/// The pages of an answer, read one by one.
#[derive(Debug)]
#[must_use = "nothing is read before a page is asked for"]
pub struct Pages<'a> {
    store: &'a EventStore,
    next: Option<EventQuery>,
}

impl EventStore {
    /// The event with this id.
    ///
    /// # Errors
    /// `NotFound` if no event has it, `Compacted` if it is no longer kept, `Expired` if its time to live
    /// is over.
    pub async fn get(&self, id: impl Into<EventId>) -> Result<Recorded> {
        let id = id.into();
        let record = self.0.record_of(&id).await?;
        let recorded = record.map(|record| self.0.reader.read(&record)).transpose()?;
        let found = recorded.filter(|recorded| recorded.event.id.as_ref() == Some(&id));
        let found = found.ok_or_else(|| {
            let shown: String = id.as_str().chars().take(128).collect();
            Error::new(ErrorKind::NotFound, format!("no event has the id {shown:?}"))
        })?;
        self.0.refuse_expired(&found)?;
        self.0.accessed(std::iter::once(&found.stream));
        Ok(found)
    }

    /// The first page of what answers the query: at most `interface.max_results` events, and no
    /// more once they have 16 MiB.
    ///
    /// Every event whose append was acked before the call is seen. The answer comes from the
    /// buffer and the log as one; what is no longer kept is not part of it.
    ///
    /// # Errors
    /// `InvalidArgument` for a query that can mean nothing, `Timeout` if it takes longer than
    /// `interface.query_timeout_ms`, `Corruption` where stored bytes are not what was written.
    pub async fn query(&self, query: EventQuery) -> Result<EventPage> {
        self.query_with(query, Expired::Hidden).await
    }

    /// As [`EventStore::query`], with or without events whose time to live is over.
    pub(crate) async fn query_with(
        &self,
        query: EventQuery,
        expired: Expired,
    ) -> Result<EventPage> {
        rules::query(&query)?;
        let max = self.0.settings.current().interface.max_results;
        self.0.page(query, max, expired, self.0.deadline()).await
    }

    /// Which way a query goes, and what it looks at for the first page of its answer, which is computed
    /// and let go of.
    ///
    /// # Errors
    /// As [`EventStore::query`].
    pub async fn explain(&self, query: EventQuery) -> Result<ExplainedQuery> {
        rules::query(&query)?;
        let core = &self.0;
        let max = core.settings.current().interface.max_results;
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let (deadline, started) = (core.deadline(), core.clock.monotonic());
        let check = || core.check(deadline);
        let (memory, log) = core.log.explain(&*core.journal, &query, max, &check).await?;
        let took = core.clock.monotonic().saturating_sub(started);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        Ok(ExplainedQuery { memory, log, took_us })
    }

    /// The whole answer, page by page. Each page has its own time.
    pub fn pages(&self, query: EventQuery) -> Pages<'_> {
        Pages { store: self, next: Some(query) }
    }

    /// Who caused what in the story with this correlation id.
    ///
    /// Of a story of more than 10,000 events or 16 MiB it is the trace of the first; it says so. A
    /// parent that is not among them is looked for in the whole store, the first 100 of them: one
    /// that is not found is a gap, as are those that were not looked for.
    ///
    /// # Errors
    /// `NotFound` if no event belongs to the story; as [`EventStore::query`] otherwise.
    pub async fn trace(&self, correlation: impl Into<CorrelationId>) -> Result<Trace> {
        let correlation = correlation.into();
        let query = EventQuery::all().correlation(&correlation);
        rules::query(&query)?;
        let deadline = self.0.deadline();
        let page = self.0.page(query, TRACE_EVENTS_MAX as u64, Expired::Hidden, deadline).await?;
        if page.events.is_empty() {
            let shown: String = correlation.as_str().chars().take(128).collect();
            let message = format!("no event has the correlation id {shown:?}");
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let kept = self.kept(missing_parents(&page.events), deadline).await?;
        let whole = trace_beside(page.events, &kept);
        Ok(if page.next.is_some() { whole.shortened() } else { whole })
    }

    /// Those of the first ids that are kept.
    async fn kept(&self, ids: Vec<EventId>, deadline: Deadline) -> Result<BTreeSet<EventId>> {
        let mut kept = BTreeSet::new();
        for id in ids.into_iter().take(TRACE_LOOKUPS_MAX) {
            self.0.check(deadline)?;
            match self.get(&id).await {
                Ok(_) => drop(kept.insert(id)),
                Err(error) => match error.kind() {
                    ErrorKind::NotFound | ErrorKind::Compacted | ErrorKind::Expired => {}
                    _ => return Err(error),
                },
            }
        }
        Ok(kept)
    }
}

impl Pages<'_> {
    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// As [`EventStore::query`]; the next call tries the same page again.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>> {
        let Some(query) = &self.next else { return Ok(None) };
        let page = self.store.query(query.clone()).await?;
        self.next = page.next;
        if page.events.is_empty() { Ok(None) } else { Ok(Some(page.events)) }
    }
}

impl Core {
    /// Up to `max` events, and the query for the rest.
    pub(super) async fn page(
        &self,
        mut query: EventQuery,
        max: u64,
        expired: Expired,
        deadline: Deadline,
    ) -> Result<EventPage> {
        let size = query.limit.map_or(max, |limit| limit.min(max));
        let is_last = query.limit == Some(size);
        // One more than the page tells whether there is more.
        let wanted = if is_last { size } else { size.saturating_add(1) };
        let started = self.clock.monotonic();
        let seen = self.log.published();
        let mut records = match expired {
            Expired::Hidden => self.find(&query, wanted, deadline).await?,
            Expired::Shown => self.find_all(&query, wanted, deadline).await?,
        };
        self.meters.answered(self.clock.monotonic().saturating_sub(started));
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // After the search: what was let go of meanwhile counts.
        let missing_up_to = self.missing(&query, records.len());
        let has_more = is_cut(&records, wanted);
        records.truncate(size);
        let mut events = Vec::with_capacity(records.len());
        for record in &records {
            events.push(self.reader.read(record)?);
        }
        self.accessed(events.iter().map(|recorded| &recorded.stream));
        // What lies behind the last of a page that was cut was not looked at.
        let seen = match (query.order, records.last()) {
            (Order::Asc, Some(last)) if has_more => last.position(),
            _ => seen,
        };
        let next = has_more.then(|| {
            query.after = records.last().map(Record::position);
            query.limit = query.limit.map(|limit| limit.saturating_sub(records.len() as u64));
            query
        });
        // A limit that is used up leaves nothing to ask for.
        let next = next.filter(|rest| rest.limit != Some(0));
        Ok(EventPage { events, seen, next, missing_up_to })
    }

    /// Up to where what the query is about is no longer kept, if its search came to there.
    fn missing(&self, query: &EventQuery, found: usize) -> Option<Position> {
        let begins = match query.order {
            Order::Asc => query.after.unwrap_or(Position::START),
            // Newest first it comes to the oldest if it does not end for its limit before.
            Order::Desc if query.limit.is_some_and(|limit| limit <= found as u64) => return None,
            Order::Desc => Position::START,
        };
        Some(self.kept_after()).filter(|kept_after| begins < *kept_after)
    }

    /// Up to `max` records that answer the query and whose time to live is not over, before the
    /// deadline. Whether there may be more says [`is_cut`].
    pub(super) async fn find(
        &self,
        query: &EventQuery,
        max: u64,
        deadline: Deadline,
    ) -> Result<Vec<Record>> {
        let mut shown = self.find_all(query, max, deadline).await?;
        if !self.settings.current().events.has_ttl() {
            return Ok(shown);
        }
        let (mut found, mut is_more) = (shown.len(), is_cut(&shown, max));
        let mut last = last_of(&shown);
        shown = self.without_expired(shown)?;
        // What is hidden makes room for what comes after it.
        while is_more && shown.len() < found && !is_cut(&shown, max) {
            let rest = EventQuery { after: last, ..query.clone() };
            let more = self.find_all(&rest, max - shown.len() as u64, deadline).await?;
            is_more = is_cut(&more, max - shown.len() as u64);
            (found, last) = (shown.len() + more.len(), last_of(&more).or(last));
            shown.extend(self.without_expired(more)?);
        }
        Ok(shown)
    }

    /// As [`Core::find`], expired or not.
    pub(super) async fn find_all(
        &self,
        query: &EventQuery,
        max: u64,
        deadline: Deadline,
    ) -> Result<Vec<Record>> {
        let check = || self.check(deadline);
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        match self.reader.widened(query) {
            None => self.log.search(&*self.journal, query, max, &check).await,
            Some(wide) => self.find_widely(query, wide, max, deadline).await,
        }
    }

    /// As [`Core::find`], where what is stored does not say what readers see: more is looked for,
    /// and each is read.
    async fn find_widely(
        &self,
        query: &EventQuery,
        mut wide: EventQuery,
        max: usize,
        deadline: Deadline,
    ) -> Result<Vec<Record>> {
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let max = limit.map_or(max, |limit| limit.min(max));
        wide.limit = None;
        let (mut found, mut bytes) = (Vec::new(), 0);
        loop {
            let check = || self.check(deadline);
            let step = self.log.search(&*self.journal, &wide, WIDE_STEP, &check).await?;
            for record in &step {
                if found.len() >= max || bytes >= ANSWER_BYTES_MAX {
                    return Ok(found);
                }
                if self.reader.answers(query, record)? {
                    bytes += record.bytes();
                    found.push(record.clone());
                }
            }
            if !is_cut(&step, WIDE_STEP as u64) {
                return Ok(found);
            }
            wide.after = step.last().map(Record::position);
            tokio::task::yield_now().await;
        }
    }

    /// The deadline of a query that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        let limit_ms = self.settings.current().interface.query_timeout_ms;
        let end = self.clock.monotonic().saturating_add(Duration::from_millis(limit_ms));
        Deadline { end, limit_ms }
    }

    /// What is left until the deadline.
    pub(super) fn left_of(&self, deadline: Deadline) -> Duration {
        deadline.end.saturating_sub(self.clock.monotonic())
    }

    pub(super) fn check(&self, deadline: Deadline) -> Result<()> {
        if self.clock.monotonic() <= deadline.end {
            return Ok(());
        }
        let message = format!("the query took longer than {} ms", deadline.limit_ms);
        Err(Error::new(ErrorKind::Timeout, message))
    }
}

/// Whether a search ended because it had this many records, or their bytes were an answer: only
/// what lies up to the last of them was looked at.
pub(super) fn is_cut(found: &[Record], max: u64) -> bool {
    let bytes: usize = found.iter().map(Record::bytes).sum();
    found.len() as u64 >= max || bytes >= ANSWER_BYTES_MAX
}

/// When a query has to have its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    end: Duration,
    limit_ms: u64,
}
