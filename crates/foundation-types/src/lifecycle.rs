//! The stages that a piece of data goes through, and the only steps between them.
//!
//! The table is the whole truth: a step that is not a row does not exist.

use serde::{Deserialize, Serialize};

/// Where a piece of data stands between its creation and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Made, not looked at.
    Created,
    /// Being checked.
    Validating,
    /// May enter.
    Valid,
    /// May not enter. An end.
    Invalid,
    /// Being worked on by logic.
    Processing,
    /// Ready to be stored.
    Processed,
    /// Logic refused it. An end.
    Failed,
    /// On its way to the journal.
    Storing,
    /// In the journal.
    Stored,
    /// The journal refused it. An end.
    StorageFailed,
    /// Found by its indices.
    Indexed,
    /// Seen by readers.
    Available,
    /// Being read.
    Accessed,
    /// Past its time to live, hidden, not yet freed.
    Expiring,
    /// Freed. An end.
    Expired,
}

impl Stage {
    /// Its name, as it is serialised.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Validating => "validating",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Processing => "processing",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Storing => "storing",
            Self::Stored => "stored",
            Self::StorageFailed => "storage_failed",
            Self::Indexed => "indexed",
            Self::Available => "available",
            Self::Accessed => "accessed",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

/// What moves a piece of data from one stage to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// `validate()`.
    Validate,
    /// Every rule agreed.
    ValidationSuccess,
    /// A rule refused.
    ValidationFailure,
    /// `process()`.
    Process,
    /// Logic is done.
    ProcessingComplete,
    /// Logic refused.
    ProcessingError,
    /// `store()`.
    Store,
    /// The journal has it.
    StorageSuccess,
    /// The journal refused.
    StorageError,
    /// `index()`.
    Index,
    /// The indices have it.
    IndexingComplete,
    /// `access()`.
    Access,
    /// The reader is done.
    AccessComplete,
    /// Its time to live is over.
    TtlExpired,
    /// Its space was freed.
    CleanupComplete,
}

/// Every step there is: from, by, to.
pub const TRANSITIONS: [(Stage, Step, Stage); 15] = [
    (Stage::Created, Step::Validate, Stage::Validating),
    (Stage::Validating, Step::ValidationSuccess, Stage::Valid),
    (Stage::Validating, Step::ValidationFailure, Stage::Invalid),
    (Stage::Valid, Step::Process, Stage::Processing),
    (Stage::Processing, Step::ProcessingComplete, Stage::Processed),
    (Stage::Processing, Step::ProcessingError, Stage::Failed),
    (Stage::Processed, Step::Store, Stage::Storing),
    (Stage::Storing, Step::StorageSuccess, Stage::Stored),
    (Stage::Storing, Step::StorageError, Stage::StorageFailed),
    (Stage::Stored, Step::Index, Stage::Indexed),
    (Stage::Indexed, Step::IndexingComplete, Stage::Available),
    (Stage::Available, Step::Access, Stage::Accessed),
    (Stage::Accessed, Step::AccessComplete, Stage::Available),
    (Stage::Available, Step::TtlExpired, Stage::Expiring),
    (Stage::Expiring, Step::CleanupComplete, Stage::Expired),
];
