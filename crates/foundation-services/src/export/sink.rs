//! What takes events, and how it says so.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foundation_types::{ErrorKind, Recorded, StoreId};

/// A system that takes events.
///
/// It is called with one batch at a time. A call that outlives the deadline of the export is
/// dropped where it waits, and counts as one that failed. What a sink had and did not say, it
/// gets again: it tells repeats by [`Exported::dedup_id`].
#[async_trait]
pub trait Sink: Send + 'static {
    /// Takes these events, durably, in their order.
    ///
    /// # Errors
    /// [`SinkError`], if it took none of them or cannot tell.
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError>;
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for Box<S> {
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        (**self).deliver(batch).await
    }
}

/// Events on their way, those of each stream in its order.
#[derive(Clone, Debug)]
pub struct ExportBatch {
    /// Name of the export.
    pub export: String,
    /// Identity of the store that they are from.
    pub store: StoreId,
    /// The how manieth try of the first event this is, from 1. An event that failed before comes
    /// alone.
    pub attempt: u32,
    /// The events; at least one.
    pub events: Vec<Exported>,
}

/// One event on its way.
#[derive(Clone, Debug)]
pub struct Exported {
    /// What it is told by if it comes again: `store/stream/version`. The same at every try, after
    /// every restart, and for no other event.
    pub dedup_id: String,
    /// The event.
    pub event: Arc<Recorded>,
}

impl Exported {
    /// An event of this store.
    #[must_use]
    pub fn of(store: StoreId, event: Arc<Recorded>) -> Self {
        let dedup_id = foundation_types::event::dedup_id(store, &event);
        Self { dedup_id, event }
    }
}

/// What a sink took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// All events.
    All,
    /// This many, counted from the first one; the others come again.
    First(usize),
    /// What is said of each event, in their order; those of which nothing is said come again. Those
    /// of a stream behind one that comes again do so too, taken or not, so that their order stays.
    Each(Vec<Verdict>),
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Taken,
    /// It is to come again, since this happened.
    Again(String),
    /// It can never be taken, since this is wrong with it: it is poison.
    Never(String),
}

/// Why a sink took nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkError {
    pub(super) fault: Fault,
    pub(super) cause: String,
    pub(super) retry_after: Option<Duration>,
    kind: ErrorKind,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The sink's: events are tried again for as long as it takes.
    Away,
    /// Nobody knows whose: an event that fails too often alone is poison.
    Failed,
    /// The event's.
    Refused,
}

impl SinkError {
    /// The sink is away or busy: nothing counts as a try, and the export waits for it.
    #[must_use]
    pub fn away(cause: impl Into<String>) -> Self {
        Self::new(Fault::Away, cause.into())
    }

    /// It failed and may do better the next time. An event that fails so too often, alone, is
    /// poison.
    #[must_use]
    pub fn failed(cause: impl Into<String>) -> Self {
        Self::new(Fault::Failed, cause.into())
    }

    /// It will fail each time. A batch is tried event by event; an event that is refused alone is
    /// poison at once.
    #[must_use]
    pub fn refused(cause: impl Into<String>) -> Self {
        Self::new(Fault::Refused, cause.into())
    }

    fn new(fault: Fault, cause: String) -> Self {
        let kind = match fault {
            Fault::Away | Fault::Failed => ErrorKind::Unavailable,
            Fault::Refused => ErrorKind::Invalid,
        };
        Self { fault, cause, retry_after: None, kind }
    }

    /// This error, of this kind: `Unavailable`, or `Invalid` if it was refused, unless somebody says more.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Its kind, for who calls the sink and reports what it said.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// This error, with the least time before another try.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Whether another try may do better.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.fault != Fault::Refused
    }
}

impl std::fmt::Display for SinkError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.cause)
    }
}

impl std::error::Error for SinkError {}
