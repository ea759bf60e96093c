//! Laws of aggregations, each against a model that is written down plainly.

mod laws;
mod limits;
mod told;

use std::time::Duration;

use foundation_types::event::Aggregation;
use foundation_types::{Event, Position, Recorded, StreamName, Timestamp, Version};

use super::{Aggregated, Aggregator};

/// An event at this millisecond, at this position.
fn recorded(position: u64, millis: i64, event: Event) -> Recorded {
    let time = Timestamp::from_unix_micros(millis * 1_000);
    Recorded {
        position: Position::from_engine(position),
        stream: StreamName::from(StreamName::EVENTS),
        version: Version::new(position),
        recorded: time,
        event: event.at(time),
    }
}

fn told(asked: &Aggregation, events: &[Recorded]) -> Aggregator {
    let mut aggregator = Aggregator::new(asked.clone());
    for event in events {
        aggregator.add(event).expect("stays within the limits");
    }
    aggregator
}

fn answer(asked: &Aggregation, events: &[Recorded]) -> Aggregated {
    told(asked, events).answer().expect("is small")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
