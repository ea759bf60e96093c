//! One live document: its front.

use std::sync::{Arc, Mutex};

use foundation_logic::config::{Layers, on};
use foundation_logic::{diff, lens};
use foundation_store::clock::Clock;
use foundation_store::config::{ConfigState, Current, Snapshot, Timeline};
use foundation_store::journal::Journal;
use foundation_types::config::{OnConflict, OnInvalid};
use foundation_types::error::Retry;
use foundation_types::limits::CONFLICT_TRIES_MAX;
use foundation_types::{Document, Edit, Error, Path, Result, Value, Version};
use foundation_validate::config::{Said, no_such_key, with_secrets};
use foundation_validate::parse::FileFormat;
use foundation_validate::{BusinessRule, ChangeRequest};
use serde::Serialize;
use tokio::sync::watch;

use super::fields::{self, FieldRow};
use super::lane::Lane;
use super::place::{Accepts, Place};
use super::refusals::Refusals;
use super::sources::Sources;
use super::subscription::Subscription;
use super::update::{Update, Updated};
use super::vetoes::Vetoes;

/// One configuration document, live: cheap to clone, wait-free to read.
///
/// ```
/// # tokio_test(async {
/// use std::sync::Arc;
/// use foundation_services::config::ConfigServer;
/// use foundation_store::clock::SystemClock;
/// use foundation_store::config::ConfigState;
/// use foundation_store::journal::MemoryJournal;
/// use foundation_types::{Settings, StoreId};
///
/// let state = Arc::new(ConfigState::<Settings>::new()?);
/// let clock = Arc::new(SystemClock::default());
/// let store = StoreId::from_bits(1);
/// let journal =
///     MemoryJournal::new(store, MemoryJournal::BYTES_MAX, clock.clone(), state.clone());
/// let settings = ConfigServer::open(Arc::new(journal), state, Vec::new(), clock)?;
///
/// let updated = settings.set("interface.max_results", 250).reason("launch day").await?;
/// assert_eq!(updated.version.number(), 1);
/// assert_eq!(settings.get().interface.max_results, 250);
/// # Ok::<(), foundation_types::Error>(())
/// # }).unwrap();
/// # fn tokio_test<F: Future>(test: F) -> F::Output {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
/// # }
/// ```
#[derive(Debug)]
pub struct ConfigServer<T> {
    pub(super) state: Arc<ConfigState<T>>,
    pub(super) inner: Arc<Inner<T>>,
}

pub(super) struct Inner<T> {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) rules: Vec<BusinessRule<T>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lane: tokio::sync::Mutex<Lane>,
    /// Held by the one of those who try again after a conflict whose turn it is.
    pub(super) late: tokio::sync::Mutex<()>,
    pub(super) sources: Sources,
    /// Why the sources that are there now are not those in force, if they are not.
    pub(super) refused: Mutex<Option<Error>>,
    /// Who is asked before each change.
    pub(super) vetoes: Arc<Vetoes<T>>,
    pub(super) refusals: Refusals,
    /// What is usual at places where changes conflict.
    pub(super) usual: Mutex<Vec<(Path, OnConflict)>>,
    /// Held by whoever parks a change or decides about one.
    pub(super) parking: tokio::sync::Mutex<()>,
    /// Whether changes are no longer taken; gone with the last server.
    pub(super) closed: watch::Sender<bool>,
}

impl<T> std::fmt::Debug for Inner<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Inner").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

impl<T> Clone for ConfigServer<T> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), inner: Arc::clone(&self.inner) }
    }
}

impl<T: Document> ConfigServer<T> {
    /// The server of a document whose state has followed the whole journal.
    ///
    /// # Errors
    /// As [`ConfigState::recovered`]: every path is named at which what was logged breaks a rule
    /// of the document as it is now.
    pub fn open(
        journal: Arc<dyn Journal>,
        state: Arc<ConfigState<T>>,
        rules: Vec<BusinessRule<T>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Self::open_with(journal, state, rules, clock, Sources::defaults())
    }

    /// As [`ConfigServer::open`], with what these sources say under what was set at run time.
    ///
    /// What of that the log does not know yet is logged by [`ConfigServer::reload`]. Files are read
    /// here, by the thread that calls.
    ///
    /// # Errors
    /// As [`ConfigServer::open`], and every problem of every source at once, each with its file, line
    /// and column or its variable.
    pub fn open_with(
        journal: Arc<dyn Journal>,
        state: Arc<ConfigState<T>>,
        rules: Vec<BusinessRule<T>>,
        clock: Arc<dyn Clock>,
        sources: Sources,
    ) -> Result<Self> {
        Self::open_or(journal, state, rules, clock, sources, OnInvalid::Refuse)
    }

