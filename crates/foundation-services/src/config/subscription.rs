//! Being told of changes: only of real differences at a path, in order, never slowing a writer.
//!
//! A subscription holds neither its server nor the document: it ends when the last server is
//! gone or was closed, after what was changed until then.

use std::sync::Arc;

use foundation_logic::{diff, lens};
use foundation_store::config::{Published, Timeline};
use foundation_store::journal::Journal;
use foundation_types::config::Layer;
use foundation_types::{Change, Path, Result, Timestamp, Value, Version};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// What it looks at changed.
    Changed(Box<ConfigChange>),
    /// It was too slow: so many changes of the document went by, of which it is not told. Read
    /// the document to see where it is; what changes from here on is told as ever.
    Lagged {
        /// How many changes of the document went by.
        missed: u64,
    },
}

/// One difference at one path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// The path that is subscribed to.
    pub path: Path,
    /// What was there; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The version that made the difference.
    pub version: Version,
    /// When it was recorded.
    pub time: Timestamp,
    /// Who changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What moved.
    #[serde(default)]
    pub layer: Layer,
}

/// The changes at one path of one document.
///
/// ```
/// use foundation_services::config::{ConfigServer, Notice};
/// use foundation_types::{Result, Settings};
///
/// async fn follow(settings: &ConfigServer<Settings>, told: &mut Vec<String>) -> Result<()> {
///     let mut level = settings.subscribe("log.level")?;
///     while let Some(notice) = level.next().await? {
///         told.push(match notice {
///             Notice::Changed(change) => format!("{:?} by {:?}", change.after, change.actor),
///             Notice::Lagged { missed } => format!("{missed} changes went by"),
///         });
///     }
///     Ok(())
/// }
/// ```
pub struct Subscription {
    path: Path,
    live: broadcast::Receiver<Arc<Published>>,
    /// What readers saw when the subscription was made: what is announced of it later is no news.
    seen: Version,
    closed: watch::Receiver<bool>,
    /// What was published before the subscription was made and has to be told first.
    backlog: Option<Backlog>,
    /// What came while a lag was being counted.
    next: Option<Arc<Published>>,
}

/// Changes that are read from the journal until the live ones follow without a gap.
struct Backlog {
    timeline: Arc<Timeline>,
    journal: Arc<dyn Journal>,
    at: Version,
    tree: Value,
    /// The live receiver has everything after this version.
    live_after: Option<Version>,
}

impl Backlog {
    async fn read(&mut self) -> Result<Arc<Published>> {
        let change = self.timeline.change_at(&*self.journal, self.at.next()).await?;
        let after = match self.timeline.follows_on(change.version) {
            true => diff::apply(&self.tree, &change.changes)?,
            false => self.timeline.tree_at(&*self.journal, change.version).await?,
        };
        let before = std::mem::replace(&mut self.tree, after.clone());
        self.at = change.version;
        Ok(Arc::new(Published { change, before, after }))
    }
}

/// How the live receiver goes on after a version.
enum Skipped {
    To(Option<Arc<Published>>),
    Lagged,
}

/// Leaves out of the live changes those up to a version.
fn skip_told(live: &mut broadcast::Receiver<Arc<Published>>, told: Version) -> Skipped {
    loop {
        match live.try_recv() {
            Ok(published) if published.change.version > told => {
                return Skipped::To(Some(published));
            }
            Ok(_) => {}
            Err(TryRecvError::Lagged(_)) => return Skipped::Lagged,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Skipped::To(None),
        }
    }
}

/// Waits until the last server is gone or was closed.
async fn ended(closed: &mut watch::Receiver<bool>) {
    // An error says that nobody is left who could close it: that is the end as well.
    let _ = closed.wait_for(|closed| *closed).await;
}

/// What the live receiver had.
enum Received {
    Published(Arc<Published>),
    Lagged(u64),
    Ended,
}

impl Subscription {
    /// The changes from now on; `seen` gives the version that readers see.
    pub(super) fn live(
        timeline: &Timeline,
        path: Path,
        closed: watch::Receiver<bool>,
        seen: impl FnOnce() -> Version,
    ) -> Self {
        // The receiver first: what readers do not see yet is announced to it.
        let live = timeline.subscribe();
        Self { path, live, seen: seen(), closed, backlog: None, next: None }
    }

    pub(super) fn from(
        timeline: &Arc<Timeline>,
        path: Path,
        closed: watch::Receiver<bool>,
        journal: Arc<dyn Journal>,
        at: Version,
        tree: Value,
    ) -> Self {
        let timeline = Arc::clone(timeline);
        let mut subscription = Self::live(&timeline, path, closed, || Version::NONE);
        subscription.backlog = Some(Backlog { timeline, journal, at, tree, live_after: None });
        subscription
    }

    /// The path that is subscribed to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next notice; `None` after the last one. Whoever stops waiting misses
    /// nothing: the notice comes with the next call.
    ///
    /// # Errors
    /// Only before what was published earlier has been told, for reasons of the journal; the
    /// next call tries again.
    pub async fn next(&mut self) -> Result<Option<Notice>> {
        loop {
            let published = match self.next_published().await? {
                Received::Published(published) => published,
                Received::Lagged(missed) => return Ok(Some(Notice::Lagged { missed })),
                Received::Ended => return Ok(None),
            };
            if published.change.version > self.seen
                && let Some(change) = difference(&self.path, &published)
            {
                return Ok(Some(Notice::Changed(Box::new(change))));
            }
        }
    }

