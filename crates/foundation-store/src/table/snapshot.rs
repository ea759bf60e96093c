//! A table at one moment.

use std::borrow::Borrow;
use std::ops::RangeBounds;
use std::sync::Arc;

use foundation_types::{Position, Version};

use super::entry::Entry;

/// The entries of a table, in the order of their keys.
pub(super) type Map<K, V> = im::OrdMap<K, Entry<V>>;

/// A table as it was at one moment: what is read through it is of one version, however long it is
/// held. Cloning is O(1).
pub struct TableSnapshot<K, V>(Arc<Held<K, V>>);

/// What is published of a table.
pub(super) struct Held<K, V> {
    pub(super) map: Map<K, V>,
    pub(super) version: Version,
    pub(super) position: Position,
}

impl<K, V> Default for Held<K, V> {
    fn default() -> Self {
        Self { map: Map::new(), version: Version::NONE, position: Position::START }
    }
}

impl<K, V> Clone for TableSnapshot<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord, V> TableSnapshot<K, V> {
    pub(super) fn new(held: Arc<Held<K, V>>) -> Self {
        Self(held)
    }

    /// The value under a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Arc<V>>
    where
        K: Borrow<Q>,
    {
        self.0.map.get(key).map(|entry| &entry.value)
    }

    /// The entry under a key: the value with its text.
    #[must_use]
    pub fn entry<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Entry<V>>
    where
        K: Borrow<Q>,
    {
        self.0.map.get(key)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.map.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.map.is_empty()
    }

    /// All entries in the order of keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)> {
        self.0.map.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// The entries whose keys are in a range, in the order of keys.
    pub fn range<Q, R>(&self, range: R) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
        R: RangeBounds<Q>,
    {
        self.0.map.range(range).map(|(key, entry)| (key, &entry.value))
    }

    /// As [`TableSnapshot::range`], each value with its text.
    pub fn entries<Q, R>(&self, range: R) -> impl DoubleEndedIterator<Item = (&K, &Entry<V>)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
        R: RangeBounds<Q>,
    {
        self.0.map.range(range)
    }

    /// How many changes led to it.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The record that made this version; the beginning if there is none, as in a table of which
    /// nothing is kept.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.position
    }
}

impl<K: Ord, V> std::fmt::Debug for TableSnapshot<K, V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TableSnapshot")
            .field("version", &self.version())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
