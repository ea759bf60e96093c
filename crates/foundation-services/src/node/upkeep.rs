//! What goes on beside the callers: settings that are followed, a host that is sampled, a log of
//! which only so much is kept.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::config::{ConfigState, HistoryBound};
use foundation_store::journal::{ArchiveMode, Dropped, Journal, Retention};
use foundation_types::config::{HistorySettings, JournalSettings};
use foundation_types::{Error, ErrorKind, Path, Position, Result, Settings};

use super::Node;
use super::expiry::Pace;
use crate::archive;
use crate::config::ConfigServer;
use crate::telemetry::HostSampler;

/// How often it is looked whether there is something to do about the log.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Node {
    /// Keeps the states as of now in a snapshot, without holding up the runtime.
    ///
    /// # Errors
    /// As [`Journal::checkpoint`].
    pub async fn checkpoint(&self) -> Result<Position> {
        let journal = self.journal.clone();
        beside(move |runtime| runtime.block_on(journal.checkpoint())).await
    }

    /// Lets go of the oldest records, without holding up the runtime, and records that it did.
    ///
    /// # Errors
    /// As [`Journal::retain`].
    pub async fn retain(&self, keep: Retention) -> Result<Dropped> {
        let journal = self.journal.clone();
        let dropped = beside(move |runtime| runtime.block_on(journal.retain(keep))).await?;
        if dropped.records > 0 {
            self.tell_of_dropped(dropped.segments, dropped.records, dropped.bytes).await?;
        }
        Ok(dropped)
    }

    /// Starts taking snapshots and letting go of what is not to be kept, as the settings say.
    pub fn keep_log(self: &Arc<Self>, settings: Arc<ConfigState<Settings>>) {
        let node = Arc::downgrade(self);
        self.tasks.spawn_until_stopped("log", async move {
            let (mut due, mut looks, mut history) = (Due::default(), Pace::default(), None);
            loop {
                // At once after a start: a node that is restarted again and again keeps no more.
                let Some(node) = node.upgrade() else { return };
                let current = settings.current().to_snapshot();
                let wanted = &current.document.journal;
                let expiry = &current.document.events.expiry;
                // Before the log is shortened by them.
                if history.as_ref() != Some(&current.document.config.history) {
                    history = Some(current.document.config.history.clone());
                    node.bound_histories(&current.document.config.history);
                    let completed = node.complete_histories().await;
                    note("the history of documents could not be completed", completed);
                }
                let now = node.clock.monotonic();
                if due.is_due(now, Duration::from_secs(wanted.checkpoint_s), &*node.journal) {
                    note("a snapshot could not be taken", node.checkpoint().await.map(|_| ()));
                }
                if let Some(policy) = archive::policy_of(&wanted.archive) {
                    let gone = node.archive(policy, ArchiveMode::Move).await;
                    note("the log could not be archived", gone.map(drop));
                }
                if let Some(keep) = retention_of(wanted) {
                    note("the log could not be shortened", node.retain(keep).await.map(|_| ()));
                }
                let every = Duration::from_secs(expiry.every_s);
                if expiry.free && looks.is_due(now, every) {
                    let freed = node.free_expired().await.map(drop);
                    note("what is expired could not be freed", freed);
                }
                drop(node);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
    }

    /// Keeps so much of the history of each document beside the log from now on.
    pub fn bound_histories(&self, history: &HistorySettings) {
        self.documents.bound_histories(bound_of(history));
    }

    /// Takes into the histories what the log still has of them, and keeps it in a snapshot.
    async fn complete_histories(&self) -> Result<()> {
        if self.documents.complete_histories(&*self.journal).await? {
            self.checkpoint().await?;
        }
        Ok(())
    }

    /// Starts following the settings: whatever depends on one is told of each change.
    pub fn follow_settings(&self, settings: &ConfigServer<Settings>) {
        let (events, telemetry) = (self.events.clone(), self.telemetry.clone());
        let (documents, settings) = (self.documents.clone(), settings.clone());
        self.tasks.spawn_until_stopped("settings", async move {
            let Ok(mut changes) = settings.subscribe(Path::root()) else { return };
            loop {
                {
                    let current = settings.get();
                    events.apply_settings(&current);
                    telemetry.apply_settings(&current);
                    documents.bound_histories(bound_of(&current.config.history));
                }
                match changes.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(error) => tracing::error!(%error, "following the settings failed"),
                }
            }
        });
    }

    /// Starts letting what is too old leave the buffer of events.
    pub fn age_buffer(&self) {
        let events = self.events.clone();
        self.tasks.spawn_until_stopped("buffer", async move {
            loop {
                events.age_buffer();
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
    }

    /// Starts taking the dumps that are planned.
    pub fn take_dumps(&self) {
        let (dumps, stop) = (self.dumps.clone(), self.tasks.stop_signal());
        self.tasks.spawn("dumps", async move { dumps.run(stop).await });
    }

    /// Starts keeping snapshots of the metrics, if they are kept.
    pub fn keep_metrics(&self, settings: Arc<ConfigState<Settings>>) {
        if let Some(keeper) = self.metric_keeper.clone() {
            let stop = self.tasks.stop_signal();
            self.tasks.spawn("metrics", async move { keeper.run(settings, stop).await });
        }
    }

    /// Starts sampling this host and this process, each `telemetry.host_interval_ms`.
    pub fn sample_host(&self, settings: Arc<ConfigState<Settings>>) {
        let mut sampler =
            HostSampler::new(&self.telemetry, self.journal.clone(), self.directory.clone());
        self.tasks.spawn_until_stopped("host metrics", async move { sampler.run(&settings).await });
    }
}

/// When the next snapshot is due.
#[derive(Debug, Default)]
struct Due {
    taken_at: Duration,
    last: Position,
}

impl Due {
    /// Whether one is due now; if so, the next one is as long from now, unless nothing changes.
    fn is_due(&mut self, now: Duration, every: Duration, journal: &dyn Journal) -> bool {
        let last = journal.extent().last;
        let due = now.saturating_sub(self.taken_at) >= every && last != self.last;
        if due {
            (self.taken_at, self.last) = (now, last);
        }
        due
    }
}

fn bound_of(history: &HistorySettings) -> HistoryBound {
    HistoryBound { versions: history.versions, age: Duration::from_secs(history.age_s) }
}

fn retention_of(settings: &JournalSettings) -> Option<Retention> {
    let bound = |value: u64| (value > 0).then_some(value);
    let keep = Retention {
        records: bound(settings.retention.records),
        bytes: bound(settings.retention.bytes),
        age: bound(settings.retention.age_s).map(Duration::from_secs),
        archived_age: bound(settings.archive.keep_s).map(Duration::from_secs),
    };
    (keep != Retention::default()).then_some(keep)
}

fn note(what: &str, outcome: Result<()>) {
    match outcome {
        // A node that stops says so itself.
        Err(error) if error.kind() != ErrorKind::Unavailable => tracing::warn!(%error, "{what}"),
        _ => {}
    }
}

/// Does what waits for the disk on a thread for that.
pub(crate) async fn beside<T: Send + 'static>(
    work: impl FnOnce(tokio::runtime::Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || work(runtime)).await.map_err(|cause| {
        Error::new(ErrorKind::Internal, "the upkeep of the log panicked").caused_by(cause)
    })?
}
