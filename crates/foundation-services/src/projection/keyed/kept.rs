//! The projections by key of a store: those whose types the program has, and those that are kept.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_types::event::{KeyedKept, KeyedPlace};
use foundation_types::{Data, Error, ErrorKind, Position, Result};
use foundation_validate::table::table_name;
use tokio::sync::watch;

use super::build::{Build, builds, place_of};
use super::view::{KeyedHandle, KeyedPage, KeyedView, Shared};
use super::{AnyKeyed, KeyedProjection, fold};
use crate::event::EventStore;
use crate::projection::handle::Signals;
use crate::projection::registry::{ProjectionStatus, Projections, ServedKeys};
use crate::table::Table;
use crate::tasks::Tasks;

/// Entries that are removed in one step.
const CLEARED_AT_ONCE: usize = 1_000;

type Live = BTreeMap<(String, u32), Arc<dyn AnyKeyed>>;

/// What is kept, and what is at work.
pub(in crate::projection) struct Keyed {
    table: Table<String, KeyedKept>,
    live: Mutex<Live>,
}

/// A build as readers by name get it, and the version at work that has more than is kept.
struct Served {
    serving: bool,
    view: KeyedView<Data>,
    live: Option<Arc<dyn AnyKeyed>>,
}

impl Keyed {
    pub(in crate::projection) fn new(table: Table<String, KeyedKept>) -> Self {
        Self { table, live: Mutex::default() }
    }

    pub(super) fn table(&self) -> &Table<String, KeyedKept> {
        &self.table
    }

    pub(in crate::projection) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The build that readers of a version have, and the one that is worked on.
    fn builds_of(&self, name: &str, version: u32) -> (Build, Build) {
        let kept = builds(&self.table.snapshot(), Some(name));
        let of_version = kept.iter().filter(|(build, _)| build.version == version);
        let placed = of_version.clone().filter(|(_, place)| place.is_some());
        let newest = match placed.clone().next_back() {
            Some((build, _)) => build.clone(),
            None => Build::new(name, version, next_generation(of_version)),
        };
        let mut serving = placed.filter(|(_, place)| place.is_some_and(|place| place.serving));
        let seen = serving.next_back().map_or_else(|| newest.clone(), |(build, _)| build.clone());
        (seen, newest)
    }

    /// The build that a version that is to be made anew is made as; durable from here on.
    pub(super) async fn next_build(&self, name: &str, version: u32) -> Result<Build> {
        let kept = builds(&self.table.snapshot(), Some(name));
        let of_version = kept.iter().filter(|(build, _)| build.version == version);
        let build = Build::new(name, version, next_generation(of_version));
        let place = KeyedPlace { position: Position::START, serving: false, keys: 0 };
        self.table.insert(build.place(), KeyedKept::Place(place)).await?;
        Ok(build)
    }

    /// Builds that nobody reads or works on end: those before the one that is served.
    pub(super) async fn serve(&self, serving: &Build) {
        let later = (serving.name.clone(), serving.version);
        let old: Vec<_> = {
            let mut live = self.live();
            let before = live.range((serving.name.clone(), 0)..later);
            let before: Vec<_> = before.map(|(key, _)| key.clone()).collect();
            before.iter().filter_map(|key| live.remove(key)).collect()
        };
        for live in old {
            live.retire().await;
        }
        for (build, _) in builds(&self.table.snapshot(), Some(&serving.name)) {
            if build < *serving
                && let Err(error) = self.clear(&build).await
            {
                let build = build.place();
                tracing::warn!(projection = build, %error, "what nobody reads stays kept");
            }
        }
    }

    /// Nothing of a build is kept any more: its place goes first, so that a rest is never taken for
    /// states.
    async fn clear(&self, build: &Build) -> Result<()> {
        let mut rows = vec![(build.place(), None)];
        loop {
            let now = self.table.snapshot();
            let keys = now.range(build.range(None)).take(CLEARED_AT_ONCE);
            rows.extend(keys.map(|(key, _)| (key.clone(), None)));
            if rows.is_empty() {
                return Ok(());
            }
            self.table.write(std::mem::take(&mut rows)).await?;
        }
    }

