//! Where the versions of a document are in the journal.
//!
//! A version costs 8 bytes here, and every 64th a tree that shares its structure with the others:
//! an earlier state is a stored tree and at most 63 changes read from the journal.

use foundation_logic::overlay::Overlay;
use foundation_types::{Change, Error, ErrorKind, Position, Result, Value, Version};

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
}

/// How to get at an earlier tree: this one, and the changes at these positions.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) base: Value,
    pub(super) positions: Vec<Position>,
}

impl Versions {
    pub(super) fn new(base: Value) -> Self {
        let (overlay, passing, last) = (Overlay::default(), Passing::default(), base.clone());
        Self { trees: Vec::new(), positions: Vec::new(), overlay, passing, last, base }
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
    pub(super) fn push(&mut self, position: Position, change: &Change, tree: Value) -> Result<()> {
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
        for place in 1..=lost {
            self.positions.push(Position::from_engine(before + place));
            if self.positions.len().is_multiple_of(TREE_EVERY) {
                self.trees.push(self.last.clone());
            }
        }
        self.positions.push(position);
        self.passing.follow(change, &self.overlay);
        self.overlay.follow(change, &tree);
        if self.positions.len().is_multiple_of(TREE_EVERY) {
            self.trees.push(tree.clone());
        }
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
        let stored = wanted / TREE_EVERY;
        let base = match stored.checked_sub(1) {
            None => Some(&self.base),
            Some(at) => self.trees.get(at),
        };
        match (base, self.positions.get(stored * TREE_EVERY..wanted)) {
            (Some(base), Some(rest)) => Ok(Plan { base: base.clone(), positions: rest.to_vec() }),
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
