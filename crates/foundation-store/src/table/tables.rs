//! All tables of a store: each record goes to the table that it belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_types::limits::UNLINKED_TABLES_MAX;
use foundation_types::{
    Data, Error, ErrorKind, Keep, Position, Result, StreamName, TableKey, TableValue, Version,
};
use foundation_validate::table::{is_own_table, logged_table_name, table_name};

use super::capture::TableCapture;
use super::entry::JsonKey;
use super::state::TableState;
use super::whole::encode_tables;
use crate::journal::{Capture, Follower, State};
use crate::record::{EventView, Record};

/// A table whose types the program does not have: JSON under JSON.
pub type UnlinkedTable = TableState<JsonKey, Data>;

type Others = BTreeMap<StreamName, Arc<UnlinkedTable>>;

/// What the registry of tables hands a record to.
pub trait FollowsTable: Send + Sync {
    /// The name of the table.
    fn name(&self) -> &str;

    /// What is kept of it.
    fn keep(&self) -> Keep;

    /// Learns of a record of its stream.
    fn follow(&self, record: &Record, event: &EventView<'_>);

    /// As [`TableState::capture`].
    fn capture(&self) -> TableCapture;

    /// As [`TableState::restore`].
    ///
    /// # Errors
    /// As there.
    fn restore(&self, bytes: &[u8], position: Position) -> Result<()>;

    /// As [`TableState::reset`].
    fn reset(&self);

    /// As [`TableState::fault`].
    fn fault(&self) -> Option<Error>;

    /// As [`TableState::close`].
    fn close(&self);
}

impl<K: TableKey, V: TableValue> FollowsTable for TableState<K, V> {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn keep(&self) -> Keep {
        Self::keep(self)
    }

    fn follow(&self, record: &Record, event: &EventView<'_>) {
        self.follow_record(record, event);
    }

    fn capture(&self) -> TableCapture {
        Self::capture(self)
    }

    fn restore(&self, bytes: &[u8], position: Position) -> Result<()> {
        Self::restore(self, bytes, position)
    }

    fn reset(&self) {
        Self::reset(self);
    }

    fn fault(&self) -> Option<Error> {
        Self::fault(self)
    }

