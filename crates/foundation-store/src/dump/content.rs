//! What is in a dump: documents and tables as of one position.

use std::io::{self, Write};

use foundation_types::{Position, StoreId, Timestamp, Value, Version};

use crate::config::Documents;
use crate::table::{TableCapture, Tables};
use crate::together::Together;

/// The state of a store at one position. It is taken in no time that grows with what is in it, and
/// written later.
#[derive(Debug)]
pub struct Dump {
    /// The last record that is in it.
    pub position: Position,
    store: StoreId,
    time: Timestamp,
    documents: Vec<Document>,
    tables: Vec<TableCapture>,
}

#[derive(Debug)]
struct Document {
    name: String,
    version: Version,
    tree: Value,
}

impl Dump {
    /// What documents and tables are now, all at the same position. Tables of which nothing is
    /// kept are at no position, and are left out.
    #[must_use]
    pub fn take(
        store: StoreId,
        time: Timestamp,
        together: &Together,
        documents: &Documents,
        tables: &Tables,
    ) -> Self {
        together.look(|position| Self {
            position,
            store,
            time,
            documents: documents_of(documents),
            tables: tables.capture(),
        })
    }

    /// Writes it as JSON: a line for each document, and for each entry of a table.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"foundation_dump\":1,\"store\":\"{}\"", self.store)?;
        write!(out, ",\"position\":{},\"time\":\"{}\"", self.position, self.time)?;
        out.write_all(b",\"documents\":[")?;
        for (at, one) in self.documents.iter().enumerate() {
            let (comma, name) = (comma(at), Value::from(one.name.as_str()));
            write!(out, "{comma}\n{{\"name\":{name},\"version\":{},\"tree\":", one.version)?;
            serde_json::to_writer(&mut *out, &one.tree)?;
            out.write_all(b"}")?;
        }
        out.write_all(b"],\"tables\":[")?;
        for (at, one) in self.tables.iter().enumerate() {
            let (comma, name) = (comma(at), Value::from(one.name()));
            write!(out, "{comma}\n{{\"name\":{name},\"version\":{},\"entries\":[", one.version())?;
            for (at, (key, value)) in one.entries().into_iter().enumerate() {
                write!(out, "{}\n[{key},{value}]", self::comma(at))?;
            }
            out.write_all(b"]}")?;
        }
        out.write_all(b"]}\n")
    }
}

fn comma(at: usize) -> &'static str {
    if at == 0 { "" } else { "," }
}

fn documents_of(documents: &Documents) -> Vec<Document> {
    let one = |name: String| {
        let (version, tree) = documents.timeline(&name)?.last();
        Some(Document { name, version, tree })
    };
    documents.names().into_iter().filter_map(one).collect()
}
