//! The state of a configuration document: what is published, what is ahead of it, and where its
//! versions are.
//!
//! Two states, so that changes can share a sync and yet nothing is visible before it is durable:
//! *head* (appended; what the next change is computed on) and *published* (durable; what readers
//! and subscribers see). The journal moves published by telling of records; a failed append sets
//! head back to published.
//!
//! In reading order: one version as readers hold it ([`Snapshot`], [`Current`]), the untyped
//! [`Timeline`] of a document, the [`Seals`] on its secrets, the
//! typed [`ConfigState`] over it with the end of its recovery, and [`Documents`], which hands each change of the
//! journal to the document that it belongs to.

mod carried;
mod documents;
mod kept;
#[cfg(test)]
mod lane_model;
mod parked;
mod passing;
mod recovery;
mod seal;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod timeline;
mod versions;

pub use carried::HistoryBound;
pub use documents::Documents;
pub use kept::same_changes;
pub use parked::{Decided, Parked};
pub use passing::{Passing, Temporary};
pub use recovery::{ParkedDocument, Unlogged};
pub use seal::{Seals, SecretKey};
pub use snapshot::{Current, Snapshot};
pub use state::{ConfigState, Head, Proposal};
pub use timeline::{Published, Timeline};