    async fn next_published(&mut self) -> Result<Received> {
        if self.backlog.is_some()
            && let Some(published) = self.read_backlog().await?
        {
            return Ok(Received::Published(published));
        }
        if let Some(next) = self.next.take() {
            return Ok(Received::Published(next));
        }
        Ok(self.receive().await)
    }

    /// The next change from the journal; none when the live receiver goes on from here.
    async fn read_backlog(&mut self) -> Result<Option<Arc<Published>>> {
        while let Some(backlog) = &mut self.backlog {
            if backlog.live_after.is_none() && backlog.at >= backlog.timeline.last().0 {
                // A receiver made now cannot have lagged. What is published until it is there is
                // read from the journal still, and is what it begins after.
                self.live = backlog.timeline.subscribe();
                backlog.live_after = Some(backlog.timeline.last().0);
            }
            if backlog.live_after.is_none_or(|version| backlog.at < version) {
                return backlog.read().await.map(Some);
            }
            match skip_told(&mut self.live, backlog.at) {
                Skipped::To(next) => {
                    self.next = next;
                    self.backlog = None;
                }
                // The writer was faster than the journal was read: on with the journal.
                Skipped::Lagged => backlog.live_after = None,
            }
        }
        Ok(None)
    }

    async fn receive(&mut self) -> Received {
        let received = tokio::select! {
            biased;
            received = self.live.recv() => Some(received),
            () = ended(&mut self.closed) => None,
        };
        let received = received.unwrap_or_else(|| self.rest());
        match received {
            Ok(published) => Received::Published(published),
            Err(RecvError::Lagged(missed)) => self.lagged(missed),
            Err(RecvError::Closed) => Received::Ended,
        }
    }

    /// What is left after the server is gone.
    fn rest(&mut self) -> Result<Arc<Published>, RecvError> {
        self.live.try_recv().map_err(|error| match error {
            TryRecvError::Lagged(missed) => RecvError::Lagged(missed),
            TryRecvError::Empty | TryRecvError::Closed => RecvError::Closed,
        })
    }

    /// One lag, however often the writer laps the receiver while it is counted.
    fn lagged(&mut self, mut missed: u64) -> Received {
        loop {
            match self.live.try_recv() {
                Err(TryRecvError::Lagged(more)) => missed += more,
                Ok(published) => {
                    self.next = Some(published);
                    return Received::Lagged(missed);
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    return Received::Lagged(missed);
                }
            }
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Subscription").field("path", &self.path).finish_non_exhaustive()
    }
}

fn difference(path: &Path, published: &Published) -> Option<ConfigChange> {
    let before = lens::get(&published.before, path);
    let after = lens::get(&published.after, path);
    if before == after {
        return None;
    }
    let Change { version, time, actor, reason, layer, .. } = published.change.clone();
    let (before, after) = (before.cloned(), after.cloned());
    Some(ConfigChange { path: path.clone(), before, after, version, time, actor, reason, layer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(version: u64) -> Arc<Published> {
        let change = Change {
            document: "shop".to_owned(),
            version: Version::new(version),
            schema: 1,
            time: Timestamp::UNIX_EPOCH,
            actor: None,
            reason: None,
            layer: Layer::RunTime,
            withdrawn: Vec::new(),
            until: None,
            changes: Vec::new(),
        };
        Arc::new(Published { change, before: Value::Null, after: Value::Null })
    }

    /// A version is published before it is announced: who subscribes in between has seen it.
    #[tokio::test]
    async fn what_was_seen_when_it_was_made_is_no_news() {
        let (sender, live) = broadcast::channel(4);
        let (_open, closed) = watch::channel(false);
        let (path, seen) = (Path::root(), Version::new(3));
        let mut subscription = Subscription { path, live, seen, closed, backlog: None, next: None };
        for version in 3..=4 {
            let mut change = Published::clone(&published(version));
            change.after = Value::from(version);
            assert!(sender.send(Arc::new(change)).is_ok());
        }
        let told = subscription.next().await.expect("needs no journal");
        assert!(matches!(told, Some(Notice::Changed(change)) if change.version == Version::new(4)));
    }

    #[test]
    fn what_the_backlog_told_is_left_out_and_a_lag_is_not_passed_over() {
        let (sender, mut live) = broadcast::channel(4);
        for version in 1..=4 {
            assert!(sender.send(published(version)).is_ok());
        }
        let skipped = skip_told(&mut live, Version::new(2));
        assert!(
            matches!(skipped, Skipped::To(Some(next)) if next.change.version == Version::new(3))
        );
        assert!(matches!(skip_told(&mut live, Version::new(4)), Skipped::To(None)));
        for version in 5..=9 {
            assert!(sender.send(published(version)).is_ok());
        }
        assert!(matches!(skip_told(&mut live, Version::new(4)), Skipped::Lagged));
    }
}
