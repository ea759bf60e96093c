//! How an export passes events on.

use std::time::Duration;

use foundation_logic::event::BatchLimits;
use foundation_types::event::Poison;
use foundation_types::limits::{
    CONSUMER_AHEAD_BYTES_MAX, CONSUMER_IN_FLIGHT_MAX, EXPORT_RETRY_AFTER_MAX_S,
};
use foundation_types::{Error, ErrorKind, EventQuery, Result};

use crate::event::{ConsumerBuilder, EventStore, Holds, Start};

/// How an export passes events on. Any field may be set; the values are checked when it starts.
///
/// ```
/// use std::time::Duration;
/// use foundation_services::export::ExportRules;
/// use foundation_types::EventQuery;
/// let rules = ExportRules {
///     filter: EventQuery::all().kind("order.*"),
///     linger: Duration::from_millis(200),
///     ..ExportRules::default()
/// };
/// assert_eq!(rules.batch_events, 500);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExportRules {
    /// Only events that answer this; all by default, those of Foundation among them, but for what
    /// its own tables write.
    pub filter: EventQuery,
    /// Where it begins when it is started for the first time; with the oldest event by default.
    pub start: Start,
    /// Events in one batch; 500 by default.
    pub batch_events: usize,
    /// Bytes of one batch, unless a single event has more; 1 MiB by default.
    pub batch_bytes: usize,
    /// How long a batch waits to be filled; not at all by default.
    pub linger: Duration,
    /// Events that were passed on and are not durably known to be taken: so many come again after
    /// a crash at most. 1 to 1,000; 1,000 by default.
    pub in_flight_max: usize,
    /// How long the sink may take for one batch; 30 s by default.
    pub deadline: Duration,
    /// The time after the first try that fails, of which a random part is waited; it doubles with
    /// each further one. 200 ms by default.
    pub backoff: Duration,
    /// The longest such time; 60 s by default.
    pub backoff_max: Duration,
    /// Tries of one event, alone, before it is poison; 20 by default.
    pub attempts_max: u32,
    /// What becomes of poison; it is parked by default.
    pub on_poison: Poison,
    /// Events that may be parked before the export stands still; 1,000 by default.
    pub parked_max: usize,
    /// Whether retention waits for the export; it does by default.
    pub holds: Holds,
    /// How long there may be something to pass on without any of it being taken before the node is
    /// told to be ill; 60 s by default.
    pub stalled_after: Duration,
}

impl Default for ExportRules {
    fn default() -> Self {
        Self {
            filter: EventQuery::all(),
            start: Start::Beginning,
            batch_events: 500,
            batch_bytes: 1024 * 1024,
            linger: Duration::ZERO,
            in_flight_max: CONSUMER_IN_FLIGHT_MAX,
            deadline: Duration::from_secs(30),
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(60),
            attempts_max: 20,
            on_poison: Poison::Park,
            parked_max: 1_000,
            holds: Holds::Place,
            stalled_after: Duration::from_secs(60),
        }
    }
}

impl ExportRules {
    /// Whether the values are within their bounds; those of its consumer are checked by that.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let wrong = if self.batch_events == 0 || self.batch_events > self.in_flight_max {
            let limit = self.in_flight_max;
            format!("batch_events is 1 to in_flight_max, {limit}, not {}", self.batch_events)
        } else if !(1..=CONSUMER_AHEAD_BYTES_MAX).contains(&self.batch_bytes) {
            format!("batch_bytes is 1 to {CONSUMER_AHEAD_BYTES_MAX}, not {}", self.batch_bytes)
        } else if self.deadline.is_zero() || self.deadline > LONGEST {
            format!("deadline is more than nothing and at most {} s", LONGEST.as_secs())
        } else if self.linger > LONGEST || self.backoff_max > LONGEST {
            format!("linger and backoff_max are at most {} s", LONGEST.as_secs())
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidArgument, format!("export {name:?}: {wrong}")))
    }

    pub(super) fn limits(&self, events: usize) -> BatchLimits {
        BatchLimits { events: events.min(self.batch_events), bytes: self.batch_bytes }
    }

    /// The consumer of an export with these rules. Its deadline is past that of the sink, so that
    /// it never takes back what a sink still may take.
    pub(super) fn consumer(&self, name: &str, events: &EventStore) -> ConsumerBuilder {
        let builder =
            events.consumer(name).of_export().filter(self.filter.clone()).from(self.start);
        let builder = builder.in_flight_max(self.in_flight_max).holds(self.holds);
        let builder = builder.ack_deadline(self.deadline * 2 + Duration::from_secs(60));
        let builder = builder.attempts_max(self.attempts_max).on_poison(self.on_poison);
        builder.backoff(self.backoff, self.backoff_max).parked_max(self.parked_max)
    }
}

/// The longest time that an export may be told to wait for something.
pub(super) const LONGEST: Duration = Duration::from_secs(EXPORT_RETRY_AFTER_MAX_S);