    /// What readers by name get.
    fn served(&self, name: &str) -> Option<Served> {
        let table = self.table.snapshot();
        let mut found = Vec::new();
        for (build, place) in builds(&table, Some(name)) {
            let Some(KeyedPlace { position, serving, keys }) = place else { continue };
            let (table, ahead) = (table.clone(), Arc::default());
            let view = KeyedView { build, table, ahead, position, keys, halted: None };
            found.push(Served { serving, view, live: None });
        }
        for ((_, version), live) in self.live().iter().filter(|((of, _), _)| of == name) {
            let KeyedView { build, table, position, keys, halted, .. } = live.look();
            found.retain(|kept| kept.view.build.version != *version);
            let ahead = Arc::default();
            let view = KeyedView { build, table, ahead, position, keys, halted };
            let (serving, live) = (is_serving(&**live), Some(Arc::clone(live)));
            found.push(Served { serving, view, live });
        }
        found.into_iter().max_by_key(|one| (one.serving, one.view.build.clone()))
    }

    /// A row for each build.
    pub(in crate::projection) fn list(&self, published: Position) -> Vec<ProjectionStatus> {
        let table = self.table.snapshot();
        let live: Vec<_> =
            self.live().values().map(|live| (live.look(), is_serving(&**live))).collect();
        let mut rows = Vec::new();
        for (build, place) in builds(&table, None) {
            let same = |view: &KeyedView<()>| {
                (&view.build.name, view.build.version) == (&build.name, build.version)
            };
            let found = live.iter().find(|(view, _)| same(view));
            // What readers have is further than what is kept.
            let is_seen = found.is_some_and(|(view, _)| view.build == build);
            if let (Some(place), false) = (place, is_seen) {
                let KeyedPlace { position, serving, keys } = place;
                let view = KeyedView {
                    build,
                    table: table.clone(),
                    ahead: Arc::new(BTreeMap::<String, Option<Arc<()>>>::new()),
                    position,
                    keys,
                    halted: None,
                };
                rows.push(row(&view, serving, found.is_some(), published));
            }
        }
        rows.extend(live.iter().map(|(view, serving)| row(view, *serving, true, published)));
        let is_beside = |one: &ProjectionStatus, all: &[ProjectionStatus]| {
            let same = |other: &&ProjectionStatus| {
                (&other.name, other.version) == (&one.name, one.version)
            };
            !one.serving && all.iter().filter(same).count() > 1
        };
        for at in 0..rows.len() {
            rows[at].rebuild = is_beside(&rows[at], &rows);
        }
        rows
    }

    /// Whether anything is kept or at work under a name.
    pub(in crate::projection) fn knows(&self, name: &str) -> bool {
        self.live().keys().any(|(of, _)| of == name)
            || !builds(&self.table.snapshot(), Some(name)).is_empty()
    }

    /// Has the versions that the program has the types of made anew, and marks those that are only
    /// kept, which are made anew at the next start: gives the versions, and whether they are at work.
    pub(in crate::projection) async fn rebuild(&self, name: &str) -> Result<Vec<(u32, bool)>> {
        let mut done = Vec::new();
        for ((of, version), live) in self.live().iter() {
            if of == name {
                live.signals().rebuild.notify_one();
                done.push((*version, true));
            }
        }
        for (build, place) in builds(&self.table.snapshot(), Some(name)) {
            if place.is_some() && !done.iter().any(|(version, _)| *version == build.version) {
                self.next_build(name, build.version).await?;
                done.push((build.version, false));
            }
        }
        Ok(done)
    }

    /// Nothing of a projection is kept any more: gives the versions that were.
    pub(in crate::projection) async fn delete(&self, name: &str) -> Result<Vec<u32>> {
        let mut gone = Vec::new();
        for (build, _) in builds(&self.table.snapshot(), Some(name)) {
            self.clear(&build).await?;
            gone.push(build.version);
        }
        gone.dedup();
        Ok(gone)
    }
}

