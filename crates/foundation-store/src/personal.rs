//! The keys of persons: what is sealed under one is readable until it is destroyed.

mod keys;
mod rows;

pub use keys::{DestroyedKey, Destruction, KeyId, SubjectKeys};
#[cfg(test)]
mod tests;
