//! Appends that depend on other events, and what their writer is told when it has missed some.

use foundation_store::journal::{Attempt, Batch, Commit, Unless};
use foundation_store::record::Record;
use foundation_types::error::Conflict;
use foundation_types::limits::CONFLICT_CHANGES_MAX;
use foundation_types::{Error, ErrorKind, EventQuery, Order, Position, Recorded, Result, Version};
use foundation_validate::event as rules;

use super::Core;
use super::append::Target;
use super::query::Deadline;

impl Core {
    /// Gives the batch its place if no event answers any of the queries.
    pub(super) async fn place_unless(&self, batch: Batch, to: &Target) -> Result<Commit> {
        let queries = &to.unless;
        for query in queries {
            check(query)?;
        }
        let deadline = self.deadline();
        // The journal looks at what is stored: it is asked for all that readers may see.
        let wide = |query: &EventQuery| self.reader.widened(query).unwrap_or_else(|| query.clone());
        let queries_stored = queries.iter().map(wide).collect();
        let mut unless = Unless { queries: queries_stored, seen: Position::START };
        loop {
            // Room first: what is seen is to be as new as can be when the journal looks.
            let room = self.room(&batch, &to.stream).await?;
            self.look(queries, &mut unless, deadline).await?;
            let up_to = match self.journal.append_unless(batch.clone(), room, &unless)? {
                Attempt::Placed(commit) => return Ok(commit),
                Attempt::Taken(position) | Attempt::Behind(position) => position,
            };
            self.published_up_to(up_to, deadline).await?;
        }
    }

    /// Looks at all that readers see and that was not looked at before.
    async fn look(
        &self,
        queries: &[EventQuery],
        unless: &mut Unless,
        deadline: Deadline,
    ) -> Result<()> {
        let published = self.log.published();
        let mut missed = Vec::new();
        for query in queries {
            let after = query.after.unwrap_or_default().max(unless.seen);
            let query = EventQuery { after: Some(after), ..query.clone() };
            missed.extend(self.find_all(&query, CONFLICT_CHANGES_MAX as u64, deadline).await?);
        }
        if missed.is_empty() {
            unless.seen = published;
            return Ok(());
        }
        missed.sort_by_key(Record::position);
        missed.dedup_by_key(|record| record.position());
        missed.truncate(CONFLICT_CHANGES_MAX);
        let events = missed.iter().map(|record| self.shown(record)).collect::<Result<Vec<_>>>()?;
        Err(taken(events))
    }

    /// Waits until readers see everything up to this position, or it is not coming.
    async fn published_up_to(&self, position: Position, deadline: Deadline) -> Result<()> {
        let mut published = self.log.watch();
        let reached = published.wait_for(|published| *published >= position);
        match tokio::time::timeout(self.left_of(deadline), reached).await {
            Ok(_) => Ok(()),
            // It was perhaps taken back: its place is looked at again.
            Err(_) => self.check(deadline),
        }
    }

    /// The error of a failed expectation, with the events of the stream that its writer missed.
    pub(super) async fn with_missed(&self, error: Error, to: &Target) -> Error {
        let Some(conflict) = error.conflict().cloned() else { return error };
        if error.kind() != ErrorKind::VersionConflict {
            return error;
        }
        match self.missed(&conflict, to).await {
            Ok(events) => error.with_conflict(Conflict { events, ..conflict }),
            // The conflict is what matters; what was missed can be asked for.
            Err(_) => error,
        }
    }

    /// Whether readers see all that has its place.
    fn is_all_published(&self, published: Position) -> bool {
        let status = self.journal.status();
        status.waiting == 0 && published >= status.extent.last
    }

    /// The event as readers see it, or as it was stored if they cannot: it stands against an append
    /// all the same.
    fn shown(&self, record: &Record) -> Result<Recorded> {
        self.reader.read(record).or_else(|_| self.reader.stored(record))
    }

    async fn missed(&self, conflict: &Conflict, to: &Target) -> Result<Vec<Recorded>> {
        let since = conflict.expected.number();
        let count = conflict.actual.number().saturating_sub(since);
        let deadline = self.deadline();
        let mut published = self.log.watch();
        loop {
            let is_all_seen = self.is_all_published(*published.borrow_and_update());
            let newest = EventQuery::all().stream(&to.stream).newest_first();
            let found = self.find_all(&newest, count.max(1), deadline).await?;
            let is_seen = found.first().map(|record| record.event()).transpose()?;
            if is_seen.is_some_and(|event| event.version >= conflict.actual) {
                let mut events: Vec<Recorded> =
                    found.iter().map(|record| self.shown(record)).collect::<Result<_>>()?;
                events.retain(|event| event.version > Version::new(since));
                events.reverse();
                events.truncate(CONFLICT_CHANGES_MAX);
                return Ok(events);
            }
            if is_all_seen {
                // The stream has no event, or none that is kept.
                return Ok(Vec::new());
            }
            // The conflict is with an event that is not durable yet.
            let changed = tokio::time::timeout(self.left_of(deadline), published.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Ok(Vec::new());
            }
        }
    }
}

/// A condition is not a page of an answer.
fn check(query: &EventQuery) -> Result<()> {
    rules::query(query)?;
    if query.order != Order::Asc || query.limit.is_some() {
        let message = "the condition of an append takes no order and no limit: any event that \
                       answers it past its cursor stands against the append";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}

fn taken(events: Vec<Recorded>) -> Error {
    let shown = events.first().map_or(String::new(), |first| {
        format!("{:?} at position {}", first.event.kind.as_str(), first.position)
    });
    let message = format!("an event answers the condition of the append: {shown}");
    let actual = events.last().map_or(Version::NONE, |last| last.version);
    let last = events.last().map(|last| last.position).unwrap_or_default();
    Error::new(ErrorKind::ConditionFailed, message).with("last", last).with_conflict(Conflict {
        actual,
        events,
        ..Conflict::default()
    })
}
