//! One export at work: it takes batches from its consumer and has the sink take them.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use foundation_logic::event::jittered_pause;
use foundation_types::event::ExportKept;
use foundation_types::limits::EXPORT_CAUSE_BYTES_MAX;
use foundation_types::{Event, Position, Result};
use tokio::sync::watch;

use super::outcome::{Outcome, of_answer, of_error};
use super::rules::LONGEST;
use super::sink::{Delivered, ExportBatch, Exported, Fault, Sink, SinkError};
use super::status::ExportStatus;
use super::{ExportRules, exports::Work};
use crate::event::{Batch, Consumer, EventStore, Gap};

/// How long to wait before what the store refused is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What an export is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Run,
    Rest,
    /// It passes on what was published up to here, as long as nothing fails, and ends.
    Drain(Position),
    End,
}

/// What an export and those who look after it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) rules: ExportRules,
    pub(super) wanted: watch::Sender<Wanted>,
    pub(super) work: watch::Sender<Work>,
}

/// The export, with its sink.
pub(super) struct Exporter {
    pub(super) shared: Arc<Shared>,
    pub(super) events: EventStore,
    pub(super) sink: Box<dyn Sink>,
    /// Events of the next batch at most: one after a batch that failed.
    pub(super) batch_events: usize,
    /// Tries in a row that failed.
    pub(super) failures: u32,
}

impl Exporter {
    /// Works until it is told to end.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut wanted = shared.wanted.subscribe();
        loop {
            let now = *wanted.borrow_and_update();
            match now {
                Wanted::End => break,
                Wanted::Rest => {
                    shared.work.send_modify(|work| work.rest());
                    if wanted.changed().await.is_err() {
                        break;
                    }
                }
                Wanted::Run | Wanted::Drain(_) => match self.open().await {
                    Ok(consumer) => {
                        self.pass_on(&consumer, &mut wanted).await;
                        consumer.stop().await;
                        if matches!(*wanted.borrow(), Wanted::Drain(_)) {
                            break;
                        }
                    }
                    Err(error) => {
                        self.note_failure(error.to_string(), RETRY);
                        let _ = tokio::time::timeout(RETRY, wanted.changed()).await;
                    }
                },
            }
        }
        shared.work.send_modify(Work::end);
    }

    async fn open(&mut self) -> Result<Consumer> {
        self.shared.rules.consumer(&self.shared.name, &self.events).open().await
    }

    /// Passes events on until something else is wanted.
    async fn pass_on(&mut self, consumer: &Consumer, wanted: &mut watch::Receiver<Wanted>) {
        loop {
            let limits = self.shared.rules.limits(self.batch_events);
            let (linger, is_last) = match *wanted.borrow_and_update() {
                Wanted::Run => (self.shared.rules.linger, None),
                Wanted::Drain(position) => (Duration::ZERO, Some(position)),
                Wanted::Rest | Wanted::End => return,
            };
            let batch = tokio::select! {
                biased;
                () = reached(consumer, is_last) => return,
                _ = wanted.changed() => continue,
                batch = consumer.next_batch(limits, linger) => batch,
            };
            let Ok(batch) = batch else {
                // It was ended from outside: by its deletion, or with the node.
                self.shared.wanted.send_if_modified(|wanted| {
                    let is_running = *wanted == Wanted::Run;
                    if is_running {
                        *wanted = Wanted::End;
                    }
                    is_running
                });
                return;
            };
            if let Some(gap) = consumer.take_gap() {
                self.tell_gap(gap).await;
            }
            if batch.len() == 0 {
                continue;
            }
            let pause = self.deliver(batch, wanted).await;
            if pause.is_some() && is_last.is_some() {
                return;
            }
            if let Some(pause) = pause {
                let _ = tokio::time::timeout(pause, wanted.changed()).await;
                self.shared.work.send_modify(|work| work.next_try = None);
            }
        }
    }

    /// Has the sink take a batch, and settles it; gives how long to wait if it failed.
    async fn deliver(
        &mut self,
        batch: Batch,
        wanted: &mut watch::Receiver<Wanted>,
    ) -> Option<Duration> {
        let store = self.events.store_id();
        let attempt = batch.events().map(|(_, attempt)| attempt).next().unwrap_or(1);
        let sent = ExportBatch {
            export: self.shared.name.clone(),
            store,
            attempt,
            events: batch.events().map(|(event, _)| Exported::of(store, event.clone())).collect(),
        };
        let now = self.events.clock().monotonic();
        let is_again = self.failures > 0;
        self.shared.work.send_modify(|work| {
            work.waiting_since.get_or_insert(now);
            work.retried += u64::from(is_again);
        });
        let deadline = self.shared.rules.deadline;
        let asked = tokio::select! {
            biased;
            answer = tokio::time::timeout(deadline, guarded(self.sink.deliver(&sent))) => answer,
            // What the sink had of it comes again, since nobody waited for its word.
            () = interrupted(wanted) => return None,
        };
        let answer = asked.unwrap_or_else(|_| {
            let limit = deadline.as_millis();
            Err(SinkError::failed(format!("the sink did not answer within {limit} ms")))
        });
        let pause = self.pause();
        let (outcome, asked, is_away) = match answer {
            Ok(answer) => (of_answer(answer, &sent, pause), None, false),
            Err(error) => {
                let outcome = of_error(&error, sent.events.len(), pause);
                (outcome, error.retry_after, error.fault == Fault::Away)
            }
        };
        self.settle(
            batch,
            outcome,
            asked.map_or(pause, |asked| pause.max(asked.min(LONGEST))),
            is_away,
        )
    }

    fn settle(
        &mut self,
        batch: Batch,
        outcome: Outcome,
        pause: Duration,
        is_away: bool,
    ) -> Option<Duration> {
        let Outcome { events, cause } = outcome;
        let mut events = events.into_iter();
        let last = batch.len();
        let taken = batch.settle(|_| events.next().unwrap_or(crate::event::Settled::Untried));
        self.shared.work.send_modify(|work| {
            work.delivered += taken;
            if taken > 0 {
                (work.waiting_since, work.last_error) = (None, None);
            }
        });
        if taken > 0 {
            self.batch_events = (self.batch_events * 2).min(self.shared.rules.batch_events);
        }
        let Some(cause) = cause else {
            self.failures = 0;
            return None;
        };
        if taken == 0 && !is_away && last > 1 {
            self.batch_events = 1;
        }
        self.failures = if taken > 0 { 1 } else { self.failures.saturating_add(1) };
        self.note_failure(cause, pause);
        Some(pause)
    }

    /// A random part of a time that doubles with each failure.
    fn pause(&self) -> Duration {
        let (rules, bits) = (&self.shared.rules, self.events.rng().bits());
        jittered_pause(rules.backoff, rules.backoff_max, self.failures.saturating_add(1), bits)
    }

    fn note_failure(&self, cause: String, pause: Duration) {
        let now = self.events.clock().monotonic();
        let cause: String = cause.chars().take(EXPORT_CAUSE_BYTES_MAX).collect();
        tracing::debug!(export = %self.shared.name, %cause, "an export tries again");
        self.shared.work.send_modify(|work| {
            work.last_error = Some(cause);
            work.next_try = Some(now.saturating_add(pause));
            work.waiting_since.get_or_insert(now);
        });
    }

    /// Counts and announces what was let go of before it was passed on; both again until it is kept.
    async fn tell_gap(&mut self, gap: Gap) {
        let name = &self.shared.name;
        tracing::warn!(export = %name, error = %gap.error, "an export skips events");
        let records = gap.up_to.to_engine().saturating_sub(gap.after.to_engine());
        let told = async {
            let add = |kept: Option<&ExportKept>| {
                let kept = kept.cloned().unwrap_or_default();
                Some(ExportKept { skipped: kept.skipped.saturating_add(records), ..kept })
            };
            self.events.export_table()?.update(name.clone(), add).await?;
            self.events.record_own(skipped(name, &gap, records)?).await.map(drop)
        };
        if let Err(error) = told.await {
            self.note_failure(format!("a gap could not be announced: {error}"), RETRY);
        }
    }
}

