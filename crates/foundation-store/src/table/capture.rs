//! What is captured of a table: taken in no time, written later.
//!
//! The bytes depend on what the log folds to and on nothing else: not on the types of the table,
//! nor on the order in which entries came.

use std::fmt::Write;

use foundation_types::{Error, ErrorKind, Keep, Position, Result, StreamName, Version};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::replay::Replay;

/// A table at one moment, without its types.
pub struct TableCapture {
    pub(super) stream: StreamName,
    pub(super) keep: Keep,
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) rows: Box<dyn Rows>,
}

/// The entries of a captured table, each key and value as JSON text.
pub(super) trait Rows: Send + Sync {
    fn each<'a>(&'a self, row: &mut dyn FnMut(&'a str, &'a str));
}

impl TableCapture {
    /// The name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stream.table().unwrap_or_default()
    }

    /// What is kept of it.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// How many changes led to it.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The last record that is in it.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its entries as JSON texts, in the order of the text of their keys.
    #[must_use]
    pub fn entries(&self) -> Vec<(&str, &str)> {
        let mut entries = Vec::new();
        self.rows.each(&mut |key, value| entries.push((key, value)));
        entries.sort_unstable();
        entries
    }

    /// The table as bytes: `{"version":2,"entries":[["a",1],["b",2]]}`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(text, "{{\"version\":{},\"entries\":[", self.version);
        for (at, (key, value)) in self.entries().into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma}[{key},{value}]");
        }
        text.push_str("]}");
        text.into_bytes()
    }
}

impl std::fmt::Debug for TableCapture {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TableCapture")
            .field("stream", &self.stream)
            .field("version", &self.version)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Encoded<'a> {
    version: Version,
    #[serde(borrow)]
    entries: Vec<(&'a RawValue, &'a RawValue)>,
}

/// What [`TableCapture::encode`] wrote of a table as of a position.
pub(super) fn decode(bytes: &[u8], position: Position) -> Result<Replay> {
    let encoded: Encoded<'_> = serde_json::from_slice(bytes).map_err(|cause| {
        Error::new(ErrorKind::Corruption, "what was captured of a table cannot be read")
            .with("position", position)
            .caused_by(cause)
    })?;
    let mut replay = Replay::default();
    for (key, value) in encoded.entries {
        replay.put(key.get(), value.get(), position);
    }
    replay.moved_to(encoded.version, position);
    Ok(replay)
}
