//! The tables of a store.

use foundation::Keep;
use foundation::node::TableStatus;

use super::table::{Align, table};
use super::text::{counted, thousands};

/// A line for each table.
pub(crate) fn tables(all: &[TableStatus]) -> Vec<String> {
    let row = |one: &TableStatus| {
        let entries = if one.entries == 1 { "entry" } else { "entries" };
        [
            one.name.clone(),
            format!("{} {entries}", thousands(one.entries)),
            format!("after {}", counted(one.version.number(), "change")),
            kept(one).to_owned(),
        ]
    };
    let rows: Vec<[String; 4]> = all.iter().map(row).collect();
    table([Align::Left, Align::Right, Align::Right, Align::Left], &rows)
}

fn kept(table: &TableStatus) -> &'static str {
    match (table.keep, table.linked) {
        (Keep::Nothing, _) => "in memory only",
        (_, true) => "in the log",
        (_, false) => "in the log, its types are not known here",
    }
}
