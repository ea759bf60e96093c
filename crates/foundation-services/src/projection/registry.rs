//! The projections of a store: those whose types the program has, and those that are kept.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_store::journal::Journal;
use foundation_store::table::{TableState, Tables};
use foundation_types::event::{KeyedKept, ProjectionKept};
use foundation_types::{Data, Error, ErrorKind, Position, Result};
use foundation_validate::table::table_name;
use serde::{Deserialize, Serialize};

use super::Projection;
use super::fold;
use super::handle::{AnyProjection, ProjectionHandle, Shared};
use super::keyed::Keyed;
use crate::event::EventStore;
use crate::table::Table;
use crate::tasks::Tasks;

/// The tables that projections are kept in, before the journal is read.
pub struct ProjectionStates {
    plain: Arc<TableState<String, ProjectionKept>>,
    keyed: Arc<TableState<String, KeyedKept>>,
}

/// The projections of a store. Clones are the same.
#[derive(Clone)]
pub struct Projections(Arc<Inner>);

struct Inner {
    table: Table<String, ProjectionKept>,
    all: Mutex<BTreeMap<(String, u32), Arc<dyn AnyProjection>>>,
    keyed: Keyed,
}

/// How one version of a projection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Everything up to here is in its state.
    pub position: Position,
    /// Records of the log after that.
    pub behind: u64,
    /// Whether it is what readers by name get; otherwise it is being built.
    pub serving: bool,
    /// Whether the process that says so has its type.
    pub running: bool,
    /// Whether it is made anew beside what readers have, or will be at the next start.
    #[serde(default)]
    pub rebuild: bool,
    /// How many keys have a state, if it is one by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Why it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
}

/// What readers of a projection get by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedProjection {
    /// The version that has caught up last.
    pub version: u32,
    /// Everything up to here is in the state.
    pub position: Position,
    /// The state.
    pub state: Data,
}

/// Keys of a projection by key with their states, as readers by name get them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedKeys {
    /// The version that has caught up last.
    pub version: u32,
    /// Everything up to here is in the states.
    pub position: Position,
    /// The keys with their states, in order.
    pub entries: Vec<(String, Data)>,
    /// The key after which the next page begins; nothing after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl ProjectionStates {
    /// Has the tables follow the journal.
    ///
    /// # Errors
    /// `InvalidArgument` if they do already.
    pub fn link(tables: &mut Tables) -> Result<Self> {
        let plain = Arc::new(TableState::own("foundation.projections")?);
        tables.link(Arc::clone(&plain))?;
        let keyed = Arc::new(TableState::own("foundation.keyed")?);
        tables.link(Arc::clone(&keyed))?;
        Ok(Self { plain, keyed })
    }

    /// The projections, once the journal was read.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn open(self, journal: &Arc<dyn Journal>) -> Result<Projections> {
        let table = Table::open(Arc::clone(journal), self.plain)?;
        let keyed = Keyed::new(Table::open(Arc::clone(journal), self.keyed)?);
        Ok(Projections(Arc::new(Inner { table, all: Mutex::default(), keyed })))
    }
}

