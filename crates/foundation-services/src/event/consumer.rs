//! Durable consumers: events handed out to members who say what became of each.
//!
//! A consumer is a place in the log with a name. What may be handed out next is computed by
//! [`Deliveries`]; here is what waits: for events, for answers, for the disk.
//!
//! Invariants: the place moves only over what was acked or is durably parked; nobody who appends
//! knows of a consumer; one that is behind holds its place in the log and a bounded piece of it.

mod batch;
mod delivery;
mod driver;
mod live;
mod names;
mod parked;
mod registry;
mod run;
mod status;

pub(crate) use batch::{Batch, Gap, Settled};
pub use delivery::Delivery;
pub use parked::ParkedFilter;
pub use registry::{ConsumerAction, ConsumerStates, ConsumerTables};
pub use status::ConsumerStatus;

pub(super) use registry::Registry;

use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::{Deliveries, DeliveryRules};
use foundation_store::journal::Holder;
use foundation_types::event::{ConsumerPlace, Poison};
use foundation_types::limits::{CONSUMER_IN_FLIGHT_MAX, PARKED_EVENTS_MAX};
use foundation_types::{Error, ErrorKind, EventQuery, Position, Result};
use foundation_validate::event::consumer_name;

use super::{Core, EventStore, Start};
use live::Live;
use names::User;

/// What a consumer is opened with.
#[derive(Clone)]
#[must_use = "nothing is consumed before it is opened"]
pub struct ConsumerBuilder {
    core: Arc<Core>,
    name: String,
    filter: EventQuery,
    start: Start,
    rules: DeliveryRules,
    parked_max: usize,
    holds: Holds,
    user: User,
}

/// Whether retention waits for a consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// It lets go of nothing that the consumer has not settled.
    #[default]
    Place,
    /// It does not wait: what the consumer comes too late for is missed, and told.
    Nothing,
}

/// A consumer at work. Clones are members of it: each event goes to one of them.
///
/// When the last one is dropped it ends, and what was acked is kept. A delivery that is still out
/// then is given back.
#[derive(Clone, Debug)]
pub struct Consumer(Arc<Handle>);

/// Ends the consumer with its last member.
#[derive(Debug)]
struct Handle {
    live: Arc<Live>,
}

impl EventStore {
    /// The durable consumer with this name, 1 to 64 bytes of `[A-Za-z0-9_-]`: where it is, is kept.
    ///
    /// Each event is handed out at least once, those of one stream in their order and one at a
    /// time, streams side by side. After a crash no more events that were acked come again than may
    /// be in flight. Changes of Foundation's own tables are never handed out.
    pub fn consumer(&self, name: impl Into<String>) -> ConsumerBuilder {
        ConsumerBuilder {
            core: Arc::clone(&self.0),
            name: name.into(),
            filter: EventQuery::all(),
            start: Start::Beginning,
            rules: DeliveryRules {
                in_flight_max: 16,
                ack_deadline: Duration::from_secs(30),
                attempts_max: 5,
                backoff: Duration::from_millis(200),
                backoff_max: Duration::from_secs(60),
                poison: Poison::Park,
            },
            parked_max: 1_000,
            holds: Holds::Place,
            user: User::Application,
        }
    }
}

impl ConsumerBuilder {
    /// Only events that answer this; all of them by default.
    pub fn filter(mut self, filter: EventQuery) -> Self {
        self.filter = filter;
        self
    }

    /// Where it begins when it is opened for the first time; with the oldest event by default.
    pub fn from(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Events in hand at once, 1 to 1,000; 16 by default.
    pub fn in_flight_max(mut self, events: usize) -> Self {
        self.rules.in_flight_max = events;
        self
    }

    /// How long a member may have an event before it is taken back; 30 s by default.
    pub fn ack_deadline(mut self, deadline: Duration) -> Self {
        self.rules.ack_deadline = deadline;
        self
    }

    /// Tries of one event before it is poison; 5 by default.
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.rules.attempts_max = attempts;
        self
    }

