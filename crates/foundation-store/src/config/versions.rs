//! Where the versions of a document are in the journal.
//!
//! A version costs 8 bytes here, and every 64th a tree that shares its structure with the others:
//! an earlier state is a stored tree and at most 63 changes read from the journal.

use foundation_logic::diff;
use foundation_logic::overlay::Overlay;
use foundation_types::config::Layer;
use foundation_types::{Change, Error, ErrorKind, Position, Result, Value, Version};

use super::carried::{Carried, CarriedChange, HistoryBound};
use super::passing::Passing;

/// Versions from one stored tree to the next.
pub(super) const TREE_EVERY: usize = 64;

/// Positions of all versions and trees of some.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub(super) base: Value,
    /// Tree of version 64, 128, …
    pub(super) trees: Vec<Value>,
    /// Position of version 1, 2, 3, …
    pub(super) positions: Vec<Position>,
    /// What all changes at run time come to.
    pub(super) overlay: Overlay,
    /// What is set for a time only.
    pub(super) passing: Passing,
    pub(super) last: Value,
    /// The newest changes, which outlive the log.
    pub(super) carried: Carried,
    /// Whether files or the environment ever said something that was not the default.
    pub(super) was_sourced: bool,
    /// The schema of the type, if the program has it: what was logged with an earlier one is folded
    /// without defaults, for they are of this one.
    present: Option<u32>,
    /// From where on the changes have which schema, oldest first.
    pub(super) eras: Vec<Era>,
}

/// Versions whose changes have the same schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Era {
    pub(super) schema: u32,
    /// The version that began it: 0 for the oldest.
    pub(super) first: u64,
    /// The tree of that version.
    pub(super) tree: Value,
}

/// How to get at an earlier tree: this one, and the changes at these positions.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) base: Value,
    pub(super) positions: Vec<Position>,
}

impl Versions {
    pub(super) fn new(base: Value, present: Option<u32>) -> Self {
        Self {
            trees: Vec::new(),
            positions: Vec::new(),
            overlay: Overlay::default(),
            passing: Passing::default(),
            last: base.clone(),
            carried: Carried::new(HistoryBound::NONE),
            was_sourced: false,
            base,
            present,
            eras: Vec::new(),
        }
    }

    /// The same document without a version.
    pub(super) fn emptied(&self) -> Self {
        let carried = Carried::new(self.carried.bound());
        Self { carried, ..Self::new(self.base.clone(), self.present) }
    }

    /// What changes of a schema are folded on: the defaults, if they are of that schema.
    pub(super) fn ground(&self, schema: u32) -> Value {
        let is_present = self.present.is_none_or(|present| present == schema);
        if is_present { self.base.clone() } else { Value::empty_map() }
    }

    /// The schema of the newest change.
    pub(super) fn schema(&self) -> Option<u32> {
        self.eras.last().map(|era| era.schema)
    }

    /// The schema of the change that made a version; for version 0 that of the first one.
    pub(super) fn schema_of(&self, version: Version) -> Option<u32> {
        self.era_of(version).map(|era| era.schema)
    }

    /// Whether the change of a version is made on the tree of the version before.
    pub(super) fn follows_on(&self, version: Version) -> bool {
        let Some(era) = self.era_of(version) else { return true };
        match version.previous() == Version::NONE {
            true => self.present.is_none_or(|present| present == era.schema),
            false => era.first != version.number(),
        }
    }

    fn era_of(&self, version: Version) -> Option<&Era> {
        self.eras.iter().rev().find(|era| era.first <= version.number())
    }

    /// The trees before and after the next change.
    pub(super) fn next(&self, change: &Change) -> Result<(Value, Value)> {
        let before = match self.eras.is_empty() {
            true => self.ground(change.schema),
            false => self.last.clone(),
        };
        let after = diff::apply(&before, &change.changes)?;
        if self.schema().is_none_or(|schema| schema == change.schema) {
            return Ok((before, after));
        }
        // What was set at run time has moved, and what sources said is said anew.
        let mut overlay = self.overlay.clone();
        overlay.follow_migration(change);
        let after = overlay.on(&self.ground(change.schema))?;
        Ok((before, after))
    }

