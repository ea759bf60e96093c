//! The exports of a store: those that are known, and those that this process has sinks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_types::event::ExportKept;
use foundation_types::{Error, ErrorKind, EventQuery, Position, Result};
use foundation_validate::event::no_such_export;
use foundation_validate::table::is_own_table;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::exporter::{Exporter, Shared, Wanted, status};
use super::{ExportLeft, ExportRules, ExportStatus, Sink};
use crate::event::{ConsumerAction, ConsumerStatus, EventStore};
use crate::tasks::Tasks;

/// What an operator does about an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportAction {
    /// It rests, also after a restart, until it is resumed. Retention waits meanwhile.
    Pause,
    /// It goes on, after a pause or after it stood still before an event.
    Resume,
    /// It begins anew after this position, 0 for the oldest event. What it has parked stays so. One
    /// that is not at work has the filter that it is started with next.
    Reset(Position),
    /// It ends, and nothing is known of it any more, its parked events neither. A process that
    /// has a sink for it begins anew at its next start.
    Delete,
}

/// What an export does, as it tells it.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) is_resting: bool,
    pub(super) is_ended: bool,
    pub(super) delivered: u64,
    pub(super) retried: u64,
    pub(super) last_error: Option<String>,
    /// When the next try is, on the monotonic clock.
    pub(super) next_try: Option<Duration>,
    /// Since when there has been something to pass on of which nothing was taken.
    pub(super) waiting_since: Option<Duration>,
}

impl Work {
    pub(super) fn rest(&mut self) {
        (self.is_resting, self.waiting_since, self.next_try) = (true, None, None);
    }

    pub(super) fn end(&mut self) {
        self.rest();
        self.is_ended = true;
    }
}

