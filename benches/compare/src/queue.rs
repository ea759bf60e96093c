//! Group commit for engines that have none: one writer thread drains what has come meanwhile.
//!
//! It is built as Foundation's own: a short lock to put a batch in, and one wake-up for all who
//! share a commit.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::Notify;

use crate::Outcome;
use crate::engine::Ack;
use crate::sample::Sample;

/// Writes a group as one transaction, and syncs it.
pub(crate) type CommitGroup = Box<dyn FnMut(&[Sample]) -> Outcome<()> + Send>;

/// The queue and its writer.
pub(crate) struct Queue {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    work: Condvar,
}

#[derive(Default)]
struct Waiting {
    samples: Vec<Sample>,
    group: Arc<Group>,
    closing: bool,
}

/// All who share a commit.
#[derive(Default)]
struct Group {
    outcome: OnceLock<Result<(), String>>,
    ended: Notify,
}

impl Queue {
    /// A queue whose groups are written by `commit`.
    pub(crate) fn new(commit: CommitGroup) -> Self {
        let shared = Arc::<Shared>::default();
        let of_writer = shared.clone();
        let writer = std::thread::spawn(move || of_writer.write(commit));
        Self { shared, writer: Some(writer) }
    }

    /// Puts a batch in, and waits until it is durable.
    pub(crate) fn append(&self, mut samples: Vec<Sample>) -> Ack<'_> {
        Box::pin(async move {
            let group = {
                let mut waiting = self.shared.waiting();
                waiting.samples.append(&mut samples);
                waiting.group.clone()
            };
            self.shared.work.notify_one();
            loop {
                let ended = group.ended.notified();
                if let Some(outcome) = group.outcome.get() {
                    return outcome.clone().map_err(Into::into);
                }
                ended.await;
            }
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.waiting().closing = true;
        self.shared.work.notify_one();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer is seen by those who wait for it.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut commit: CommitGroup) {
        loop {
            let mut waiting = self.waiting();
            while waiting.samples.is_empty() {
                if waiting.closing {
                    return;
                }
                waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            let samples = std::mem::take(&mut waiting.samples);
            let group = std::mem::take(&mut waiting.group);
            drop(waiting);
            let outcome = commit(&samples).map_err(|cause| cause.to_string());
            if group.outcome.set(outcome).is_ok() {
                group.ended.notify_waiters();
            }
        }
    }
}
