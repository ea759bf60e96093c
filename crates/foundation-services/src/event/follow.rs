//! Following events call by call: for who is not in this process.

use std::time::Duration;

use foundation_types::limits::{ANSWER_BYTES_MAX, SUBSCRIPTION_EVENTS_MAX};
use foundation_types::{EventQuery, Position, Recorded, Result};
use serde::{Deserialize, Serialize};

use super::subscription::Looked;
use super::{EventStore, Start};

/// What came since the call before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// The events, in the order of positions.
    pub events: Vec<Recorded>,
    /// Where the next call goes on: everything up to here was looked at.
    pub after: Position,
    /// Events of these streams that were dropped and never stored, since the process began: whoever
    /// follows has missed as many as it grew by.
    #[serde(default)]
    pub dropped: u64,
}

impl EventStore {
    /// The next events after a position that answer the filter; from now on if there is none. It waits
    /// for the first of them as long as it may.
    ///
    /// # Errors
    /// As [`EventStore::subscribe`] and [`Subscription::next`](super::Subscription::next).
    pub async fn follow(
        &self,
        filter: EventQuery,
        after: Option<Position>,
        wait: Duration,
    ) -> Result<Followed> {
        let start = after.map_or(Start::Now, Start::After);
        let stream = filter.stream.clone();
        let mut subscription = self.subscribe(start, filter)?;
        let after = subscription.position();
        let mut followed = Followed { after, ..Followed::default() };
        let end = tokio::time::Instant::now() + wait;
        let mut bytes = 0;
        while followed.events.len() < SUBSCRIPTION_EVENTS_MAX && bytes < ANSWER_BYTES_MAX {
            // Once there is something, only what is there already is added.
            let patience =
                if followed.events.is_empty() { end } else { tokio::time::Instant::now() };
            let Ok(looked) = tokio::time::timeout_at(patience, subscription.look()).await else {
                break;
            };
            match looked {
                Ok(Looked::Event(event, size)) => {
                    bytes += size;
                    followed.after = event.position;
                    followed.events.push(event);
                }
                Ok(Looked::Nothing(up_to)) => followed.after = up_to,
                // What was found comes first, and the error with the next call.
                Err(_) if !followed.events.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        followed.dropped = self.0.intake.dropped(stream.as_ref());
        Ok(followed)
    }
}
