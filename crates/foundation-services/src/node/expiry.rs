//! Giving back the place of events whose time to live is over: paced, counted, told of.

use std::time::Duration;

use foundation_store::journal::Prune;
use foundation_types::{Event, Position, Result};
use serde::Serialize;

use super::Node;
use super::prune::{HeldBy, PruneReport};

/// Those who hold something and are named in one event, at most.
const NAMED_MAX: usize = 20;

/// What is told of a look that freed something.
#[derive(Serialize)]
struct Complete<'a> {
    expired: u64,
    records: u64,
    segments: u64,
    bytes: u64,
    up_to: Option<Position>,
    held_by: Vec<&'a HeldBy>,
}

impl Node {
    /// Lets go of the oldest files of the log in which nothing lives any more by `events.ttl`, as many
    /// at once as `events.expiry.max_files` says, and records that it did. Whoever still needs them
    /// holds them back.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::prune`].
    pub async fn free_expired(&self) -> Result<PruneReport> {
        let settings = self.events.expiry();
        if settings.ttl.is_empty() {
            return Ok(PruneReport::default());
        }
        self.prune(Prune::expired(settings)).await
    }

    /// Counts what was freed since its time was over, and records that it was.
    pub(super) async fn tell_of_expired(&self, report: &PruneReport) -> Result<()> {
        self.events.count_expired(report.expired);
        self.events.record_own(complete(report)?).await.map(drop)
    }
}

fn complete(report: &PruneReport) -> Result<Event> {
    let data = Complete {
        expired: report.expired,
        records: report.records,
        segments: report.segments,
        bytes: report.bytes,
        up_to: report.up_to,
        held_by: report.held_by.iter().take(NAMED_MAX).collect(),
    };
    Event::new("foundation.events.cleanup_complete").source("foundation").data(&data)
}

/// When something is done that is done each so often, the first time at once.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<Duration>);

impl Pace {
    /// Whether it is due now; if so, the next time is as long from now.
    pub(super) fn is_due(&mut self, now: Duration, every: Duration) -> bool {
        let is_due = self.0.is_none_or(|last| now.saturating_sub(last) >= every);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_at_once_and_then_each_so_often() {
        let (mut pace, every) = (Pace::default(), Duration::from_secs(60));
        let due = [5, 6, 64, 65, 66, 124, 200, 201]
            .map(|second| pace.is_due(Duration::from_secs(second), every));
        assert_eq!(due, [true, false, false, true, false, false, true, false]);
    }
}
