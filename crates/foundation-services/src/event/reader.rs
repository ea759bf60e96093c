//! Where a record becomes an event for a reader: the only place, so that all readers see the same.
//!
//! The stored bytes stay as they are. Whoever compares with what was stored, as idempotency does,
//! looks at the record itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_logic::event::{EventKeys, Upcasters, matches};
use foundation_store::record::Record;
use foundation_types::{Error, ErrorKind, EventData, EventQuery, Recorded, Result};

use super::personal::Vault;

/// Whether an event as readers see it fits the Rust type that the application has for its type.
type Fits = fn(&Recorded) -> Result<()>;

/// What makes of the events in the log the ones that readers see. Clones are cheap.
#[derive(Clone, Default)]
pub struct Reader {
    upcasters: Arc<Upcasters>,
    types: Arc<BTreeMap<&'static str, Fits>>,
    /// What seals and opens personal fields; without it they are given as they are stored.
    pub(super) vault: Option<Arc<Vault>>,
}

/// The Rust types of events that an application has.
#[derive(Clone, Default)]
pub struct EventTypes(BTreeMap<&'static str, Fits>);

impl EventTypes {
    /// With this one.
    pub fn add<T: EventData>(&mut self) {
        self.0.insert(T::TYPE, |recorded| recorded.to::<T>().map(drop));
    }
}

impl Reader {
    /// A reader who brings events up like this, and knows these types of their data.
    #[must_use]
    pub fn new(upcasters: Upcasters, types: EventTypes) -> Self {
        Self { upcasters: Arc::new(upcasters), types: Arc::new(types.0), vault: None }
    }

    /// The same, which opens the personal fields of events.
    #[must_use]
    pub fn with_vault(self, vault: Option<Arc<Vault>>) -> Self {
        Self { vault, ..self }
    }

    /// The event in a record as readers see it.
    ///
    /// # Errors
    /// `Corruption` for a record that cannot be decoded; as [`Reader::opened`].
    pub(crate) fn read(&self, record: &Record) -> Result<Recorded> {
        // An event is large: it is not handed on to steps that are not there.
        match self.is_plain() {
            true => self.stored(record),
            false => self.opened(self.stored(record)?),
        }
    }

    /// An event as readers see it, which was stored like this.
    ///
    /// # Errors
    /// As [`Upcasters::upcast`]; `SecretSealed` for a person's key that was wrapped under another
    /// key than the application's.
    pub(crate) fn opened(&self, stored: Recorded) -> Result<Recorded> {
        // What is sealed is opened first: steps are for what was appended.
        let clear = match &self.vault {
            Some(vault) => vault.open(stored)?,
            None => stored,
        };
        self.upcasters.upcast(clear)
    }

    /// Whether events are read just as they are stored.
    pub(crate) fn is_plain(&self) -> bool {
        self.upcasters.is_empty() && self.vault.is_none()
    }

    /// The event in a record as it was stored, for whoever puts it aside.
    pub(crate) fn stored(&self, record: &Record) -> Result<Recorded> {
        record.decode()
    }

    /// What finds in the log all that may answer a query once it is read; nothing if the query does.
    pub(super) fn widened(&self, query: &EventQuery) -> Option<EventQuery> {
        let wide = self.upcasters.widened(query);
        // A field that is asked for may be sealed.
        if wide.is_none() && self.vault.is_some() && !query.fields.is_empty() {
            return Some(EventQuery { fields: Vec::new(), ..query.clone() });
        }
        wide
    }

    /// Whether the event in a record answers the query as readers see it. One that cannot be read
    /// does: it is told to whoever reads the answer.
    pub(super) fn answers(&self, query: &EventQuery, record: &Record) -> Result<bool> {
        match self.read(record) {
            Ok(recorded) => Ok(matches(query, &EventKeys::from(&recorded))),
            Err(error) if is_unreadable(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether the event fits the Rust type of the application's, if it has one for it.
    pub(super) fn fits(&self, recorded: &Recorded) -> Result<()> {
        self.types.get(recorded.event.kind.as_str()).map_or(Ok(()), |fits| fits(recorded))
    }
}

/// Whether it is the event that cannot be read, and not the log.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::UpcastFailed | ErrorKind::NewerEventSchema)
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let types: Vec<_> = self.types.keys().collect();
        out.debug_struct("Reader")
            .field("upcasters", &self.upcasters)
            .field("types", &types)
            .finish()
    }
}
