//! A live table as tools see it: JSON under JSON.

use std::ops::Bound;

use async_trait::async_trait;
use foundation_store::table::{Entry, JsonKey, key_of};
use foundation_types::limits::{ANSWER_BYTES_MAX, TABLE_ANSWER_ENTRIES_MAX};
use foundation_types::{Data, Keep, Result, TableKey, TableValue, Value, Version};
use serde::{Deserialize, Serialize};

use super::shared::Table;

/// One entry of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// The key.
    pub key: Data,
    /// The value.
    pub value: Data,
}

/// A table of any types: what the control socket and the program work with.
///
/// Errors are those of the methods of the same names of [`Table`]; `Malformed` for a key or a
/// value that does not fit the types of the table.
#[async_trait]
pub trait AnyTable: Send + Sync + 'static {
    /// The name of the table.
    fn name(&self) -> &str;

    /// What is kept of it.
    fn keep(&self) -> Keep;

    /// How many entries it has, and how many changes led to them.
    fn extent(&self) -> (u64, Version);

    /// The names of the types of keys and of values.
    fn types(&self) -> (&'static str, &'static str);

    /// The value under a key.
    ///
    /// # Errors
    /// `Malformed`.
    fn value(&self, key: &Value) -> Result<Option<Data>>;

    /// The entries after a key in the order of keys, or from the first on: no more than `limit`,
    /// fewer once they have 16 MiB, but at least one if there is one.
    ///
    /// # Errors
    /// `Malformed`.
    fn rows(&self, after: Option<&Value>, limit: usize) -> Result<Vec<TableRow>>;

    /// Puts a value under a key; gives the one that was there.
    ///
    /// # Errors
    /// As [`Table::insert`].
    async fn put(&self, key: &Value, value: &Data) -> Result<Option<Data>>;

    /// Removes what is under a key, and gives it.
    ///
    /// # Errors
    /// As [`Table::remove`].
    async fn take(&self, key: &Value) -> Result<Option<Data>>;
}

#[async_trait]
impl<K: TableKey, V: TableValue> AnyTable for Table<K, V> {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn keep(&self) -> Keep {
        Self::keep(self)
    }

    fn extent(&self) -> (u64, Version) {
        let now = self.snapshot();
        (now.len() as u64, now.version())
    }

    fn types(&self) -> (&'static str, &'static str) {
        (std::any::type_name::<K>(), std::any::type_name::<V>())
    }

    fn value(&self, key: &Value) -> Result<Option<Data>> {
        Ok(self.snapshot().entry(&self.key(key)?).map(data_of))
    }

    fn rows(&self, after: Option<&Value>, limit: usize) -> Result<Vec<TableRow>> {
        let after = after.map(|key| self.key(key)).transpose()?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let now = self.snapshot();
        let mut bytes = 0_usize;
        let mut rows = Vec::new();
        for (_, entry) in now.entries((from, Bound::Unbounded)) {
            bytes = bytes.saturating_add(entry.key_json().len() + entry.as_json().len());
            let is_over = bytes > ANSWER_BYTES_MAX && !rows.is_empty();
            if is_over || rows.len() >= limit.min(TABLE_ANSWER_ENTRIES_MAX) {
                break;
            }
            let key = Data::from_checked(entry.key_json());
            rows.push(TableRow { key, value: data_of(entry) });
        }
        Ok(rows)
    }

    async fn put(&self, key: &Value, value: &Data) -> Result<Option<Data>> {
        let value: V = value.to().map_err(|error| self.named(error))?;
        let key = self.key(key)?;
        let before = self.insert(key, value).await?;
        before.map(|value| Data::of(&*value)).transpose()
    }

    async fn take(&self, key: &Value) -> Result<Option<Data>> {
        let before = self.remove(&self.key(key)?).await?;
        before.map(|value| Data::of(&*value)).transpose()
    }
}

impl<K: TableKey, V: TableValue> Table<K, V> {
    fn key(&self, value: &Value) -> Result<K> {
        // The text of a value and that of a key are made alike.
        let text = JsonKey::of(value);
        key_of(text.as_str()).map_err(|error| self.named(error))
    }
}

fn data_of<V>(entry: &Entry<V>) -> Data {
    Data::from_checked(entry.as_json())
}