    /// As [`ConfigServer::open_with`], with what becomes of what was logged and breaks a rule.
    ///
    /// # Errors
    /// As [`ConfigServer::open_with`].
    pub fn open_or(
        journal: Arc<dyn Journal>,
        state: Arc<ConfigState<T>>,
        rules: Vec<BusinessRule<T>>,
        clock: Arc<dyn Clock>,
        sources: Sources,
        on_invalid: OnInvalid,
    ) -> Result<Self> {
        let layers = match sources.is_empty() {
            true => None,
            false => Some(Arc::new(sources.read::<T>(&state.timeline().base())?)),
        };
        state.recovered_or(&rules, layers, on_invalid)?;
        let lane = tokio::sync::Mutex::new(Lane::default());
        let late = tokio::sync::Mutex::default();
        let (vetoes, refusals) = (Arc::default(), Refusals::default());
        let closed = watch::Sender::new(false);
        let (usual, refused) = (Mutex::default(), Mutex::default());
        let parking = tokio::sync::Mutex::default();
        let inner = Inner {
            journal,
            rules,
            clock,
            lane,
            late,
            sources,
            refused,
            vetoes,
            refusals,
            usual,
            parking,
            closed,
        };
        Ok(Self { state, inner: Arc::new(inner) })
    }

    /// The document as it is now. No lock, no allocation; all that is read through the answer is
    /// of one version.
    #[must_use]
    pub fn get(&self) -> Current<T> {
        self.state.current()
    }

    /// The value at a place of the document as it is now, as a tree. `lens.get(&server.get())` reads
    /// it as the type that it has, and without a copy.
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path; `NotFound`, with the nearest known key as hint.
    pub fn value(&self, place: impl Place<T>) -> Result<Value> {
        let current = self.state.current();
        // A path that is there need not be copied, and most text leads straight to its value.
        let found = match place.as_path() {
            Some(path) => lens::get(current.tree(), path),
            None => place.as_text().and_then(|text| lens::get_plain(current.tree(), text)),
        };
        if let Some(value) = found {
            return Ok(value.clone());
        }
        let path = place.into_path()?;
        match lens::get(current.tree(), &path) {
            Some(value) => Ok(value.clone()),
            None => Err(Error::of_problems(vec![no_such_key::<T>(&path)])),
        }
    }

    /// The version of the document as it is now.
    #[must_use]
    pub fn version(&self) -> Version {
        self.state.current().version()
    }

    /// The document as it is without any change.
    #[must_use]
    pub fn defaults(&self) -> Value {
        self.timeline().base()
    }

