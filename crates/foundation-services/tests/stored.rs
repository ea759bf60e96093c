//! Stores on a simulated disk, put together as an application's are; each test says what else it needs.

use std::sync::Arc;

use foundation_services::event::{ConsumerStates, EventDurability, EventStore, EventStoreParts};
use foundation_services::telemetry::TelemetryService;
use foundation_store::clock::{Clock, SystemClock};
use foundation_store::config::ConfigState;
use foundation_store::event::EventLog;
use foundation_store::journal::{
    Embedded, EmbeddedOptions, Follower, Journal, MemoryJournal, Mode,
};
use foundation_store::random::SystemRng;
use foundation_store::table::Tables;
use foundation_store::together::Together;
use foundation_types::config::BufferSettings;
use foundation_types::{Result, StoreId};

use crate::simulated::SimulatedDisk;

/// Bytes of a file of the log that has a few events.
pub(crate) const SMALL: u64 = 4_096;

/// The journal on this disk, whose calls to it come in an order that can be repeated.
pub(crate) fn journal(
    disk: &SimulatedDisk,
    segment_bytes: u64,
    follower: Arc<dyn Follower>,
) -> Result<Arc<Embedded>> {
    journal_at(disk, segment_bytes, follower, Arc::new(SystemClock::default()))
}

/// As [`journal`], by this clock.
pub(crate) fn journal_at(
    disk: &SimulatedDisk,
    segment_bytes: u64,
    follower: Arc<dyn Follower>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Embedded>> {
    let mode = Mode::Write;
    let options = EmbeddedOptions { mode, segment_bytes, background: false, reserve_bytes: 0 };
    let files = Arc::new(disk.clone());
    Ok(Arc::new(Embedded::open(files, options, clock, &SystemRng::default(), follower)?.0))
}

/// What follows a journal with events, still empty.
pub(crate) fn log() -> Arc<EventLog> {
    Arc::new(EventLog::new(BufferSettings::default()))
}

/// Events in this journal, without consumers.
pub(crate) fn parts(journal: Arc<dyn Journal>, log: Arc<EventLog>) -> Result<EventStoreParts> {
    let clock = Arc::new(SystemClock::default());
    Ok(EventStoreParts {
        consumers: None,
        journal,
        log,
        durability: EventDurability::default(),
        settings: Arc::new(ConfigState::new()?),
        telemetry: TelemetryService::new(10, clock.clone()),
        clock,
        rng: Arc::new(SystemRng::default()),
        reader: Default::default(),
        pipeline: Default::default(),
    })
}

/// Events with consumers, on this disk.
pub(crate) fn with_consumers(disk: &SimulatedDisk) -> Result<(EventStore, Arc<dyn Journal>)> {
    consuming(|followers| journal(disk, SMALL, followers))
}

/// As [`with_consumers`], in memory.
pub(crate) fn with_consumers_in_memory() -> Result<EventStore> {
    let (store, bytes) = (StoreId::from_bits(1), MemoryJournal::BYTES_MAX);
    let clock = Arc::new(SystemClock::default());
    let open = |followers| Arc::new(MemoryJournal::new(store, bytes, clock, followers));
    Ok(consuming(|followers| Ok(open(followers)))?.0)
}

fn consuming<J: Journal + 'static>(
    open: impl FnOnce(Arc<Together>) -> Result<Arc<J>>,
) -> Result<(EventStore, Arc<dyn Journal>)> {
    let (log, mut tables) = (log(), Tables::default());
    let states = ConsumerStates::link(&mut tables)?;
    let followers = Arc::new(Together::new(vec![log.clone(), Arc::new(tables)]));
    let journal: Arc<dyn Journal> = open(followers)?;
    let consumers = Some(states.open(&journal)?);
    let events = EventStore::new(EventStoreParts { consumers, ..parts(journal.clone(), log)? });
    Ok((events, journal))
}
