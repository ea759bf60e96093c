//! Whether an event with this id was stored before, and whether it says the same.

use foundation_logic::event::redact_alike;
use foundation_store::event::{Lookup, sent_digest};
use foundation_store::record::{EventView, IdView, Record};
use foundation_types::event::Altered;
use foundation_types::{Data, Durability, Error, ErrorKind, Event, EventId, Result, Tag};

use super::Core;
use super::receipt::Receipt;

impl Core {
    /// The receipt of the stored event with this id, `None` if there is none.
    ///
    /// # Errors
    /// `IdReused` if it says something else, `Compacted` if nobody can tell any more.
    pub(super) async fn repeat(
        &self,
        id: &EventId,
        event: &Event,
        level: Durability,
    ) -> Result<Option<Receipt>> {
        let record = match self.log.get(id.as_str()) {
            Lookup::Absent => match self.journal.find_id(id.as_str()).await? {
                Some(record) => record,
                None => return Ok(None),
            },
            Lookup::Buffered(record) => record,
            Lookup::InLog(position) => {
                self.journal.record(position).await.map_err(|error| match error.kind() {
                    ErrorKind::Compacted => untold(id, error),
                    _ => error,
                })?
            }
        };
        let receipt = self.compare(id, event, &record, level)?;
        if receipt.is_some() && level >= Durability::Disk && self.is_unsynced(&record) {
            // It was acked at a lower level than this answer means.
            self.journal.flush().await?;
        }
        Ok(receipt)
    }

    /// Whether a power cut could still take a record.
    pub(super) fn is_unsynced(&self, record: &Record) -> bool {
        self.is_durable && record.position() > self.journal.synced()
    }

    /// The receipt of this stored event if it has the id; it has to say the same then.
    pub(super) fn compare(
        &self,
        id: &EventId,
        event: &Event,
        record: &Record,
        level: Durability,
    ) -> Result<Option<Receipt>> {
        let stored = record.event()?;
        // The index knows fingerprints: another id with the same one has no say.
        if stored.id != IdView::of(id.as_str()) {
            return Ok(None);
        }
        let vault = self.reader.vault.as_ref();
        let says_the_same_data = |stored: &str| {
            let stored = Data::from_checked(stored);
            event.data.says_the_same(&stored)
                || vault.is_some_and(|vault| vault.says_what_is_left(&event.data, &stored))
        };
        let is_same_data = event.data.as_json() == stored.data || says_the_same_data(stored.data);
        let is_same = says_the_same_beside(event, &stored) && is_same_data;
        if !is_same && !was_sent_as(event, &stored) {
            return Err(reused(id, record));
        }
        Receipt::of_repeat(id.clone(), record, level).map(Some)
    }
}

/// Whether the stored event has what this one has beside its data, its time as it was given.
fn says_the_same_beside(event: &Event, stored: &EventView<'_>) -> bool {
    event.kind.as_str() == stored.kind
        && event.time == stored.time
        && event.source.as_deref() == stored.source
        && event.subject.as_deref() == stored.subject
        && event.correlation_id.as_ref().map(|id| id.as_str()) == stored.correlation
        && event.parent_id.as_ref().map(|id| id.as_str()) == stored.parent
        && event.schema == stored.schema
        && event.tags.iter().map(Tag::as_str).eq(stored.tags.iter().copied())
        && event.altered.as_deref() == altered_of(stored).as_ref()
}

/// Whether the stored event was altered on its way in and is what this one, as sent, had become.
///
/// The digest is of what was sent less what was hidden or removed, which is nowhere to compare with:
/// two events that differ there only are the same. It does not matter which rules there are by now.
fn was_sent_as(event: &Event, stored: &EventView<'_>) -> bool {
    altered_of(stored).is_some_and(|altered| {
        let mut event = event.clone();
        redact_alike(&mut event, &altered.by);
        sent_digest(&event) == altered.sent
    })
}

fn altered_of(stored: &EventView<'_>) -> Option<Altered> {
    stored.altered.and_then(|text| serde_json::from_str(text).ok())
}

/// Whether two events have the same body.
pub(super) fn say_the_same(one: &Event, two: &Event) -> bool {
    one.kind == two.kind
        && one.time == two.time
        && one.source == two.source
        && one.subject == two.subject
        && one.correlation_id == two.correlation_id
        && one.parent_id == two.parent_id
        && one.schema == two.schema
        && one.tags == two.tags
        && one.altered == two.altered
        && one.data.says_the_same(&two.data)
}

pub(super) fn reused_within(id: &EventId) -> Error {
    let message = format!("two events of the batch have the id {:?} and differ", id.as_str());
    Error::new(ErrorKind::IdReused, message)
}

fn reused(id: &EventId, record: &Record) -> Error {
    let message = format!("the id {:?} belongs to a stored event with another body", id.as_str());
    Error::new(ErrorKind::IdReused, message).with("position", record.position())
}

fn untold(id: &EventId, cause: Error) -> Error {
    let message = format!(
        "an event with the id {:?} was stored and is no longer kept: whether this is the same \
         cannot be told",
        id.as_str()
    );
    Error::new(ErrorKind::Compacted, message).caused_by(cause)
}
