//! The event store as a service: appended once, found by what they are about.
//!
//! Its state is the [`EventLog`], which follows the journal. What lives here is what waits: for
//! room, for durability, for the next event.
//!
//! Invariants: every event offered is settled exactly once, also when its caller goes away; the
//! id of an event is at each moment among the claims or in the published index, so that it is
//! never stored twice; no reader or subscriber ever holds up a writer.

mod admission;
mod aggregate;
mod aging;
mod append;
mod claims;
mod condition;
mod consumer;
mod each;
mod flight;
mod follow;
mod group;
mod history;
mod lifetime;
mod meters;
mod personal;
mod pipeline;
mod query;
mod reader;
mod receipt;
mod repeats;
mod single;
mod stage_meters;
mod stages;
mod stats;
mod subscription;
#[cfg(test)]
mod tests;
mod writing;

pub use append::{Append, AppendBatch, AppendEach};
pub(crate) use consumer::{Batch, Gap, Settled};
pub use consumer::{
    Consumer, ConsumerAction, ConsumerBuilder, ConsumerStates, ConsumerStatus, ConsumerTables,
    Delivery, Holds, ParkedFilter,
};
pub use follow::Followed;
pub use history::{HistoryFailure, HistoryPage, HistoryReport, HistoryRow};
pub use personal::{
    Cut, Forgetting, Forgotten, PersonalRule, SubjectIn, Touched, Vault, VaultParts,
};
pub use pipeline::{IntakeContext, Pipeline};
pub(crate) use query::Expired;
pub use query::{EventPage, ExplainedQuery, Pages};
pub use reader::{EventTypes, Reader};
pub use receipt::Receipt;
pub use single::AppendFuture;
pub use stats::{EventStoreStats, StageCounts};
pub use subscription::{Start, Subscription};

pub(crate) use subscription::Looked;

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_store::clock::Clock;
use foundation_store::config::ConfigState;
use foundation_store::event::{Accesses, EventLog, Intake};
use foundation_store::journal::{Hold, Holder, Journal};
use foundation_store::random::Rng;
use foundation_types::{Durability, Event, Position, Settings, StoreId, StreamName};
use foundation_validate::Origin;

use crate::telemetry::TelemetryService;
use aging::Aging;
use claims::Claims;
use consumer::Registry;
use flight::Left;
use meters::Meters;
use stages::Stages;

/// Appends events, finds them and tells of them. Clones are cheap and are the same store.
///
/// ```
/// # use std::sync::Arc;
/// # use foundation_services::event::{EventStore, EventStoreParts};
/// # use foundation_services::TelemetryService;
/// # use foundation_store::{clock::SystemClock, config::ConfigState, event::EventLog};
/// # use foundation_store::{journal::MemoryJournal, random::SystemRng};
/// # use foundation_types::config::BufferSettings;
/// # use foundation_types::{Event, EventQuery, ExpectedVersion, StoreId};
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// # let clock = Arc::new(SystemClock::default());
/// # let log = Arc::new(EventLog::new(BufferSettings::default()));
/// # let (store, bytes) = (StoreId::from_bits(1), MemoryJournal::BYTES_MAX);
/// # let journal = Arc::new(MemoryJournal::new(store, bytes, clock.clone(), log.clone()));
/// # let events = EventStore::new(EventStoreParts {
/// #     journal, log, durability: Default::default(), settings: Arc::new(ConfigState::new()?),
/// #     telemetry: TelemetryService::new(2_000, clock.clone()), clock,
/// #     rng: Arc::new(SystemRng::default()), consumers: None, reader: Default::default(),
/// #     pipeline: Default::default(),
/// # });
/// let receipt = events.append(Event::new("order.placed").correlation("req-7")).await?;
/// let paid = Event::new("order.paid").correlation("req-7").parent(&receipt.id);
/// events.append(paid).stream("order-7").expecting(ExpectedVersion::Absent).await?;
/// let page = events.query(EventQuery::all().correlation("req-7")).await?;
/// assert_eq!(page.events.len(), 2);
/// assert_eq!(events.trace("req-7").await?.roots.len(), 1);
/// # Ok::<(), foundation_types::Error>(())
/// # }).map_err(|error| error.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EventStore(Arc<Core>);

/// What an event store is made of.
pub struct EventStoreParts {
    /// Where events are recorded.
    pub journal: Arc<dyn Journal>,
    /// What is found in it; it follows that journal.
    pub log: Arc<EventLog>,
    /// When appends are acked.
    pub durability: EventDurability,
    /// Foundation's settings, read anew at each call.
    pub settings: Arc<ConfigState<Settings>>,
    /// Where counts and latencies go.
    pub telemetry: TelemetryService,
    /// The clock that ids and deadlines are taken from.
    pub clock: Arc<dyn Clock>,
    /// The randomness that ids are drawn with.
    pub rng: Arc<dyn Rng>,
    /// What the application adds to the way of an event.
    pub pipeline: Pipeline,
    /// What is kept of consumers; without it there are none.
    pub consumers: Option<ConsumerTables>,
    /// What makes of stored events the ones that readers see.
    pub reader: Reader,
}

/// When appends are acked that do not say it themselves.
#[derive(Clone, Debug, Default)]
pub struct EventDurability {
    /// In streams without a level of their own.
    pub default: Durability,
    /// In these streams.
    pub streams: BTreeMap<StreamName, Durability>,
}

impl EventDurability {
    /// The level of a stream.
    #[must_use]
    pub fn of(&self, stream: &StreamName) -> Durability {
        self.streams.get(stream).copied().unwrap_or(self.default)
    }
}

