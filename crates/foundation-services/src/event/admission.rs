//! Room for new events, and what is done when there is none.

use std::pin::pin;
use std::time::Duration;

use foundation_store::event::{IntakeRow, Load};
use foundation_store::journal::{Batch, Room};
use foundation_types::config::{Overflow, StreamSettings};
use foundation_types::event::pattern_admits;
use foundation_types::{Error, ErrorKind, Result, Settings, StreamName};
use tokio::time::timeout;

use super::Core;

/// What the settings say of a stream that there is no room for.
struct Policy {
    overflow: Overflow,
    timeout_ms: u64,
    /// The setting that says so.
    setting: String,
}

impl Core {
    /// Lets the load in if there is room now.
    pub(super) fn try_let_in(&self, row: IntakeRow, load: Load, stream: &StreamName) -> bool {
        self.sweep();
        let settings = self.settings.current();
        let buffer = &settings.events.buffer;
        let own = of_stream(&settings, stream).map(|(_, own)| own);
        let overflow = own.map_or(buffer.overflow, |own| own.overflow);
        let is_within =
            |load: Load| load.events <= buffer.max_events && load.bytes <= buffer.max_bytes;
        self.intake.let_in(row, load, |on_the_way, of_stream| {
            // A load larger than the bounds goes alone, or it would never go.
            if of_stream.events > 0 && own.is_some_and(|own| !admits(own, of_stream.and(load))) {
                return false;
            }
            let all = on_the_way.and(load);
            if self.is_durable {
                on_the_way.events == 0 || is_within(all)
            } else {
                overflow == Overflow::DropOldest || is_within(self.log.load().and(all))
            }
        })
    }

    /// Lets the load in, or does as the policy says.
    pub(super) async fn let_in(
        &self,
        row: IntakeRow,
        load: Load,
        stream: &StreamName,
    ) -> Result<()> {
        if self.try_let_in(row, load, stream) {
            return Ok(());
        }
        let full = if self.is_durable {
            "as many events as may be are on their way to the journal"
        } else {
            "the buffer is full, and the journal in memory keeps nothing else"
        };
        let policy = self.policy(stream);
        policy.refuse_when_full(full)?;
        // Boxed, as it is seldom: what every append is made of stays small.
        Box::pin(policy.in_time(full, self.until_let_in(row, load, stream))).await
    }

    /// Room for the batch in the journal, or what the policy says.
    pub(super) async fn room(&self, batch: &Batch, stream: &StreamName) -> Result<Room> {
        if let Some(room) = self.journal.try_reserve(batch)? {
            return Ok(room);
        }
        let full = "as much as may be waits for the disk";
        let policy = self.policy(stream);
        policy.refuse_when_full(full)?;
        Box::pin(policy.in_time(full, self.journal.reserve(batch))).await?
    }

    async fn until_let_in(&self, row: IntakeRow, load: Load, stream: &StreamName) {
        loop {
            let mut freed = pin!(self.intake.freed());
            // Registered before the look: room that comes between the two is not missed.
            freed.as_mut().enable();
            if self.try_let_in(row, load, stream) {
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

    fn policy(&self, stream: &StreamName) -> Policy {
        let settings = self.settings.current();
        let usual_ms = settings.interface.query_timeout_ms;
        match of_stream(&settings, stream) {
            None => Policy {
                overflow: settings.events.buffer.overflow,
                timeout_ms: usual_ms,
                setting: "events.buffer.overflow".to_owned(),
            },
            Some((name, own)) => Policy {
                overflow: own.overflow,
                timeout_ms: if own.timeout_ms == 0 { usual_ms } else { own.timeout_ms },
                setting: format!("events.streams.{name}.overflow"),
            },
        }
    }
}

/// What the settings say of this stream by itself, and under which name.
fn of_stream<'a>(
    settings: &'a Settings,
    stream: &StreamName,
) -> Option<(&'a str, &'a StreamSettings)> {
    let mut all = settings.events.streams.iter();
    let found = all.find(|(_, own)| pattern_admits(&own.stream, stream.as_str()));
    found.map(|(name, own)| (name.as_str(), own))
}

/// Whether as much may be on its way to a stream.
fn admits(own: &StreamSettings, load: Load) -> bool {
    let within = |value: u64, max: u64| max == 0 || value <= max;
    within(load.events, own.max_events) && within(load.bytes, own.max_bytes)
}

impl Policy {
    fn refuse_when_full(&self, full: &str) -> Result<()> {
        let (kind, name) = match self.overflow {
            Overflow::Reject => (ErrorKind::BufferFull, "reject"),
            Overflow::DropNewest => (ErrorKind::EventDropped, "drop_newest"),
            Overflow::Backpressure | Overflow::DropOldest => return Ok(()),
        };
        let message = format!("the event was not stored: {full}");
        Err(Error::new(kind, message).with(&self.setting, name))
    }

    async fn in_time<T>(&self, full: &str, waiting: impl Future<Output = T>) -> Result<T> {
        let millis = self.timeout_ms;
        timeout(Duration::from_millis(millis), waiting).await.map_err(|_| {
            let message = format!("the event was not stored within {millis} ms: {full}");
            Error::new(ErrorKind::Timeout, message)
        })
    }
}
