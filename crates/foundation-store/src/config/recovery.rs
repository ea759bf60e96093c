//! The end of recovery: what was logged becomes a document of the type that the program has.

use std::sync::Arc;

use foundation_logic::config::{Layers, Migrated};
use foundation_logic::overlay::Overlay;
use foundation_types::config::{Layer, OnInvalid};
use foundation_types::{Change, Document, Edit, Error, ErrorKind, Path, Result, Timestamp, Value};
use foundation_validate::BusinessRule;
use foundation_validate::config::{Stored, stored, with_secrets, without_plain_secrets};

use super::snapshot::Snapshot;
use super::state::{Ahead, ConfigState};

/// A migration that was made and is not logged yet.
#[derive(Clone, Debug)]
pub struct Unlogged {
    /// The schema of what was logged.
    pub from: u32,
    /// What is to be logged of it, its secrets sealed.
    pub edits: Vec<Edit>,
    /// Where nothing is set any more.
    pub withdrawn: Vec<Path>,
    /// What is set at run time by it.
    pub overlay: Overlay,
    /// What the log folds to with it.
    pub tree: Value,
}

/// What was logged of a document and its type does not take.
#[derive(Clone, Debug)]
pub struct ParkedDocument {
    /// What was logged, with what the sources said when the document was opened.
    pub tree: Value,
    /// Every problem of it.
    pub error: Error,
}

impl<T: Document> ConfigState<T> {
    /// Ends recovery: takes the tree that the log folds to, if it may still be used. With sources it
    /// is what they say, and on top of it what was set at run time.
    ///
    /// # Errors
    /// What of the log could not be followed, or every path at which the tree breaks a rule of
    /// the document as it is now; `SecretSealed` with the path of a secret that does not open;
    /// `NewerSchema` and `MigrationFailed` if it cannot be brought to the schema of the type; with the
    /// document and its version as context.
    pub fn recovered(&self, rules: &[BusinessRule<T>], sources: Option<Arc<Layers>>) -> Result<()> {
        self.recovered_or(rules, sources, OnInvalid::Refuse)
    }

    /// As [`ConfigState::recovered`], with what becomes of what breaks a rule.
    ///
    /// # Errors
    /// As [`ConfigState::recovered`]; if it is parked, what is wrong with what stands in for it.
    pub fn recovered_or(
        &self,
        rules: &[BusinessRule<T>],
        sources: Option<Arc<Layers>>,
        on_invalid: OnInvalid,
    ) -> Result<()> {
        if let Some(fault) = self.timeline.fault() {
            return Err(fault);
        }
        let mut ahead = self.ahead();
        let (version, logged) = self.timeline.last();
        let named = |error: Error| error.with("document", T::NAME).with("version", version);
        let migration = self.migrated().map_err(named)?.map(Arc::new);
        let set = migration.as_ref().map_or(self.timeline.overlay(), |one| one.overlay.clone());
        let logged = migration.as_ref().map_or(logged, |one| one.tree.clone());
        // A secret that a source said is not in the log: it is as the sources say now.
        let (tree, logged) = match &sources {
            Some(layers) => {
                let overlaid = set.on(layers.tree()).map_err(named)?;
                let tree = self.seals.open(T::NAME, &overlaid).map_err(named)?;
                let logged = self.seals.settle(T::NAME, &logged, &tree).unwrap_or(logged);
                (tree, logged)
            }
            None => {
                let base = self.timeline.base();
                let tree = self.seals.settle(T::NAME, &logged, &base).map_err(named)?;
                (tree.clone(), tree)
            }
        };
        let placed = |error: Error| match &sources {
            Some(layers) => named(layers.placed::<T>(error)),
            None => named(error),
        };
        let (document, parked) = match (stored::<T>(&tree, rules).map_err(placed), on_invalid) {
            (Ok(valid), _) => (valid.into_inner(), None),
            (Err(error), OnInvalid::Refuse) => return Err(error),
            (Err(error), OnInvalid::Park) => {
                let base = self.timeline.base();
                let bare = sources.as_ref().map_or(&base, |layers| layers.tree());
                let bare = stored::<T>(bare, rules).map_err(placed)?;
                let parked = ParkedDocument { tree: tree.clone(), error };
                (bare.into_inner(), Some(Arc::new(parked)))
            }
        };
        if migration.is_none() {
            self.timeline.opened(without_plain_secrets::<T>(logged));
        }
        // What is the same has the seals that were logged.
        let Stored { document, tree: as_stored } = document;
        let tree = if as_stored == tree { tree } else { as_stored };
        self.published.store(Arc::new(Snapshot { version, document, tree }));
        if let Some(layers) = sources {
            ahead.layers = layers;
        }
        (ahead.migration, ahead.parked, ahead.live) = (migration, parked, true);
        Ok(())
    }