impl Projections {
    /// Adds a projection with its type, at the place that it was kept at.
    ///
    /// # Errors
    /// `Invalid` for a name that it may not have; `InvalidArgument` if this version is there, or
    /// another kind of projection has the name; `Malformed` if the state that was kept is not of its type: a change of the type needs a new
    /// version.
    pub fn add<P: Projection>(&self) -> Result<ProjectionHandle<P>> {
        table_name(P::NAME)?;
        self.refuse_other_kind(P::NAME, self.keyed().knows(P::NAME))?;
        let shared = Shared::<P>::new();
        if let Some(kept) = self.0.table.get(&key_of(P::NAME, P::VERSION)) {
            let state: P::State = kept
                .state
                .to()
                .map_err(|error| error.with("projection", P::NAME).with("version", P::VERSION))?;
            shared.seen.send_modify(|seen| {
                (seen.state, seen.position) = (Arc::new(state), kept.position);
            });
            shared.signals.is_serving.store(kept.serving, Ordering::Release);
            shared.signals.is_marked.store(kept.rebuild, Ordering::Release);
        }
        let shared = Arc::new(shared);
        let key = (P::NAME.to_owned(), P::VERSION);
        if self.all().insert(key, Arc::clone(&shared) as Arc<dyn AnyProjection>).is_some() {
            let message = format!("projection {:?} has version {} twice", P::NAME, P::VERSION);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(ProjectionHandle(shared))
    }

    /// Starts folding, unless a later version that the program has too has caught up before.
    pub fn start<P: Projection>(
        &self,
        handle: &ProjectionHandle<P>,
        events: &EventStore,
        tasks: &Tasks,
    ) {
        let later = self
            .all()
            .range((P::NAME.to_owned(), P::VERSION + 1)..)
            .next()
            .is_some_and(|((name, _), live)| name == P::NAME && is_serving(&**live));
        if later {
            self.all().remove(&(P::NAME.to_owned(), P::VERSION));
            return;
        }
        let stop = tasks.stop_signal();
        let shared = Arc::clone(&handle.0);
        tasks.spawn(P::NAME, fold::run(shared, self.clone(), events.clone(), stop));
    }

    /// What readers by name get: the state of the version that has caught up last, whether or not
    /// the program has its type; of one that never has, the one that is being built.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name; `InvalidArgument` if it is one by key.
    pub fn served(&self, name: &str) -> Result<ServedProjection> {
        let found =
            self.versions(name).into_iter().max_by_key(|(version, serving)| (*serving, *version));
        let Some((version, _)) = found else {
            if self.keyed().knows(name) {
                let message =
                    format!("projection {name:?} has a state for each key: ask for those");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            return Err(self.no_such(name));
        };
        let live = self.all().get(&(name.to_owned(), version)).cloned();
        if let Some(live) = live {
            let (position, _) = live.look();
            return Ok(ServedProjection { version, position, state: live.state()? });
        }
        let kept = self.0.table.get(&key_of(name, version));
        let kept = kept.ok_or_else(|| Error::new(ErrorKind::NotFound, "it was just replaced"))?;
        Ok(ServedProjection { version, position: kept.position, state: kept.state.clone() })
    }

    /// Every version of every projection, in order.
    #[must_use]
    pub fn list(&self, published: Position) -> Vec<ProjectionStatus> {
        let behind = |at: Position| published.to_engine().saturating_sub(at.to_engine());
        let mut rows = BTreeMap::new();
        for (key, kept) in self.0.table.snapshot().iter() {
            let Some((name, version)) = name_of(key) else { continue };
            let row = ProjectionStatus {
                name: name.to_owned(),
                version,
                position: kept.position,
                behind: behind(kept.position),
                serving: kept.serving,
                running: false,
                rebuild: kept.rebuild,
                keys: None,
                halted: None,
            };
            rows.insert((row.name.clone(), version), row);
        }
        for ((name, version), live) in self.all().iter() {
            let (position, halted) = live.look();
            let row = ProjectionStatus {
                name: name.clone(),
                version: *version,
                position,
                behind: behind(position),
                serving: is_serving(&**live),
                running: true,
                rebuild: self.is_marked(name, *version),
                keys: None,
                halted: halted.map(|cause| cause.to_string()),
            };
            rows.insert((name.clone(), *version), row);
        }
        let mut rows: Vec<_> = rows.into_values().chain(self.keyed().list(published)).collect();
        rows.sort_by(|one, other| {
            let key = |row: &ProjectionStatus| (row.version, row.rebuild);
            one.name.cmp(&other.name).then_with(|| key(one).cmp(&key(other)))
        });
        rows
    }

    pub(super) fn keyed(&self) -> &Keyed {
        &self.0.keyed
    }

    pub(super) fn table(&self) -> &Table<String, ProjectionKept> {
        &self.0.table
    }

    /// A version has caught up and is kept as the one that is served: those before it end.
    pub(super) async fn serve(&self, name: &str, version: u32) {
        let before = self.versions(name).into_iter().map(|(version, _)| version);
        for old in before.filter(|old| *old < version) {
            let live = self.all().remove(&(name.to_owned(), old));
            if let Some(live) = live {
                live.signals().retire.notify_one();
            }
            if let Err(error) = self.0.table.remove(&key_of(name, old)).await {
                tracing::warn!(projection = name, old, %error, "an old version stays kept");
            }
        }
    }

    /// The versions of a projection, and whether each has caught up once.
    pub(super) fn versions(&self, name: &str) -> Vec<(u32, bool)> {
        let mut found = BTreeMap::new();
        for (key, kept) in self.0.table.snapshot().iter() {
            if let Some((_, version)) = name_of(key).filter(|(of, _)| *of == name) {
                found.insert(version, kept.serving);
            }
        }
        let all = self.all();
        let live = all.iter().filter(|((of, _), _)| of == name);
        found.extend(live.map(|((_, version), live)| (*version, is_serving(&**live))));
        found.into_iter().collect()
    }

    pub(super) fn all(&self) -> MutexGuard<'_, BTreeMap<(String, u32), Arc<dyn AnyProjection>>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a version is kept under.
pub(super) fn key_of(name: &str, version: u32) -> String {
    format!("{name}@{version}")
}

fn name_of(key: &str) -> Option<(&str, u32)> {
    let (name, version) = key.split_once('@')?;
    Some((name, version.parse().ok()?))
}

fn is_serving(live: &dyn AnyProjection) -> bool {
    live.signals().is_serving.load(Ordering::Acquire)
}

impl std::fmt::Debug for Projections {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Projections").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProjectionStates {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ProjectionStates").finish_non_exhaustive()
    }
}
