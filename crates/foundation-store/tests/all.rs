//! The store from outside: what a journal promises, attacked.

mod golden;
mod journal;
mod simulated;
mod table;
