//! Foundation's event store through the facade: validated, buffered, counted.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use foundation::events::EventStore;
use foundation::{Event, Foundation, Recorded, Timestamp};
use tokio::runtime::Runtime;

use super::journal::{event_of, query_of};
use crate::Outcome;
use crate::engine::{Ack, Engine, Input, Question, Visit};
use crate::sample::{Sample, Seen};

pub(crate) const NAME: &str = "foundation-store";

/// A running store.
pub(crate) struct Stored {
    foundation: Foundation,
    events: EventStore,
    runtime: Arc<Runtime>,
}

impl Stored {
    pub(crate) fn open(dir: &Path, runtime: Arc<Runtime>) -> Outcome<Self> {
        let foundation = runtime.block_on(Foundation::builder(dir).start())?;
        let events = foundation.events().clone();
        Ok(Self { foundation, events, runtime })
    }
}

fn seen(recorded: &Recorded) -> Seen<'_> {
    let event: &Event = &recorded.event;
    Seen {
        kind: event.kind.as_str(),
        correlation: event.correlation_id.as_ref().map_or("", |id| id.as_str()),
        time: event.time.map_or(0, Timestamp::as_unix_micros),
        data: event.data.as_json(),
    }
}

impl Engine for Stored {
    fn prepare(&self, samples: Vec<Sample>) -> Input {
        // Without an id, which the store draws: a given one would also be looked up.
        Input::Events(samples.into_iter().filter_map(|sample| event_of(sample).ok()).collect())
    }

    fn append(&self, input: Input) -> Ack<'_> {
        Box::pin(async move {
            let mut events = input.events()?;
            match events.pop() {
                Some(only) if events.is_empty() => {
                    self.events.append(only).await?;
                }
                last => {
                    events.extend(last);
                    self.events.append_batch(events).await?;
                }
            }
            Ok(())
        })
    }

    fn append_here(&self, input: Input) -> Outcome<()> {
        self.runtime.block_on(self.append(input))
    }

    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        self.runtime.block_on(async {
            let mut pages = self.events.pages(query_of(question));
            while let Some(page) = pages.next().await? {
                page.iter().for_each(|recorded| visit(seen(recorded)));
            }
            Ok(())
        })
    }

    fn keep_newest(&self, _: u64) -> Outcome<bool> {
        Ok(false)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let shutdown = self.foundation.shutdown(Duration::from_secs(60));
        Ok(self.runtime.block_on(shutdown).into_result()?)
    }
}
