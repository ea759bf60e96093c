//! Dumps of the whole state: each interval, and when asked for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::config::Documents;
use foundation_store::disk::Files;
use foundation_store::dump::{self, Dump, Kept};
use foundation_store::table::Tables;
use foundation_store::together::Together;
use foundation_types::{Error, ErrorKind, Position, Result, StoreId};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::tasks::StopSignal;

/// Dumps each interval: where to, how often, how many stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumps {
    /// The directory; it is made if it is missing. It may be on another disk than the store.
    pub directory: PathBuf,
    /// The time from one dump to the next, of a second or more.
    pub every: Duration,
    /// How many of the newest stay, of one or more.
    pub keep: usize,
}

impl Dumps {
    /// The shortest time from one dump to the next.
    pub const EVERY_MIN: Duration = Duration::from_secs(1);

    fn check(&self) -> Result<()> {
        if self.every >= Self::EVERY_MIN && self.keep > 0 {
            return Ok(());
        }
        let message = format!(
            "dumps come each second at most and at least one stays, not each {:?} with {} staying",
            self.every, self.keep
        );
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }
}

/// A dump that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpReport {
    /// The file.
    pub path: PathBuf,
    /// The last record that is in it.
    pub position: Position,
    /// Its length.
    pub bytes: u64,
}

/// What dumps are taken of.
pub struct DumpParts {
    /// Identity of the store.
    pub store: StoreId,
    /// What is told of records, documents and tables among it.
    pub together: Arc<Together>,
    /// Every document.
    pub documents: Arc<Documents>,
    /// Every table.
    pub tables: Arc<Tables>,
    /// Where the time of a dump comes from.
    pub clock: Arc<dyn Clock>,
}

/// Takes dumps, one at a time.
pub struct Dumper {
    parts: Arc<DumpParts>,
    plan: Option<Dumps>,
    /// One at a time: two of the same position would write the same file.
    turn: tokio::sync::Mutex<()>,
    /// How the last one that was planned ended.
    last: Mutex<Option<Result<DumpReport>>>,
}

impl Dumper {
    /// A dumper with a plan or without.
    ///
    /// # Errors
    /// `InvalidArgument` for a plan without time or without dumps.
    pub fn new(parts: DumpParts, plan: Option<Dumps>) -> Result<Self> {
        plan.as_ref().map_or(Ok(()), Dumps::check)?;
        let (turn, last) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { parts: Arc::new(parts), plan, turn, last })
    }

    /// Takes a dump now, to where the planned ones go.
    ///
    /// # Errors
    /// `InvalidArgument` if none are planned, and as [`Dumper::dump_to`].
    pub async fn dump(&self) -> Result<DumpReport> {
        let Some(plan) = &self.plan else {
            let message = "there is no directory for dumps: tell the builder of it with .dumps(…)";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let outcome = self.write(&plan.directory, Kept::Newest(plan.keep)).await;
        *self.last() = Some(outcome.clone());
        outcome
    }

    /// Takes a dump into a directory, in which all dumps stay.
    ///
    /// # Errors
    /// `DiskFull`, `Denied` or `Disk`, with the file: the dumps that were there are there.
    pub async fn dump_to(&self, directory: &Path) -> Result<DumpReport> {
        self.write(directory, Kept::All).await
    }

    /// Takes the planned dumps until told to stop; a dump that was begun is ended first. One that
    /// fails is logged and told by [`Dumper::failure`], and the next one comes at its time.
    pub async fn run(&self, mut stop: StopSignal) {
        let Some(plan) = &self.plan else { return };
        let mut ticks = interval_at(Instant::now() + plan.every, plan.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.stopped() => return,
                _ = ticks.tick() => {}
            }
            if self.is_up_to_date() {
                continue;
            }
            match self.dump().await {
                Ok(report) => {
                    let (path, bytes) = (report.path.display(), report.bytes);
                    tracing::debug!(%path, bytes, "dumped");
                }
                Err(error) => tracing::error!(%error, "a dump failed"),
            }
        }
    }

    /// Why the last of the planned dumps failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.last().as_ref().and_then(|outcome| outcome.as_ref().err().cloned())
    }

    /// Whether dumps are planned.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Whether nothing was recorded since the last dump.
    fn is_up_to_date(&self) -> bool {
        let now = self.parts.together.look(|position| position);
        matches!(&*self.last(), Some(Ok(report)) if report.position == now)
    }

    async fn write(&self, directory: &Path, kept: Kept) -> Result<DumpReport> {
        let _turn = self.turn.lock().await;
        let (parts, directory) = (Arc::clone(&self.parts), directory.to_owned());
        let written = tokio::task::spawn_blocking(move || write(&parts, &directory, kept));
        written.await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Internal, "writing a dump panicked").caused_by(cause))
        })
    }

    fn last(&self) -> MutexGuard<'_, Option<Result<DumpReport>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Dumper {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Dumper").field("plan", &self.plan).finish_non_exhaustive()
    }
}

fn write(parts: &DumpParts, directory: &Path, kept: Kept) -> Result<DumpReport> {
    let files = Files::create(directory).map_err(|cause| unopened(directory, cause))?;
    let DumpParts { store, together, documents, tables, clock } = parts;
    let dump = Dump::take(*store, clock.wall(), together, documents, tables);
    let written = dump::write(&files, &dump, kept)?;
    let path = directory.join(written.name);
    Ok(DumpReport { path, position: dump.position, bytes: written.bytes })
}

fn unopened(directory: &Path, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull => ErrorKind::DiskFull,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    };
    let shown = directory.display();
    Error::new(kind, format!("cannot open {shown} for dumps: {cause}")).caused_by(cause)
}
