//! Following what is recorded by name, beside the recording and never in its way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_types::limits::OBSERVER_MEASUREMENTS_MAX;
use foundation_types::telemetry::{Labels, Measurement};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// One measurement that was recorded by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Name of the metric.
    pub name: Arc<str>,
    /// Labels, as given.
    pub labels: Labels,
    /// What was recorded.
    pub measurement: Measurement,
}

/// The measurements recorded since it was made, up to 1,024 of them waiting.
#[derive(Debug)]
pub struct Observer {
    receiver: mpsc::Receiver<Arc<Observed>>,
    missed: Arc<AtomicU64>,
}

/// Everybody who follows.
#[derive(Debug, Default)]
pub(super) struct Observers {
    any: AtomicBool,
    all: Mutex<Vec<Feed>>,
}

#[derive(Debug)]
struct Feed {
    sender: mpsc::Sender<Arc<Observed>>,
    missed: Arc<AtomicU64>,
}

impl Observer {
    /// The next measurement; `None` when the service is gone.
    pub async fn next(&mut self) -> Option<Arc<Observed>> {
        self.receiver.recv().await
    }

    /// Measurements that it missed because its queue was full.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Observers {
    pub(super) fn add(&self) -> Observer {
        let (sender, receiver) = mpsc::channel(OBSERVER_MEASUREMENTS_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let mut all = self.all();
        all.push(Feed { sender, missed: Arc::clone(&missed) });
        self.any.store(true, Ordering::Release);
        Observer { receiver, missed }
    }

    /// Tells everybody, without waiting. Costs one load while nobody follows.
    #[inline]
    pub(super) fn tell(&self, name: &str, labels: &[(&str, &str)], measurement: Measurement) {
        if self.any.load(Ordering::Acquire) {
            self.tell_all(name, labels, measurement);
        }
    }

    #[cold]
    fn tell_all(&self, name: &str, labels: &[(&str, &str)], measurement: Measurement) {
        let labels = Labels::new(labels.iter().copied());
        let observed = Arc::new(Observed { name: name.into(), labels, measurement });
        let mut all = self.all();
        all.retain(|feed| match feed.sender.try_send(Arc::clone(&observed)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                feed.missed.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Closed(_)) => false,
        });
        self.any.store(!all.is_empty(), Ordering::Release);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Feed>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
