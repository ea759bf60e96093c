//! What is set for a time only gives way to what was there before.

use foundation_types::config::Unchanged;
use foundation_types::error::Retry;
use foundation_types::{Document, Result, Version};
use foundation_validate::ChangeRequest;

use super::server::ConfigServer;

/// Who takes back what has had its time.
const ACTOR: &str = "foundation";

impl<T: Document> ConfigServer<T> {
    /// Takes back what was set for a time that is over, as a change of its own; what somebody has
    /// set there since stays. A running node looks each second.
    ///
    /// # Errors
    /// As [`ConfigServer::update`].
    pub async fn end_passing(&self) -> Result<()> {
        let mut due = self.timeline().passing().due(self.inner.clock.wall());
        // What gives way to sources waits for whoever has them.
        due.retain(|one| one.was_set || !self.lacks_sources());
        let Some(newest) = due.iter().map(|one| one.version).max() else { return Ok(()) };
        let expect = |path, since: Version| Unchanged { path, since };
        let request = ChangeRequest {
            unchanged: due.iter().map(|one| expect(one.path.clone(), one.version)).collect(),
            edits: due
                .into_iter()
                .map(|one| (one.path, one.before.filter(|_| one.was_set)))
                .collect(),
            actor: Some(ACTOR.to_owned()),
            reason: Some(format!("the time of what version {newest} set is over")),
            ..ChangeRequest::default()
        };
        match self.update(request).await {
            // Somebody was quicker, and what is there now is what they wanted.
            Err(error) if error.kind().row().retry == Retry::AfterRefresh => Ok(()),
            // What waits has other problems: it goes with the change that corrects them.
            Err(error) if self.parked_document().is_some() && !error.problems().is_empty() => {
                Ok(())
            }
            ended => ended.map(|_| ()),
        }
    }
}
