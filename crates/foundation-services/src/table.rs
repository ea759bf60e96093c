//! Live tables: maps that many share, that are read without waiting, and that are journaled if it
//! was chosen so.
//!
//! Every change goes one way: check → log → publish → the caller is told. Changes that come while
//! the disk is busy share its next sync.
//!
//! In reading order: the [`Table`], and what tools see of one whose types they do not know
//! ([`AnyTable`]).

mod any;
mod shared;
#[cfg(test)]
mod tests;

pub use any::{AnyTable, TableRow};
pub use shared::{Swap, Table};
