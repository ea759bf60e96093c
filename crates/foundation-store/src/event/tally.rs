//! How many events of each type were recorded.

use std::collections::{BTreeMap, HashMap};

use foundation_types::EventType;

use super::hash::AsIs;

/// Types with a row of their own.
const TYPES_MAX: usize = 10_000;

/// Counts by type. Types are told apart by their keyed 64-bit hash.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rows: HashMap<u64, (EventType, u64), AsIs>,
    other: u64,
}

impl Tally {
    /// Counts events; the name is asked for when the type is new.
    pub(super) fn count(
        &mut self,
        kind: u64,
        events: u64,
        name: impl FnOnce() -> Option<EventType>,
    ) {
        if let Some((_, count)) = self.rows.get_mut(&kind) {
            *count += events;
            return;
        }
        match name() {
            Some(name) if self.rows.len() < TYPES_MAX => {
                self.rows.insert(kind, (name, events));
            }
            _ => self.other += events,
        }
    }

    /// Events of types without a row.
    pub(super) fn other(&self) -> u64 {
        self.other
    }

    /// The hashes of the types that are asked for; `None` if some types have no row.
    pub(super) fn hashes(&self, asked_for: impl Fn(&str) -> bool) -> Option<Vec<u64>> {
        let asked = |(hash, (name, _)): (&u64, &(EventType, u64))| {
            asked_for(name.as_str()).then_some(*hash)
        };
        (self.other == 0).then(|| self.rows.iter().filter_map(asked).collect())
    }

    pub(super) fn by_type(&self) -> BTreeMap<EventType, u64> {
        self.rows.values().cloned().collect()
    }
}
