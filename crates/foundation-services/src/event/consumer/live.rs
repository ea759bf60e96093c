//! One consumer at work: its state under a lock, and who waits for a change of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_logic::event::{Deliveries, Handed};
use foundation_store::journal::{Hold, Holder};
use foundation_types::{Error, ErrorKind, Position, Recorded, Result};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Delivery, Gap, Holds};
use crate::event::Core;
use crate::event::reader::is_unreadable;

/// What members, driver and tools share. The lock is never held while anything is waited for.
pub(in crate::event) struct Live {
    pub(super) core: Arc<Core>,
    pub(super) name: String,
    pub(super) parked_max: usize,
    began: Instant,
    inner: Mutex<Inner>,
    changed: Notify,
    /// That there may be an earlier deadline.
    pub(super) timed: Notify,
    pub(super) holds: Holds,
    pub(super) hold: Mutex<Hold>,
}

pub(super) struct Inner {
    pub(super) deliveries: Deliveries<Recorded>,
    /// Parked events that are to be handed out once more.
    pub(super) extras: VecDeque<Position>,
    /// What was let go of, until a member is told.
    pub(super) gap: Option<Gap>,
    /// Why the place cannot be kept or the log not be read.
    pub(super) failure: Option<Error>,
    /// Whether it stands still because no more may be parked.
    pub(super) is_full: bool,
    is_stopped: bool,
    is_deleted: bool,
    pub(super) is_ended: bool,
}

impl Inner {
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Why a member gets and settles nothing any more, once that is so.
    pub(super) fn over(&self, name: &str) -> Option<Error> {
        if self.is_deleted {
            let message = format!("consumer {name:?} was deleted: open it anew if it is needed");
            return Some(Error::new(ErrorKind::NotFound, message));
        }
        let ended = || {
            let message = format!("consumer {name:?} has ended");
            Error::new(ErrorKind::Unavailable, message)
        };
        self.is_stopped.then(ended)
    }
}

impl Live {
    pub(super) fn new(
        core: Arc<Core>,
        name: String,
        parked_max: usize,
        deliveries: Deliveries<Recorded>,
        extras: VecDeque<Position>,
        (holds, hold): (Holds, Hold),
    ) -> Self {
        let inner = Inner {
            deliveries,
            extras,
            gap: None,
            failure: None,
            is_full: false,
            is_stopped: false,
            is_deleted: false,
            is_ended: false,
        };
        Self {
            core,
            name,
            parked_max,
            began: Instant::now(),
            inner: Mutex::new(inner),
            changed: Notify::new(),
            timed: Notify::new(),
            holds,
            hold: Mutex::new(hold),
        }
    }

    /// Time since it was opened, by which deadlines go.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The moment at which [`Live::now`] is this.
    pub(super) fn moment(&self, since: Duration) -> Instant {
        self.began + since
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and tells everybody who waits for that.
    pub(super) fn change<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> T {
        let result = with(&mut self.inner());
        self.changed.notify_waiters();
        self.timed.notify_one();
        result
    }

    /// Waits until there is what is looked for.
    pub(super) async fn when<T>(&self, mut look: impl FnMut(&mut Inner) -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let found = look(&mut self.inner());
            if let Some(found) = found {
                return found;
            }
            changed.await;
        }
    }

    /// The next event, read as it is handed out: what was forgotten since it came in is.
    pub(super) async fn next(self: &Arc<Self>) -> Result<Delivery> {
        loop {
            let handed = self.next_handed().await?;
            if let Some(event) = self.read(&handed) {
                return Ok(Delivery::new(Arc::clone(self), &handed, event));
            }
        }
    }

    /// The event as readers see it. One that cannot be read is given back: for good, or for another
    /// try if it is the key to it that is missing.
    pub(super) fn read(&self, handed: &Handed<Recorded>) -> Option<Arc<Recorded>> {
        self.core.accessed(std::iter::once(&handed.event.stream));
        let (reader, ticket, now) = (&self.core.reader, handed.ticket, self.now());
        if reader.is_plain() {
            return Some(Arc::clone(&handed.event));
        }
        match reader.opened(Recorded::clone(&handed.event)) {
            Ok(event) => return Some(Arc::new(event)),
            Err(error) => self.change(|inner| match is_unreadable(&error) {
                true => inner.deliveries.refuse(ticket, &error.to_string()),
                false => inner.deliveries.nack(ticket, &error.to_string(), now),
            }),
        };
        None
    }

    async fn next_handed(&self) -> Result<Handed<Recorded>> {
        let handed = self.when(|inner| {
            if let Some(over) = inner.over(&self.name) {
                return Some(Err(over));
            }
            if let Some(gap) = inner.gap.take() {
                return Some(Err(gap.error));
            }
            inner.deliveries.next(self.now()).map(Ok)
        });
        let handed = handed.await?;
        self.timed.notify_one();
        Ok(handed)
    }

    pub(super) async fn flush(&self) -> Result<()> {
        let is_kept = self.when(|inner| {
            if inner.is_deleted {
                return inner.over(&self.name).map(Err);
            }
            let is_kept = inner.deliveries.to_save().is_none();
            match &inner.failure {
                Some(failure) if !is_kept => Some(Err(failure.clone())),
                _ => (is_kept || inner.is_ended).then_some(Ok(is_kept)),
            }
        });
        if is_kept.await? {
            return Ok(());
        }
        let message = format!("consumer {:?} ended before its place was kept", self.name);
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    pub(super) fn resume(&self) {
        self.change(|inner| {
            inner.is_full = false;
            inner.deliveries.resume();
        });
    }

    /// Holds the log from here on, also if it was released before; not if it was opened to hold nothing.
    pub(super) fn hold_from(&self, position: Position) {
        if self.holds == Holds::Nothing {
            return;
        }
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.position() == Position::END {
            *hold = self.core.journal.hold(position, Holder::Consumer(self.name.clone()));
        }
        hold.advance(position);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.inner().is_stopped
    }

    pub(super) fn stop(&self) {
        self.change(|inner| inner.is_stopped = true);
    }

    /// Ends it for good: its members are told at once that it is gone.
    pub(super) fn delete(&self) {
        self.change(|inner| (inner.is_stopped, inner.is_deleted) = (true, true));
    }

    pub(super) async fn stopped(&self) {
        self.when(|inner| inner.is_stopped.then_some(())).await;
    }

    pub(super) fn end(&self) {
        self.change(|inner| (inner.is_stopped, inner.is_ended) = (true, true));
    }

    pub(super) async fn ended(&self) {
        self.when(|inner| inner.is_ended.then_some(())).await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.inner().is_ended
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Live").field("name", &self.name).finish_non_exhaustive()
    }
}
