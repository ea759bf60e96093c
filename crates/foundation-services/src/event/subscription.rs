//! Following events: from a place in the log on, then as they come, without gap or duplicate.
//!
//! A subscription is a cursor, not a queue. It reads the log from its cursor and waits where the
//! log ends; a slow one holds nothing but its place, and no writer knows of it.

use std::collections::VecDeque;
use std::sync::Arc;

use foundation_store::record::Record;
use foundation_types::limits::SUBSCRIPTION_EVENTS_MAX;
use foundation_types::{Error, ErrorKind, EventQuery, Order, Position, Recorded, Result};
use foundation_validate::event as rules;
use tokio::sync::watch;

use super::query::is_cut;
use super::reader::is_unreadable;
use super::{Core, EventStore};

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what is recorded from now on.
    Now,
    /// After this position: a checkpoint.
    After(Position),
    /// With the oldest event that is kept.
    Beginning,
}

/// Events in the order of positions, each once: first what is there, then what comes.
pub struct Subscription {
    core: Arc<Core>,
    /// Whether events are given as readers see them, or as they are stored.
    is_reader: bool,
    filter: EventQuery,
    published: watch::Receiver<Position>,
    /// Everything up to here was looked at.
    cursor: Position,
    ahead: VecDeque<Record>,
    /// The last event that was handed out, or what lies before the first.
    position: Position,
    /// What was told to be looked at.
    told: Position,
    /// Whether it is told of events whose time to live is over.
    sees_expired: bool,
    /// Dropped events of its streams that were told of, or were dropped before it began.
    dropped: u64,
}

/// What was looked at in the log.
#[expect(clippy::large_enum_variant, reason = "nearly all are events, and none is kept")]
pub(crate) enum Looked {
    /// An event, and its bytes.
    Event(Recorded, usize),
    /// Nothing up to here.
    Nothing(Position),
}

impl EventStore {
    /// Follows the events that answer `filter`.
    ///
    /// # Errors
    /// `InvalidArgument` for a filter that can mean nothing, or that has an order, a limit or
    /// a cursor: where to begin is said by `start`.
    pub fn subscribe(&self, start: Start, filter: EventQuery) -> Result<Subscription> {
        rules::query(&filter)?;
        if filter.order != Order::Asc || filter.limit.is_some() || filter.after.is_some() {
            let message = "a subscription takes no order, limit or cursor: it begins where its \
                           start says and has no end";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let published = self.0.log.watch();
        let cursor = match start {
            Start::Now => self.0.log.published(),
            Start::After(position) => position,
            Start::Beginning => self.0.kept_after(),
        };
        let core = Arc::clone(&self.0);
        let ahead = VecDeque::new();
        let dropped = core.intake.dropped(filter.stream.as_ref());
        Ok(Subscription {
            core,
            is_reader: true,
            filter,
            published,
            cursor,
            ahead,
            position: cursor,
            told: cursor,
            sees_expired: false,
            dropped,
        })
    }
}

impl Subscription {
    /// The next event; waits for one if need be. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Compacted`, once, if events between the last one and the next that is kept were let
    /// go of: the call after it goes on with what is kept. `UpcastFailed` or `NewerSchema` for an
    /// event that cannot be read, again and again until [`Subscription::step_over`]. As
    /// [`EventStore::query`] otherwise; the next call tries again.
    pub async fn next(&mut self) -> Result<Recorded> {
        loop {
            if let Looked::Event(recorded, _) = self.look().await? {
                return Ok(recorded);
            }
        }
    }

    /// How many events were dropped, by a full buffer's `drop_newest` or by a rule, since this was asked
    /// last or the subscription began: those for its stream if its filter names one, of all streams
    /// otherwise, whatever their types.
    ///
    /// Such an event never had a position, so that no place in the order is a gap for it: this is how a
    /// follower knows that it has not seen all that was sent. What was stored and is no longer kept is a
    /// gap in the order, and [`Subscription::next`] tells of it.
    pub fn dropped(&mut self) -> u64 {
        let now = self.core.intake.dropped(self.filter.stream.as_ref());
        now - std::mem::replace(&mut self.dropped, now)
    }

