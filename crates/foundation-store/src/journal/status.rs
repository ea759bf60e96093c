//! What an engine says of itself.

use std::ops::Range;

#[cfg(doc)]
use foundation_types::Durability;
use foundation_types::{Error, Position};

/// Which records a journal keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Before the first record that is kept.
    pub before_first: Position,
    /// The last durable record; equal to `before_first` if there is none.
    pub last: Position,
    /// How many records are kept.
    pub records: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// Whether they survive the process.
    pub durable: bool,
}

/// What of the log is in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveExtent {
    /// Files of the log that are there and not in the store.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes that they take there.
    pub stored: u64,
    /// Names of those that should be there and are not, or all of them if that cannot be told.
    pub missing: Vec<String>,
}

/// How an engine is.
#[derive(Clone, Debug, Default)]
pub struct JournalStatus {
    /// What is kept.
    pub extent: Extent,
    /// Files of the log; 0 in memory.
    pub segments: u64,
    /// What of it is in an archive.
    pub archive: ArchiveExtent,
    /// Records that wait for the disk.
    pub waiting: u64,
    /// Records that were acked at a lower level than [`Durability::Disk`] and wait for a sync.
    pub unsynced: u64,
    /// The last record of the newest snapshot, if there is one.
    pub snapshot: Option<Position>,
    /// Syncs since it was opened.
    pub syncs: u64,
    /// Why no more writes are taken.
    pub fenced: Option<Error>,
    /// Why the last write was not applied, if that was for want of space. Writes are taken, and
    /// the next one that succeeds ends it.
    pub full: Option<Error>,
    /// Why indices or snapshots could not be made. The log is well, and they are tried again.
    pub neglected: Option<Error>,
}

/// How everything is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// The rate that reading keeps to; without one it is as fast as the disk.
    pub bytes_per_second: Option<u64>,
}

/// What reading everything found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Files read.
    pub segments: u64,
    /// Records whose checksum and chain are right.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, or worth knowing; empty if all is well.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// Whether anything found is damage.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.findings.iter().any(|finding| finding.damage)
    }
}

/// A place in a file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// File in the store's directory.
    pub file: String,
    /// Offsets of the bytes concerned.
    pub range: Range<u64>,
    /// What is wrong with them.
    pub what: String,
    /// Whether acked data is concerned; a torn tail is none.
    pub damage: bool,
}
