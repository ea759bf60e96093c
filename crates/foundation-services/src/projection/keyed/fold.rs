//! The task of one version of a projection by key: it follows the log, publishes and keeps.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_store::journal::{Hold, Holder};
use foundation_store::table::TableSnapshot;
use foundation_types::event::{KeyedKept, KeyedPlace};
use foundation_types::limits::{
    CONSUMER_IDLE_RECORDS, KEYED_AHEAD_MAX, KEYED_EVENT_KEYS_MAX, KEYED_KEY_BYTES_MAX,
    KEYED_STATE_BYTES_MAX,
};
use foundation_types::{Data, Error, ErrorKind, Position, Recorded, Result};
use foundation_validate::table::is_own_table;
use tokio::time::Instant;

use super::KeyedProjection;
use super::build::{Build, place_of};
use super::view::{Ahead, KeyedView, Shared};
use crate::event::{EventStore, Looked, Start, Subscription};
use crate::projection::fold::{BATCH_EVENTS, KEEP_EVENTS, KEEP_EVERY, caught, until};
use crate::projection::registry::Projections;
use crate::tasks::StopSignal;

/// Why a run over the log ended.
enum Ended {
    Stop,
    Retired,
    Rebuild,
    Halted(String),
}

/// One run over the log, until something ends it.
struct Run<P: KeyedProjection> {
    shared: Arc<Shared<P>>,
    projections: Projections,
    build: Build,
    /// Whether this build is served; while it is not, readers may have another one.
    is_serving: bool,
    is_seen: bool,
    /// What is kept of it.
    table: TableSnapshot<String, KeyedKept>,
    ahead: Arc<Ahead<P::State>>,
    position: Position,
    keys: u64,
    kept: Position,
    events_since: u64,
    unpublished: usize,
    due: Option<Instant>,
    /// Whether the journal did not take what was to be kept last.
    is_stuck: bool,
    hold: Hold,
}

/// Folds until the node stops.
pub(super) async fn run<P: KeyedProjection>(
    shared: Arc<Shared<P>>,
    mut build: Build,
    projections: Projections,
    events: EventStore,
    mut stop: StopSignal,
) {
    if shared.signals.is_serving.load(Ordering::Acquire) {
        let seen = shared.seen.borrow().build.clone();
        projections.keyed().serve(&seen).await;
    }
    loop {
        let mut ended = match begin(&shared, build.clone(), &projections, &events) {
            Ok((run, log)) => run.follow(log, &mut stop).await,
            Err(error) => Ended::Halted(error.to_string()),
        };
        if let Ended::Halted(cause) = &ended {
            tracing::error!(projection = P::NAME, cause, "a projection stands still");
            shared.seen.send_modify(|seen| seen.halted = Some(cause.as_str().into()));
            ended = tokio::select! {
                () = stop.stopped() => Ended::Stop,
                () = shared.signals.retire.notified() => Ended::Retired,
                () = shared.signals.rebuild.notified() => Ended::Rebuild,
            };
        }
        match ended {
            Ended::Stop | Ended::Halted(_) => return,
            Ended::Retired => return stop.stopped().await,
            Ended::Rebuild => match projections.keyed().next_build(P::NAME, P::VERSION).await {
                Ok(next) => build = next,
                // What there is goes on.
                Err(error) => {
                    tracing::warn!(projection = P::NAME, %error, "it cannot be made anew");
                }
            },
        }
    }
}

