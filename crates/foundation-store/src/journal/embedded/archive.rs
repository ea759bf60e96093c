//! Sealed segments in an archive: compressed, verified, and read as before.
//!
//! A segment goes in an order that no crash can hurt: its file is made in the archive, synced, read
//! back and compared; then the manifest says that it is there; only then is it removed from the
//! store. So at each moment it is in one place at least, and where it is in both it is read from the
//! store. Coming back it goes the other way. Its index stays in the store, so that opening reads
//! nothing of the archive and a query only the blocks with what it looks for.

mod again;
mod back;
mod check;
mod columns;
mod container;
mod doubt;
mod leave;
mod manifest;
mod packed;
mod proposed;
mod reader;
mod shown;
mod store;
#[cfg(test)]
mod tests;

pub(super) use again::{Known, known};
pub(super) use back::{bring_back, clear};
pub(super) use check::{check, verify};
pub(super) use doubt::{told, were_archived};
pub(super) use leave::archive;
pub use leave::{ArchiveMode, ArchivePolicy, Archived};
pub use manifest::{ArchivedSegment, archive_place};
pub(super) use manifest::{FILE, has_segments, is_archived};
pub use shown::ArchivedStore;
pub use store::{ArchiveDirectory, ArchiveStore};
