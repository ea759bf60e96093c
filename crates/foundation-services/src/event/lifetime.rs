//! How long events live, and at which stage of its life one is.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::event::Lookup;
use foundation_store::record::Record;
use foundation_types::config::EventSettings;
use foundation_types::id::Tag;
use foundation_types::lifecycle::Stage;
use foundation_types::{
    Error, ErrorKind, EventId, Position, Recorded, Result, Settings, StreamName, Timestamp,
};

use super::{Core, EventStore};

impl EventStore {
    /// The stage of the life of the event with this id, as far as the store knows it: `Storing` while
    /// it is on its way to the journal, `Available`, `Expiring` once its time to live is over, and
    /// `Expired` when its place was freed.
    ///
    /// What was refused, and what was freed so long ago that its id is forgotten, is not known.
    ///
    /// # Errors
    /// `NotFound` if nothing is known of the id; `Disk` and kinds of corruption from the log.
    pub async fn stage_of(&self, id: impl Into<EventId>) -> Result<Stage> {
        let id = id.into();
        let core = &self.0;
        core.sweep();
        // The claim first: who lets go of it is in the index before.
        let is_claimed = core.claims.holds(&id);
        match core.record_of(&id).await {
            Ok(Some(record)) if core.is_expired(&record)? => Ok(Stage::Expiring),
            Ok(Some(_)) => Ok(Stage::Available),
            Ok(None) if is_claimed => Ok(Stage::Storing),
            Ok(None) => Err(unknown(&id)),
            Err(error) if error.kind() == ErrorKind::Compacted => Ok(Stage::Expired),
            Err(error) => Err(error),
        }
    }
}

impl EventStore {
    /// What the settings say by now of how long events live.
    pub(crate) fn expiry(&self) -> Arc<EventSettings> {
        Arc::new(self.0.settings.current().events.clone())
    }

    /// Counts events whose place was freed since their time to live was over.
    pub(crate) fn count_expired(&self, events: u64) {
        self.0.meters.expire(events);
    }
}

impl Core {
    /// The record of the event with this id, expired or not.
    pub(super) async fn record_of(&self, id: &EventId) -> Result<Option<Record>> {
        let record = match self.log.get(id.as_str()) {
            Lookup::Buffered(record) => Some(record),
            Lookup::InLog(position) => Some(self.journal.record(position).await?),
            Lookup::Absent => self.journal.find_id(id.as_str()).await?,
        };
        Ok(record)
    }

    /// Whether the record's time to live is over.
    pub(super) fn is_expired(&self, record: &Record) -> Result<bool> {
        let settings = self.settings.current();
        if !settings.events.has_ttl() {
            return Ok(false);
        }
        let event = record.event()?;
        let seconds = seconds_of(&settings, (event.kind, event.stream), event.tags.iter().copied());
        Ok(is_over(seconds, record.recorded(), self.clock.wall()))
    }

    /// Notes some of the events that readers are given, of these streams.
    pub(super) fn accessed<'a>(&self, streams: impl Iterator<Item = &'a StreamName>) {
        let one_in = self.settings.current().events.access_sampling;
        let noted = self.accesses.read(streams, one_in);
        if noted > 0 {
            self.meters.access(noted);
        }
    }

    /// The error of a record whose time to live is over.
    pub(super) fn refuse_expired(&self, recorded: &Recorded) -> Result<()> {
        let settings = self.settings.current();
        let names = (recorded.event.kind.as_str(), recorded.stream.as_str());
        let tags = recorded.event.tags.iter().map(Tag::as_str);
        let seconds = seconds_of(&settings, names, tags);
        if !is_over(seconds, recorded.recorded, self.clock.wall()) {
            return Ok(());
        }
        let message = format!("the time to live of the event at {} is over", recorded.position);
        Err(Error::new(ErrorKind::Expired, message).with("recorded", recorded.recorded))
    }

    /// Takes out of records what nobody is to see any more.
    pub(super) fn without_expired(&self, records: Vec<Record>) -> Result<Vec<Record>> {
        if !self.settings.current().events.has_ttl() {
            return Ok(records);
        }
        let mut shown = Vec::with_capacity(records.len());
        for record in records {
            if !self.is_expired(&record)? {
                shown.push(record);
            }
        }
        Ok(shown)
    }
}

/// Seconds that an event lives, by the rules of the settings and by what its tags say.
fn seconds_of<'a>(
    settings: &Settings,
    (kind, stream): (&str, &str),
    tags: impl Iterator<Item = &'a str>,
) -> Option<u64> {
    let by_tags = tags.filter_map(|tag| settings.events.seconds_by_tag(kind, tag));
    by_tags.chain(settings.events.seconds_to_live(kind, stream)).min()
}

fn is_over(seconds: Option<u64>, recorded: Timestamp, now: Timestamp) -> bool {
    seconds.is_some_and(|seconds| recorded.plus(Duration::from_secs(seconds)) <= now)
}

fn unknown(id: &EventId) -> Error {
    let shown: String = id.as_str().chars().take(128).collect();
    Error::new(ErrorKind::NotFound, format!("no event has the id {shown:?}"))
}

/// Where the look at a row of records ended.
pub(super) fn last_of(records: &[Record]) -> Option<Position> {
    records.last().map(Record::position)
}
