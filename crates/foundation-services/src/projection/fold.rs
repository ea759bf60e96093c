//! The task of one version of a projection: it follows the log, publishes and keeps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use foundation_store::journal::{Hold, Holder};
use foundation_types::event::ProjectionKept;
use foundation_types::limits::{CONSUMER_IDLE_RECORDS, PROJECTION_BYTES_MAX};
use foundation_types::{Data, Error, ErrorKind, Position, Recorded, Result};
use foundation_validate::table::is_own_table;
use tokio::time::Instant;

use super::Projection;
use super::handle::{Seen, Shared};
use super::registry::{Projections, key_of};
use crate::event::{EventStore, Looked, Start, Subscription};
use crate::tasks::StopSignal;

/// Events after which the state is kept.
pub(super) const KEEP_EVENTS: u64 = 1_000;
/// Time after which a state that has changed is kept.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Events that are taken in before readers see them.
pub(super) const BATCH_EVENTS: usize = 256;

/// Why a run over the log ended.
enum Ended {
    Stop,
    Retired,
    Rebuild,
    Halted(String),
}

/// One run over the log: from a state on, until something ends it.
struct Run<P: Projection> {
    shared: Arc<Shared<P>>,
    projections: Projections,
    state: P::State,
    /// Taken in since readers were told.
    batch: Vec<Recorded>,
    position: Position,
    /// Whether readers have the state before a rebuild.
    is_rebuild: bool,
    kept: Position,
    events_since: u64,
    due: Option<Instant>,
    hold: Hold,
}

/// Folds until the node stops.
pub(super) async fn run<P: Projection>(
    shared: Arc<Shared<P>>,
    projections: Projections,
    events: EventStore,
    mut stop: StopSignal,
) {
    let mut is_rebuild = shared.signals.is_marked.load(Ordering::Acquire);
    loop {
        let ended = match begin(&shared, &projections, &events, is_rebuild) {
            Ok((run, subscription)) => run.follow(subscription, &mut stop).await,
            Err(error) => Ended::Halted(error.to_string()),
        };
        match ended {
            Ended::Stop => return,
            Ended::Rebuild => mark::<P>(&projections).await,
            Ended::Retired => return stop.stopped().await,
            Ended::Halted(cause) => {
                tracing::error!(projection = P::NAME, cause, "a projection stands still");
                shared.seen.send_modify(|seen| seen.halted = Some(cause.as_str().into()));
                tokio::select! {
                    () = stop.stopped() => return,
                    () = shared.signals.retire.notified() => return stop.stopped().await,
                    () = shared.signals.rebuild.notified() => mark::<P>(&projections).await,
                }
            }
        }
        is_rebuild = true;
    }
}

/// Has what is kept say that it is to be made anew, so that a restart goes on with that.
async fn mark<P: Projection>(projections: &Projections) {
    if let Err(error) = projections.mark(P::NAME, P::VERSION).await {
        tracing::warn!(projection = P::NAME, %error, "a restart will not go on with the rebuild");
    }
}

fn begin<P: Projection>(
    shared: &Arc<Shared<P>>,
    projections: &Projections,
    events: &EventStore,
    is_rebuild: bool,
) -> Result<(Run<P>, Subscription)> {
    let seen = shared.seen.borrow().clone();
    let (state, start) = match is_rebuild {
        true => (P::State::default(), Start::Beginning),
        false if seen.position == Position::START => (P::State::default(), Start::Beginning),
        false => (P::State::clone(&seen.state), Start::After(seen.position)),
    };
    let subscription = events.subscribe(start, P::filter())?.with_expired();
    let position = subscription.position();
    let run = Run {
        shared: Arc::clone(shared),
        projections: projections.clone(),
        state,
        batch: Vec::new(),
        position,
        is_rebuild,
        kept: position,
        events_since: 0,
        due: None,
        hold: events.hold(position, Holder::Projection(P::NAME.to_owned())),
    };
    Ok((run, subscription))
}

