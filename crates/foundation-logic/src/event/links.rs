//! How the events of a story hang on each other: by the parents that they name, or by their times.

use std::collections::{BTreeSet, HashMap};

use foundation_types::{EventId, Recorded, Timestamp};

use super::trace::{Basis, Link};

/// The parents that these events name and that are not among them, each once, in the order of
/// events.
#[must_use]
pub fn missing_parents(events: &[Recorded]) -> Vec<EventId> {
    let here: BTreeSet<&str> =
        events.iter().filter_map(|event| event.event.id.as_ref()).map(EventId::as_str).collect();
    let mut seen = BTreeSet::new();
    let parents = events.iter().filter_map(|event| event.event.parent_id.as_ref());
    let missing = parents.filter(|id| !here.contains(id.as_str()) && seen.insert(id.as_str()));
    missing.cloned().collect()
}

/// What these links say: causes if any event names one.
pub(super) fn basis(events: &[Recorded]) -> Basis {
    let names_none = events.iter().all(|event| event.event.parent_id.is_none());
    if names_none && events.len() > 1 { Basis::Times } else { Basis::Causes }
}

/// How each event hangs on the others; `kept` are parents that are known to be elsewhere.
pub(super) fn links(events: &[Recorded], basis: Basis, kept: &BTreeSet<EventId>) -> Vec<Link> {
    match basis {
        Basis::Causes => by_parent(events, kept),
        Basis::Times => by_time(events),
    }
}

/// When it happened, as given, or when it was recorded.
pub(super) fn time(recorded: &Recorded) -> Timestamp {
    recorded.event.time.unwrap_or(recorded.recorded)
}

fn by_parent(events: &[Recorded], kept: &BTreeSet<EventId>) -> Vec<Link> {
    let mut by_id = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        if let Some(id) = &event.event.id {
            by_id.entry(id.as_str()).or_insert(at);
        }
    }
    let link = |event: &Recorded| match &event.event.parent_id {
        None => Link::Root,
        Some(id) => match by_id.get(id.as_str()) {
            Some(parent) => Link::Child(*parent),
            None if kept.contains(id) => Link::Elsewhere,
            None => Link::Gap,
        },
    };
    events.iter().map(link).collect()
}

/// Each event after the one before it in time that has the same source.
fn by_time(events: &[Recorded]) -> Vec<Link> {
    let mut in_time: Vec<usize> = (0..events.len()).collect();
    in_time.sort_by_key(|at| events.get(*at).map(time));
    let mut links = vec![Link::Root; events.len()];
    let mut last_of = HashMap::new();
    for at in in_time {
        let source = events.get(at).and_then(|event| event.event.source.as_deref());
        if let (Some(before), Some(link)) = (last_of.insert(source, at), links.get_mut(at)) {
            *link = Link::After(before);
        }
    }
    links
}
