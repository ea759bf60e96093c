//! Keeping a snapshot of the metrics beside the log, and what the process before had kept.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation_store::config::ConfigState;
use foundation_store::disk::Files;
use foundation_store::telemetry::KeptMetrics;
use foundation_types::{Error, ErrorKind, Result, Settings, Timestamp};

use super::TelemetryService;
use crate::tasks::StopSignal;

/// Writes the metrics of a node into its directory from time to time.
#[derive(Debug)]
pub struct MetricKeeper {
    directory: PathBuf,
    telemetry: TelemetryService,
    started: Timestamp,
    failure: Mutex<Option<Error>>,
}

impl MetricKeeper {
    /// Keeps these metrics, which are counted since `started`, in this directory.
    #[must_use]
    pub fn new(directory: PathBuf, telemetry: TelemetryService, started: Timestamp) -> Self {
        Self { directory, telemetry, started, failure: Mutex::default() }
    }

    /// Takes a snapshot now.
    ///
    /// # Errors
    /// `DiskFull` or `Disk`; the snapshot before is still there.
    pub async fn keep(&self) -> Result<()> {
        let (started, taken) = (self.started, self.telemetry.0.clock.wall());
        let kept = KeptMetrics { started, taken, metrics: self.telemetry.snapshot() };
        let directory = self.directory.clone();
        let write = move || {
            let files = Files::existing(&directory).map_err(|cause| {
                let message = format!("cannot open the directory {}", directory.display());
                Error::new(ErrorKind::Disk, message).caused_by(cause)
            })?;
            kept.write(&files)
        };
        let written = tokio::task::spawn_blocking(write).await.unwrap_or_else(|cause| {
            let message = "keeping the metrics panicked";
            Err(Error::new(ErrorKind::Internal, message).caused_by(cause))
        });
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = written.clone().err();
        written
    }

    /// Why the last snapshot failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a snapshot each `telemetry.snapshot_interval_ms` and when told to stop.
    pub async fn run(&self, settings: Arc<ConfigState<Settings>>, mut stop: StopSignal) {
        while !stop.is_stopped() {
            let millis = settings.current().telemetry.snapshot_interval_ms;
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(Duration::from_millis(millis)) => {}
            }
            if let Err(error) = self.keep().await {
                tracing::warn!(%error, "the metrics could not be kept");
            }
        }
    }
}

/// What the last process that kept metrics in this directory had kept. What cannot be read is
/// logged, and stops nobody.
pub async fn kept_metrics(directory: PathBuf) -> Option<KeptMetrics> {
    // There may be no directory yet.
    let read =
        move || Files::existing(&directory).map_or(Ok(None), |files| KeptMetrics::read(&files));
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(kept)) => kept,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the metrics of the process before cannot be read");
            None
        }
        Err(_) => None,
    }
}
