//! The store from outside: what a journal promises, attacked.

mod journal;
mod simulated;
mod table;