/// The exports of a store. Clones are the same.
#[derive(Clone)]
pub struct Exports {
    events: EventStore,
    running: Arc<Mutex<BTreeMap<String, Arc<Shared>>>>,
    /// Held while one is started or changed.
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl Exports {
    /// The exports of this event store; none is at work yet.
    #[must_use]
    pub fn new(events: EventStore) -> Self {
        Self { events, running: Arc::default(), changing: Arc::default() }
    }

    /// Starts an export, where it was or at its start. It goes on beside the caller until the node
    /// stops; one that is paused rests.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that it may not have; `InvalidArgument` for rules beyond
    /// their bounds, for the name of a consumer, for another filter than it began with, and for an
    /// export that has a sink in this process; `TooLarge` beyond 100 exports; what the journal answers
    /// if it is new.
    pub async fn start(
        &self,
        name: impl Into<String>,
        sink: impl Sink,
        rules: ExportRules,
        tasks: &Tasks,
    ) -> Result<()> {
        let exporter = self.begin(name.into(), Box::new(sink), rules).await?;
        tasks.spawn("export", exporter.run());
        Ok(())
    }

    pub(super) async fn begin(
        &self,
        name: String,
        sink: Box<dyn Sink>,
        rules: ExportRules,
    ) -> Result<Exporter> {
        let _one_by_one = self.changing.lock().await;
        rules.check(&name)?;
        if self.live(&name).is_some() {
            let message = format!("export {name:?} has a sink in this process already");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let kept = self.events.export_or_new(&name, Some(&rules.filter)).await?;
        // What it is to begin with is decided now, and what is wrong with it told to the caller.
        rules.consumer(&name, &self.events).open().await?.stop().await;
        let wanted = if kept.paused { Wanted::Rest } else { Wanted::Run };
        let batch_events = rules.batch_events;
        let (wanted, work) = (watch::Sender::new(wanted), watch::Sender::default());
        let shared = Arc::new(Shared { name: name.clone(), rules, wanted, work });
        self.running().insert(name, Arc::clone(&shared));
        Ok(Exporter { shared, events: self.events.clone(), sink, batch_events, failures: 0 })
    }

    /// Every export, at work or not, in the order of names.
    #[must_use]
    pub fn list(&self) -> Vec<ExportStatus> {
        let Ok(table) = self.events.export_table() else { return Vec::new() };
        let table = table.snapshot();
        let places = self.events.consumers();
        let place = |name: &str| places.iter().find(|place| place.name == name);
        table.iter().map(|(name, kept)| self.status_of(name, kept, place(name))).collect()
    }

    fn no_such_export(&self, name: &str) -> Error {
        no_such_export(name, self.names().iter().map(String::as_str))
    }

    /// The names of all exports, at work or not.
    pub(crate) fn names(&self) -> Vec<String> {
        let table = self.events.export_table().map(crate::table::Table::snapshot);
        table.map(|table| table.iter().map(|(name, _)| name.clone()).collect()).unwrap_or_default()
    }

    fn status_of(
        &self,
        name: &str,
        kept: &ExportKept,
        place: Option<&ConsumerStatus>,
    ) -> ExportStatus {
        let work = self.live(name).map(|shared| status(&shared, &self.events));
        let mut told = work.unwrap_or_default();
        (told.name, told.paused, told.skipped) = (name.to_owned(), kept.paused, kept.skipped);
        if let Some(place) = place {
            (told.position, told.behind) = (place.position, place.behind);
            (told.behind_ms, told.in_flight) = (place.behind_ms, place.in_flight);
            (told.parked, told.halted) = (place.parked, place.halted.clone());
            let failure = place.failure.as_ref().map(|failure| failure.message.clone());
            told.last_error = told.last_error.or(failure);
        }
        told
    }

    /// Does something about an export, at work or not; it is done when this comes back.
    ///
    /// # Errors
    /// `NotFound` if there is none with this name; what the journal answers otherwise.
    pub async fn change(&self, name: &str, action: ExportAction) -> Result<()> {
        let _one_by_one = self.changing.lock().await;
        let table = self.events.export_table()?;
        let kept = table.get(name).ok_or_else(|| self.no_such_export(name))?;
        let has_place = self.events.consumers().iter().any(|place| place.name == name);
        match action {
            ExportAction::Pause => {
                self.set_paused(name, true).await?;
                self.rest(name).await;
            }
            ExportAction::Resume => {
                self.set_paused(name, false).await?;
                if has_place {
                    self.events.change_place(name, ConsumerAction::Resume).await?;
                }
                self.want(name, Wanted::Run);
            }
            ExportAction::Reset(position) => {
                self.rest(name).await;
                let outcome = self.reset(name, position, has_place).await;
                if outcome.is_ok() && self.live(name).is_none() {
                    self.forget_filter(name).await?;
                }
                if !kept.paused {
                    self.want(name, Wanted::Run);
                }
                outcome?;
            }
            ExportAction::Delete => {
                self.want(name, Wanted::End);
                if let Some(live) = self.live(name) {
                    let _ = live.work.subscribe().wait_for(|work| work.is_ended).await;
                }
                if has_place {
                    self.events.change_place(name, ConsumerAction::Delete).await?;
                }
                table.remove(&name.to_owned()).await?;
                self.running().remove(name);
            }
        }
        Ok(())
    }

    /// As [`Exports::list`], where one that has had all its events is not behind, whatever else was
    /// recorded since, such as its own place.
    pub async fn list_by_events(&self) -> Vec<ExportStatus> {
        let mut all = self.list();
        for one in all.iter_mut().filter(|one| one.behind > 0) {
            if !self.has_more(&self.filter_of(&one.name), one.position).await {
                one.behind = 0;
            }
        }
        all
    }

    /// Which events an export passes on; all of them if that was never said.
    fn filter_of(&self, name: &str) -> EventQuery {
        let kept = || self.events.export_table().ok()?.get(name)?.filter.clone();
        let live = self.live(name).map(|live| live.rules.filter.clone());
        live.or_else(kept).unwrap_or_default()
    }

    /// Whether an event that is to be passed on comes after a position: the changes of Foundation's own
    /// tables are none, and what cannot be told, or not from a few pages, counts as one.
    async fn has_more(&self, filter: &EventQuery, position: Position) -> bool {
        let mut pages = self.events.pages(filter.clone().after(position));
        for _ in 0..PAGES_LOOKED_AT {
            match pages.next().await {
                Ok(Some(page))
                    if page.iter().all(|one| one.stream.table().is_some_and(is_own_table)) => {}
                Ok(None) => return false,
                Ok(Some(_)) | Err(_) => return true,
            }
        }
        true
    }

    async fn reset(&self, name: &str, position: Position, has_place: bool) -> Result<()> {
        let last = self.events.published();
        if position > last {
            let message = format!("position {position} is past the end of the log, {last}");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if !has_place {
            self.events.idle_consumer(name).await?;
        }
        self.events.change_place(name, ConsumerAction::Reset(position)).await
    }

    /// It begins anew, with the filter that it is asked for next.
    async fn forget_filter(&self, name: &str) -> Result<()> {
        let forget = |kept: Option<&ExportKept>| {
            kept.map(|kept| ExportKept { filter: None, ..kept.clone() })
        };
        self.events.export_table()?.update(name.to_owned(), forget).await.map(drop)
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<()> {
        let set =
            |kept: Option<&ExportKept>| kept.map(|kept| ExportKept { paused, ..kept.clone() });
        self.events.export_table()?.update(name.to_owned(), set).await.map(drop)
    }

    /// Has an export at work rest, and waits until it does.
    async fn rest(&self, name: &str) {
        let Some(live) = self.live(name) else { return };
        self.want(name, Wanted::Rest);
        let rests = |work: &Work| work.is_ended || work.is_resting;
        let _ = live.work.subscribe().wait_for(rests).await;
    }

    fn want(&self, name: &str, wanted: Wanted) {
        if let Some(live) = self.live(name) {
            live.wanted.send_if_modified(|now| {
                let is_open = !matches!(*now, Wanted::Drain(_) | Wanted::End);
                if is_open {
                    *now = wanted;
                }
                is_open
            });
            if wanted == Wanted::Run {
                live.work.send_modify(|work| work.is_resting = false);
            }
        }
    }

    /// Has all exports pass on what is published by now, as long as nothing fails, and end; waits
    /// for that at most so long, and ends them where they are then. Gives what is left.
    pub async fn drain(&self, deadline: Duration) -> Vec<ExportLeft> {
        let last = self.events.published();
        let all: Vec<Arc<Shared>> = self.running().values().cloned().collect();
        let drain = async {
            for one in &all {
                one.wanted.send_if_modified(|wanted| {
                    let is_running = *wanted == Wanted::Run;
                    *wanted = if is_running { Wanted::Drain(last) } else { Wanted::End };
                    true
                });
            }
            for one in &all {
                let _ = one.work.subscribe().wait_for(|work| work.is_ended).await;
            }
        };
        if tokio::time::timeout(deadline, drain).await.is_err() {
            self.abandon();
            // What is dropped where it waits ends at once.
            for one in &all {
                let ended = one.work.subscribe();
                let _ = tokio::time::timeout(END, { ended }.wait_for(|work| work.is_ended)).await;
            }
        }
        let mut left = Vec::new();
        for one in self.events.consumers().into_iter().filter(|one| one.position < last) {
            let Some(export) = all.iter().find(|export| export.name == one.name) else { continue };
            if self.has_more(&export.rules.filter, one.position).await {
                let behind = last.to_engine() - one.position.to_engine();
                left.push(ExportLeft { export: one.name, position: one.position, behind });
            }
        }
        left
    }

    /// Tells all exports to end where they are, and waits for none.
    pub fn abandon(&self) {
        for one in self.running().values() {
            one.wanted.send_replace(Wanted::End);
        }
    }

    /// What is wrong with those that are known.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.list().iter().filter_map(ExportStatus::fault).collect()
    }

    pub(super) fn events(&self) -> &EventStore {
        &self.events
    }

    pub(super) fn has_sink(&self, name: &str) -> bool {
        self.live(name).is_some()
    }

    fn live(&self, name: &str) -> Option<Arc<Shared>> {
        let live = self.running().get(name).cloned();
        live.filter(|live| !live.work.borrow().is_ended)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shared>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pages in which an event for an export is looked for.
const PAGES_LOOKED_AT: usize = 10;
/// How long an export that is dropped where it waits may take to keep its place.
const END: Duration = Duration::from_millis(500);

impl std::fmt::Debug for Exports {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Exports").finish_non_exhaustive()
    }
}