impl Projections {
    /// Adds a projection by key with its type, at the place that it was kept at.
    ///
    /// # Errors
    /// `Invalid` for a name that it may not have; `InvalidArgument` if this version is there, or
    /// another kind of projection has the name.
    pub fn add_keyed<P: KeyedProjection>(&self) -> Result<KeyedHandle<P>> {
        table_name(P::NAME)?;
        self.refuse_other_kind(P::NAME, self.knows_plain(P::NAME))?;
        let keyed = self.keyed();
        let (build, _) = keyed.builds_of(P::NAME, P::VERSION);
        let table = keyed.table.snapshot();
        let nothing = KeyedPlace { position: Position::START, serving: false, keys: 0 };
        let place = place_of(&table, &build).unwrap_or(nothing);
        let KeyedPlace { position, serving, keys } = place;
        let seen = KeyedView { build, table, ahead: Arc::default(), position, keys, halted: None };
        let (seen, signals) = (watch::Sender::new(seen), Signals::default());
        signals.is_serving.store(serving, Ordering::Release);
        let shared = Arc::new(Shared::<P> { seen, signals, retired: Default::default() });
        let key = (P::NAME.to_owned(), P::VERSION);
        if keyed.live().insert(key, Arc::clone(&shared) as Arc<dyn AnyKeyed>).is_some() {
            let message = format!("projection {:?} has version {} twice", P::NAME, P::VERSION);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(KeyedHandle(shared))
    }

    /// Starts folding, unless a later version that the program has too has caught up before.
    pub fn start_keyed<P: KeyedProjection>(
        &self,
        handle: &KeyedHandle<P>,
        events: &EventStore,
        tasks: &Tasks,
    ) {
        let mut live = self.keyed().live();
        let mut later = live.range((P::NAME.to_owned(), P::VERSION + 1)..);
        if later.any(|((name, _), live)| name == P::NAME && is_serving(&**live)) {
            live.remove(&(P::NAME.to_owned(), P::VERSION));
            return;
        }
        drop(live);
        let (shared, stop) = (Arc::clone(&handle.0), tasks.stop_signal());
        let (_, newest) = self.keyed().builds_of(P::NAME, P::VERSION);
        tasks.spawn(P::NAME, fold::run(shared, newest, self.clone(), events.clone(), stop));
    }

    /// The state under a key of a projection by key, as readers by name get it: whether or not the
    /// program has its type.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub fn served_key(&self, name: &str, key: &str) -> Result<Option<Data>> {
        let found = self.keyed().served(name).ok_or_else(|| self.no_such(name))?;
        let Served { view, live, .. } = found;
        match live {
            Some(live) => live.value(key),
            None => Ok(view.get(key)?.map(|state| Data::clone(&state))),
        }
    }

    /// Keys of a projection by key with their states, as [`KeyedView::page`] gives them.
    ///
    /// # Errors
    /// As [`Projections::served_key`].
    pub fn served_keys(&self, name: &str, after: Option<&str>, limit: usize) -> Result<ServedKeys> {
        let found = self.keyed().served(name).ok_or_else(|| self.no_such(name))?;
        let Served { view, live, .. } = found;
        let KeyedPage { entries, next } = match live {
            Some(live) => live.rows(after, limit)?,
            None => view.page(after, limit)?,
        };
        let entries = entries.into_iter().map(|(key, state)| (key, Data::clone(&state))).collect();
        Ok(ServedKeys { version: view.build.version, position: view.position, entries, next })
    }
}

fn next_generation<'a>(of_version: impl Iterator<Item = &'a (Build, Option<KeyedPlace>)>) -> u32 {
    of_version.map(|(build, _)| build.generation.saturating_add(1)).max().unwrap_or_default()
}

fn row(
    view: &KeyedView<()>,
    serving: bool,
    running: bool,
    published: Position,
) -> ProjectionStatus {
    ProjectionStatus {
        name: view.build.name.clone(),
        version: view.build.version,
        position: view.position,
        behind: published.to_engine().saturating_sub(view.position.to_engine()),
        serving,
        running,
        rebuild: false,
        keys: Some(view.keys),
        halted: view.halted.as_deref().map(str::to_owned),
    }
}

fn is_serving(live: &dyn AnyKeyed) -> bool {
    live.signals().is_serving.load(Ordering::Acquire)
}