fn skipped(name: &str, gap: &Gap, records: u64) -> Result<Event> {
    let event = Event::new("foundation.export.skipped").source("foundation").subject(name);
    event.data(&std::collections::BTreeMap::from([
        ("after", gap.after.to_engine()),
        ("up_to", gap.up_to.to_engine()),
        ("records", records),
    ]))
}

/// The answer of a sink, whose panic is an error as any other.
async fn guarded(
    answer: impl Future<Output = std::result::Result<Delivered, SinkError>>,
) -> std::result::Result<Delivered, SinkError> {
    let mut answer = std::pin::pin!(answer);
    std::future::poll_fn(|context| {
        let poll = std::panic::AssertUnwindSafe(|| answer.as_mut().poll(context));
        std::panic::catch_unwind(poll).unwrap_or_else(|panic| {
            let told = panic.downcast_ref::<&str>().map(|told| (*told).to_owned());
            let told = told.or_else(|| panic.downcast_ref::<String>().cloned());
            let told = told.unwrap_or_else(|| "without a word".to_owned());
            Poll::Ready(Err(SinkError::failed(format!("the sink panicked: {told}"))))
        })
    })
    .await
}

/// Ends when a drain has come to where it ends; never if there is none.
async fn reached(consumer: &Consumer, last: Option<Position>) {
    match last {
        Some(position) => consumer.reached(position).await,
        None => std::future::pending().await,
    }
}

/// Ends when a delivery is to be given up for something else.
async fn interrupted(wanted: &mut watch::Receiver<Wanted>) {
    let _ = wanted.wait_for(|wanted| matches!(wanted, Wanted::Rest | Wanted::End)).await;
}

/// What a consumer and an export know together.
pub(super) fn status(shared: &Shared, events: &EventStore) -> ExportStatus {
    let work = shared.work.borrow();
    let now = events.clock().monotonic();
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let waited = work.waiting_since.map(|since| now.saturating_sub(since));
    ExportStatus {
        running: !work.is_ended,
        delivered: work.delivered,
        retried: work.retried,
        last_error: work.last_error.clone(),
        next_try_ms: work.next_try.map(|at| ms(at.saturating_sub(now))),
        waiting_ms: waited.map(ms),
        stalled: waited.is_some_and(|waited| waited > shared.rules.stalled_after),
        ..ExportStatus::default()
    }
}
