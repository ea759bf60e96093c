//! Whatever reads bytes in Foundation, read with bytes that nobody wrote.
//!
//! A target is a function of some bytes that panics if a promise is broken. The same functions are
//! driven by libFuzzer (`cargo xtask fuzz`), by a loop of our own that needs nothing but cargo (the
//! program `smash`), and by a test that runs all that is in the corpus once.
//!
//! In reading order: the [`store`] that inputs change, what an input says ([`edits`]), right
//! checksums over what it made ([`seal`]), what is asked of it then ([`ask`]), and the [`targets`].

#![forbid(unsafe_code)]

pub mod ask;
pub mod edits;
pub mod seal;
pub mod store;
pub mod targets;

pub use targets::{TARGETS, Target};
