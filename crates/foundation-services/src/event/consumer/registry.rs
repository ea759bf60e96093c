//! The consumers of a store: those that are known, and those that are at work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use foundation_store::journal::{Hold, Holder, Journal};
use foundation_store::table::{TableState, Tables};
use foundation_types::event::{ConsumerPlace, ExportKept, ParkedEvent};
use foundation_types::limits::CONSUMERS_MAX;
use foundation_types::{Error, ErrorKind, Position, Result};
use serde::{Deserialize, Serialize};

use super::live::Live;
use crate::event::EventStore;
use crate::table::Table;

/// The tables that consumers are kept in, before the journal is read.
pub struct ConsumerStates {
    consumers: Arc<TableState<String, ConsumerPlace>>,
    parked: Arc<TableState<(String, Position), ParkedEvent>>,
    exports: Arc<TableState<String, ExportKept>>,
}

/// The tables that consumers are kept in.
#[derive(Clone, Debug)]
pub struct ConsumerTables {
    pub(super) consumers: Table<String, ConsumerPlace>,
    pub(super) parked: Table<(String, Position), ParkedEvent>,
    pub(super) exports: Table<String, ExportKept>,
}

/// What an operator does about a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsumerAction {
    /// It goes on after it stood still.
    Resume,
    /// Retention may go past its place, until it goes on.
    Release,
    /// It begins anew after this position; it is not at work meanwhile. What it has parked stays so.
    Reset(Position),
    /// It ends, and nothing is known of it any more, its parked events neither.
    Delete,
}

/// What a store knows of consumers.
pub(in crate::event) struct Registry {
    tables: Option<ConsumerTables>,
    live: Mutex<BTreeMap<String, Weak<Live>>>,
    /// Of those that are not at work.
    holds: Mutex<BTreeMap<String, Hold>>,
    /// Held while one is opened or deleted.
    pub(super) opening: tokio::sync::Mutex<()>,
}

impl ConsumerStates {
    /// Has the tables follow the journal.
    ///
    /// # Errors
    /// `InvalidArgument` if they do already.
    pub fn link(tables: &mut Tables) -> Result<Self> {
        let consumers = Arc::new(TableState::own("foundation.consumers")?);
        let parked = Arc::new(TableState::own("foundation.parked")?);
        tables.link(Arc::clone(&consumers))?;
        let exports = Arc::new(TableState::own("foundation.exports")?);
        tables.link(Arc::clone(&parked))?;
        tables.link(Arc::clone(&exports))?;
        Ok(Self { consumers, parked, exports })
    }

    /// The tables, once the journal was read.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn open(self, journal: &Arc<dyn Journal>) -> Result<ConsumerTables> {
        let consumers = Table::open(Arc::clone(journal), self.consumers)?;
        let parked = Table::open(Arc::clone(journal), self.parked)?;
        let exports = Table::open(Arc::clone(journal), self.exports)?;
        Ok(ConsumerTables { consumers, parked, exports })
    }
}

impl EventStore {
    /// Does something about a consumer, at work or not.
    ///
    /// # Errors
    /// `NotFound` if there is none with this name; `InvalidArgument` for the name of an export; as
    /// [`Table::insert`] otherwise.
    pub async fn change_consumer(&self, name: &str, action: ConsumerAction) -> Result<()> {
        self.0.consumers.refuse_to_change_export(name)?;
        self.change_place(name, action).await
    }

    /// As [`EventStore::change_consumer`], of an export too.
    pub(crate) async fn change_place(&self, name: &str, action: ConsumerAction) -> Result<()> {
        let consumers = &self.0.consumers;
        let _one_by_one = consumers.opening.lock().await;
        let tables = consumers.tables()?;
        if tables.consumers.get(name).is_none() {
            return Err(consumers.no_such_consumer(name));
        }
        match action {
            ConsumerAction::Resume => consumers.resume(name).await,
            ConsumerAction::Release => {
                consumers.holds().remove(name);
                if let Some(live) = consumers.live(name) {
                    let holder = Holder::Consumer(name.to_owned());
                    let nothing = self.0.journal.hold(Position::END, holder);
                    *live.hold.lock().unwrap_or_else(PoisonError::into_inner) = nothing;
                }
                let release = |place: Option<&ConsumerPlace>| {
                    place.map(|place| ConsumerPlace { released: true, ..place.clone() })
                };
                tables.consumers.update(name.to_owned(), release).await.map(drop)
            }
            ConsumerAction::Reset(position) => self.put_consumer(name, position).await,
            ConsumerAction::Delete => {
                if let Some(live) = consumers.live(name) {
                    live.delete();
                    live.ended().await;
                }
                for parked in consumers.parked_of(name)? {
                    tables.parked.remove(&(name.to_owned(), parked.position)).await?;
                }
                consumers.holds().remove(name);
                tables.consumers.remove(&name.to_owned()).await.map(drop)
            }
        }
    }

