//! State that remembers: the journal under everything, and what is derived from it.
//!
//! No runtime is needed here and no task is started; the only thread is the writer of an
//! embedded journal. All access to files goes through [`disk::Disk`], all reading of clocks
//! through [`clock::Clock`].
//!
//! In reading order: the seams ([`disk`], [`clock`], [`random`]), the [`record`] that is stored,
//! the [`journal`] that stores it, and the states that follow the journal: [`config`], [`event`],
//! [`table`] and [`telemetry`]. Beside the log lie the keys of persons ([`personal`]). [`together`] and [`dump`] are about all of them at once.

#![forbid(unsafe_code)]

pub mod clock;
pub mod config;
pub mod disk;
pub mod dump;
pub mod event;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod journal;
mod key_hash;
pub mod personal;
pub mod random;
pub mod record;
pub mod table;
pub mod telemetry;
pub mod together;