fn begin<P: KeyedProjection>(
    shared: &Arc<Shared<P>>,
    build: Build,
    projections: &Projections,
    events: &EventStore,
) -> Result<(Run<P>, Subscription)> {
    let table = projections.keyed().table().snapshot();
    let nothing = KeyedPlace { position: Position::START, serving: false, keys: 0 };
    let KeyedPlace { position, serving, keys } = place_of(&table, &build).unwrap_or(nothing);
    let start = match position {
        Position::START => Start::Beginning,
        position => Start::After(position),
    };
    let log = events.subscribe(start, P::filter())?.with_expired();
    let position = log.position();
    let is_seen =
        !shared.signals.is_serving.load(Ordering::Acquire) || shared.seen.borrow().build == build;
    let run = Run {
        shared: Arc::clone(shared),
        projections: projections.clone(),
        build,
        is_serving: serving,
        is_seen,
        table,
        ahead: Arc::default(),
        position,
        keys,
        kept: position,
        events_since: 0,
        unpublished: 0,
        due: None,
        is_stuck: false,
        hold: events.hold(position, Holder::Projection(P::NAME.to_owned())),
    };
    Ok((run, log))
}

impl<P: KeyedProjection> Run<P> {
    async fn follow(mut self, mut log: Subscription, stop: &mut StopSignal) -> Ended {
        let shared = Arc::clone(&self.shared);
        loop {
            let due = self.due;
            let is_full = self.ahead.len() >= KEYED_AHEAD_MAX;
            let looked = tokio::select! {
                biased;
                () = stop.stopped() => {
                    if self.due.is_some() {
                        let _ = self.keep().await;
                    }
                    return Ended::Stop;
                }
                () = shared.signals.retire.notified() => return Ended::Retired,
                () = shared.signals.rebuild.notified() => return Ended::Rebuild,
                () = until(due), if due.is_some() => None,
                looked = log.look(), if !is_full => Some(looked),
            };
            let ended = match looked {
                Some(looked) => match self.take(looked) {
                    Ok(()) => self.go_on(&log).await,
                    Err(cause) => {
                        self.publish();
                        return Ended::Halted(cause);
                    }
                },
                None => self.keep().await,
            };
            if let Err(ended) = ended {
                return ended;
            }
        }
    }

    fn take(&mut self, looked: Result<Looked>) -> Result<(), String> {
        match looked.map_err(|error| error.to_string())? {
            Looked::Event(event, _) if !event.stream.table().is_some_and(is_own_table) => {
                let changed = self.changed(&event).map_err(|cause| {
                    format!("the event at position {} failed: {cause}", event.position)
                })?;
                let ahead = Arc::make_mut(&mut self.ahead);
                for (key, before, state) in changed {
                    self.keys += u64::from(state.is_some());
                    self.keys -= u64::from(before);
                    ahead.insert(key, state.map(Arc::new));
                }
                self.position = event.position;
                self.events_since += 1;
                self.unpublished += 1;
                self.due.get_or_insert_with(|| Instant::now() + KEEP_EVERY);
            }
            Looked::Event(event, _) => self.position = event.position,
            Looked::Nothing(position) => self.position = position,
        }
        Ok(())
    }

    /// What an event makes of its keys, each with whether it had a state; nothing of it is in force.
    #[expect(clippy::type_complexity, reason = "the row is taken apart where it is made")]
    fn changed(&self, event: &Recorded) -> Result<Vec<(String, bool, Option<P::State>)>, String> {
        let mut keys = caught(|| P::keys(event))?;
        keys.sort_unstable();
        keys.dedup();
        if keys.len() > KEYED_EVENT_KEYS_MAX {
            let count = keys.len();
            return Err(format!("it is for {count} keys, the limit is {KEYED_EVENT_KEYS_MAX}"));
        }
        let view = self.view();
        let mut changed = Vec::with_capacity(keys.len());
        for key in keys {
            let bytes = serde_json::to_string(&key).map_or(usize::MAX, |text| text.len());
            if bytes > KEYED_KEY_BYTES_MAX {
                let limit = KEYED_KEY_BYTES_MAX;
                return Err(format!("a key has {bytes} bytes as JSON text, the limit is {limit}"));
            }
            let before = view.get(&key).map_err(|error| error.to_string())?;
            let mut state = before.as_deref().cloned();
            caught(|| P::apply(&key, &mut state, event))?;
            changed.push((key, before.is_some(), state));
        }
        Ok(changed)
    }