    fn close(&self) {
        Self::close(self);
    }
}

/// The tables that the program has the types of, and all others that the log has.
///
/// ```
/// use std::sync::Arc;
/// use foundation_store::table::{TableState, Tables};
/// use foundation_types::Keep;
/// let sessions = Arc::new(TableState::<String, u64>::new("sessions", Keep::Log)?);
/// let mut tables = Tables::default();
/// tables.link(sessions)?;
/// assert_eq!(tables.names(), ["sessions"]);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Default)]
pub struct Tables {
    linked: HashMap<StreamName, Arc<dyn FollowsTable>>,
    unlinked: Mutex<Others>,
    /// What the log has of tables of which the program keeps nothing: no reader sees it, and it
    /// goes into snapshots, since the program may keep the table again one day.
    carried: Mutex<Others>,
    unfollowed: AtomicU64,
    /// Records up to here are in what was restored.
    known: AtomicU64,
}

impl Tables {
    /// Has the records of this table handed to its state.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that is taken.
    pub fn link<K: TableKey, V: TableValue>(&mut self, state: Arc<TableState<K, V>>) -> Result<()> {
        let stream = state.stream().clone();
        if self.linked.contains_key(&stream) {
            let message = format!("two tables have the name {:?}", state.name());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.linked.insert(stream, state);
        Ok(())
    }

    /// The table with this name, if the log has it and the program does not have its types.
    #[must_use]
    pub fn unlinked(&self, name: &str) -> Option<Arc<UnlinkedTable>> {
        self.others().get(&StreamName::of_table(name)).cloned()
    }

    /// As [`Tables::unlinked`], made if there is none.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that a table may not have, `TooLarge` beyond the limit
    /// of tables, `InvalidArgument` if the program has the types of the table.
    pub fn make_unlinked(&self, name: &str) -> Result<Arc<UnlinkedTable>> {
        table_name(name)?;
        let stream = StreamName::of_table(name);
        if self.linked.contains_key(&stream) {
            let message = format!("table {name:?} has types, and is changed through them");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.others_with(stream).ok_or_else(too_many)
    }

    /// The names of all tables, linked or in the log, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let others = self.others();
        let streams = self.linked.keys().chain(others.keys());
        let mut names: Vec<String> =
            streams.filter_map(StreamName::table).map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Every table of which something is kept, as it is now, in the order of names.
    ///
    /// All of them are of one position only while the journal tells nothing new.
    #[must_use]
    pub fn capture(&self) -> Vec<TableCapture> {
        let mut all: Vec<TableCapture> = self.all().iter().map(|table| table.capture()).collect();
        // Of Foundation's own tables, those that were never used are not told.
        let is_used =
            |table: &TableCapture| !is_own_table(table.name()) || table.version() > Version::NONE;
        all.retain(|table| table.keep() != Keep::Nothing && is_used(table));
        all.sort_unstable_by(|one, other| one.name().cmp(other.name()));
        all
    }

    /// Has the table with this name become what was captured of it, linked or not.
    ///
    /// # Errors
    /// As [`TableState::restore`] and [`Tables::make_unlinked`]; a name of Foundation's own may be.
    pub fn restore(&self, name: &str, bytes: &[u8], position: Position) -> Result<()> {
        let stream = StreamName::of_table(name);
        match self.linked.get(&stream) {
            Some(linked) if linked.keep() == Keep::Nothing => {
                self.carried_with(stream).restore(bytes, position)
            }
            Some(linked) => linked.restore(bytes, position),
            None => {
                logged_table_name(name)?;
                self.others_with(stream).ok_or_else(too_many)?.restore(bytes, position)
            }
        }
    }

    /// Every table becomes what it was before any record.
    pub fn reset(&self) {
        self.others().clear();
        self.carried().clear();
        self.linked.values().for_each(|table| table.reset());
        self.know(Position::START);
    }

    pub(super) fn know(&self, position: Position) {
        self.known.store(position.to_engine(), Ordering::Relaxed);
    }

    /// Why tables stopped following the log, each with its name.
    #[must_use]
    pub fn faults(&self) -> Vec<Error> {
        let carried = self.carried();
        let carried = carried.values().filter_map(|table| table.fault());
        self.all().iter().filter_map(|table| table.fault()).chain(carried).collect()
    }

    /// Records that no table has: of tables beyond the limit, or not decodable.
    #[must_use]
    pub fn unfollowed(&self) -> u64 {
        self.unfollowed.load(Ordering::Relaxed)
    }

    /// No table takes changes any more.
    pub fn close(&self) {
        self.all().iter().for_each(|table| table.close());
    }

    fn all(&self) -> Vec<Arc<dyn FollowsTable>> {
        let others = self.others();
        let others = others.values().map(|table| Arc::clone(table) as Arc<dyn FollowsTable>);
        self.linked.values().cloned().chain(others).collect()
    }

    fn others(&self) -> MutexGuard<'_, Others> {
        self.unlinked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carried(&self) -> MutexGuard<'_, Others> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carried_with(&self, stream: StreamName) -> Arc<UnlinkedTable> {
        let made = || Arc::new(UnlinkedTable::live(stream.clone()));
        Arc::clone(self.carried().entry(stream.clone()).or_insert_with(made))
    }

    /// What the log folds to, whatever the program keeps.
    fn capture_logged(&self) -> Vec<TableCapture> {
        let mut all = Self::capture(self);
        all.extend(self.carried().values().map(|table| table.capture()));
        all.sort_unstable_by(|one, other| one.name().cmp(other.name()));
        all
    }

    fn others_with(&self, stream: StreamName) -> Option<Arc<UnlinkedTable>> {
        let mut others = self.others();
        if let Some(table) = others.get(&stream) {
            return Some(Arc::clone(table));
        }
        if others.len() >= UNLINKED_TABLES_MAX {
            return None;
        }
        let table = Arc::new(UnlinkedTable::live(stream.clone()));
        others.insert(stream, Arc::clone(&table));
        Some(table)
    }

    fn follow_record(&self, record: &Record, event: &EventView<'_>) {
        let linked = self.linked.get(event.stream);
        if let Some(linked) = linked.filter(|linked| linked.keep() != Keep::Nothing) {
            linked.follow(record, event);
            return;
        }
        let others = if linked.is_some() { self.carried() } else { self.others() };
        // What an application wrote before the stream was a table's makes no table.
        let is_known = others.contains_key(event.stream);
        drop(others);
        let is_change = event.kind.starts_with("foundation.table.");
        if !is_known && !is_change {
            return;
        }
        let stream = event.stream.into();
        let table = match linked {
            Some(_) => Some(self.carried_with(stream)),
            None => self.others_with(stream),
        };
        match table {
            Some(table) => table.follow_record(record, event),
            None => drop(self.unfollowed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

fn too_many() -> Error {
    let message = format!("the store has {UNLINKED_TABLES_MAX} tables of no known type, the limit");
    Error::new(ErrorKind::TooLarge, message)
}

impl Follower for Tables {
    fn follow(&self, records: &[Record]) {
        let known = Position::from_engine(self.known.load(Ordering::Relaxed));
        for record in records.iter().filter(|record| record.position() > known) {
            // Most records are of no table, which is told without decoding them.
            let of_table = |stream: &[u8]| stream.starts_with(StreamName::TABLE_PREFIX.as_bytes());
            if !record.stream().is_some_and(of_table) {
                continue;
            }
            match record.event() {
                Ok(event) => self.follow_record(record, &event),
                Err(_) => drop(self.unfollowed.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    fn resumes(&self) -> bool {
        true
    }

    fn states(&self) -> Vec<&dyn State> {
        vec![self]
    }
}

impl State for Tables {
    fn name(&self) -> &'static str {
        "tables"
    }

    fn capture(&self) -> Capture {
        // A snapshot of what stopped following the log would hide that for ever.
        if let Some(fault) = self.faults().into_iter().next() {
            return Box::new(move || Err(fault));
        }
        if self.unfollowed() > 0 {
            let message = "records belong to no table that is followed";
            return Box::new(move || Err(Error::new(ErrorKind::TooLarge, message)));
        }
        let taken = self.capture_logged();
        Box::new(move || Ok(encode_tables(&taken)))
    }

    fn restore(&self, position: Position, bytes: &[u8]) -> Result<()> {
        self.restore_all(bytes, position)
    }

    fn heads(&self) -> Vec<(StreamName, Version)> {
        let all = Self::capture(self);
        all.iter().map(|table| (StreamName::of_table(table.name()), table.version())).collect()
    }

    fn reset(&self) {
        Self::reset(self);
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tables").field("names", &self.names()).finish_non_exhaustive()
    }
}
