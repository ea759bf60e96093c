//! Exports whose sink is elsewhere: they read page by page, and say how far they are.

use std::time::Duration;

use foundation_types::{Error, ErrorKind, EventQuery, Position, Recorded, Result, StoreId};
use foundation_validate::event::export_name;
use foundation_validate::table::is_own_table;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Exports;
use crate::event::{ConsumerAction, EventPage, Expired};
use crate::tasks::StopSignal;

/// The longest that a reader waits for an event.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// One page of events to be exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportPage {
    /// Identity of the store, for ids to tell repeats by.
    pub store: StoreId,
    /// The events, but for what Foundation's own tables write.
    pub events: Vec<Recorded>,
    /// Everything up to this position was looked at.
    pub seen: Position,
    /// What asks for the events after them; absent at the end of what there is.
    pub next: Option<EventQuery>,
}

impl Exports {
    /// Where an export is that this process has no sink for; it is made if there is none. What it
    /// says it has is settled first: everything up to `settled`. The filter that its events answer is kept
    /// when it begins, and is the same from then on.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that it may not have; `InvalidArgument` if it has a sink
    /// in this process, is paused, has the name of a consumer, or began with another filter; what the
    /// journal answers.
    pub async fn cursor(
        &self,
        name: &str,
        settled: Option<Position>,
        filter: Option<&EventQuery>,
    ) -> Result<Position> {
        export_name(name)?;
        if self.has_sink(name) {
            let message = format!("export {name:?} has a sink in the node: choose another name");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let kept = self.events().export_or_new(name, filter).await?;
        let position = self.events().idle_consumer(name).await?;
        let Some(settled) = settled else {
            if kept.paused {
                let message = format!("export {name:?} is paused: resume it first");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            return Ok(position);
        };
        self.events().change_place(name, ConsumerAction::Reset(settled)).await?;
        Ok(settled)
    }

    /// A page of the events that answer a query; if there are none yet, those that come within
    /// `wait`, at most 30 s. An export with a name has to have all that is kept, also events whose time to
    /// live is over by now: its place goes past them.
    ///
    /// # Errors
    /// As [`crate::EventStore::query`].
    pub async fn read(
        &self,
        name: Option<&str>,
        mut query: EventQuery,
        wait: Duration,
        mut stop: StopSignal,
    ) -> Result<ExportPage> {
        let expired = if name.is_some() { Expired::Shown } else { Expired::Hidden };
        let end = Instant::now() + wait.min(WAIT_MAX);
        let mut published = self.events().watch();
        loop {
            let _ = published.borrow_and_update();
            let EventPage { mut events, seen, next, .. } =
                self.events().query_with(query.clone(), expired).await?;
            events.retain(|one| !one.stream.table().is_some_and(is_own_table));
            let is_over = Instant::now() >= end || stop.is_stopped();
            if !events.is_empty() || next.is_some() || is_over {
                let store = self.events().store_id();
                return Ok(ExportPage { store, events, seen, next });
            }
            query.after = Some(seen);
            tokio::select! {
                () = stop.stopped() => {}
                _ = tokio::time::timeout_at(end, published.changed()) => {}
            }
        }
    }
}