/// What all clones of a store share.
struct Core {
    journal: Arc<dyn Journal>,
    log: Arc<EventLog>,
    durability: EventDurability,
    settings: Arc<ConfigState<Settings>>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    streams: Streams,
    /// Whether the journal outlives the process: an engine does not change in that.
    is_durable: bool,
    intake: Intake,
    claims: Claims,
    left: Left,
    meters: Meters,
    stages: Stages,
    aging: Aging,
    accesses: Accesses,
    consumers: Registry,
    reader: Reader,
}

/// The streams of events that name none.
struct Streams {
    events: StreamName,
    foundation: StreamName,
}

impl EventStore {
    /// A store over this journal and this log.
    #[must_use]
    pub fn new(parts: EventStoreParts) -> Self {
        let EventStoreParts {
            journal,
            log,
            durability,
            settings,
            telemetry,
            clock,
            rng,
            pipeline,
            consumers,
            reader,
        } = parts;
        let consumers = Registry::new(consumers, &*journal);
        let is_durable = journal.extent().durable;
        let store = Self(Arc::new(Core {
            journal,
            log,
            durability,
            settings,
            clock,
            rng,
            streams: Streams {
                events: StreamName::EVENTS.into(),
                foundation: StreamName::FOUNDATION.into(),
            },
            is_durable,
            intake: Intake::default(),
            claims: Claims::default(),
            left: Left::default(),
            meters: Meters::new(&telemetry),
            stages: Stages::new(pipeline, &telemetry),
            aging: Aging::default(),
            accesses: Accesses::default(),
            consumers,
            reader,
        }));
        store.apply_settings(&store.0.settings.current());
        store
    }

    /// Appends one event: `events.append(event).await`.
    ///
    /// The id is the idempotency key. The same id with the same body (type, time as given, source,
    /// subject, correlation, parent and data) is stored once, in whatever stream: the answer
    /// is the first one's [`Receipt`], marked as repeated, before any expected version is looked
    /// at. An event without an id gets one.
    ///
    /// An id is known as long as the log keeps its event. What retention let go of is forgotten, and
    /// the same id is then stored as a new event.
    ///
    /// When the call is dropped while it waits, the event may or may not be recorded; it is
    /// counted as what became of it.
    ///
    /// What happens when the buffer is full is said at
    /// [`Overflow`](foundation_types::config::Overflow).
    ///
    /// # Errors
    /// Of awaiting it: `Invalid`, `ReservedType` or `TooLarge` for an event that may not enter;
    /// `IdReused` with the position of the event that has the id and another body; `Compacted` if
    /// that event is no longer kept, so that nobody can tell; `VersionConflict` if the stream is
    /// not at the expected version; `BufferFull`, `EventDropped` or `Timeout` as the policy
    /// says; `Fenced`, `Unavailable` or `DiskFull` from the journal; `Indeterminate` if the disk
    /// failed while it was written.
    pub fn append(&self, event: Event) -> Append<'_> {
        Append::new(&self.0, event, Origin::Application)
    }

    /// Appends an event of Foundation's own, of a reserved type or not, to the stream
    /// `foundation`.
    ///
    /// # Errors
    /// As for [`EventStore::append`].
    pub fn record_own(&self, event: Event) -> Append<'_> {
        Append::new(&self.0, event, Origin::Foundation)
    }

    /// Appends events to one stream, all or none, with a [`Receipt`] for each in their order.
    ///
    /// Those that are stored already are repeats and are left out of what is written; an event
    /// that comes twice within the batch is a repeat of its first.
    ///
    /// # Errors
    /// As for [`EventStore::append`], of any of them; problems have paths such as `[3].type`.
    /// `Invalid` for an empty batch, `TooLarge` beyond 10,000 events or 16 MiB.
    pub fn append_batch(&self, events: Vec<Event>) -> AppendBatch<'_> {
        AppendBatch::new(&self.0, events)
    }

    /// Appends events in their order, each by itself: one that is refused stops no other. They
    /// share syncs, so that many take hardly longer than one.
    ///
    /// The answer has one outcome for each event, in their order; each error is as for
    /// [`EventStore::append`]. When the call is dropped, what it had not come to is not offered.
    pub fn append_each(&self, events: Vec<Event>) -> AppendEach<'_> {
        AppendEach::new(&self.0, events)
    }

    /// Keeps the log from letting go of what comes after a position.
    pub(crate) fn hold(&self, position: Position, holder: Holder) -> Hold {
        self.0.journal.hold(position, holder)
    }

    /// The clock that ids and deadlines are taken from.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The randomness that ids are drawn with.
    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.0.rng
    }

    /// Identity of the store that the events are in.
    pub(crate) fn store_id(&self) -> StoreId {
        self.0.journal.store_id()
    }

    /// Tells of each move of the last position that readers see.
    pub(crate) fn watch(&self) -> tokio::sync::watch::Receiver<Position> {
        self.0.log.watch()
    }

    /// What makes of stored events the ones that readers see.
    pub(crate) fn reader(&self) -> &Reader {
        &self.0.reader
    }

    /// The last position that readers see.
    pub(crate) fn published(&self) -> Position {
        self.0.log.published()
    }

    /// Makes the bounds of the buffer hold: to be called after each change of the settings. All
    /// other settings are read at each call.
    pub fn apply_settings(&self, settings: &Settings) {
        self.0.log.set_bounds(&settings.events.buffer);
        self.0.journal.let_go_of_unused();
        self.0.intake.look_again();
    }
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("EventStore").field("intake", &self.0.intake.counts()).finish()
    }
}
