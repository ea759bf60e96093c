//! Events that were put aside: listed, brought back, dropped.

use std::sync::Arc;

use foundation_types::event::ParkedEvent;
use foundation_types::limits::PARKED_EVENTS_MAX;
use foundation_types::{Recorded, Result, TypePattern};
use foundation_validate::event::type_pattern;
use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::event::EventStore;

/// Which parked events. Filters are joined by *and*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParkedFilter {
    /// Of this consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Of this type, or of one that begins so.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<TypePattern>,
    /// At most this many, the oldest of each consumer first; all, up to 10,000, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl ParkedFilter {
    /// All of this consumer.
    #[must_use]
    pub fn of(consumer: impl Into<String>) -> Self {
        Self { consumer: Some(consumer.into()), ..Self::default() }
    }

    /// Only events of this type; a `*` at the end stands for any rest.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<TypePattern>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// At most this many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    fn admits(&self, parked: &ParkedEvent) -> bool {
        self.consumer.as_ref().is_none_or(|consumer| *consumer == parked.consumer)
            && self.kind.as_ref().is_none_or(|kind| kind.admits(parked.kind.as_str()))
    }
}

impl EventStore {
    /// The parked events that the filter lets through. It is also what a dry run of
    /// [`EventStore::retry_parked`] and [`EventStore::drop_parked`] comes to, but for those that
    /// are on their way already. An event that cannot be read is given as it was stored.
    ///
    /// # Errors
    /// `NotFound` if there is no consumer with the name that the filter has; `InvalidArgument` for a type
    /// that can mean nothing; `Unavailable` if the store keeps no consumers.
    pub fn parked(&self, filter: &ParkedFilter) -> Result<Vec<ParkedEvent>> {
        let found = self.0.consumers.parked(filter, |_| true)?;
        Ok(found.iter().map(|parked| self.shown(parked)).collect())
    }

    /// A parked event as readers see it.
    fn shown(&self, parked: &ParkedEvent) -> ParkedEvent {
        let read = |stored: &Recorded| self.reader().opened(stored.clone());
        let event = parked.event.as_ref().map(|stored| read(stored).unwrap_or(stored.clone()));
        let kind = event.as_ref().map_or(&parked.kind, |event| &event.event.kind).clone();
        ParkedEvent { event, kind, ..parked.clone() }
    }

    /// Has parked events handed out once more, before all others of their streams and with all
    /// tries anew; within the bounds of the consumer, so that it is paced by its members. One that
    /// is not at work gets them when it is opened. They stay parked until they are acked.
    ///
    /// Gives what is brought back.
    ///
    /// # Errors
    /// As [`EventStore::parked`] and [`crate::Table::insert`]; what was marked before stays so.
    pub async fn retry_parked(&self, filter: &ParkedFilter) -> Result<Vec<ParkedEvent>> {
        let consumers = &self.0.consumers;
        let found = consumers.parked(filter, |parked| !parked.retrying)?;
        let mut retried = Vec::with_capacity(found.len());
        for parked in found {
            let key = (parked.consumer.clone(), parked.position);
            let mark = |now: Option<&ParkedEvent>| {
                now.map(|now| ParkedEvent { retrying: true, ..now.clone() })
            };
            if consumers.tables()?.parked.update(key, mark).await?.is_none() {
                continue;
            }
            if let Some(live) = consumers.live(&parked.consumer) {
                live.change(|inner| inner.extras.push_back(parked.position));
            }
            retried.push(ParkedEvent { retrying: true, ..self.shown(&parked) });
        }
        Ok(retried)
    }

    /// Gives parked events up for good; the log keeps them as long as it keeps others. Those that
    /// are on their way to a consumer at work stay. A consumer that stood still since no more could
    /// be parked goes on.
    ///
    /// Gives what was dropped.
    ///
    /// # Errors
    /// As [`EventStore::parked`] and [`crate::Table::insert`]; what was dropped before stays so.
    pub async fn drop_parked(&self, filter: &ParkedFilter) -> Result<Vec<ParkedEvent>> {
        let consumers = &self.0.consumers;
        let is_idle =
            |parked: &ParkedEvent| !parked.retrying || consumers.live(&parked.consumer).is_none();
        let found = consumers.parked(filter, is_idle)?;
        let mut dropped = Vec::with_capacity(found.len());
        for parked in found {
            let key = (parked.consumer.clone(), parked.position);
            if consumers.tables()?.parked.remove(&key).await?.is_some() {
                dropped.push(self.shown(&parked));
            }
            consumers.make_room(&parked.consumer);
        }
        Ok(dropped)
    }
}

impl Registry {
    fn parked(
        &self,
        filter: &ParkedFilter,
        is_wanted: impl Fn(&ParkedEvent) -> bool,
    ) -> Result<Vec<Arc<ParkedEvent>>> {
        if let Some(kind) = &filter.kind {
            type_pattern(kind)?;
        }
        let limit = filter.limit.unwrap_or(PARKED_EVENTS_MAX).min(PARKED_EVENTS_MAX);
        let all = match &filter.consumer {
            Some(consumer) if !self.has_place(consumer)? => {
                return Err(self.no_such_consumer(consumer));
            }
            Some(consumer) => self.parked_of(consumer)?,
            None => self.tables()?.parked.snapshot().iter().map(|(_, one)| one.clone()).collect(),
        };
        let wanted = all.into_iter().filter(|one| filter.admits(one) && is_wanted(one));
        Ok(wanted.take(limit).collect())
    }

    /// One that stood still since no more could be parked may go on.
    fn make_room(&self, consumer: &str) {
        if let Some(live) = self.live(consumer) {
            let is_full = live.inner().is_full;
            if is_full {
                live.resume();
            }
        }
    }
}