    /// Every field with its value, its default, and what is known of it.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldRow> {
        fields::rows::<T>(self.state.current().tree(), &self.defaults())
    }

    /// Puts a value at a place, when it is awaited. Also if just this value is in force there by a
    /// source or as the default: from then on it stays, whatever the sources say. Not so the keys of
    /// a map or struct that is set as a whole: of them what differs is set.
    ///
    /// ```
    /// # use foundation_services::config::{ConfigServer, Updated};
    /// # use foundation_types::{Result, Settings, lens};
    /// async fn calm_down(settings: &ConfigServer<Settings>) -> Result<Updated> {
    ///     // Checked when this is compiled, and when it is done: the range of the field.
    ///     settings.set(lens!(Settings, interface.max_results), 250).await?;
    ///     // Checked when it is done.
    ///     settings.set("interface.max_results", 250).await
    /// }
    /// ```
    pub fn set<V: Serialize>(&self, place: impl Place<T> + Accepts<V>, value: V) -> Update<T> {
        self.transaction().set(place, value)
    }

    /// Takes away what was set at run time at a place, when it is awaited: a field then has what the
    /// sources say, or its default.
    pub fn unset(&self, place: impl Place<T>) -> Update<T> {
        self.transaction().unset(place)
    }

    /// As [`ConfigServer::unset`]. The root resets all.
    pub fn reset(&self, place: impl Place<T>) -> Update<T> {
        self.transaction().reset(place)
    }

    /// Makes a patch of the document, when it is awaited: see [`Update::patch`].
    pub fn patch(&self, patch: impl Serialize) -> Update<T> {
        self.transaction().patch(patch)
    }

    /// A change of many paths: all or nothing.
    pub fn transaction(&self) -> Update<T> {
        Update::new(self.clone())
    }

    /// Computes a change from the document as it is, and does so again while others were quicker,
    /// up to 100 times.
    ///
    /// The closure is given what is there, and a change that expects just that.
    ///
    /// ```
    /// # use foundation_services::config::{ConfigServer, Updated};
    /// # use foundation_types::{Result, Settings};
    /// async fn one_more(settings: &ConfigServer<Settings>) -> Result<Updated> {
    ///     let path = "interface.max_results";
    ///     settings
    ///         .retry_on_conflict(|seen, change| {
    ///             change.set(path, seen.document.interface.max_results + 1)
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`ConfigServer::update`]; the last conflict after 100 of them.
    pub async fn retry_on_conflict(
        &self,
        mut change: impl FnMut(&Snapshot<T>, Update<T>) -> Update<T>,
    ) -> Result<Updated> {
        let (mut tries, mut turn) = (1..CONFLICT_TRIES_MAX, None);
        loop {
            let seen = self.get().to_snapshot();
            let update = self.transaction().expect_version(seen.version);
            match change(&seen, update).await {
                Err(error) if error.kind().row().retry == Retry::AfterRefresh => {
                    if tries.next().is_none() {
                        return Err(error);
                    }
                    // Those who were too late once go one by one, or some would be for ever.
                    if turn.is_none() {
                        turn = Some(self.inner.late.lock().await);
                    }
                }
                ended => return ended,
            }
        }
    }

    /// What becomes of the document if this is one of its files, the strongest.
    ///
    /// # Errors
    /// Every problem of it, each with line and column.
    pub fn check(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<Edit>> {
        let said =
            FileFormat::of(name.as_ref()).and_then(|format| Said::by_file(name, bytes, format))?;
        let said = said.with_secrets::<T>();
        let defaults = self.defaults();
        let mut found = said.misfits::<T>(&on::<T>(&defaults, &said));
        let layers = Layers::new::<T>(defaults.clone(), vec![said]);
        if found.is_empty() {
            let judged = self.judge(layers.tree()).map_err(|error| layers.placed::<T>(error));
            match judged {
                Ok(stored) => return Ok(diff::diff(&defaults, &stored.into_inner().tree)),
                Err(error) if error.problems().is_empty() => return Err(error),
                Err(error) => found = error.problems().to_vec(),
            }
        }
        Err(Error::of_problems(found).with("document", T::NAME))
    }

    /// Why what was logged of it is not in force, if it is parked: every problem. It waits in the log as
    /// it is, and readers see the defaults and what the sources said at the start. The next change is
    /// made on what waits, and brings it back if the whole then passes; otherwise it is refused with the
    /// problems that are left.
    #[must_use]
    pub fn parked_document(&self) -> Option<Error> {
        self.state.parked_document().map(|parked| parked.error.clone())
    }

    /// Whether files or the environment said something of it once, and no source was given here. What
    /// they said, as long as nothing is changed, is in force as it was logged; secrets are defaults.
    /// Taking away what was set would leave defaults, and is refused: see [`Update::defaults`].
    #[must_use]
    pub fn lacks_sources(&self) -> bool {
        self.inner.sources.is_empty() && self.timeline().was_sourced()
    }

    /// Where its values come from.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.inner.sources
    }

    /// Makes the document what it was at an earlier version, as a new version.
    ///
    /// A secret that a file or the environment said at that version was not logged: it is as they say
    /// now, and [`Updated::as_sourced`] has its place. If they say none now the rollback is refused:
    /// `SecretUnknown`, with every such place.
    pub fn rollback(&self, version: Version) -> Update<T> {
        self.transaction().back_to(version)
    }

    /// Does what the request says, as a whole or not at all. It is done when it is durable.
    ///
    /// Once it has its place in the journal the change goes on, even if nobody waits any more.
    ///
    /// # Errors
    /// - the change is refused: every problem, with path, value and what was expected;
    /// - `Vetoed`, with the reason, if somebody who is asked refuses it: see
    ///   [`ConfigServer::veto`]; `WithinVeto` from within a veto of the document;
    /// - `VersionConflict`, with the changes missed, if the document is not at the expected
    ///   version;
    /// - `Parked`, with what it waits as, if it is to be parked in that case; `ParkedFull` if too
    ///   many wait already;
    /// - what the journal answers: `Indeterminate`, `Fenced`, `DiskFull`, `TooLarge`;
    /// - `NoSources` if something is taken away in a document that lacks the sources it once had;
    /// - `Unavailable` after [`ConfigServer::close`].
    pub async fn update(&self, request: ChangeRequest) -> Result<Updated> {
        self.apply(request).await
    }

    /// What the request would change now, with all checks and without doing it.
    ///
    /// # Errors
    /// As [`ConfigServer::update`].
    pub async fn preview(&self, request: ChangeRequest) -> Result<Vec<Edit>> {
        self.rehearse(request).await
    }

    /// The changes at a place from now on; the root for all.
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path.
    pub fn subscribe(&self, place: impl Place<T>) -> Result<Subscription> {
        let (path, closed) = (place.into_path()?, self.inner.closed.subscribe());
        Ok(Subscription::live(self.timeline(), path, closed, || self.version()))
    }

    /// The changes at a place after a version, those that were made already first: nothing between
    /// is missed and nothing comes twice.
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path, and as [`ConfigServer::tree_at`].
    pub async fn subscribe_from(
        &self,
        version: Version,
        place: impl Place<T>,
    ) -> Result<Subscription> {
        let path = place.into_path()?;
        // Earlier changes are told as they were logged, with the paths of their schema.
        let tree = self.timeline().tree_at(&*self.inner.journal, version).await?;
        let tree = with_secrets::<T>(&Path::root(), tree);
        let journal = Arc::clone(&self.inner.journal);
        let closed = self.inner.closed.subscribe();
        Ok(Subscription::from(self.timeline(), path, closed, journal, version, tree))
    }

    /// Takes no more changes and ends the subscriptions once they have what was changed.
    pub fn close(&self) {
        self.inner.closed.send_replace(true);
    }

    pub(super) fn timeline(&self) -> &Arc<Timeline> {
        self.state.timeline()
    }
}
