//! Opening the embedded journal without holding up the runtime, waiting for a short-lived owner.

mod unfinished;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::{Clock, SystemClock};
use foundation_store::disk::Files;
use foundation_store::journal::{
    Embedded, EmbeddedOptions, Follower, Mode, Recovered, VerifyOptions, require_store,
    verify_archived_store,
};
use foundation_store::random::Rng;
use foundation_types::{Error, ErrorKind, Result};

use crate::archive::{ArchiveAt, with_archive};
use crate::node::{IfMissing, VerifyReport};
use crate::tasks::moment_after;

/// How long to wait before the lock is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Which directory to open, for what, and how long to wait for its owner.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The directory; for writing it is made if it is missing.
    pub directory: PathBuf,
    /// For what.
    pub mode: Mode,
    /// Whether a store is made where there is none, if it is for writing.
    pub missing: IfMissing,
    /// How long to wait for another owner to let go; zero is not at all.
    pub lock_timeout: Duration,
    /// Where the archive is; absent for where it has been so far, or beside the log.
    pub archive: Option<ArchiveAt>,
}

impl Opening {
    /// Opens the journal and tells the follower of every record in it.
    ///
    /// # Errors
    /// As [`Embedded::open`]; `Locked` once the time is over; `AckedDataMissing` if the directory
    /// is missing and stands beside its place under a name that a restore gave it.
    pub async fn open<F: Follower>(
        &self,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        follower: Arc<F>,
    ) -> Result<(Embedded, Recovered)> {
        let end = moment_after(self.lock_timeout);
        loop {
            // The lock is taken before anything is told, so that a try that finds it held has
            // told the follower nothing.
            let (opening, clock, rng) = (self.clone(), clock.clone(), rng.clone());
            let follower = follower.clone();
            let opened =
                tokio::task::spawn_blocking(move || opening.try_open(clock, &*rng, follower))
                    .await
                    .map_err(|cause| {
                        Error::new(ErrorKind::Internal, "opening the journal panicked")
                            .caused_by(cause)
                    })?;
            match opened {
                Err(error)
                    if error.kind() == ErrorKind::Locked && tokio::time::Instant::now() < end =>
                {
                    tokio::time::sleep(LOCK_RETRY).await;
                }
                opened => return opened.inspect(|(_, recovered)| say(recovered)),
            }
        }
    }

    fn try_open(
        &self,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
        follower: Arc<dyn Follower>,
    ) -> Result<(Embedded, Recovered)> {
        let files = self.files()?;
        if self.missing == IfMissing::Refuse {
            require_store(&files)?;
        }
        let store = with_archive(files, self.archive.as_ref());
        Embedded::open_archived(store, EmbeddedOptions::of(self.mode), clock, rng, follower)
    }

    fn files(&self) -> Result<Files> {
        if !self.directory.exists() {
            unfinished::refuse_in_place_of(&self.directory)?;
        }
        let files = match (self.mode, self.missing) {
            (Mode::Write, IfMissing::Make) => Files::create(&self.directory),
            (Mode::Write, IfMissing::Refuse) if !self.directory.exists() => {
                let message = format!("there is no store in {}", self.directory.display());
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            (Mode::Write | Mode::Read | Mode::Peek, _) => Files::existing(&self.directory),
        };
        files.map_err(|cause| unopened(&self.directory, cause))
    }
}

/// Logs what opening found and an operator wants to know.
fn say(recovered: &Recovered) {
    for reason in &recovered.passed_over {
        tracing::warn!(%reason, "a snapshot or an index is not used and is made again");
    }
    if recovered.torn_bytes > 0 {
        tracing::info!(bytes = recovered.torn_bytes, "a write that was never acked was cut");
    }
}

/// Verifies the store in a directory that nobody has open. Writes nothing.
///
/// # Errors
/// As [`verify_archived_store`]; `NotFound` also for a directory that is not there.
pub fn verify(directory: &Path, options: VerifyOptions) -> Result<VerifyReport> {
    let files = Files::existing(directory).map_err(|cause| unopened(directory, cause))?;
    let clock = Arc::new(SystemClock::default());
    verify_archived_store(&with_archive(files, None), options, clock).map(VerifyReport::from)
}

pub(crate) fn unopened(directory: &Path, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    };
    let shown = directory.display();
    Error::new(kind, format!("cannot open the directory {shown}: {cause}")).caused_by(cause)
}
