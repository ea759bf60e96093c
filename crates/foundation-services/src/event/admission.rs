//! Room for new events, and what is done when there is none.

use std::pin::pin;
use std::time::Duration;

use foundation_store::event::Load;
use foundation_store::journal::{Batch, Room};
use foundation_types::config::Overflow;
use foundation_types::{Error, ErrorKind, Result};
use tokio::time::timeout;

use super::Core;

impl Core {
    /// Lets the load in if there is room now.
    pub(super) fn try_let_in(&self, load: Load) -> bool {
        self.sweep();
        let settings = self.settings.current();
        let buffer = &settings.events.buffer;
        let is_within =
            |load: Load| load.events <= buffer.max_events && load.bytes <= buffer.max_bytes;
        self.intake.let_in(load, |on_the_way| {
            let all = on_the_way.and(load);
            if self.is_durable {
                // A load larger than the bounds goes alone, or it would never go.
                on_the_way.events == 0 || is_within(all)
            } else {
                buffer.overflow == Overflow::DropOldest || is_within(self.log.load().and(all))
            }
        })
    }

    /// Lets the load in, or does as the policy says.
    pub(super) async fn let_in(&self, load: Load) -> Result<()> {
        if self.try_let_in(load) {
            return Ok(());
        }
        let full = if self.is_durable {
            "as many events as may be are on their way to the journal"
        } else {
            "the buffer is full, and the journal in memory keeps nothing else"
        };
        self.refuse_when_full(full)?;
        // Boxed, as it is seldom: what every append is made of stays small.
        Box::pin(self.in_time(full, self.until_let_in(load))).await
    }

    /// Room for the batch in the journal, or what the policy says.
    pub(super) async fn room(&self, batch: &Batch) -> Result<Room> {
        if let Some(room) = self.journal.try_reserve(batch)? {
            return Ok(room);
        }
        let full = "as much as may be waits for the disk";
        self.refuse_when_full(full)?;
        Box::pin(self.in_time(full, self.journal.reserve(batch))).await?
    }

    async fn until_let_in(&self, load: Load) {
        loop {
            let mut freed = pin!(self.intake.freed());
            // Registered before the look: room that comes between the two is not missed.
            freed.as_mut().enable();
            if self.try_let_in(load) {
                return;
            }
            match self.left.first() {
                None => freed.await,
                Some(commit) => tokio::select! {
                    () = freed => {}
                    _ = commit.durable() => {}
                },
            }
        }
    }

    fn refuse_when_full(&self, full: &str) -> Result<()> {
        let overflow = self.settings.current().events.buffer.overflow;
        let (kind, name) = match overflow {
            Overflow::Reject => (ErrorKind::BufferFull, "reject"),
            Overflow::DropNewest => (ErrorKind::EventDropped, "drop_newest"),
            Overflow::Backpressure | Overflow::DropOldest => return Ok(()),
        };
        let message = format!("the event was not stored: {full}");
        Err(Error::new(kind, message).with("events.buffer.overflow", name))
    }

    async fn in_time<T>(&self, full: &str, waiting: impl Future<Output = T>) -> Result<T> {
        let millis = self.settings.current().interface.query_timeout_ms;
        timeout(Duration::from_millis(millis), waiting).await.map_err(|_| {
            let message = format!("the event was not stored within {millis} ms: {full}");
            Error::new(ErrorKind::Timeout, message)
        })
    }
}
