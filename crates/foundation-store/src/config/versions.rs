//! Where the versions of a document are in the journal.
//!
//! A version costs 8 bytes here, and every 64th a tree that shares its structure with the others:
//! an earlier state is a stored tree and at most 63 changes read from the journal.

use foundation_types::{Change, Error, ErrorKind, Position, Result, Value, Version};

use crate::record::Record;

/// Versions from one stored tree to the next.
const TREE_EVERY: usize = 64;

/// Positions of all versions and trees of some.
#[derive(Debug)]
pub(super) struct Versions {
    /// Tree of version 0, 64, 128, …
    trees: Vec<Value>,
    /// Position of version 1, 2, 3, …
    positions: Vec<Position>,
    last: Value,
}

/// How to get at an earlier tree: this one, and the changes at these positions.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) base: Value,
    pub(super) positions: Vec<Position>,
}

impl Versions {
    pub(super) fn new(defaults: Value) -> Self {
        Self { trees: vec![defaults.clone()], positions: Vec::new(), last: defaults }
    }

    /// The newest version and its tree.
    pub(super) fn last(&self) -> (Version, Value) {
        (Version::new(self.positions.len() as u64), self.last.clone())
    }

    /// Learns of the next version.
    pub(super) fn push(&mut self, position: Position, version: Version, tree: Value) -> Result<()> {
        let expected = self.last().0.next();
        if version != expected {
            let message = format!("version {version} of a document follows, not {expected}");
            return Err(Error::new(ErrorKind::Corruption, message));
        }
        self.positions.push(position);
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

    pub(super) fn plan(&self, version: Version) -> Result<Plan> {
        let (newest, _) = self.last();
        let wanted = usize::try_from(version.number()).unwrap_or(usize::MAX);
        let (at, from) = (wanted / TREE_EVERY, wanted / TREE_EVERY * TREE_EVERY);
        match (self.trees.get(at), self.positions.get(from..wanted)) {
            (Some(base), Some(rest)) => Ok(Plan { base: base.clone(), positions: rest.to_vec() }),
            _ => {
                let message = format!("there is no version {version}; the newest is {newest}");
                Err(Error::new(ErrorKind::NotFound, message))
            }
        }
    }
}

/// The change that a record tells of.
///
/// # Errors
/// `Corruption` if the record is not that of a change.
pub fn change_of(record: &Record) -> Result<Change> {
    let damaged = |cause: Error| {
        Error::new(ErrorKind::Corruption, "a record is not the change that it says it is")
            .with("position", record.position())
            .caused_by(cause)
    };
    let event = record.event()?;
    let data = foundation_types::Data::from_checked(event.data);
    let mut change: Change = data.to().map_err(damaged)?;
    change.version = event.version;
    change.time = record.recorded();
    Ok(change)
}
