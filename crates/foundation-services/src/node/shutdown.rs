//! Stopping a node: no more intake, drain, sync, and an honest word on what was not drained.

use std::time::Duration;

use foundation_types::error::ErrorReport;
use foundation_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::Node;

/// What stopping came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Records that were appended and not yet durable when the deadline passed.
    pub records_waiting: u64,
    /// Tasks that had not ended by the deadline, or that panicked.
    pub tasks_left: Vec<String>,
    /// Why the journal could not make everything durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<ErrorReport>,
}

impl ShutdownReport {
    /// Whether everything was drained.
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
    /// Stops everything within the deadline: the socket and the tasks first, then the journal.
    ///
    /// What is acked is durable whatever the report says; handles that are still around are
    /// answered with `Unavailable`.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let end = tokio::time::Instant::now() + deadline;
        let left = self.tasks.stop(deadline).await;
        self.configs.values().for_each(|config| config.close());
        let closed = tokio::time::timeout_at(end, self.journal.close()).await;
        ShutdownReport {
            records_waiting: self.journal.status().waiting,
            tasks_left: left.into_iter().map(str::to_owned).collect(),
            journal: match closed {
                Ok(Err(error)) => Some(ErrorReport::from(&error)),
                Ok(Ok(())) | Err(_) => None,
            },
        }
    }
}
