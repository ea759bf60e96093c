//! The store that one would write in an afternoon, as something to compare with: a ring behind a
//! lock, with text keys in three maps and nothing checked.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use foundation::Event;

/// Events in memory, found by type, correlation and source.
#[derive(Debug, Default)]
pub struct Naive(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Event>,
    /// Events that left before the first that is here.
    gone: usize,
    by_type: Index,
    by_correlation: Index,
    by_source: Index,
}

type Index = HashMap<String, VecDeque<usize>>;

impl Naive {
    const EVENTS_MAX: usize = 100_000;

    /// Stores one event; beyond 100,000 the oldest makes room.
    pub fn store(&self, event: Event) {
        let mut ring = self.0.lock().expect("nobody panics here");
        let place = ring.gone + ring.events.len();
        for (index, key) in ring.indices(&event) {
            index.entry(key).or_default().push_back(place);
        }
        ring.events.push_back(event);
        if ring.events.len() > Self::EVENTS_MAX {
            ring.drop_oldest();
        }
    }
}

impl Ring {
    fn indices(&mut self, event: &Event) -> [(&mut Index, String); 3] {
        let correlation = event.correlation_id.as_ref().map(ToString::to_string);
        [
            (&mut self.by_type, event.kind.to_string()),
            (&mut self.by_correlation, correlation.unwrap_or_default()),
            (&mut self.by_source, event.source.clone().unwrap_or_default()),
        ]
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.events.pop_front() else { return };
        self.gone += 1;
        for (index, key) in self.indices(&oldest) {
            let places = index.get_mut(&key).expect("was indexed");
            places.pop_front();
            if places.is_empty() {
                index.remove(&key);
            }
        }
    }
}
