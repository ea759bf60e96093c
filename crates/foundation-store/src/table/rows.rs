//! Changes of several keys of one table as one: all of them are logged, or none.
//!
//! They are one batch of the journal. While the process runs, a reader may see the first of them
//! before the last; what a start finds is all or nothing.

use std::sync::Arc;

use foundation_types::{Data, EventType, ExpectedVersion, Keep, Result, TableKey, TableValue};

use super::entry::removed_data;
use super::lane::{Flight, Placed, Step};
use super::state::{Head, TableState};
use crate::journal::{Batch, Journal, Room};
use crate::record::RecordKind;

/// What becomes of one key among several.
#[derive(Clone, Debug)]
pub struct Row<K, V> {
    /// The key.
    pub key: K,
    /// The text that it is written as.
    pub text: Arc<str>,
    /// What to do there.
    pub step: Step<V>,
}

impl<K: TableKey, V: TableValue> TableState<K, V> {
    /// Gives several changes their place, whatever head has; what removes nothing is left out. As
    /// [`TableState::place`] otherwise.
    ///
    /// # Errors
    /// As there; `TooLarge` for more than a batch takes.
    pub fn place_rows(
        &self,
        journal: &dyn Journal,
        rows: &[Row<K, V>],
        room: &mut Option<Room>,
    ) -> Result<Placed> {
        self.check_open()?;
        let mut lane = self.lane();
        self.settle(&mut lane);
        let Head { mut map, mut version } = self.head();
        let mut steps = Vec::with_capacity(rows.len());
        for row in rows {
            let (kind, data) = match &row.step {
                Step::Put(_) if !map.contains_key(&row.key) && map.len() >= self.entries_max() => {
                    return Ok(Placed::Refused(self.full(), lane.0.back().cloned()));
                }
                Step::Put(entry) => {
                    map.insert(row.key.clone(), entry.clone());
                    (EventType::TABLE_PUT, entry.put_data()?)
                }
                Step::Remove => {
                    let Some(entry) = map.remove(&row.key) else { continue };
                    (EventType::TABLE_REMOVED, removed_data(entry.key_json())?)
                }
            };
            version = version.next();
            steps.push((kind, version, map.clone(), data));
        }
        let Some((_, first, ..)) = steps.first() else { return Ok(Placed::Done) };
        if self.keep() == Keep::Nothing {
            self.publish_unlogged(map, version);
            return Ok(Placed::Done);
        }
        let expected = ExpectedVersion::Exactly(first.previous());
        let told = |(kind, version, _, data): &(&str, _, _, Data)| {
            self.told(journal, kind, *version, data.clone())
        };
        let told = steps.iter().map(told).collect::<Result<Vec<_>>>()?;
        let batch = Batch::new(self.stream().clone(), RecordKind::Event, told)?.expecting(expected);
        let reserved = match room.take() {
            Some(room) => Some(room),
            None => journal.try_reserve(&batch)?,
        };
        let Some(reserved) = reserved else { return Ok(Placed::NoRoom(batch)) };
        let mut first = None;
        for (_, version, map, data) in steps {
            let proposal = self.propose(map, version, data);
            first.get_or_insert(proposal);
        }
        let Some(proposal) = first else { return Ok(Placed::Done) };
        match journal.append(batch, reserved) {
            Ok(commit) => {
                // All that was proposed goes back with the first of it.
                let flight = Flight { proposal, commit };
                lane.0.push_back(flight.clone());
                Ok(Placed::Appended(flight))
            }
            Err(error) => {
                self.retreat(proposal);
                Err(error)
            }
        }
    }
}