    /// The tree of version 0.
    pub(super) fn base(&self) -> Value {
        self.base.clone()
    }

    /// The newest version and its tree.
    pub(super) fn last(&self) -> (Version, Value) {
        (self.newest(), self.last.clone())
    }

    /// Learns of the next version, which this change made. Versions before it whose changes were lost
    /// to damage get places among the lost records; what they changed is not known.
    pub(super) fn push(
        &mut self,
        position: Position,
        change: &Change,
        logged: CarriedChange,
        tree: Value,
    ) -> Result<()> {
        let version = change.version;
        let expected = self.newest().next();
        let before = self.positions.last().map_or(0, |last| last.to_engine());
        let lost = version.number().checked_sub(expected.number());
        // Each lost version was a record between the two.
        let Some(lost) = lost.filter(|lost| before.saturating_add(*lost) < position.to_engine())
        else {
            let message = format!("version {version} of a document follows, not {expected}");
            return Err(Error::new(ErrorKind::Corruption, message));
        };
        if let Some(schema) = self.schema().filter(|schema| *schema > change.schema) {
            let message = format!(
                "version {version} of a document has schema {}, the one before has {schema}",
                change.schema
            );
            return Err(Error::new(ErrorKind::Corruption, message));
        }
        if self.eras.is_empty() {
            let tree = self.ground(change.schema);
            self.eras.push(Era { schema: change.schema, first: 0, tree });
        }
        for place in 1..=lost {
            self.positions.push(Position::from_engine(before + place));
            if self.positions.len().is_multiple_of(TREE_EVERY) {
                self.trees.push(self.last.clone());
            }
        }
        self.positions.push(position);
        self.was_sourced |= change.layer == Layer::Sources;
        self.passing.follow(change, &self.overlay);
        if self.schema() == Some(change.schema) {
            self.overlay.follow(change, &tree);
        } else {
            self.overlay.follow_migration(change);
            let (schema, first) = (change.schema, version.number());
            self.eras.push(Era { schema, first, tree: tree.clone() });
        }
        if self.positions.len().is_multiple_of(TREE_EVERY) {
            self.trees.push(tree.clone());
        }
        self.carried.push(version, logged);
        self.last = tree;
        Ok(())
    }

    pub(super) fn position(&self, version: Version) -> Option<Position> {
        let at = usize::try_from(version.number()).ok()?.checked_sub(1)?;
        self.positions.get(at).copied()
    }

    /// The first version whose change is after a position.
    pub(super) fn first_after(&self, position: Position) -> Version {
        let before = self.positions.partition_point(|place| *place <= position);
        Version::new(before as u64).next()
    }

    pub(super) fn plan(&self, version: Version) -> Result<Plan> {
        let wanted = usize::try_from(version.number()).unwrap_or(usize::MAX);
        if wanted == self.positions.len() {
            return Ok(Plan { base: self.last.clone(), positions: Vec::new() });
        }
        if version == Version::NONE {
            return Ok(Plan { base: self.base.clone(), positions: Vec::new() });
        }
        let (era, stored) = (self.era_of(version), wanted / TREE_EVERY);
        let nearest = era.map(|era| (usize::try_from(era.first).unwrap_or(usize::MAX), &era.tree));
        let kept = stored.checked_sub(1).and_then(|at| self.trees.get(at));
        let kept = kept.map(|tree| (stored * TREE_EVERY, tree));
        // No change of an earlier schema is between the two.
        let nearest = match (nearest, kept) {
            (Some((first, _)), Some(kept)) if kept.0 > first => Some(kept),
            (nearest, _) => nearest,
        };
        match nearest.map(|(from, tree)| (tree, self.positions.get(from..wanted))) {
            Some((tree, Some(rest))) => Ok(Plan { base: tree.clone(), positions: rest.to_vec() }),
            _ => {
                let newest = self.newest();
                let message = format!("there is no version {version}; the newest is {newest}");
                Err(Error::new(ErrorKind::NotFound, message))
            }
        }
    }

    fn newest(&self) -> Version {
        Version::new(self.positions.len() as u64)
    }
}
