//! Files that documents are read from, looked at again and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Error, Event, Result, Value};

use super::Node;
use super::told::Told;
use crate::config::AnyConfig;

/// How long a file has to be left alone before it is read: who writes it may not be done.
const SETTLED_AFTER: Duration = Duration::from_millis(250);

impl Node {
    /// Logs what the sources of the documents said at the start, where the log does not know it.
    ///
    /// # Errors
    /// As [`AnyConfig::log_sources`].
    pub async fn log_sources(&self) -> Result<()> {
        for config in self.sourced() {
            config.log_sources().await?;
        }
        Ok(())
    }

    /// Starts looking at the files of each document. What they say, if it is right, is its next
    /// version; what is in force stays if it is not, and an event and the health of the node say why.
    pub fn watch_sources(self: &Arc<Self>) {
        for config in self.sourced() {
            let interval = config.sources().and_then(crate::config::Sources::interval);
            let Some(interval) = interval else { continue };
            let node = Arc::downgrade(self);
            self.tasks.spawn_until_stopped("files of a document", async move {
                let mut told = config.sources().and_then(|sources| Told::of(sources.files()));
                let mut seen = None;
                loop {
                    let settled = settled(&*config, seen).await;
                    if let Some(mark) = settled.filter(|_| settled != seen) {
                        let Some(node) = node.upgrade() else { return };
                        if node.reload(&*config, mark).await == Reloaded::Unsettled {
                            continue;
                        }
                        seen = settled;
                    }
                    wait(told.as_mut(), interval).await;
                }
            });
        }
    }

    /// Starts taking back what was set for a time only, each second.
    pub fn end_passing(self: &Arc<Self>) {
        let node = Arc::downgrade(self);
        self.tasks.spawn_until_stopped("temporary settings", async move {
            loop {
                let Some(node) = node.upgrade() else { return };
                for config in node.configs.values() {
                    if let Err(error) = config.end_passing().await {
                        let document = config.name();
                        tracing::error!(document, %error, "what had its time was not taken back");
                    }
                }
                drop(node);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }

    async fn reload(&self, config: &dyn AnyConfig, mark: u64) -> Reloaded {
        let before = config.refused_sources();
        let error = match config.reload_as_marked(mark).await {
            Ok(None) => return Reloaded::Unsettled,
            Ok(Some(_)) => return Reloaded::Seen,
            Err(error) => error,
        };
        if before.is_some_and(|before| before.to_string() == error.to_string()) {
            return Reloaded::Seen;
        }
        tracing::error!(document = config.name(), "the files were not taken: {error}");
        if let Err(error) = self.tell_of_refused(config.name(), &error).await {
            tracing::error!(%error, "that files were not taken could not be recorded");
        }
        Reloaded::Seen
    }

    /// Records why files were not taken: what and where, and no value.
    async fn tell_of_refused(&self, document: &str, error: &Error) -> Result<()> {
        let problems = error.problems().iter().map(|problem| {
            let origin = problem.origin.as_ref().map(ToString::to_string).unwrap_or_default();
            BTreeMap::from([
                ("path", problem.path.clone()),
                ("code", problem.kind.to_string()),
                ("origin", origin),
            ])
        });
        let told = Event::new("foundation.config.sources_refused").source("foundation.config");
        let told = told.subject(document).data(&BTreeMap::from([
            ("document", foundation_types::value::to_value(document)?),
            ("code", Value::from(error.code())),
            ("problems", foundation_types::value::to_value(&problems.collect::<Vec<_>>())?),
        ]))?;
        self.events.record_own(told).await.map(|_| ())
    }

    fn sourced(&self) -> Vec<Arc<dyn AnyConfig>> {
        let has_sources = |config: &&Arc<dyn AnyConfig>| {
            config.sources().is_some_and(|sources| !sources.is_empty())
        };
        self.configs.values().filter(has_sources).cloned().collect()
    }
}

/// What came of reading files that were left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reloaded {
    /// They were taken, or refused.
    Seen,
    /// They were written while they were read.
    Unsettled,
}

/// Waits until the system tells of a change around the files, and at most this long.
async fn wait(told: Option<&mut Told>, interval: Duration) {
    match told {
        Some(told) => drop(tokio::time::timeout(interval, told.next()).await),
        None => tokio::time::sleep(interval).await,
    }
}

/// A mark of what the files say once nobody writes them, unless it is the one that was seen.
async fn settled(config: &dyn AnyConfig, seen: Option<u64>) -> Option<u64> {
    let mut last = mark(config).await;
    while last != seen {
        tokio::time::sleep(SETTLED_AFTER).await;
        let now = mark(config).await;
        if now == last {
            return last;
        }
        last = now;
    }
    last
}

async fn mark(config: &dyn AnyConfig) -> Option<u64> {
    let sources = config.sources()?.clone();
    tokio::task::spawn_blocking(move || sources.mark()).await.ok()
}
