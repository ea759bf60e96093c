//! A live document as tools see it: without its type.

use std::sync::Arc;

use async_trait::async_trait;
use foundation_logic::config::Reference;
use foundation_types::config::ParkedConflict;
use foundation_types::{
    Change, Document, Edit, Error, EventId, Path, Result, Timestamp, Value, Version,
};
use foundation_validate::ChangeRequest;

use super::explain::Explanation;
use super::fields::FieldRow;
use super::history::HistoryQuery;
use super::migration::MigrationReport;
use super::resolve::Resolution;
use super::server::ConfigServer;
use super::sources::Sources;
use super::subscription::Subscription;
use super::update::Updated;

/// A document of any type: what the control socket and the program work with.
///
/// Errors are those of the methods of the same names of [`ConfigServer`].
#[async_trait]
pub trait AnyConfig: Send + Sync + 'static {
    /// The name of the document.
    fn name(&self) -> &str;

    /// The version of the document as it is now.
    fn version(&self) -> Version;

    /// The document as it is now.
    fn tree(&self) -> Value;

    /// The document as it is without any change.
    fn defaults(&self) -> Value;

    /// Every field with its value, its default, and what is known of it.
    fn fields(&self) -> Vec<FieldRow>;

    /// What can be written down of the document: schema, template and table.
    fn reference(&self) -> Reference;

    /// The value at a path of the document as it is now.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known key as hint.
    fn value(&self, path: &Path) -> Result<Value>;

    /// Does what the request says, as a whole or not at all.
    ///
    /// # Errors
    /// As [`ConfigServer::update`]; `ReadOnly` if the program does not have the document's type.
    async fn update(&self, request: ChangeRequest) -> Result<Updated>;

    /// What the request would change now, without doing it.
    ///
    /// # Errors
    /// As [`AnyConfig::update`].
    async fn preview(&self, request: ChangeRequest) -> Result<Vec<Edit>>;

    /// Makes the document what it was at an earlier version, as a new version. The request says
    /// who, why and what is expected; it has no edits of its own.
    ///
    /// # Errors
    /// As [`ConfigServer::rollback`]; `ReadOnly` if the program does not have the document's type.
    async fn rollback(&self, version: Version, request: ChangeRequest) -> Result<Updated>;

    /// The tree of the document as it was at a version.
    ///
    /// # Errors
    /// As [`ConfigServer::tree_at`].
    async fn tree_at(&self, version: Version) -> Result<Value>;

    /// The version that was current at a time.
    ///
    /// # Errors
    /// As [`ConfigServer::version_at`].
    async fn version_at(&self, time: Timestamp) -> Result<Version>;

    /// The changes that the query asks for.
    ///
    /// # Errors
    /// As [`ConfigServer::history`].
    async fn history(&self, query: HistoryQuery) -> Result<Vec<Change>>;

    /// What leads from one version to another, in either direction.
    ///
    /// # Errors
    /// As [`AnyConfig::tree_at`].
    async fn diff(&self, from: Version, to: Version) -> Result<Vec<Edit>> {
        let (from, to) = (self.tree_at(from).await?, self.tree_at(to).await?);
        Ok(foundation_logic::diff::diff(&from, &to))
    }

    /// Why the value at a path is what it is.
    ///
    /// # Errors
    /// As [`ConfigServer::explain`]; `ReadOnly` if the program does not have the document's type.
    async fn explain(&self, path: &Path) -> Result<Explanation>;

    /// What becomes of the document if this is one of its files.
    ///
    /// # Errors
    /// As [`ConfigServer::check`]; `ReadOnly` if the program does not have the document's type.
    fn check(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<Edit>>;

    /// Where its values come from; nothing if the program does not have the document's type.
    fn sources(&self) -> Option<&Sources>;

    /// What is still to be logged of its migration, and what is wrong with what comes of it; nothing if
    /// the program does not have the document's type.
    fn migration(&self) -> Option<MigrationReport>;

    /// Whether it once had sources that are not given here; as [`ConfigServer::lacks_sources`].
    fn lacks_sources(&self) -> bool;

    /// Logs what the sources said at the start; as [`ConfigServer::log_sources`].
    ///
    /// # Errors
    /// As [`AnyConfig::update`].
    async fn log_sources(&self) -> Result<Updated>;

    /// Reads the sources again; as [`ConfigServer::reload`].
    ///
    /// # Errors
    /// As [`ConfigServer::reload`]; `ReadOnly` if the program does not have the document's type.
    async fn reload(&self) -> Result<Updated>;

    /// As [`AnyConfig::reload`], if the files are still as this mark of them says; nothing otherwise.
    ///
    /// # Errors
    /// As [`AnyConfig::reload`].
    async fn reload_as_marked(&self, mark: u64) -> Result<Option<Updated>>;

    /// Takes back what was set for a time that is over; as [`ConfigServer::end_passing`].
    ///
    /// # Errors
    /// As [`AnyConfig::update`].
    async fn end_passing(&self) -> Result<()>;

    /// Logs what was migrated at the start; as [`ConfigServer::log_migration`].
    ///
    /// # Errors
    /// As [`AnyConfig::update`].
    async fn log_migration(&self) -> Result<Updated>;

    /// Why what was logged is not in force, if the document is parked.
    fn parked_document(&self) -> Option<Error>;

    /// Why the sources as they were read last are not in force.
    fn refused_sources(&self) -> Option<Error>;

    /// The changes at a path from now on; the root for all.
    fn subscribe(&self, path: &Path) -> Subscription;

    /// The changes at a path after a version, those that were made already first.
    ///
    /// # Errors
    /// As [`ConfigServer::subscribe_from`].
    async fn subscribe_from(&self, version: Version, path: &Path) -> Result<Subscription>;

    /// The changes that wait for somebody to decide about them, the oldest first.
    fn conflicts(&self) -> Vec<Arc<ParkedConflict>>;

    /// Decides about one of them. The request says who, why and what is expected; what it changes
    /// counts for nothing.
    ///
    /// # Errors
    /// As [`ConfigServer::resolve`]; `ReadOnly` if the program does not have the document's type.
    async fn resolve(
        &self,
        id: EventId,
        resolution: Resolution,
        request: ChangeRequest,
    ) -> Result<Updated>;

    /// Takes no more changes and ends all subscriptions.
    fn close(&self);
}

