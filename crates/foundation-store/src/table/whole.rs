//! All tables of a store as one state: captured, restored, begun anew.

use std::fmt::Write;

use foundation_types::{Error, ErrorKind, Position, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::capture::{TableCapture, decode};
use super::tables::Tables;

#[derive(Deserialize)]
struct Encoded<'a> {
    #[serde(borrow)]
    tables: Vec<One<'a>>,
}

#[derive(Deserialize)]
struct One<'a> {
    name: String,
    position: Position,
    #[serde(borrow)]
    table: &'a RawValue,
}

/// Tables as one piece of bytes, which depends on what the log folds to and on nothing else.
#[must_use]
pub fn encode_tables(captures: &[TableCapture]) -> Vec<u8> {
    let mut bytes = b"{\"tables\":[".to_vec();
    for (at, one) in captures.iter().enumerate() {
        let mut head = String::new();
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string does not fail; a name has nothing that JSON would escape.
        let (name, position) = (one.name(), one.position());
        let _ = write!(head, "{comma}{{\"name\":\"{name}\",\"position\":{position},\"table\":");
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&one.encode());
        bytes.push(b'}');
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

impl Tables {
    /// Every table becomes what [`encode_tables`] wrote when `position` was the last record; those
    /// that are not in it have no entries. Records up to there change nothing afterwards.
    ///
    /// # Errors
    /// `Corruption` for other bytes, in which case all is as it was; as [`Tables::restore`].
    pub fn restore_all(&self, bytes: &[u8], position: Position) -> Result<()> {
        let encoded: Encoded<'_> = serde_json::from_slice(bytes).map_err(|cause| {
            Error::new(ErrorKind::Corruption, "what was captured of tables cannot be read")
                .with("position", position)
                .caused_by(cause)
        })?;
        for one in &encoded.tables {
            decode(one.table.get().as_bytes(), one.position)?;
        }
        self.reset();
        for one in &encoded.tables {
            self.restore(&one.name, one.table.get().as_bytes(), one.position)?;
        }
        self.know(position);
        Ok(())
    }
}
