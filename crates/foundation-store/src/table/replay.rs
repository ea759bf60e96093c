//! A table while its log is read: text, of which most is never looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_types::{Position, Result, TableKey, TableValue, Version};

use super::entry::{Entry, Logged, key_of, located};
use super::snapshot::{Held, Map};

/// What the log folds to so far.
#[derive(Debug, Default)]
pub(super) struct Replay {
    entries: BTreeMap<Arc<str>, Written>,
    version: Version,
    position: Position,
}

/// A value as text, and the record that put it.
#[derive(Debug)]
struct Written {
    json: Box<str>,
    position: Position,
}

impl Replay {
    pub(super) fn learn(&mut self, logged: &Logged<'_>, version: Version, position: Position) {
        match logged {
            Logged::Put { key, value } => self.put(key, value, position),
            Logged::Removed { key } => drop(self.entries.remove(*key)),
            Logged::Nothing => {}
        }
        self.moved_to(version, position);
    }

    pub(super) fn put(&mut self, key: &str, json: &str, position: Position) {
        let written = Written { json: json.into(), position };
        match self.entries.get_mut(key) {
            Some(entry) => *entry = written,
            None => drop(self.entries.insert(key.into(), written)),
        }
    }

    pub(super) fn moved_to(&mut self, version: Version, position: Position) {
        self.version = version;
        self.position = position;
    }

    /// The table with its types.
    ///
    /// # Errors
    /// `Malformed`, with key and position, for the first entry that does not fit them.
    pub(super) fn typed<K: TableKey, V: TableValue>(self) -> Result<Held<K, V>> {
        let mut map = Map::new();
        for (key, Written { json, position }) in self.entries {
            let typed =
                key_of(&key).and_then(|typed| Ok((typed, Entry::read(key.clone(), &json)?)));
            let (typed, entry) = typed.map_err(|error| located(error, &key, position))?;
            map.insert(typed, entry);
        }
        Ok(Held { map, version: self.version, position: self.position })
    }
}