impl<P: Projection> Run<P> {
    async fn follow(mut self, mut log: Subscription, stop: &mut StopSignal) -> Ended {
        let shared = Arc::clone(&self.shared);
        loop {
            let due = self.due;
            let looked = tokio::select! {
                biased;
                () = stop.stopped() => {
                    self.keep_at_end().await;
                    return Ended::Stop;
                }
                () = shared.signals.retire.notified() => return Ended::Retired,
                () = shared.signals.rebuild.notified() => return Ended::Rebuild,
                () = until(due), if due.is_some() => {
                    if let Err(cause) = self.keep().await {
                        return Ended::Halted(cause);
                    }
                    continue;
                }
                looked = log.look() => looked,
            };
            let taken = match looked {
                Ok(Looked::Event(event, _)) if event.stream.table().is_some_and(is_own_table) => {
                    self.position = event.position;
                    Ok(())
                }
                Ok(Looked::Event(event, _)) => self.take(event),
                Ok(Looked::Nothing(position)) => {
                    self.position = position;
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(cause) = taken {
                return Ended::Halted(cause);
            }
            if let Err(cause) = self.go_on(&log).await {
                return Ended::Halted(cause);
            }
        }
    }

    /// Publishes, keeps and serves, each if it is time to.
    async fn go_on(&mut self, log: &Subscription) -> Result<(), String> {
        let has_caught_up = log.is_at_end();
        if has_caught_up || self.batch.len() >= BATCH_EVENTS {
            if has_caught_up && self.is_rebuild {
                self.is_rebuild = false;
                self.due = Some(Instant::now());
            }
            self.publish();
        }
        let idle = self.position.to_engine() - self.kept.to_engine();
        if self.events_since >= KEEP_EVENTS || idle >= CONSUMER_IDLE_RECORDS {
            self.keep().await?;
        }
        if has_caught_up && !self.shared.signals.is_serving.load(Ordering::Acquire) {
            self.shared.signals.is_serving.store(true, Ordering::Release);
            self.keep().await?;
            if self.due.is_none() {
                self.projections.serve(P::NAME, P::VERSION).await;
            } else {
                // It could not be kept: the one before stays until it is.
                self.shared.signals.is_serving.store(false, Ordering::Release);
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Recorded) -> Result<(), String> {
        if let Err(cause) = apply::<P>(&mut self.state, &event) {
            self.publish_before();
            return Err(format!("the event at position {} failed: {cause}", event.position));
        }
        self.position = event.position;
        self.batch.push(event);
        self.events_since += 1;
        self.due.get_or_insert_with(|| Instant::now() + KEEP_EVERY);
        Ok(())
    }

    fn publish(&mut self) {
        self.batch.clear();
        if self.is_rebuild {
            return;
        }
        let seen = self.shared.seen.borrow();
        let is_same = self.events_since == 0 && seen.position > Position::START;
        let state = if is_same { Arc::clone(&seen.state) } else { Arc::new(self.state.clone()) };
        drop(seen);
        let position = self.position;
        self.shared.seen.send_replace(Seen { state, position, halted: None });
    }

    /// The state that an event failed on is worth nothing: what came before it is taken in anew.
    fn publish_before(&mut self) {
        if self.is_rebuild {
            return;
        }
        self.state = P::State::clone(&self.shared.seen.borrow().state);
        for event in std::mem::take(&mut self.batch) {
            if apply::<P>(&mut self.state, &event).is_err() {
                return;
            }
        }
        self.publish();
    }

    /// Keeps what readers see. A journal that cannot take it is tried again later; a state that
    /// is too large is no state.
    async fn keep(&mut self) -> Result<(), String> {
        if self.is_rebuild {
            self.due = None;
            return Ok(());
        }
        self.publish();
        let kept = Data::of(&self.state).and_then(sized);
        let state = kept.map_err(|error| error.to_string())?;
        let serving = self.shared.signals.is_serving.load(Ordering::Acquire);
        let kept = ProjectionKept { position: self.position, serving, rebuild: false, state };
        match self.projections.table().insert(key_of(P::NAME, P::VERSION), kept).await {
            Ok(_) => {
                (self.kept, self.events_since, self.due) = (self.position, 0, None);
                self.hold.advance(self.kept);
            }
            Err(error) => {
                tracing::warn!(projection = P::NAME, %error, "a projection could not be kept");
                (self.events_since, self.due) = (0, Some(Instant::now() + KEEP_EVERY));
            }
        }
        Ok(())
    }

    async fn keep_at_end(&mut self) {
        if self.due.is_some() {
            let _ = self.keep().await;
        }
    }
}

pub(super) async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due).await;
    }
}

fn sized(state: Data) -> Result<Data> {
    let bytes = state.as_json().len();
    if bytes <= PROJECTION_BYTES_MAX {
        return Ok(state);
    }
    let message =
        format!("the state has {bytes} bytes as JSON, the limit is {PROJECTION_BYTES_MAX}");
    Err(Error::new(ErrorKind::TooLarge, message))
}

fn apply<P: Projection>(state: &mut P::State, event: &Recorded) -> Result<(), String> {
    // What a panic leaves of the state is thrown away.
    caught(|| P::apply(state, event))
}

/// Runs code of the application: why it failed, or what it panicked with.
pub(super) fn caught<T>(code: impl FnOnce() -> Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("it panicked: {}", text.unwrap_or_default()))
        }
    }
}
