//! Answers as text for people and as JSON for programs. Nothing here asks anything.

mod aggregated;
mod archive;
mod checked;
mod conflicts;
mod consumers;
mod events;
mod explanation;
mod exports;
mod fault;
mod history;
mod metrics;
mod migrations;
mod prune;
mod status;
mod table;
mod tables;
mod text;
mod tree;

pub(crate) use aggregated::{NamedRow, aggregated};
pub(crate) use archive::{archive, archived, restored, segments};
pub(crate) use checked::history_checked;
pub(crate) use conflicts::{change, conflicts};
pub(crate) use consumers::{consumers, parked, projections};
pub(crate) use events::{Counted, by_type, explained_query, import_summary, receipt, stats};
pub(crate) use explanation::explanation;
pub(crate) use exports::exports;
pub(crate) use fault::{error, problems};
pub(crate) use history::HistoryRow;
pub(crate) use metrics::metrics;
pub(crate) use migrations::migrations;
pub(crate) use prune::pruned;
pub(crate) use status::{fold, no_store, repair, status, verification};
pub(crate) use tables::tables;
pub(crate) use text::{bytes, counted, json, one_line, printable_lines, thousands};
pub(crate) use tree::{Shown, edits, fields, tree};
