//! The tables of a node, for tools.

use std::sync::Arc;

use foundation_types::{Error, Result};
use foundation_validate::table::{is_own_table, no_such_table, table_name};
use serde::{Deserialize, Serialize};

use super::Node;
use crate::table::{AnyTable, Table};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatus {
    /// Its name.
    pub name: String,
    /// What is kept of it.
    pub keep: foundation_types::Keep,
    /// How many entries it has.
    pub entries: u64,
    /// How many changes led to them.
    pub version: foundation_types::Version,
    /// Whether the program has its types.
    pub linked: bool,
}

/// Whether what is not there, a table or a store, may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfMissing {
    /// It is made, a table without types.
    Make,
    /// It is asked for by a wrong name.
    Refuse,
}

impl Node {
    /// The table with this name, for tools. One whose types the program does not have takes any
    /// JSON.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known name, if the store has none.
    pub fn table(&self, name: &str) -> Result<Arc<dyn AnyTable>> {
        if let Some(linked) = self.tables.get(name) {
            return Ok(linked.clone());
        }
        // Foundation's own have doors of their own.
        match self.table_states.unlinked(name).filter(|_| !is_own_table(name)) {
            Some(state) => Ok(Arc::new(Table::open(self.journal.clone(), state)?)),
            None => Err(self.no_such_table(name)),
        }
    }

    /// As [`Node::table`], for a tool that is going to put something into it.
    ///
    /// # Errors
    /// As there; `Invalid` or `TooLarge` for a name that a table may not have.
    pub fn table_to_write(&self, name: &str, missing: IfMissing) -> Result<Arc<dyn AnyTable>> {
        table_name(name)?;
        if missing == IfMissing::Refuse || self.tables.contains_key(name) {
            return self.table(name);
        }
        let state = self.table_states.make_unlinked(name)?;
        Ok(Arc::new(Table::open(self.journal.clone(), state)?))
    }

    /// Every table, in the order of names.
    #[must_use]
    pub fn table_rows(&self) -> Vec<TableStatus> {
        let row = |name: String| {
            let table = self.table(&name).ok()?;
            let (entries, version) = table.extent();
            let linked = self.tables.contains_key(&name);
            Some(TableStatus { name, keep: table.keep(), entries, version, linked })
        };
        self.table_states.names().into_iter().filter_map(row).collect()
    }

    fn no_such_table(&self, name: &str) -> Error {
        let names = self.table_states.names();
        no_such_table(name, names.iter().map(String::as_str).filter(|name| !is_own_table(name)))
    }
}
