//! Which events had something of a person in them: counted from the seals that they are stored with.

use std::collections::BTreeMap;

use foundation_store::journal::Journal;
use foundation_store::personal::KeyId;
use foundation_store::record::{EventView, Record};
use foundation_types::event::{Data, SEALED_MARK};
use foundation_types::limits::{FORGOTTEN_RECORDS_MAX, FORGOTTEN_TYPES_MAX};
use foundation_types::{ErrorKind, EventType, Position};
use serde::{Deserialize, Serialize};

use super::sealed_in;

/// Bytes of records in one page, about.
const PAGE_BYTES: usize = 1024 * 1024;

/// The events that a certificate of forgetting is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// How many had a seal of the key.
    pub events: u64,
    /// How many of each type; those of further types are only in the sum.
    pub types: BTreeMap<String, u64>,
    /// Everything up to here was looked at.
    pub up_to: Position,
    /// Why that is not all of the log, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Why a count ended before the log did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The log has more records than are looked at.
    Limit,
    /// What comes next could not be read.
    Unreadable,
}

impl Touched {
    /// Counts page by page, from the oldest record that is kept: what cannot be counted is told, and
    /// keeps nobody from being forgotten.
    pub(super) async fn count(journal: &dyn Journal, id: KeyId) -> Self {
        let mut touched = Self::default();
        let (last, text) = (journal.extent().last, id.to_string());
        let mut after = journal.extent().before_first;
        let mut looked = 0;
        while after < last {
            if looked >= FORGOTTEN_RECORDS_MAX {
                touched.cut = Some(Cut::Limit);
                break;
            }
            let read = match journal.read_after(after, PAGE_BYTES).await {
                // Retention was quicker: what went has nothing of anybody any more.
                Err(error) if error.kind() == ErrorKind::Compacted => {
                    let first = journal.extent().before_first;
                    if first > after {
                        after = first;
                        continue;
                    }
                    Err(error)
                }
                read => read,
            };
            let Ok(read) = read else {
                touched.cut = Some(Cut::Unreadable);
                break;
            };
            let Some(end) = read.last().map(Record::position) else { break };
            read.iter().for_each(|record| touched.take(record, id, &text));
            looked += read.len();
            after = end;
        }
        touched.up_to = after;
        touched
    }

    fn take(&mut self, record: &Record, id: KeyId, text: &str) {
        let Ok(event) = record.event() else { return };
        // Most events say nothing of it: looking is quicker than reading.
        if !event.data.contains(text) || !has_seal(&event, id) {
            return;
        }
        self.events += 1;
        if self.types.len() < FORGOTTEN_TYPES_MAX || self.types.contains_key(event.kind) {
            *self.types.entry(event.kind.to_owned()).or_default() += 1;
        }
    }
}

/// Whether something in the event is sealed under this key, and is not only a text that names it.
fn has_seal(event: &EventView<'_>, id: KeyId) -> bool {
    if event.kind.starts_with(EventType::RESERVED_PREFIX) {
        return false;
    }
    let Ok(data) = Data::from_json(event.data) else { return false };
    let mut has = false;
    let looked = data.replaced_marks(SEALED_MARK, &mut |_, inner| {
        has |= sealed_in(inner).is_some_and(|(sealed, _)| sealed == id);
        Ok(None)
    });
    looked.is_ok() && has
}
