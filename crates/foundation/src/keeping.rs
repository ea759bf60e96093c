//! Looking after a store: verifying it, copying it, putting a copy in its place, reading its log.

use std::path::Path;
use std::time::Duration;

use foundation_services::archive::{ArchiveReport, ArchivedRow};
use foundation_services::backup::{BackupReport, RestoreReport};
use foundation_services::fold::FoldReport;
use foundation_services::node::{ReplayPage, ReplayShape, VerifyReport};
use foundation_services::repair::RepairReport;
use foundation_store::journal::{
    ArchiveMode, ArchivePolicy, RepairOptions, RestoreOptions, VerifyOptions,
};
use foundation_types::{Position, Result};

use crate::running::Foundation;

impl Foundation {
    /// Reads the whole store and compares it with its checksums and chain, and what is derived with
    /// what it was derived from. Writes nothing.
    ///
    /// ```
    /// use foundation::Foundation;
    /// use foundation::node::VerifyOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory");
    /// # let path = directory.path().join("data");
    /// let foundation = Foundation::builder(path).start().await?;
    /// // No faster than 64 MiB a second, beside whatever else the disk has to do.
    /// let gently = VerifyOptions { bytes_per_second: Some(64 << 20) };
    /// assert!(!foundation.verify_with(gently).await?.damaged);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer.
    pub async fn verify_with(&self, options: VerifyOptions) -> Result<VerifyReport> {
        self.node().verify(options).await
    }

    /// As [`Foundation::verify_with`], as fast as the disk.
    ///
    /// # Errors
    /// As [`Foundation::verify_with`].
    pub async fn verify(&self) -> Result<VerifyReport> {
        self.verify_with(VerifyOptions::default()).await
    }

    /// Copies the store as of now into a directory, while writes go on. The directory is made, or
    /// is empty; [`restore`] makes a store of it again.
    ///
    /// ```
    /// use foundation::node::RestoreOptions;
    /// use foundation::{Event, Foundation};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory");
    /// # let (data, copy) = (directory.path().join("data"), directory.path().join("copy"));
    /// # let elsewhere = directory.path().join("elsewhere");
    /// let foundation = Foundation::builder(data).start().await?;
    /// let placed = foundation.events().append(Event::new("order.placed").id("7")).await?;
    /// let backup = foundation.backup(&copy).await?;
    /// assert_eq!(backup.position, placed.position);
    ///
    /// let report = foundation::restore(&copy, &elsewhere, RestoreOptions::default())?;
    /// assert_eq!((report.position, report.replaced), (backup.position, None));
    /// let restored = Foundation::builder(elsewhere).start().await?;
    /// assert_eq!(restored.events().get("7").await?.position, placed.position);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` if the directory is not empty, lies in that of the store, or the store is
    /// in memory; `Corruption` if what is to be copied is not what was written; `DiskFull`,
    /// `Denied` or `Disk`.
    pub async fn backup(&self, directory: impl AsRef<Path>) -> Result<BackupReport> {
        self.node().backup(directory.as_ref()).await
    }

    /// Moves the oldest files of the log to the archive, as far as the policy says, and records the
    /// event `foundation.log.archived`; or only says what would go. What is in the archive is
    /// compressed, verified, and read by every query as before. The settings `journal.archive` do so
    /// all the time.
    ///
    /// ```
    /// use foundation::Foundation;
    /// use foundation::log::{ArchiveMode, ArchivePolicy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory");
    /// # let path = directory.path().join("data");
    /// let foundation = Foundation::builder(path).start().await?;
    /// let policy = ArchivePolicy { keep_segments: Some(4), ..ArchivePolicy::default() };
    /// // Only full files go, and there is none yet.
    /// let report = foundation.archive(policy, ArchiveMode::Move).await?;
    /// assert!(report.segments.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` in memory; `Corruption` if a file is not what was written, in which case it
    /// stays; `ForeignFile` if the archive is another store's; `ReadOnly`, `DiskFull` or `Disk`.
    pub async fn archive(&self, policy: ArchivePolicy, mode: ArchiveMode) -> Result<ArchiveReport> {
        self.node().archive(policy, mode).await
    }

    /// Brings all files of the log back from the archive, so that the store is whole without it.
    ///
    /// # Errors
    /// As [`Foundation::archive`]; `ArchiveMissing`, with its name, if a file is not there.
    pub async fn bring_back(&self) -> Result<ArchiveReport> {
        self.node().bring_back().await
    }

    /// Reads all that is in the archive and compares it with its checksums.
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer, and so is a missing file.
    pub async fn verify_archive(&self) -> Result<VerifyReport> {
        self.node().verify_archive().await
    }

    /// What is in the archive, oldest first.
    ///
    /// # Errors
    /// `Corruption` or `Disk` if the manifest of the archive cannot be read.
    pub async fn archived(&self) -> Result<Vec<ArchivedRow>> {
        self.node().archived().await
    }

    /// The next records of the log after a position, none of them after `until`: of every kind, as
    /// they were written. A page has about a megabyte and says where the next one begins;
    /// [`Position::START`] begins with the first record that is kept.
    ///
    /// ```
    /// use foundation::{Event, Foundation, Position};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let foundation = Foundation::in_memory().start().await?;
    /// foundation.settings().set("log.level", "debug").await?;
    /// foundation.events().append(Event::new("order.placed")).await?;
    /// let (mut types, mut next) = (Vec::new(), Some(Position::START));
    /// while let Some(after) = next {
    ///     let page = foundation.replay(after, None).await?;
    ///     types.extend(page.records.into_iter().map(|record| record.event.kind.to_string()));
    ///     next = page.next;
    /// }
    /// assert_eq!(types, ["foundation.config.changed", "order.placed"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Compacted`, with the position that resumes, if records after any other position were let go
    /// of; `Corruption` where stored bytes are not what was written, or a record cannot be decoded.
    pub async fn replay(&self, after: Position, until: Option<Position>) -> Result<ReplayPage> {
        self.node().replay(after, until, ReplayShape::Read).await
    }
}