    /// Publishes, keeps and serves, each if it is time to.
    async fn go_on(&mut self, log: &Subscription) -> Result<(), Ended> {
        let has_caught_up = log.is_at_end();
        if has_caught_up || self.unpublished >= BATCH_EVENTS {
            self.publish();
        }
        // What the journal did not take is tried again in time.
        if self.is_stuck {
            return Ok(());
        }
        let idle = self.position.to_engine() - self.kept.to_engine();
        let is_much = self.events_since >= KEEP_EVENTS || self.ahead.len() >= KEYED_AHEAD_MAX;
        if is_much || idle >= CONSUMER_IDLE_RECORDS || (has_caught_up && !self.is_serving) {
            self.is_serving |= has_caught_up;
            self.keep().await?;
        }
        Ok(())
    }

    fn view(&self) -> KeyedView<P::State> {
        KeyedView {
            build: self.build.clone(),
            table: self.table.clone(),
            ahead: Arc::clone(&self.ahead),
            position: self.position,
            keys: self.keys,
            halted: None,
        }
    }

    fn publish(&mut self) {
        self.unpublished = 0;
        if self.is_seen {
            self.shared.seen.send_replace(self.view());
        }
    }

    /// Keeps what changed and the place in one step. A journal that cannot take it is tried again
    /// later; a state that is too large is no state.
    async fn keep(&mut self) -> Result<(), Ended> {
        let halted = |error: Error| Ended::Halted(error.to_string());
        let rows = self.rows().map_err(halted)?;
        let shared = Arc::clone(&self.shared);
        let retired = shared.retired.lock().await;
        if *retired {
            return Err(Ended::Retired);
        }
        let table = self.projections.keyed().table().clone();
        let written = table.write(rows).await;
        drop(retired);
        match written {
            Ok(()) => {
                (self.table, self.ahead) = (table.snapshot(), Arc::default());
                (self.kept, self.events_since, self.due) = (self.position, 0, None);
                self.is_stuck = false;
                self.hold.advance(self.kept);
                self.kept_as_served().await;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::TooLarge => Err(halted(error)),
            Err(error) => {
                tracing::warn!(projection = P::NAME, %error, "a projection could not be kept");
                self.is_stuck = true;
                self.due = Some(Instant::now() + KEEP_EVERY);
                Ok(())
            }
        }
    }

    /// What is kept is published; a build that is kept as served for the first time takes its place.
    async fn kept_as_served(&mut self) {
        let is_new = self.is_serving && {
            let seen = self.shared.seen.borrow();
            seen.build != self.build || !self.shared.signals.is_serving.load(Ordering::Acquire)
        };
        self.is_seen |= is_new;
        self.publish();
        if is_new {
            self.shared.signals.is_serving.store(true, Ordering::Release);
            self.projections.keyed().serve(&self.build).await;
        }
    }

    fn rows(&self) -> Result<Vec<(String, Option<KeyedKept>)>> {
        let mut rows = Vec::with_capacity(self.ahead.len() + 1);
        for (key, state) in &*self.ahead {
            let state = state.as_deref().map(|state| sized(key, state)).transpose()?;
            rows.push((self.build.entry(key), state.map(KeyedKept::State)));
        }
        let (position, serving, keys) = (self.position, self.is_serving, self.keys);
        let place = KeyedPlace { position, serving, keys };
        rows.push((self.build.place(), Some(KeyedKept::Place(place))));
        Ok(rows)
    }
}

fn sized<S: serde::Serialize>(key: &str, state: &S) -> Result<Data> {
    let state = Data::of(state)?;
    let bytes = state.as_json().len();
    if bytes <= KEYED_STATE_BYTES_MAX {
        return Ok(state);
    }
    let message = format!(
        "the state under key {key:?} has {bytes} bytes as JSON, the limit is {KEYED_STATE_BYTES_MAX}"
    );
    Err(Error::new(ErrorKind::TooLarge, message))
}