    /// Has a consumer that is not at work be at this position; it is made if there is none.
    async fn put_consumer(&self, name: &str, position: Position) -> Result<()> {
        let consumers = &self.0.consumers;
        if consumers.live(name).is_some() {
            let message = format!("consumer {name:?} is at work: end it before it is reset");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let tables = consumers.tables()?;
        let released = tables.consumers.get(name).is_some_and(|place| place.released);
        let place = ConsumerPlace { position, released, ..ConsumerPlace::default() };
        tables.consumers.insert(name.to_owned(), place).await?;
        let first = if released { Position::END } else { position };
        let hold = self.0.journal.hold(first, Holder::Consumer(name.to_owned()));
        consumers.holds().insert(name.to_owned(), hold);
        Ok(())
    }

    /// The place of a consumer that is not at work; it is made before the oldest event if there is
    /// none.
    ///
    /// # Errors
    /// `TooLarge` beyond 1,000 consumers, and as [`Table::insert`].
    pub(crate) async fn idle_consumer(&self, name: &str) -> Result<Position> {
        let consumers = &self.0.consumers;
        let _one_by_one = consumers.opening.lock().await;
        if let Some(place) = consumers.tables()?.consumers.get(name) {
            return Ok(place.position);
        }
        let position = self.0.kept_after();
        consumers.place_or_new(name, position).await?;
        let hold = self.0.journal.hold(position, Holder::Consumer(name.to_owned()));
        consumers.holds().insert(name.to_owned(), hold);
        Ok(position)
    }

    /// What is kept of exports.
    pub(crate) fn export_table(&self) -> Result<&Table<String, ExportKept>> {
        self.0.consumers.tables().map(|tables| &tables.exports)
    }

    /// Ends all consumers; what was acked is durable then.
    pub async fn stop_consumers(&self) {
        let all = self.0.consumers.all_live();
        all.iter().for_each(|live| live.stop());
        for live in all {
            live.ended().await;
        }
    }

    /// Tells all consumers to end, and waits for none.
    pub fn abandon_consumers(&self) {
        self.0.consumers.all_live().iter().for_each(|live| live.stop());
    }
}

impl Registry {
    pub(in crate::event) fn new(tables: Option<ConsumerTables>, journal: &dyn Journal) -> Self {
        let places = tables.iter().flat_map(|tables| {
            let places = tables.consumers.snapshot();
            let held = places.iter().filter(|(_, place)| !place.released);
            held.map(|(name, place)| (name.clone(), place.position)).collect::<Vec<_>>()
        });
        let hold = |(name, position): (String, Position)| {
            let hold = journal.hold(position, Holder::Consumer(name.clone()));
            (name, hold)
        };
        let holds = places.map(hold).collect();
        Self {
            tables,
            live: Mutex::default(),
            holds: Mutex::new(holds),
            opening: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn tables(&self) -> Result<&ConsumerTables> {
        self.tables.as_ref().ok_or_else(|| {
            let message = "this event store keeps no consumers: it has no tables for them";
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    pub(super) async fn place_or_new(&self, name: &str, first: Position) -> Result<ConsumerPlace> {
        let tables = self.tables()?;
        if let Some(place) = tables.consumers.get(name) {
            return Ok(ConsumerPlace::clone(&place));
        }
        if tables.consumers.len() >= CONSUMERS_MAX {
            let message = format!("the store has {CONSUMERS_MAX} consumers, which is its limit");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let place = ConsumerPlace { position: first, ..ConsumerPlace::default() };
        tables.consumers.insert(name.to_owned(), place.clone()).await?;
        Ok(place)
    }

    /// Everything of this consumer that is parked, in order.
    pub(super) fn parked_of(&self, name: &str) -> Result<Vec<Arc<ParkedEvent>>> {
        let all = self.tables()?.parked.snapshot();
        let range = (name.to_owned(), Position::START)..=(name.to_owned(), Position::END);
        Ok(all.range(range).map(|(_, parked)| Arc::clone(parked)).collect())
    }

    pub(super) fn parked_count(&self, name: &str) -> Result<usize> {
        let all = self.tables()?.parked.snapshot();
        let range = (name.to_owned(), Position::START)..=(name.to_owned(), Position::END);
        Ok(all.range(range).count())
    }

    /// The consumer with this name, if it is at work.
    pub(super) fn live(&self, name: &str) -> Option<Arc<Live>> {
        let live = self.all().get(name).and_then(Weak::upgrade);
        live.filter(|live| !live.has_ended())
    }

    pub(super) fn enter(&self, live: &Arc<Live>) {
        self.all().insert(live.name.clone(), Arc::downgrade(live));
        self.holds().remove(&live.name);
    }

    /// One has ended; its place is still held.
    pub(super) fn leave(&self, live: &Live) {
        let hold = live.hold.lock().unwrap_or_else(PoisonError::into_inner).position();
        if hold != Position::END {
            let hold = live.core.journal.hold(hold, Holder::Consumer(live.name.clone()));
            self.holds().insert(live.name.clone(), hold);
        }
    }

    fn all_live(&self) -> Vec<Arc<Live>> {
        let all = self.all();
        all.values().filter_map(Weak::upgrade).filter(|live| !live.has_ended()).collect()
    }

    async fn resume(&self, name: &str) -> Result<()> {
        if let Some(live) = self.live(name) {
            live.resume();
            return live.flush().await;
        }
        let resume = |place: Option<&ConsumerPlace>| {
            let mut place = place?.clone();
            if let Some(halt) = place.halted.take() {
                place.failed.retain(|failed| failed.position != halt.position);
            }
            Some(place)
        };
        self.tables()?.consumers.update(name.to_owned(), resume).await.map(drop)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Weak<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<String, Hold>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ConsumerStates {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ConsumerStates").finish_non_exhaustive()
    }
}
