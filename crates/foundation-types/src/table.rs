//! Tables: what their keys and values have to be, and what is kept of them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the key of a table has to be. Every type that can be, is.
///
/// A key is written as JSON. Two keys that are written alike are the same key, and the order of
/// the table is the order of the type.
pub trait TableKey: Serialize + DeserializeOwned + Ord + Clone + Send + Sync + 'static {}

impl<K: Serialize + DeserializeOwned + Ord + Clone + Send + Sync + 'static> TableKey for K {}

/// What the value of a table has to be. Every type that can be, is.
///
/// A value is written as JSON, and what a table holds is what was written reads back as: a part
/// that the type does not write is not kept.
pub trait TableValue: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> TableValue for V {}

/// What is kept of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Keep {
    /// Nothing: it is in memory, and gone with the process however that ends.
    Nothing,
    /// Each change, as a record of the log. What was acked survives a killed process and, on an
    /// embedded journal, a power cut.
    Log,
}

impl std::fmt::Display for Keep {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Nothing => "nothing",
            Self::Log => "log",
        })
    }
}
