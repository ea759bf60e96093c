//! A document in the log whose type the program does not have: read, never written.

use std::sync::Arc;

use async_trait::async_trait;
use foundation_logic::config::Reference;
use foundation_logic::lens;
use foundation_store::config::Timeline;
use foundation_store::journal::Journal;
use foundation_types::config::ParkedConflict;
use foundation_types::{
    Change, Edit, Error, ErrorKind, EventId, Path, Result, Timestamp, Value, Version,
};
use foundation_validate::ChangeRequest;
use tokio::sync::watch;

use super::any::AnyConfig;
use super::explain::Explanation;
use super::fields::{FieldRow, leaves};
use super::history::{self, HistoryQuery};
use super::migration::MigrationReport;
use super::resolve::Resolution;
use super::sources::Sources;
use super::subscription::Subscription;
use super::update::Updated;

/// What was set at run time of a document that another program has the type of.
///
/// Its defaults are not known here: the tree begins with an empty map.
pub struct UnlinkedConfig {
    timeline: Arc<Timeline>,
    journal: Arc<dyn Journal>,
    closed: watch::Sender<bool>,
}

impl UnlinkedConfig {
    /// The document with these versions, as [`foundation_store::config::Documents`] has them.
    #[must_use]
    pub fn new(timeline: Arc<Timeline>, journal: Arc<dyn Journal>) -> Self {
        Self { timeline, journal, closed: watch::Sender::new(false) }
    }

    fn refused(&self) -> Error {
        let message = format!(
            "document {:?} is changed, explained and checked only through the program that has its type",
            self.timeline.document()
        );
        Error::new(ErrorKind::ReadOnly, message)
    }
}

impl std::fmt::Debug for UnlinkedConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UnlinkedConfig").field("timeline", &self.timeline).finish_non_exhaustive()
    }
}

#[async_trait]
impl AnyConfig for UnlinkedConfig {
    fn name(&self) -> &str {
        self.timeline.document()
    }

    fn version(&self) -> Version {
        self.timeline.last().0
    }

    fn tree(&self) -> Value {
        self.timeline.last().1
    }

    fn defaults(&self) -> Value {
        self.timeline.base()
    }

    fn fields(&self) -> Vec<FieldRow> {
        let tree = self.tree();
        let row = |path: Path| FieldRow {
            value: lens::get(&tree, &path).cloned().unwrap_or_default(),
            secret: lens::get(&tree, &path).is_some_and(Value::has_secret),
            default: Value::Null,
            path,
            shape: String::new(),
            doc: String::new(),
        };
        leaves(&tree).into_iter().map(row).collect()
    }

    fn reference(&self) -> Reference {
        Reference::of_defaults(self.timeline.document(), self.defaults())
    }

    fn value(&self, path: &Path) -> Result<Value> {
        lens::get(&self.tree(), path).cloned().ok_or_else(|| {
            let message = format!(
                "nothing was set at \"{path}\" of document {:?}, whose type is not known here",
                self.timeline.document()
            );
            Error::new(ErrorKind::NotFound, message)
        })
    }

    async fn update(&self, _: ChangeRequest) -> Result<Updated> {
        Err(self.refused())
    }

    async fn preview(&self, _: ChangeRequest) -> Result<Vec<Edit>> {
        Err(self.refused())
    }

    async fn rollback(&self, _: Version, _: ChangeRequest) -> Result<Updated> {
        Err(self.refused())
    }

    async fn tree_at(&self, version: Version) -> Result<Value> {
        self.timeline.tree_at(&*self.journal, version).await
    }

    async fn version_at(&self, time: Timestamp) -> Result<Version> {
        history::version_at(&self.timeline, &*self.journal, time).await
    }

    async fn history(&self, query: HistoryQuery) -> Result<Vec<Change>> {
        history::kept_changes(&self.timeline, &*self.journal, query).await
    }

    async fn explain(&self, _: &Path) -> Result<Explanation> {
        Err(self.refused())
    }

    fn check(&self, _: &str, _: Vec<u8>) -> Result<Vec<Edit>> {
        Err(self.refused())
    }

    fn sources(&self) -> Option<&Sources> {
        None
    }

    fn migration(&self) -> Option<MigrationReport> {
        None
    }

    /// What is shown of it is what was logged, whoever said it.
    fn lacks_sources(&self) -> bool {
        false
    }

    async fn log_sources(&self) -> Result<Updated> {
        Err(self.refused())
    }

    async fn reload(&self) -> Result<Updated> {
        Err(self.refused())
    }

    async fn reload_as_marked(&self, _: u64) -> Result<Option<Updated>> {
        Err(self.refused())
    }

    async fn end_passing(&self) -> Result<()> {
        Err(self.refused())
    }

    async fn log_migration(&self) -> Result<Updated> {
        Err(self.refused())
    }

    fn parked_document(&self) -> Option<Error> {
        None
    }

    fn refused_sources(&self) -> Option<Error> {
        None
    }

    fn subscribe(&self, path: &Path) -> Subscription {
        Subscription::live(&self.timeline, path.clone(), self.closed.subscribe(), || self.version())
    }

    async fn subscribe_from(&self, version: Version, path: &Path) -> Result<Subscription> {
        let tree = self.tree_at(version).await?;
        let (journal, closed) = (Arc::clone(&self.journal), self.closed.subscribe());
        Ok(Subscription::from(&self.timeline, path.clone(), closed, journal, version, tree))
    }

    fn conflicts(&self) -> Vec<Arc<ParkedConflict>> {
        self.timeline.parked().list()
    }

    async fn resolve(&self, _: EventId, _: Resolution, _: ChangeRequest) -> Result<Updated> {
        Err(self.refused())
    }

    fn close(&self) {
        self.closed.send_replace(true);
    }
}