/// How long a store that was put in order may take to make everything durable.
const CLOSE_DEADLINE: Duration = Duration::from_secs(60);

/// Verifies the store in a directory that nobody has open. Writes nothing.
///
/// # Errors
/// `NotFound` if there is no store, `Locked` if somebody has it open, `UnknownFormat` for a newer
/// one, `Disk` if it cannot be read. Damage is part of the answer.
pub fn verify_directory(directory: &Path, options: VerifyOptions) -> Result<VerifyReport> {
    foundation_services::opening::verify(directory, options)
}

/// Copies the store in a directory that nobody has open, as [`Foundation::backup`] does. Needs a
/// tokio runtime.
///
/// # Errors
/// As [`Foundation::backup`]; `NotFound` if there is no store, `Locked` if somebody has it open for
/// writing.
pub async fn backup_directory(store: &Path, directory: &Path) -> Result<BackupReport> {
    foundation_services::backup::backup(store, directory).await
}

/// Makes the store in a directory of a backup. All of the backup is verified before anything is
/// touched; what was in the directory is kept beside it, under the name that the report gives. See
/// [`Foundation::backup`] for an example.
///
/// # Errors
/// `NotFound` if there is no finished backup; `Corruption`, `ForeignFile`, `AckedDataMissing` or
/// `UnknownFormat`, with the file, if it is not what was written; `InvalidArgument` if it would give
/// up what the options do not allow to be given up, or ends before the position that is asked for;
/// `Locked` if the store is in use; `DiskFull`, `Denied` or `Disk`. The directory is as it was then,
/// or the message says where everything is: nothing that may be the only copy is removed.
pub fn restore(
    backup: impl AsRef<Path>,
    directory: impl AsRef<Path>,
    options: RestoreOptions,
) -> Result<RestoreReport> {
    foundation_services::backup::restore(backup.as_ref(), directory.as_ref(), options)
}

/// Finds what can be mended in the store in a directory that nobody has open, and mends it: what is
/// derived from the log and wrong is made again, and the log goes on behind records that cannot be
/// read. What it cannot mend is told, and left alone. Nothing is given up that an archive may have, and
/// nothing else is touched until it is there, unless the options say [`MissingArchived::GiveUp`].
///
/// [`MissingArchived::GiveUp`]: crate::node::MissingArchived::GiveUp
///
/// What was done is recorded as events `foundation.store.repaired`, unless damage is left that keeps
/// the store from being opened. Needs a tokio runtime.
///
/// ```
/// use foundation::node::RepairMode;
/// use foundation::{Event, Foundation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// # let directory = tempfile::tempdir().expect("a directory");
/// # let data = directory.path().join("data");
/// let foundation = Foundation::builder(&data).start().await?;
/// foundation.events().append(Event::new("order.placed")).await?;
/// foundation.shutdown(std::time::Duration::from_secs(5)).await.into_result()?;
/// // Somebody overwrites the index.
/// std::fs::write(data.join("00000000000000000001.idx"), "nonsense").expect("is written");
///
/// let plan = foundation::repair(&data, RepairMode::DryRun).await?;
/// assert_eq!(plan.actions[0].file, "00000000000000000001.idx");
/// let done = foundation::repair(&data, RepairMode::Apply).await?;
/// assert_eq!((done.actions, done.left.len()), (plan.actions, 0));
/// assert!(foundation::repair(&data, RepairMode::DryRun).await?.actions.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `NotFound` if there is no store, `Locked` if somebody has it open, `UnknownFormat` for a newer
/// one, a kind of corruption if its identity is damaged, `Disk`.
pub async fn repair(
    directory: impl AsRef<Path>,
    options: impl Into<RepairOptions>,
) -> Result<RepairReport> {
    let directory = directory.as_ref();
    let report = foundation_services::repair::repair(directory, options.into())?;
    if report.applied && !report.actions.is_empty() {
        let opened = match Foundation::builder(directory).start().await {
            // What is left may be what keeps it from being opened, and is told.
            Err(_) if !report.left.is_empty() => return Ok(report),
            opened => opened?,
        };
        for step in &report.actions {
            opened.node().events.record_own(step.event()?).await?;
        }
        // What was removed is made again by then.
        opened.shutdown(CLOSE_DEADLINE).await.into_result()?;
    }
    Ok(report)
}

/// Builds the states that the newest snapshot of a store keeps again from its log, and compares
/// them: documents and tables are nothing but the fold of the log. It takes no lock and writes
/// nothing. Nothing if there is no snapshot yet, or nothing to begin with. Needs a tokio runtime.
///
/// ```
/// use foundation::Foundation;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// # let directory = tempfile::tempdir().expect("a directory");
/// # let data = directory.path().join("data");
/// let foundation = Foundation::builder(&data).start().await?;
/// foundation.settings().set("log.level", "debug").await?;
/// foundation.shutdown(std::time::Duration::from_secs(5)).await.into_result()?;
/// let report = foundation::check_fold(&data).await?.expect("there is a snapshot");
/// assert!(report.agrees);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `NotFound` if there is no store; a kind of corruption if what is read is not what was written;
/// `Disk`.
pub async fn check_fold(directory: impl AsRef<Path>) -> Result<Option<FoldReport>> {
    foundation_services::fold::check_fold(directory.as_ref()).await
}
