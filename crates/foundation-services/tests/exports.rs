//! Exports against sinks that do anything, and power cuts at any moment.

mod crashes;
mod faulty;
mod laws;

use foundation_services::event::EventStore;
use foundation_types::{Event, Position, Result};

use crate::simulated::SimulatedDisk;
use crate::stored;

/// An event store with exports on this disk, or in memory.
fn open(disk: Option<&SimulatedDisk>) -> Result<EventStore> {
    match disk {
        Some(disk) => Ok(stored::with_consumers(disk)?.0),
        None => stored::with_consumers_in_memory(),
    }
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
