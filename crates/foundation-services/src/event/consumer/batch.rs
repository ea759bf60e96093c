//! Many events in one hand, for those who pass them on: the exporters.

use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::{BatchLimits, Handed};
use foundation_types::{Error, Position, Recorded, Result};

use super::Consumer;
use super::live::Live;

/// Events that were handed out together, those of one stream in their order. Dropped without a
/// word they are given back, untried.
pub(crate) struct Batch {
    live: Arc<Live>,
    handed: Vec<Handed<Recorded>>,
}

/// What became of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is done.
    Taken,
    /// It is never going to be taken.
    Refused(String),
    /// It failed, and is tried again after this time.
    Failed(String, Duration),
    /// Nobody tried it.
    Untried,
}

/// Events that were let go of before they were handed out.
#[derive(Clone, Debug)]
pub(crate) struct Gap {
    pub(crate) error: Error,
    /// The gap begins after this position.
    pub(crate) after: Position,
    /// The last one of the gap.
    pub(crate) up_to: Position,
}

impl Consumer {
    /// The next events, once there is one; if they are less than may be, those are waited for as
    /// long as `linger`. Nothing if there is a gap to be told of. Dropping the future loses nothing.
    pub(crate) async fn next_batch(&self, limits: BatchLimits, linger: Duration) -> Result<Batch> {
        let live = &self.0.live;
        let begun = live.when(|inner| {
            let is_over = inner.is_stopped() || inner.gap.is_some();
            (is_over || inner.deliveries.has_next(live.now())).then_some(is_over)
        });
        if !begun.await && !linger.is_zero() {
            let filled = live.when(|inner| {
                let is_full = inner.deliveries.here() >= limits.events;
                (is_full || inner.is_stopped()).then_some(())
            });
            let _ = tokio::time::timeout(linger, filled).await;
        }
        let mut inner = live.inner();
        if let Some(over) = inner.over(&live.name) {
            return Err(over);
        }
        let handed = match inner.gap {
            Some(_) => Vec::new(),
            None => inner.deliveries.next_batch(live.now(), limits),
        };
        drop(inner);
        live.timed.notify_one();
        Ok(Batch { live: Arc::clone(live), handed }.read())
    }

    /// What was let go of, once.
    pub(crate) fn take_gap(&self) -> Option<Gap> {
        self.0.live.change(|inner| inner.gap.take())
    }

    /// Waits until everything up to this position is settled, and that is durable.
    pub(crate) async fn reached(&self, position: Position) {
        let reached = |inner: &mut super::live::Inner| {
            let deliveries = &inner.deliveries;
            let is_there = deliveries.position() >= position && deliveries.to_save().is_none();
            is_there.then_some(())
        };
        self.0.live.when(reached).await;
    }
}

impl Batch {
    /// The events, with the how manieth try of each this is.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Arc<Recorded>, u32)> {
        self.handed.iter().map(|one| (&one.event, one.attempt))
    }

    /// The events as readers see them, up to the first that cannot be read: that one is given back as
    /// any other, and what comes behind it waits for it.
    fn read(mut self) -> Self {
        let mut handed = std::mem::take(&mut self.handed).into_iter();
        for one in handed.by_ref() {
            let Some(event) = self.live.read(&one) else { break };
            self.handed.push(Handed { event, ..one });
        }
        // Dropped, they are put back.
        drop(Self { live: Arc::clone(&self.live), handed: handed.collect() });
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.handed.len()
    }

    /// Settles all of them at once; gives how many were taken.
    pub(crate) fn settle(mut self, mut outcome: impl FnMut(usize) -> Settled) -> u64 {
        let now = self.live.now();
        let handed = std::mem::take(&mut self.handed);
        self.live.change(|inner| {
            let mut taken = 0;
            for (place, one) in handed.iter().enumerate() {
                let deliveries = &mut inner.deliveries;
                match outcome(place) {
                    Settled::Taken => taken += u64::from(deliveries.ack(one.ticket)),
                    Settled::Refused(cause) => drop(deliveries.refuse(one.ticket, &cause)),
                    Settled::Failed(cause, pause) => {
                        deliveries.nack_after(one.ticket, &cause, pause, now);
                    }
                    Settled::Untried => drop(deliveries.put_back(one.ticket)),
                }
            }
            taken
        })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let handed = std::mem::take(&mut self.handed);
        if !handed.is_empty() {
            self.live.change(|inner| {
                for one in handed {
                    inner.deliveries.put_back(one.ticket);
                }
            });
        }
    }
}
