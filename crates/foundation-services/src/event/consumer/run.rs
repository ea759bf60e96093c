//! Consuming with a function: workers, each with one event at a time, and a guard around each call.

use std::future::Future;
use std::sync::Arc;

use foundation_types::{ErrorKind, Recorded, Result};
use tokio::task::JoinSet;

use super::{Consumer, Delivery};

impl Consumer {
    /// Has `handle` called with each event, by this many workers, until the consumer ends.
    ///
    /// An event is acked when the call gives `Ok`, and given back with the error or the panic
    /// otherwise. A call that takes longer than the ack deadline is left where it waits. What was
    /// let go of by the log is logged, and is no error here. Dropping the future ends the calls.
    ///
    /// # Errors
    /// None while the consumer is at work; `NotFound` if it is deleted; that of a worker that could not
    /// go on.
    pub async fn run<F, R>(&self, workers: usize, handle: F) -> Result<()>
    where
        F: Fn(Arc<Recorded>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let handle = Arc::new(handle);
        let mut all = JoinSet::new();
        for _ in 0..workers.max(1) {
            all.spawn(work(self.clone(), Arc::clone(&handle)));
        }
        while let Some(ended) = all.join_next().await {
            match ended {
                Ok(outcome) => outcome?,
                Err(cause) => tracing::error!(%cause, "a worker of a consumer ended"),
            }
        }
        Ok(())
    }
}

async fn work<F, R>(consumer: Consumer, handle: Arc<F>) -> Result<()>
where
    F: Fn(Arc<Recorded>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let delivery = match consumer.next().await {
            Ok(delivery) => delivery,
            Err(error) if error.kind() == ErrorKind::Compacted => {
                tracing::warn!(%error, "a consumer missed events that were let go of");
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => return Ok(()),
            Err(error) => return Err(error),
        };
        call(&consumer, delivery, Arc::clone(&handle)).await;
    }
}

/// One call, in a task of its own: its panic ends nothing else, and it ends with whoever waits.
async fn call<F, R>(consumer: &Consumer, delivery: Delivery, handle: Arc<F>)
where
    F: Fn(Arc<Recorded>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let event = delivery.shared();
    let mut one = JoinSet::new();
    one.spawn(async move { handle(event).await });
    let ticket = delivery.ticket();
    let live = &consumer.0.live;
    let taken_back = live.when(|inner| (!inner.deliveries.is_in_hand(ticket)).then_some(()));
    let answered = tokio::select! {
        ended = one.join_next() => match ended {
            Some(Ok(Ok(()))) => delivery.ack(),
            Some(Ok(Err(error))) => delivery.nack(&error.to_string()),
            Some(Err(panic)) => delivery.nack(&format!("the handler did not end well: {panic}")),
            None => delivery.nack("the handler is gone"),
        },
        () = taken_back => Ok(()),
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "an answer of a handler came too late");
    }
}
