//! What a document was at earlier versions, as its type has it now.

use foundation_logic::diff;
use foundation_store::config::Snapshot;
use foundation_types::value::from_value;
use foundation_types::{Change, Document, Edit, Error, Path, Result, Timestamp, Value, Version};
use foundation_validate::config::{change_with_secrets, with_secrets};

use super::history::{self, HistoryQuery};
use super::server::ConfigServer;

impl<T: Document> ConfigServer<T> {
    /// The document as it was at a version. A secret that a file or the environment said was not
    /// logged: it is as it is now.
    ///
    /// # Errors
    /// `NotFound` for a version that does not exist, `Compacted` if its changes are no longer
    /// kept, `SecretSealed` if a secret of it does not open, and the misfit if what it was does not
    /// fit the type as it is now.
    pub async fn at(&self, version: Version) -> Result<Snapshot<T>> {
        let current = self.state.current();
        if current.version() == version {
            return Ok(current.to_snapshot().as_ref().clone());
        }
        let now = current.tree().clone();
        drop(current);
        let tree = self.tree_at(version).await?;
        let placed = |error: Error| error.with("document", T::NAME).with("version", version);
        let tree = self.state.seals().settle(T::NAME, &tree, &now)?;
        let document = from_value(&tree).map_err(placed)?;
        Ok(Snapshot { version, document, tree })
    }

    /// The tree of the document as it was at a version, whether or not it fits the type now. What was
    /// logged with an earlier schema is migrated to the present one.
    ///
    /// # Errors
    /// `NotFound` for a version that does not exist, `Compacted` if its changes are no longer
    /// kept, `MigrationFailed`.
    pub async fn tree_at(&self, version: Version) -> Result<Value> {
        let tree = self.timeline().tree_at(&*self.inner.journal, version).await?;
        let tree = match self.timeline().schema_of(version).filter(|from| *from < T::SCHEMA) {
            Some(from) => {
                let named = |error: Error| error.with("document", T::NAME).with("version", version);
                self.state.migrated_tree(from, &tree).map_err(named)?
            }
            None => tree,
        };
        Ok(with_secrets::<T>(&Path::root(), tree))
    }

    /// The version that was current at a time, by the time of recording.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::record`].
    pub async fn version_at(&self, time: Timestamp) -> Result<Version> {
        history::version_at(self.timeline(), &*self.inner.journal, time).await
    }

    /// The changes that the query asks for; fewer once they have 16 MiB, but at least one. What
    /// comes after the last one is asked for by its version. Changes that were lost to damage are
    /// missing.
    ///
    /// # Errors
    /// `Compacted` if the query names a version whose change is no longer kept.
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<Change>> {
        let kept = history::kept_changes(self.timeline(), &*self.inner.journal, query).await?;
        Ok(kept.into_iter().map(change_with_secrets::<T>).collect())
    }

    /// What leads from one version to another, in either direction.
    ///
    /// # Errors
    /// As [`ConfigServer::tree_at`].
    pub async fn diff(&self, from: Version, to: Version) -> Result<Vec<Edit>> {
        Ok(diff::diff(&self.tree_at(from).await?, &self.tree_at(to).await?))
    }
}