    /// Goes past the next event if it was read already and could not be: gives its position.
    pub fn step_over(&mut self) -> Option<Position> {
        let next = self.ahead.front()?;
        let position = next.position();
        let outcome = self.core.reader.read(next);
        outcome.err().filter(is_unreadable)?;
        self.ahead.pop_front();
        (self.position, self.told) = (position, position);
        Some(position)
    }

    /// The next event, or up to where there is none: the end of what is published, by then.
    ///
    /// # Errors
    /// As [`Subscription::next`], and like that it loses nothing when it is dropped.
    pub(crate) async fn look(&mut self) -> Result<Looked> {
        loop {
            if let Some(record) = self.ahead.front() {
                let bytes = record.bytes();
                let read = match self.is_reader {
                    true => self.core.reader.read(record),
                    false => self.core.reader.stored(record),
                };
                let recorded = read?;
                if self.is_reader {
                    self.core.accessed(std::iter::once(&recorded.stream));
                }
                self.ahead.pop_front();
                self.position = recorded.position;
                self.told = recorded.position;
                return Ok(Looked::Event(recorded, bytes));
            }
            let target = *self.published.borrow_and_update();
            if target > self.cursor {
                self.read_up_to(target).await?;
            } else if self.cursor > self.told {
                self.told = self.cursor;
                return Ok(Looked::Nothing(self.cursor));
            } else if self.published.changed().await.is_err() {
                return Err(Error::new(ErrorKind::Unavailable, "the event log is gone"));
            }
        }
    }

    /// The same events as they are stored, for whoever reads them later.
    pub(crate) fn unread(self) -> Self {
        Self { is_reader: false, ..self }
    }

    /// This subscription, which is told of events whose time to live is over as well: for whoever has to
    /// see all that the log keeps.
    pub(crate) fn with_expired(mut self) -> Self {
        self.sees_expired = true;
        self
    }

    /// Position of the last event handed out, or where it began: a checkpoint to start after.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Everything up to here was told by [`Subscription::look`].
    pub(crate) fn looked(&self) -> Position {
        self.told
    }

    /// Whether everything that is published by now was looked at.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ahead.is_empty() && self.cursor >= *self.published.borrow()
    }

    /// Looks at what lies between the cursor and `target`, or at the first part of it.
    async fn read_up_to(&mut self, target: Position) -> Result<()> {
        let query = self.filter.clone().after(self.cursor);
        loop {
            let kept_after = self.core.kept_after();
            if kept_after > self.cursor {
                return Err(self.skip_to(kept_after));
            }
            let max = SUBSCRIPTION_EVENTS_MAX as u64;
            let deadline = self.core.deadline();
            let found = match self.sees_expired {
                true => self.core.find_all(&query, max, deadline).await?,
                false => self.core.find(&query, max, deadline).await?,
            };
            if self.core.kept_after() > self.cursor {
                // Something may have been let go of while it was searched for.
                continue;
            }
            self.cursor = match found.last() {
                Some(last) if is_cut(&found, max) => last.position(),
                Some(last) => last.position().max(target),
                None => target,
            };
            self.ahead = found.into();
            return Ok(());
        }
    }

    fn skip_to(&mut self, kept_after: Position) -> Error {
        let message =
            format!("events after position {} up to {kept_after} are no longer kept", self.cursor);
        self.cursor = kept_after;
        (self.position, self.told) = (kept_after, kept_after);
        Error::new(ErrorKind::Compacted, message).with("resumes_after", kept_after)
    }
}

impl Core {
    /// Everything after this position is kept, in the buffer or in the log.
    pub(super) fn kept_after(&self) -> Position {
        // The log first: what leaves the buffer meanwhile is still in it.
        let log = self.journal.extent().before_first;
        log.min(self.log.coverage())
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { filter, cursor, position, .. } = self;
        out.debug_struct("Subscription")
            .field("filter", filter)
            .field("cursor", cursor)
            .field("position", position)
            .finish()
    }
}
