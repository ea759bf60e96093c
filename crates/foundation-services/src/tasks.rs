//! The tasks of a node: started by name, told to stop together, awaited within a deadline.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Every task that was started, so that none outlives its node unseen.
#[derive(Debug)]
pub struct Tasks {
    stop: watch::Sender<bool>,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { stop: watch::Sender::new(false), running: Mutex::default() }
    }
}

/// Tells a task when it is to stop.
#[derive(Clone, Debug)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// Waits until the task is to stop.
    pub async fn stopped(&mut self) {
        // A sender that is gone has no more use for the task either.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the task is to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}

impl Tasks {
    /// What tells tasks to stop.
    #[must_use]
    pub fn stop_signal(&self) -> StopSignal {
        StopSignal(self.stop.subscribe())
    }

    /// Starts a task that ends by itself once it is told to stop.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task);
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push((name, handle));
    }

    /// Starts a task that may be left at any point at which it waits.
    pub fn spawn_until_stopped(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut stop = self.stop_signal();
        self.spawn(name, async move {
            tokio::select! {
                () = stop.stopped() => {}
                () = task => {}
            }
        });
    }

    /// The tasks that ended although they were not told to.
    #[must_use]
    pub fn ended_early(&self) -> Vec<&'static str> {
        if *self.stop.borrow() {
            return Vec::new();
        }
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().filter(|(_, task)| task.is_finished()).map(|(name, _)| *name).collect()
    }

    /// Tells all tasks to stop and waits for them; gives the names of those that were not done by
    /// the deadline, which are aborted, or that panicked.
    pub async fn stop(&self, deadline: Duration) -> Vec<&'static str> {
        self.stop.send_replace(true);
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let end = moment_after(deadline);
        let mut left = Vec::new();
        for (name, mut task) in running {
            match tokio::time::timeout_at(end, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => left.push(name),
                Err(_) => {
                    task.abort();
                    left.push(name);
                }
            }
        }
        left
    }

    /// Ends all tasks where they are, without waiting for them.
    pub fn abort(&self) {
        self.stop.send_replace(true);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().for_each(|(_, task)| task.abort());
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The moment after which a wait of this length is over; a wait without end ends in a year.
pub(crate) fn moment_after(wait: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + wait.min(LONGEST)
}