    /// What was logged and its type does not take, if the document is parked.
    #[must_use]
    pub fn parked_document(&self) -> Option<Arc<ParkedDocument>> {
        self.ahead().parked.clone()
    }

    /// What has to be logged before anything else is.
    #[must_use]
    pub fn migration(&self) -> Option<Arc<Unlogged>> {
        self.ahead().migration.clone()
    }

    /// What is set at run time.
    #[must_use]
    pub fn overlay(&self) -> Overlay {
        self.overlay_of(&self.ahead())
    }

    pub(super) fn overlay_of(&self, ahead: &Ahead<T>) -> Overlay {
        ahead.migration.as_ref().map_or_else(|| self.timeline.overlay(), |one| one.overlay.clone())
    }

    /// A tree that was logged with an earlier schema, as the present one has it. A secret of it that
    /// opens is moved with its content.
    ///
    /// # Errors
    /// `MigrationFailed`.
    pub fn migrated_tree(&self, from: u32, tree: &Value) -> Result<Value> {
        let tree = self.seals.open_what_opens(T::NAME, tree);
        self.evolution.tree(from, &tree, &self.timeline.base())
    }

    /// Edits that were meant for an earlier schema, as the present one has them.
    ///
    /// # Errors
    /// `MigrationFailed`.
    pub fn migrated_edits(
        &self,
        from: u32,
        edits: Vec<(Path, Option<Value>)>,
    ) -> Result<Vec<(Path, Option<Value>)>> {
        let mut put = Overlay::default();
        edits.into_iter().for_each(|(path, value)| put.put(path, value));
        let put = self.evolution.overlay(from, &put)?;
        Ok(put.iter().map(|(path, value)| (path.clone(), value.cloned())).collect())
    }

    /// What was logged with an earlier schema, as the present one has it; nothing if there is nothing
    /// of one.
    ///
    /// # Errors
    /// `NewerSchema`, `MigrationFailed`, `SecretSealed`, `NoSealingKey`.
    pub fn migrated(&self) -> Result<Option<Unlogged>> {
        let Some(from) = self.timeline.schema().filter(|from| *from != T::SCHEMA) else {
            return Ok(None);
        };
        if from > T::SCHEMA {
            let message = format!(
                "document {:?} was logged with schema {from}, and its type has schema {}",
                T::NAME,
                T::SCHEMA
            );
            return Err(Error::new(ErrorKind::NewerSchema, message));
        }
        let (version, logged) = self.timeline.last();
        let set = self.opened_overlay(&self.timeline.overlay())?;
        let mut kept = set.clone();
        for one in self.timeline.passing().all() {
            // What is set for a time only gives way now: what it gives way to would not be migrated.
            if self.evolution.touches(from, &one.path) {
                match one.was_set {
                    true => kept.put(one.path.clone(), one.before.clone()),
                    false => drop(kept.take(&one.path)),
                }
            }
        }
        let Migrated { edits, withdrawn, .. } =
            self.evolution.migrated(from, &set, &kept, &logged)?;
        let edits = edits.into_iter().map(told::<T>).collect();
        let edits = self.seals.seal(T::NAME, edits)?;
        let change = Change {
            document: T::NAME.to_owned(),
            version: version.next(),
            schema: T::SCHEMA,
            time: Timestamp::UNIX_EPOCH,
            actor: None,
            reason: None,
            layer: Layer::RunTime,
            withdrawn,
            until: None,
            changes: edits,
        };
        // As the log will be folded.
        let mut overlay = set;
        overlay.follow_migration(&change);
        let tree = overlay.on(&self.timeline.base())?;
        let Change { withdrawn, changes: edits, .. } = change;
        Ok(Some(Unlogged { from, edits, withdrawn, overlay, tree }))
    }

    /// What is set at run time, with the content of its secrets: elsewhere they would not open.
    fn opened_overlay(&self, set: &Overlay) -> Result<Overlay> {
        let mut opened = set.clone();
        for (path, value) in set.iter() {
            if let Some(value) = value.filter(|value| value.has_secret()) {
                let value = self.seals.open_at(T::NAME, path, value)?;
                opened.replace(path.clone(), Some(value));
            }
        }
        Ok(opened)
    }
}

/// What its type calls a secret is one from here on.
fn told<T: Document>(mut edit: Edit) -> Edit {
    edit.before = edit.before.map(|before| with_secrets::<T>(&edit.path, before));
    edit.after = edit.after.map(|after| with_secrets::<T>(&edit.path, after));
    edit
}
