//! How consumers are, for people and for whoever watches the node.

use foundation_types::Position;
use foundation_types::error::ErrorReport;
use foundation_types::event::{ConsumerPlace, Halt};
use serde::{Deserialize, Serialize};

use super::live::Live;
use crate::event::EventStore;

/// How a consumer is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsumerStatus {
    /// Its name.
    pub name: String,
    /// Whether it is at work in the process that says so.
    pub running: bool,
    /// Everything up to here is settled.
    pub position: Position,
    /// Records of the log after that, of its events and of others.
    pub behind: u64,
    /// How long ago the first event was recorded that is not settled; absent if there is none, or
    /// if the consumer is not at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_ms: Option<u64>,
    /// Events in hand, or whose ack is not durable yet.
    pub in_flight: u64,
    /// Events that failed and are to be tried again.
    pub waiting: u64,
    /// Events that are parked.
    pub parked: u64,
    /// Why it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// Whether retention may go past its position.
    #[serde(default)]
    pub released: bool,
    /// Why its place cannot be kept, or the log not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ErrorReport>,
}

impl EventStore {
    /// Every durable consumer, at work or not, in the order of names; none if the store keeps none.
    #[must_use]
    pub fn consumers(&self) -> Vec<ConsumerStatus> {
        let Ok(tables) = self.0.consumers.tables() else { return Vec::new() };
        let all = tables.consumers.snapshot();
        let status = |(name, place): (&String, &std::sync::Arc<ConsumerPlace>)| match self
            .0
            .consumers
            .live(name)
        {
            Some(live) => ConsumerStatus { released: place.released, ..live.status() },
            None => self.idle(name, place),
        };
        all.iter().map(status).collect()
    }

    fn idle(&self, name: &str, place: &ConsumerPlace) -> ConsumerStatus {
        ConsumerStatus {
            name: name.to_owned(),
            running: false,
            position: place.position,
            behind: behind(place.position, self.0.log.published()),
            behind_ms: None,
            in_flight: 0,
            waiting: place.failed.len() as u64,
            parked: self.0.consumers.parked_count(name).unwrap_or(0) as u64,
            halted: place.halted.clone(),
            released: place.released,
            failure: None,
        }
    }
}

impl Live {
    pub(super) fn status(&self) -> ConsumerStatus {
        let parked = self.core.consumers.parked_count(&self.name).unwrap_or(0) as u64;
        let (published, now) = (self.core.log.published(), self.core.clock.wall());
        let inner = self.inner();
        let deliveries = &inner.deliveries;
        let age = deliveries.oldest().map(|event| {
            let micros = now.as_unix_micros().saturating_sub(event.recorded.as_unix_micros());
            u64::try_from(micros / 1_000).unwrap_or(0)
        });
        ConsumerStatus {
            name: self.name.clone(),
            running: !inner.is_ended,
            position: deliveries.position(),
            behind: behind(deliveries.position(), published),
            behind_ms: age,
            in_flight: deliveries.in_flight() as u64,
            waiting: deliveries.waiting() as u64,
            parked,
            halted: deliveries.halted().cloned(),
            released: false,
            failure: inner.failure.as_ref().map(ErrorReport::from),
        }
    }
}

fn behind(position: Position, published: Position) -> u64 {
    published.to_engine().saturating_sub(position.to_engine())
}
