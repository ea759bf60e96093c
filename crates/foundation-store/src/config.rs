//! The state of a configuration document: what is published, what is ahead of it, and where its
//! versions are.
//!
//! Two states, so that changes can share a sync and yet nothing is visible before it is durable:
//! *head* (appended; what the next change is computed on) and *published* (durable; what readers
//! and subscribers see). The journal moves published by telling of records; a failed append sets
//! head back to published.

mod state;
mod versions;

pub use state::{ConfigState, Current, Snapshot};
pub use versions::change_of;
