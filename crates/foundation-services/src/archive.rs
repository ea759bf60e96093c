//! The archive of a store in a directory: where it is, what goes there, what is there, and the way
//! back.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foundation_store::disk::{Disk, Files};
use foundation_store::journal::{
    ArchiveDirectory, ArchiveMode, ArchivePolicy, ArchiveStore, Archived, ArchivedSegment,
    ArchivedStore, archive_place,
};
use foundation_types::config::ArchiveSettings;
use foundation_types::{Event, Position, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::node::{Node, VerifyReport};

/// Where the archive is, seen from the directory of the store, unless somebody says otherwise.
const PLACE: &str = "archive";

/// Where the archive of a store is.
#[derive(Clone)]
pub enum ArchiveAt {
    /// In a directory, seen from that of the store.
    Directory(PathBuf),
    /// Behind the four calls of somebody's own.
    Store(Arc<dyn ArchiveStore>),
}

impl fmt::Debug for ArchiveAt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => out.debug_tuple("Directory").field(path).finish(),
            Self::Store(store) => out.debug_tuple("Store").field(&store.place()).finish(),
        }
    }
}

/// What has gone to the archive or come back, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveReport {
    /// Whether it was done, and not only told.
    pub applied: bool,
    /// Names of the files of the log, oldest first.
    pub segments: Vec<String>,
    /// Records in them.
    pub records: u64,
    /// Bytes that they take in the store.
    pub bytes: u64,
    /// Bytes that they take in the archive; 0 as long as they are not there.
    pub stored: u64,
}

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedRow {
    /// Its name in the archive.
    pub name: String,
    /// Its first record.
    pub first: Position,
    /// Its last record.
    pub last: Position,
    /// Records in it.
    pub records: u64,
    /// When the last of them was recorded.
    pub last_recorded: Option<Timestamp>,
    /// Bytes of the file of the log.
    pub bytes: u64,
    /// Bytes of the file in the archive.
    pub stored: u64,
    /// SHA-256 of the file of the log, in hexadecimal digits.
    pub sha256: String,
}

impl From<ArchivedSegment> for ArchivedRow {
    fn from(one: ArchivedSegment) -> Self {
        let [first, last] = [one.first, one.last].map(Position::from_engine);
        let ArchivedSegment { name, records, last_recorded, bytes, stored, sha256, .. } = one;
        Self { name, first, last, records, last_recorded, bytes, stored, sha256 }
    }
}

impl ArchiveReport {
    fn of(archived: Archived, applied: bool) -> Self {
        let Archived { segments, records, bytes, stored } = archived;
        Self { applied, segments, records, bytes, stored }
    }

    /// What was in the archive before and is not any more.
    fn between(before: Vec<ArchivedRow>, now: &[ArchivedRow]) -> Self {
        let mut came = Self { applied: true, ..Self::default() };
        for row in before.into_iter().filter(|row| !now.iter().any(|one| one.name == row.name)) {
            came.records += row.records;
            came.bytes += row.bytes;
            came.stored += row.stored;
            let name = Path::new(&row.name).with_extension("seg");
            came.segments.push(name.display().to_string());
        }
        came
    }
}

/// The store in a directory with its archive, which is where it was said to be, or where it has been so far.
#[must_use]
pub fn with_archive(files: Files, wanted: Option<&ArchiveAt>) -> Arc<ArchivedStore> {
    let directory = files.directory().to_owned();
    let disk: Arc<dyn Disk> = Arc::new(files);
    let path = match wanted {
        Some(ArchiveAt::Store(store)) => {
            let place = store.place();
            return Arc::new(ArchivedStore::new(disk, Arc::clone(store), place));
        }
        Some(ArchiveAt::Directory(path)) => path.to_str(),
        None => None,
    };
    let place = match path {
        Some(path) => path.to_owned(),
        // What is wrong with the manifest is told by whoever needs it.
        None => archive_place(&*disk).unwrap_or_else(|_| PLACE.to_owned()),
    };
    let archive = ArchiveDirectory::at(directory.join(&place));
    Arc::new(ArchivedStore::new(disk, Arc::new(archive), place))
}

/// What the settings have go to the archive; nothing if they have nothing go.
#[must_use]
pub fn policy_of(settings: &ArchiveSettings) -> Option<ArchivePolicy> {
    let older_than = (settings.after_s > 0).then(|| Duration::from_secs(settings.after_s));
    older_than.map(|age| ArchivePolicy { older_than: Some(age), keep_segments: None })
}

impl Node {
    /// Moves the oldest files of the log to the archive, without holding up the runtime, and records
    /// that it did; or says what would go.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::archive`].
    pub async fn archive(&self, policy: ArchivePolicy, mode: ArchiveMode) -> Result<ArchiveReport> {
        let journal = self.journal.clone();
        let work =
            move |runtime: tokio::runtime::Handle| runtime.block_on(journal.archive(policy, mode));
        let gone = crate::node::beside(work).await?;
        let report = ArchiveReport::of(gone, mode == ArchiveMode::Move);
        if report.applied {
            self.tell_of("foundation.log.archived", &report).await?;
        }
        Ok(report)
    }

    /// Brings all files of the log back from the archive, and records that it did, as far as it did.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::bring_back`], with what came back before: that stays.
    pub async fn bring_back(&self) -> Result<ArchiveReport> {
        let before = self.archived().await.unwrap_or_default();
        let journal = self.journal.clone();
        let work = move |runtime: tokio::runtime::Handle| runtime.block_on(journal.bring_back());
        let came = crate::node::beside(work).await.map(|came| ArchiveReport::of(came, true));
        let report = match &came {
            Ok(report) => report.clone(),
            Err(_) => ArchiveReport::between(before, &self.archived().await.unwrap_or_default()),
        };
        let told = self.tell_of("foundation.log.unarchived", &report).await;
        // What stood in the way counts more than that it could not be recorded.
        came.and_then(|report| told.map(|()| report))
    }

    /// What is in the archive, oldest first.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::archived`].
    pub async fn archived(&self) -> Result<Vec<ArchivedRow>> {
        let journal = self.journal.clone();
        let work = move |runtime: tokio::runtime::Handle| runtime.block_on(journal.archived());
        let rows = crate::node::beside(work).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Reads all that is in the archive and compares it with its checksums.
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer, and so is a missing file.
    pub async fn verify_archive(&self) -> Result<VerifyReport> {
        let journal = self.journal.clone();
        let work =
            move |runtime: tokio::runtime::Handle| runtime.block_on(journal.verify_archive());
        crate::node::beside(work).await.map(Into::into)
    }

    async fn tell_of(&self, kind: &'static str, report: &ArchiveReport) -> Result<()> {
        if report.segments.is_empty() {
            return Ok(());
        }
        let told = Event::new(kind).source("foundation").data(report)?;
        self.events.record_own(told).await.map(drop)
    }
}
