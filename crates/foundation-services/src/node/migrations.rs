//! What migrations of documents would log, as far as this program can tell.

use foundation_types::{Edit, Problem, Version};
use serde::{Deserialize, Serialize};

use super::Node;
use crate::config::MigrationReport;

/// The schemas of one document: that of the log, and that of its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentMigration {
    /// Name of the document.
    pub document: String,
    /// The newest version of it.
    pub version: Version,
    /// The schema that it was logged with; absent if nothing was logged.
    pub logged: Option<u32>,
    /// The schema of its type; absent if this program does not have the type, so that only the
    /// application of the document can tell what comes of it (`Builder::check_migrations`).
    pub present: Option<u32>,
    /// What is still to be logged; nothing if the schemas are the same.
    pub edits: Vec<Edit>,
    /// What is wrong with what comes of it: it would be refused or parked.
    pub problems: Vec<Problem>,
}

impl Node {
    /// The schemas of all documents, in the order of names, and what their migrations would log.
    #[must_use]
    pub fn migrations(&self) -> Vec<DocumentMigration> {
        let of = |document: String| {
            let timeline = self.documents.timeline(&document);
            let logged = timeline.as_ref().and_then(|timeline| timeline.schema());
            let version = timeline.map_or(Version::NONE, |timeline| timeline.last().0);
            let report = self.configs.get(&document).and_then(|config| config.migration());
            let present = report.as_ref().map(|report| report.to);
            let (edits, problems) = match report {
                Some(MigrationReport { edits, problems, .. }) => (edits, problems),
                None => (Vec::new(), Vec::new()),
            };
            DocumentMigration { document, version, logged, present, edits, problems }
        };
        self.documents.names().into_iter().map(of).collect()
    }
}
