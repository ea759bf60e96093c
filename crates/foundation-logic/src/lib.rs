//! Pure functions over persistent values: the next state, computed from arguments only.
//!
//! Time, ids and randomness come in as arguments. Nothing here decides whether data may enter
//! (that is `foundation-validate`) and nothing here remembers anything (that is
//! `foundation-store`). Trees are shared: a result holds on to all of its arguments that it did
//! not change.
//!
//! In reading order: one place in a tree ([`lens`]), what differs between two trees ([`diff`]),
//! what many differences come to ([`overlay`]), two changes of one tree ([`merge`]), changes as other tools write them ([`patch`]), then
//! one module a feature ([`config`], [`event`], [`telemetry`]), and the [`lifecycle`] that all data
//! goes through.

#![forbid(unsafe_code)]

pub mod config;
pub mod diff;
pub mod event;
pub mod lens;
pub mod lifecycle;
pub mod merge;
pub mod overlay;
pub mod patch;
pub mod telemetry;
