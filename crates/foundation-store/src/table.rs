//! Tables: maps from keys to values that are shared, read without a lock, and kept by choice.
//!
//! A table that is kept is the fold of the records of its stream, which are events of type
//! `foundation.table.put` and `foundation.table.removed`. As with documents there are two states:
//! *head* (appended; what the next change is computed on) and *published* (durable; what readers
//! see). The journal moves published by telling of records; a failed append sets head back.
//!
//! In reading order: an [`Entry`] and how it is written, a table at one moment
//! ([`TableSnapshot`]), the [`TableState`] with the lane that changes go through, what is captured
//! of it ([`TableCapture`]), and [`Tables`], which hands each record to its table.

mod capture;
mod entry;
mod lane;
mod replay;
mod rows;
mod snapshot;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod whole;

pub use capture::TableCapture;
pub use entry::{Entry, JsonKey, key_of, key_text};
pub use lane::{Flight, Placed, Seen, Step};
pub use rows::Row;
pub use snapshot::TableSnapshot;
pub use state::TableState;
pub use tables::{FollowsTable, Tables, UnlinkedTable};
pub use whole::encode_tables;