    /// The time between the first try and the second, which doubles with each further one, and the
    /// longest one; 200 ms and 60 s by default.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.rules.backoff, self.rules.backoff_max) = (first, longest);
        self
    }

    /// What becomes of poison; it is parked by default.
    pub fn on_poison(mut self, poison: Poison) -> Self {
        self.rules.poison = poison;
        self
    }

    /// Events that may be parked before the consumer stands still, at most 10,000; 1,000 by
    /// default.
    pub fn parked_max(mut self, events: usize) -> Self {
        self.parked_max = events;
        self
    }

    /// Whether retention waits for it; it does by default.
    pub fn holds(mut self, holds: Holds) -> Self {
        self.holds = holds;
        self
    }

    /// It is that of an export, which has the name for itself.
    pub(crate) fn of_export(mut self) -> Self {
        self.user = User::Export;
        self
    }

    /// Opens it where it was, or at its start.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that it may not have; `InvalidArgument` for a setting
    /// beyond its bounds, a filter with an order, a limit or a cursor, the name of an export, and a
    /// consumer that is open in this process: clone it instead. `TooLarge` beyond 1,000 consumers. What the journal
    /// answers if the consumer is new: `ReadOnly`, `Fenced`, `DiskFull`, `Unavailable`.
    pub async fn open(self) -> Result<Consumer> {
        self.check()?;
        let core = Arc::clone(&self.core);
        let _one_by_one = core.consumers.opening.lock().await;
        core.consumers.admit(&self.name, self.user)?;
        if let Some(live) = core.consumers.live(&self.name).filter(|live| live.is_stopped()) {
            live.ended().await;
        }
        if core.consumers.live(&self.name).is_some() {
            let message = format!("consumer {:?} is open in this process: clone it", self.name);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let store = EventStore(Arc::clone(&core));
        let first = self.first_position();
        let place = core.consumers.place_or_new(&self.name, first).await?;
        let subscription = store.subscribe(Start::After(place.position), self.filter.clone())?;
        // What it has not acked is kept for it, and so it is told of it.
        let subscription = subscription.unread().with_expired();
        let live = Arc::new(self.live(place)?);
        core.consumers.enter(&live);
        tokio::spawn(driver::drive(Arc::clone(&live), subscription));
        Ok(Consumer(Arc::new(Handle { live })))
    }

    fn check(&self) -> Result<()> {
        consumer_name(&self.name)?;
        let rules = &self.rules;
        let wrong = if !(1..=CONSUMER_IN_FLIGHT_MAX).contains(&rules.in_flight_max) {
            format!("in_flight_max is 1 to {CONSUMER_IN_FLIGHT_MAX}, not {}", rules.in_flight_max)
        } else if rules.attempts_max == 0 {
            "attempts_max is at least 1".to_owned()
        } else if rules.ack_deadline.is_zero() {
            "ack_deadline is longer than nothing".to_owned()
        } else if self.parked_max > PARKED_EVENTS_MAX {
            format!("parked_max is at most {PARKED_EVENTS_MAX}, not {}", self.parked_max)
        } else {
            return Ok(());
        };
        let message = format!("consumer {:?}: {wrong}", self.name);
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    fn first_position(&self) -> Position {
        match self.start {
            Start::Now => self.core.log.published(),
            Start::After(position) => position,
            Start::Beginning => self.core.kept_after(),
        }
    }

    fn live(self, place: ConsumerPlace) -> Result<Live> {
        let parked = self.core.consumers.parked_of(&self.name)?;
        let first = match self.holds {
            Holds::Place => place.position,
            Holds::Nothing => Position::END,
        };
        let hold = self.core.journal.hold(first, Holder::Consumer(self.name.clone()));
        let retrying = parked.iter().filter(|one| one.retrying).map(|one| one.position).collect();
        let parked = parked.iter().map(|one| one.position);
        let deliveries = Deliveries::new(self.rules, place, parked);
        Ok(Live::new(
            self.core,
            self.name,
            self.parked_max,
            deliveries,
            retrying,
            (self.holds, hold),
        ))
    }
}

impl Consumer {
    /// The next event for whoever asks; waits for one if need be. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// `Compacted`, to one member once, if events were let go of before the consumer came to them:
    /// the call after it goes on. `NotFound` once the consumer was deleted, `Unavailable` once it has
    /// ended otherwise.
    pub async fn next(&self) -> Result<Delivery> {
        self.0.live.next().await
    }

    /// Waits until whatever was answered so far is durable.
    ///
    /// # Errors
    /// Why its place cannot be kept now; `NotFound` if the consumer was deleted, `Unavailable` if it ends
    /// before that.
    pub async fn flush(&self) -> Result<()> {
        self.0.live.flush().await
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> ConsumerStatus {
        self.0.live.status()
    }

    /// Ends it for all members; what was acked is kept before it comes back.
    pub async fn stop(&self) {
        self.0.live.stop();
        self.0.live.ended().await;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.live.stop();
    }
}

impl std::fmt::Debug for ConsumerBuilder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ConsumerBuilder")
            .field("name", &self.name)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
