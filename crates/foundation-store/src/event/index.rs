//! The indices over the ring.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::hash::AsIs;
use super::keys::Keys;
use super::postings::Postings;
use super::ring::Ordinal;
use super::times::TimeIndex;

/// All indices: each record of the ring is in every one that it has a key for.
#[derive(Debug, Default)]
pub(super) struct Indices {
    pub(super) kinds: NameIndex,
    pub(super) streams: NameIndex,
    pub(super) correlations: NameIndex,
    pub(super) parents: NameIndex,
    pub(super) tags: NameIndex,
    pub(super) times: TimeIndex,
}

impl Indices {
    /// Adds the newest record.
    pub(super) fn insert(&mut self, keys: &Keys, ordinal: Ordinal) {
        self.kinds.insert(keys.kind, ordinal);
        self.streams.insert(keys.stream, ordinal);
        if let Some(correlation) = keys.correlation {
            self.correlations.insert(correlation, ordinal);
        }
        if let Some(parent) = keys.parent {
            self.parents.insert(parent, ordinal);
        }
        for tag in &keys.tags {
            self.tags.insert(*tag, ordinal);
        }
        self.times.insert(keys.time, ordinal);
    }

    /// Removes the oldest record, where it is.
    pub(super) fn remove(&mut self, keys: &Keys, ordinal: Ordinal) {
        self.kinds.remove_oldest(keys.kind, ordinal);
        self.streams.remove_oldest(keys.stream, ordinal);
        if let Some(correlation) = keys.correlation {
            self.correlations.remove_oldest(correlation, ordinal);
        }
        if let Some(parent) = keys.parent {
            self.parents.remove_oldest(parent, ordinal);
        }
        for tag in &keys.tags {
            self.tags.remove_oldest(*tag, ordinal);
        }
        self.times.remove_oldest(keys.time, ordinal);
    }

    /// Gives back memory that a larger ring needed.
    pub(super) fn shrink(&mut self) {
        self.kinds.lists.shrink_to_fit();
        self.streams.lists.shrink_to_fit();
        self.correlations.lists.shrink_to_fit();
        self.parents.lists.shrink_to_fit();
        self.tags.lists.shrink_to_fit();
    }
}

/// Posting lists by the hash of a name.
///
/// The name itself is not kept: names that share a hash share a list, and what a query finds
/// there is compared with the query anyway.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    lists: HashMap<u64, Postings, AsIs>,
}

impl NameIndex {
    pub(super) fn get(&self, name: u64) -> Option<&Postings> {
        self.lists.get(&name)
    }

    /// Names that at least one record has.
    #[cfg(test)]
    pub(super) fn names(&self) -> usize {
        self.lists.len()
    }

    /// Entries in all lists.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.lists.values().map(Postings::len).sum()
    }

    fn insert(&mut self, name: u64, ordinal: Ordinal) {
        match self.lists.entry(name) {
            Entry::Occupied(list) => list.into_mut().push(ordinal),
            Entry::Vacant(place) => {
                place.insert(Postings::one(ordinal));
            }
        }
    }

    /// The oldest record of the ring is the oldest of each of its lists.
    fn remove_oldest(&mut self, name: u64, ordinal: Ordinal) {
        let Entry::Occupied(mut list) = self.lists.entry(name) else { return };
        if list.get().get(0) == Some(ordinal) {
            list.get_mut().pop();
            if list.get().len() == 0 {
                list.remove();
            }
        }
    }
}
