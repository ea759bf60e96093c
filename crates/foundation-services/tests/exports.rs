//! Exports against sinks that do anything, and power cuts at any moment.

mod crashes;
mod faulty;
mod laws;

use std::sync::Arc;

use foundation_services::event::{ConsumerStates, EventDurability, EventStore, EventStoreParts};
use foundation_services::telemetry::TelemetryService;
use foundation_store::clock::SystemClock;
use foundation_store::config::ConfigState;
use foundation_store::event::EventLog;
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, MemoryJournal, Mode};
use foundation_store::random::SystemRng;
use foundation_store::table::Tables;
use foundation_store::together::Together;
use foundation_types::config::BufferSettings;
use foundation_types::{Event, Position, Result, StoreId};

use crate::simulated::SimulatedDisk;

/// An event store with exports on this disk, or in memory.
fn open(disk: Option<&SimulatedDisk>) -> Result<EventStore> {
    let clock = Arc::new(SystemClock::default());
    let log = Arc::new(EventLog::new(BufferSettings::default()));
    let mut tables = Tables::default();
    let states = ConsumerStates::link(&mut tables)?;
    let followers = Arc::new(Together::new(vec![log.clone(), Arc::new(tables)]));
    let journal: Arc<dyn Journal> = match disk {
        Some(disk) => {
            let options = EmbeddedOptions {
                mode: Mode::Write,
                segment_bytes: 4_096,
                background: false,
                reserve_bytes: 0,
            };
            let (files, rng) = (Arc::new(disk.clone()), SystemRng::default());
            Arc::new(Embedded::open(files, options, clock.clone(), &rng, followers)?.0)
        }
        None => {
            let (store, bytes) = (StoreId::from_bits(1), MemoryJournal::BYTES_MAX);
            Arc::new(MemoryJournal::new(store, bytes, clock.clone(), followers))
        }
    };
    Ok(EventStore::new(EventStoreParts {
        consumers: Some(states.open(&journal)?),
        journal,
        log,
        durability: EventDurability::default(),
        settings: Arc::new(ConfigState::new()?),
        telemetry: TelemetryService::new(10, clock.clone()),
        clock,
        rng: Arc::new(SystemRng::default()),
        reader: Default::default(),
        pipeline: Default::default(),
    }))
}

/// Appends these numbers as ticks over this many streams; gives the last position.
async fn append(
    events: &EventStore,
    numbers: std::ops::Range<u64>,
    streams: u64,
) -> Result<Position> {
    let mut last = Position::START;
    for number in numbers {
        let event = Event::new("tick").id(format!("e{number}").as_str()).data(&number)?;
        let stream = format!("s{}", number % streams);
        last = events.append(event).stream(stream.as_str()).await?.position;
    }
    Ok(last)
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
