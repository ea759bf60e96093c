//! Stopping a node: no more intake, drain, sync, and an honest word on what was not drained.

use std::time::Duration;

use foundation_types::error::ErrorReport;
use foundation_types::{Error, ErrorKind, Event, Result};
use serde::{Deserialize, Serialize};

use super::Node;
use crate::export::ExportLeft;
use crate::tasks::moment_after;

/// What stopping came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Records that were appended and not yet durable when the deadline passed.
    pub records_waiting: u64,
    /// Tasks that had not ended by the deadline, or that panicked.
    pub tasks_left: Vec<String>,
    /// What exports had not passed on: it is kept, and they go on at the next start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports_left: Vec<ExportLeft>,
    /// Why the journal could not make everything durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<ErrorReport>,
}

impl ShutdownReport {
    /// Whether everything is on the disk and nothing runs any more.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.records_waiting == 0 && self.tasks_left.is_empty() && self.journal.is_none()
    }

    /// Nothing if everything was drained, otherwise an error that says what was not.
    ///
    /// # Errors
    /// That of the journal, or `Timeout`.
    pub fn into_result(self) -> Result<()> {
        if let Some(report) = self.journal {
            return Err(Error::from(report));
        }
        if self.records_waiting == 0 && self.tasks_left.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the deadline passed with {} records not durable and these tasks running: {}",
            self.records_waiting,
            if self.tasks_left.is_empty() { "none".to_owned() } else { self.tasks_left.join(", ") }
        );
        Err(Error::new(ErrorKind::Timeout, message))
    }
}

impl Node {
    /// Records an event of the node's own before it stops, if that takes no longer than this.
    pub async fn record_last(&self, event: Event, wait: Duration) {
        // A journal that takes no more writes, or not in time, says so in the report.
        let _ = tokio::time::timeout(wait, self.events.record_own(event)).await;
    }

    /// Stops everything within the deadline: the socket and the tasks first, then the journal,
    /// to which they leave a quarter of the time.
    ///
    /// What is acked is durable whatever the report says; handles that are still around are
    /// answered with `Unavailable`. What the deadline cut off goes on by itself: the journal makes
    /// durable what it has taken and then lets go of the directory.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let end = moment_after(deadline);
        let tasks_end = moment_after(deadline - deadline / 4);
        // Half of it is for what is still to be passed on, which is kept anyway.
        let exports_left = self.exports.drain(deadline / 2).await;
        let is_over = tokio::time::timeout_at(tasks_end, self.events.stop_consumers()).await;
        let rest = tasks_end.saturating_duration_since(tokio::time::Instant::now());
        let mut left = self.tasks.stop(rest).await;
        if is_over.is_err() {
            left.push("consumers");
        }
        self.configs.values().for_each(|config| config.close());
        self.table_states.close();
        let closed = tokio::time::timeout_at(end, self.journal.close()).await;
        let waiting = self.journal.status().waiting;
        let failure = match closed {
            Ok(closed) => closed.err(),
            Err(_) => Some(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the deadline passed before the journal was closed, {waiting} records waited"
                ),
            )),
        };
        ShutdownReport {
            records_waiting: waiting,
            exports_left,
            tasks_left: left.into_iter().map(str::to_owned).collect(),
            journal: failure.as_ref().map(ErrorReport::from),
        }
    }

    /// Ends everything that nobody waits for: tasks where they are, the journal once what it has
    /// taken is durable.
    pub fn abandon(&self) {
        self.exports.abandon();
        self.events.abandon_consumers();
        self.tasks.abort();
        self.configs.values().for_each(|config| config.close());
        self.table_states.close();
        self.journal.begin_close();
    }
}
