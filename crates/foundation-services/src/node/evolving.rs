//! What the start of a node did to documents: migrations that are logged, and what was parked.

use std::collections::BTreeMap;

use foundation_types::value::to_value;
use foundation_types::{Error, Event, Result, Value};

use super::Node;

impl Node {
    /// Logs what was migrated, and records which documents are parked and why.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn log_migrations(&self) -> Result<()> {
        for config in self.configs.values() {
            match config.parked_document() {
                // It is kept as it is until it passes: the migration may be what is wrong with it.
                Some(error) => self.tell_of_parked_document(config.name(), &error).await?,
                None => drop(config.log_migration().await?),
            }
        }
        Ok(())
    }

    /// What and where, and no value.
    async fn tell_of_parked_document(&self, document: &str, error: &Error) -> Result<()> {
        tracing::error!(document, "the document is parked: {error}");
        let problems = error.problems().iter();
        let problems = problems.map(|problem| {
            BTreeMap::from([("path", problem.path.clone()), ("code", problem.kind.to_string())])
        });
        let told = Event::new("foundation.config.parked_document").source("foundation.config");
        let told = told.subject(document).data(&BTreeMap::from([
            ("document", to_value(document)?),
            ("code", Value::from(error.code())),
            ("problems", to_value(&problems.collect::<Vec<_>>())?),
        ]))?;
        self.events.record_own(told).await.map(|_| ())
    }
}
