//! What was logged of a document, brought from the schema that it was logged with to the present one.
//!
//! The law, which is tested: a tree that was migrated, and the log of the migration folded on the
//! tree before it, are the same.

use std::fmt;
use std::sync::Arc;

use foundation_types::path::Segment;
use foundation_types::value::Map;
use foundation_types::{Document, Edit, Error, ErrorKind, Path, Result, Value};

use super::migrations::Migration;
use super::moves;
use crate::overlay::Overlay;
use crate::{diff, lens};

#[cfg(test)]
mod tests;

/// The schemas of a document up to that of its type, and what leads from each to the next. Cloning is
/// O(1).
#[derive(Clone)]
pub struct Evolution {
    document: &'static str,
    present: u32,
    steps: Arc<[(u32, Migration)]>,
}

/// What was set at run time, migrated, and what is logged of that.
#[derive(Clone, Debug, Default)]
pub struct Migrated {
    /// What is set at run time now.
    pub overlay: Overlay,
    /// What leads there from what the log folds to.
    pub edits: Vec<Edit>,
    /// Where nothing is set any more.
    pub withdrawn: Vec<Path>,
}

impl Evolution {
    /// Of a document to which no migration leads.
    #[must_use]
    pub fn none<T: Document>() -> Self {
        Self::of::<T>(Vec::new())
    }

    pub(super) fn of<T: Document>(steps: Vec<(u32, Migration)>) -> Self {
        Self { document: T::NAME, present: T::SCHEMA, steps: steps.into() }
    }

    /// Name of the document.
    #[must_use]
    pub fn document(&self) -> &'static str {
        self.document
    }

    /// The schema that the type has.
    #[must_use]
    pub fn present(&self) -> u32 {
        self.present
    }

    /// Whether a migration after this schema changes something at, in or around a place.
    #[must_use]
    pub fn touches(&self, from: u32, place: &Path) -> bool {
        let later = self.steps.iter().filter(|(schema, _)| *schema > from);
        later
            .flat_map(|(_, one)| &one.moves)
            .flat_map(|one| one.places())
            .any(|path| path.overlaps(place))
    }

    /// What was set with a schema, as the present one has it.
    ///
    /// # Errors
    /// `MigrationFailed`, with the schema, the path and the reason, if a migration is missing, a
    /// transform fails or panics, or something else is in the way of what is moved.
    pub fn overlay(&self, from: u32, set: &Overlay) -> Result<Overlay> {
        let mut set = moves::gathered(set)?;
        for schema in from.saturating_add(1)..=self.present {
            let Some((_, migration)) = self.steps.iter().find(|(to, _)| *to == schema) else {
                let message = format!(
                    "document {:?} was logged with schema {from}, its type has schema {}, and no \
                     migration leads to schema {schema}",
                    self.document, self.present
                );
                return Err(Error::new(ErrorKind::MigrationFailed, message));
            };
            for one in &migration.moves {
                moves::make(one, &mut set).map_err(|error| error.with("schema", schema))?;
            }
        }
        Ok(set)
    }

    /// A tree of what was set with a schema, as the present one has it, on these defaults.
    ///
    /// # Errors
    /// As [`Evolution::overlay`].
    pub fn tree(&self, from: u32, set: &Value, base: &Value) -> Result<Value> {
        self.overlay(from, &said(set))?.on(base)
    }

    /// What was set with a schema, migrated, with what is to be logged of it: `logged` is what the log
    /// folds to without defaults, and `kept` what of it was set at run time and is to be kept.
    ///
    /// What `logged` has beside, from sources, is let go of: they are read again.
    ///
    /// # Errors
    /// As [`Evolution::overlay`].
    pub fn migrated(
        &self,
        from: u32,
        set: &Overlay,
        kept: &Overlay,
        logged: &Value,
    ) -> Result<Migrated> {
        let overlay = self.overlay(from, kept)?;
        let tree = overlay.on(&Value::empty_map())?;
        let is_within = |path: &Path| overlay.around(path).is_some_and(|(_, put)| put.is_some());
        let is_gone = |path: &Path| overlay.at(path).is_none() && !is_within(path);
        let mut gone: Vec<Edit> = diff::diff(logged, &tree);
        gone.retain(|edit| edit.before.is_some() && is_gone(&edit.path));
        // What stands where a map is from here on makes room for what is put inside.
        gone.iter_mut().for_each(|edit| edit.after = None);
        let left = set.iter().map(|(path, _)| path).filter(|path| is_gone(path));
        let mut withdrawn: Vec<Path> = left.cloned().collect();
        withdrawn.extend(gone.iter().map(|edit| edit.path.clone()));
        withdrawn.sort();
        withdrawn.dedup();
        let mut edits = gone;
        for (path, value) in overlay.iter() {
            let is_same = set.at(path) == Some(value) && lens::get(logged, path) == value;
            let is_there = is_same && !(value.is_some() && set.has_inside(path));
            // What is put or taken away around it takes it away.
            let around = edits.iter().map(|edit| &edit.path).chain(&withdrawn);
            if !is_there || around.into_iter().any(|outer| path.is_in(outer)) {
                let before = lens::get(logged, path).cloned();
                edits.push(Edit { path: path.clone(), before, after: value.cloned() });
            }
        }
        // Outer places first, and of the same place what is put last.
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Migrated { overlay, edits, withdrawn })
    }
}

impl fmt::Debug for Evolution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Evolution").field("present", &self.present).finish_non_exhaustive()
    }
}

/// Each value of a tree by itself: what lies beside it on other defaults stays there.
fn said(tree: &Value) -> Overlay {
    let mut said = Overlay::default();
    if let Value::Map(map) = tree {
        collect(&Path::root(), map, &mut said);
    }
    said
}

/// Recursion ends with the longest path, after 64 steps.
fn collect(around: &Path, map: &Map, said: &mut Overlay) {
    let paths: Result<Vec<(Path, &Value)>> = map
        .iter()
        .map(|(key, value)| Ok((around.join(Segment::Key(key.clone()))?, value)))
        .collect();
    let Ok(paths) = paths else {
        // No path can name a key of it: it is one value.
        said.put(around.clone(), Some(Value::Map(map.clone())));
        return;
    };
    for (path, value) in paths {
        match value {
            Value::Map(map) if !map.is_empty() => collect(&path, map, said),
            value => said.put(path, Some(value.clone())),
        }
    }
}