#[async_trait]
impl<T: Document> AnyConfig for ConfigServer<T> {
    fn name(&self) -> &str {
        T::NAME
    }

    fn version(&self) -> Version {
        Self::version(self)
    }

    fn tree(&self) -> Value {
        self.get().tree().clone()
    }

    fn defaults(&self) -> Value {
        Self::defaults(self)
    }

    fn fields(&self) -> Vec<FieldRow> {
        Self::fields(self)
    }

    fn reference(&self) -> Reference {
        Reference::with_defaults::<T>(Self::defaults(self))
    }

    fn value(&self, path: &Path) -> Result<Value> {
        Self::value(self, path)
    }

    async fn update(&self, request: ChangeRequest) -> Result<Updated> {
        Self::update(self, request).await
    }

    async fn preview(&self, request: ChangeRequest) -> Result<Vec<Edit>> {
        Self::preview(self, request).await
    }

    async fn rollback(&self, version: Version, request: ChangeRequest) -> Result<Updated> {
        self.go_back(version, request).await
    }

    async fn tree_at(&self, version: Version) -> Result<Value> {
        Self::tree_at(self, version).await
    }

    async fn version_at(&self, time: Timestamp) -> Result<Version> {
        Self::version_at(self, time).await
    }

    async fn history(&self, query: HistoryQuery) -> Result<Vec<Change>> {
        Self::history(self, query).await
    }

    async fn explain(&self, path: &Path) -> Result<Explanation> {
        Self::explain(self, path).await
    }

    fn check(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<Edit>> {
        Self::check(self, name, bytes)
    }

    fn sources(&self) -> Option<&Sources> {
        Some(Self::sources(self))
    }

    fn migration(&self) -> Option<MigrationReport> {
        Some(MigrationReport::unlogged(&self.state))
    }

    fn lacks_sources(&self) -> bool {
        Self::lacks_sources(self)
    }

    async fn log_sources(&self) -> Result<Updated> {
        Self::log_sources(self).await
    }

    async fn reload(&self) -> Result<Updated> {
        Self::reload(self).await
    }

    async fn reload_as_marked(&self, mark: u64) -> Result<Option<Updated>> {
        Self::reload_as_marked(self, mark).await
    }

    async fn end_passing(&self) -> Result<()> {
        Self::end_passing(self).await
    }

    async fn log_migration(&self) -> Result<Updated> {
        Self::log_migration(self).await
    }

    fn parked_document(&self) -> Option<Error> {
        Self::parked_document(self)
    }

    fn refused_sources(&self) -> Option<Error> {
        Self::refused_sources(self)
    }

    fn subscribe(&self, path: &Path) -> Subscription {
        Subscription::live(self.timeline(), path.clone(), self.inner.closed.subscribe(), || {
            self.version()
        })
    }

    async fn subscribe_from(&self, version: Version, path: &Path) -> Result<Subscription> {
        Self::subscribe_from(self, version, path).await
    }

    fn conflicts(&self) -> Vec<Arc<ParkedConflict>> {
        Self::conflicts(self)
    }

    async fn resolve(
        &self,
        id: EventId,
        resolution: Resolution,
        request: ChangeRequest,
    ) -> Result<Updated> {
        Self::resolve(self, id, resolution).by(request).await
    }

    fn close(&self) {
        Self::close(self);
    }
}
