//! What an operator does about a projection, whether or not the program has its type.

use foundation_types::event::ProjectionKept;
use foundation_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::registry::{Projections, key_of};

/// What an operator does about a projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionAction {
    /// It is made anew from the oldest event that is kept; until that has caught up, what there is
    /// is read.
    Rebuild,
    /// Nothing of it is kept any more.
    Delete,
}

/// What came of it for one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionChanged {
    /// Which version.
    pub version: u32,
    /// Whether the process that was asked has its type, so that it begins now; otherwise the next one
    /// that has it does so when it starts.
    pub running: bool,
}

impl Projections {
    /// Does something about all versions of a projection, and tells about which.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name; `InvalidArgument` if one is to be deleted that is at
    /// work here; as [`crate::table::Table::insert`] otherwise.
    pub async fn change(
        &self,
        name: &str,
        action: ProjectionAction,
    ) -> Result<Vec<ProjectionChanged>> {
        let is_keyed = self.keyed().knows(name);
        if !is_keyed && !self.knows_plain(name) {
            return Err(self.no_such(name));
        }
        let changed = match (action, is_keyed) {
            (ProjectionAction::Rebuild, true) => self.keyed().rebuild(name).await?,
            (ProjectionAction::Rebuild, false) => self.rebuild_plain(name).await?,
            (ProjectionAction::Delete, _) => self.delete(name).await?,
        };
        Ok(changed
            .into_iter()
            .map(|(version, running)| ProjectionChanged { version, running })
            .collect())
    }

    /// Has what is kept of a version say that it is to be made anew.
    pub(super) async fn mark(&self, name: &str, version: u32) -> Result<()> {
        let mark = |kept: Option<&ProjectionKept>| {
            kept.map(|kept| ProjectionKept { rebuild: true, ..kept.clone() })
        };
        self.table().update(key_of(name, version), mark).await.map(drop)
    }

    pub(super) fn is_marked(&self, name: &str, version: u32) -> bool {
        self.table().get(&key_of(name, version)).is_some_and(|kept| kept.rebuild)
    }

    pub(super) fn knows_plain(&self, name: &str) -> bool {
        !self.versions(name).is_empty()
    }

    pub(super) fn no_such(&self, name: &str) -> Error {
        let shown: String = name.chars().take(64).collect();
        Error::new(ErrorKind::NotFound, format!("there is no projection {shown:?}"))
    }

    /// A name is that of one kind of projection, so that what is asked by name is clear.
    pub(super) fn refuse_other_kind(&self, name: &str, is_other: bool) -> Result<()> {
        if !is_other {
            return Ok(());
        }
        let message = format!(
            "projection {name:?} is kept as one of the other kind, with or without keys: give this \
             one another name, or delete what is kept with: foundation events projections delete \
             {name}"
        );
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    async fn rebuild_plain(&self, name: &str) -> Result<Vec<(u32, bool)>> {
        let mut changed = Vec::new();
        for (version, _) in self.versions(name) {
            let live = self.all().get(&(name.to_owned(), version)).cloned();
            match &live {
                Some(live) => live.signals().rebuild.notify_one(),
                None => self.mark(name, version).await?,
            }
            changed.push((version, live.is_some()));
        }
        Ok(changed)
    }

    async fn delete(&self, name: &str) -> Result<Vec<(u32, bool)>> {
        let is_live = self.all().keys().any(|(of, _)| of == name)
            || self.keyed().live().keys().any(|(of, _)| of == name);
        if is_live {
            let message = format!(
                "projection {name:?} is at work here: rebuild it, or delete it while the application \
                 is not running or does not have it any more"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let versions = self.versions(name).into_iter().map(|(version, _)| version);
        let mut gone: Vec<u32> = versions.collect();
        for version in &gone {
            self.table().remove(&key_of(name, *version)).await?;
        }
        gone.extend(self.keyed().delete(name).await?);
        Ok(gone.into_iter().map(|version| (version, false)).collect())
    }
}
