//! Being told to stop: Ctrl-C and SIGTERM.

use std::time::Duration;

use foundation::{Error, ErrorKind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// Signals that come so soon after the first say the same once more: many a supervisor signals the
/// process and then its group.
const ECHO_MAX: Duration = Duration::from_millis(500);

/// Both signals; from here on they end nothing by themselves.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|cause| {
                let message = format!("cannot listen to signals: {cause}");
                Error::new(ErrorKind::Unavailable, message).caused_by(cause)
            })
        };
        let interrupt = listen(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for one that somebody sends who does not want to wait any longer.
    pub(super) async fn insisted(&mut self) {
        let first = Instant::now();
        loop {
            self.next().await;
            if first.elapsed() >= ECHO_MAX {
                return;
            }
        }
    }
}
