//! Who caused what: the events of a story as a tree.

use std::collections::BTreeSet;

use foundation_types::{CorrelationId, EventId, Recorded, Timestamp};
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::links::{basis, links, time};
use super::{diagram, outline};

/// The events of a story in the order of positions, and the tree that their parents make.
///
/// The tree is kept as indices into `spans`, so that a chain of any length can be walked and
/// dropped without recursion. Its [`Display`](std::fmt::Display) is an outline for people.
///
/// What is known are the events with their times, and the parents that they name. Where none names
/// a parent, `basis` says so, and the order of times is all there is: each event hangs on the one
/// before it of the same source, which is a guess at what belongs together and says nothing of causes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The story, as the first event that belongs to one says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The earliest time of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Microseconds from the earliest to the latest time.
    pub duration_us: u64,
    /// The sources, each once, sorted.
    pub sources: Vec<String>,
    /// What the tree stands on.
    #[serde(default)]
    pub basis: Basis,
    /// Events whose parent is named but not kept, as far as is known.
    pub gaps: usize,
    /// The spans that have no parent here, in the order of positions.
    pub roots: Vec<usize>,
    /// Whether there are more events in the story than these, which are the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// What the tree comes to.
    #[serde(default)]
    pub figures: Figures,
    /// Every event, in the order of positions.
    pub spans: Vec<Span>,
}

/// What a tree stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The parents that events name.
    #[default]
    Causes,
    /// The times of events, source by source: none names a parent.
    Times,
}

/// One event of a story, and its place in the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Microseconds from the start of the story to this event.
    pub offset_us: u64,
    /// How it hangs on the tree.
    pub link: Link,
    /// The spans that hang on it, in the order of positions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<usize>,
    /// The event.
    pub event: Recorded,
}

/// How an event hangs on the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It names no parent.
    Root,
    /// Its parent is this span.
    Child(usize),
    /// It names no parent, as no event of the story does; of its source, this span came before it.
    After(usize),
    /// It names a parent that is kept, but is not one of these events: it belongs to another
    /// story or comes after the end of a trace that is cut.
    Elsewhere,
    /// It names a parent that was not found.
    Gap,
    /// Its parents lead back to itself; the tree is cut here.
    Cycle,
}

/// The tree of these events.
///
/// A parent may stand anywhere, also after its children: a span is often recorded when it ends.
/// Of events with the same id the first is the parent.
#[must_use]
pub fn trace(events: Vec<Recorded>) -> Trace {
    trace_beside(events, &BTreeSet::new())
}

/// The same where some of the [`missing_parents`](super::missing_parents) are known to be kept
/// elsewhere.
#[must_use]
pub fn trace_beside(mut events: Vec<Recorded>, kept: &BTreeSet<EventId>) -> Trace {
    events.sort_by_key(|event| event.position);
    let start = events.iter().map(time).min();
    let end = events.iter().map(time).max();
    let sources: BTreeSet<_> = events.iter().filter_map(|each| each.event.source.clone()).collect();
    let basis = basis(&events);
    let mut trace = Trace {
        correlation_id: events.iter().find_map(|each| each.event.correlation_id.clone()),
        start,
        duration_us: micros(start, end),
        sources: sources.into_iter().collect(),
        basis,
        spans: spans(events, start, basis, kept),
        ..Trace::default()
    };
    trace.connect();
    trace.figures = Figures::of(&trace);
    trace
}

impl Trace {
    /// This trace as the first part of a longer one.
    #[must_use]
    pub fn shortened(self) -> Self {
        Self { is_cut: true, ..self }
    }

    /// The outline that people read: a header, then one line a span.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// The tree as a Mermaid flowchart, for pages that draw them: the first 200 events.
    ///
    /// Whatever text the events have, it is shown as it is and means nothing to Mermaid.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        diagram::mermaid(self)
    }

    fn connect(&mut self) {
        for at in 0..self.spans.len() {
            match self.link(at) {
                Some(Link::Child(parent) | Link::After(parent)) => self.adopt(parent, at),
                Some(Link::Gap) => {
                    self.gaps += 1;
                    self.roots.push(at);
                }
                Some(Link::Root | Link::Elsewhere | Link::Cycle) => self.roots.push(at),
                None => {}
            }
        }
        self.cut_cycles();
    }

    fn link(&self, at: usize) -> Option<Link> {
        self.spans.get(at).map(|span| span.link)
    }

    fn adopt(&mut self, parent: usize, child: usize) {
        if let Some(span) = self.spans.get_mut(parent) {
            span.children.push(child);
        }
    }

    /// Makes a root of one span of every cycle, so that every span hangs on a root.
    fn cut_cycles(&mut self) {
        let mut reached = vec![false; self.spans.len()];
        for root in self.roots.clone() {
            self.reach(root, &mut reached);
        }
        for at in 0..self.spans.len() {
            // Each span has one parent, so that a cycle is found by going up from any span that
            // hangs on it.
            if !is_reached(&reached, at) {
                let root = self.cycle_above(at);
                self.cut(root);
                self.reach(root, &mut reached);
            }
        }
        self.roots.sort_unstable();
    }

    /// Marks a span and all below it.
    fn reach(&self, from: usize, reached: &mut [bool]) {
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            if let Some(mark) = reached.get_mut(at) {
                *mark = true;
            }
            if let Some(span) = self.spans.get(at) {
                waiting.extend(span.children.iter().filter(|child| !is_reached(reached, **child)));
            }
        }
    }

    /// The earliest span of the cycle that the parents of this span lead into.
    fn cycle_above(&self, at: usize) -> usize {
        let parent = |at: usize| match self.link(at) {
            Some(Link::Child(parent)) => parent,
            _ => at,
        };
        // The first span that the walk comes to again is inside the cycle. All that is passed is
        // reached from the cut, so that no span is passed by two walks.
        let mut passed = BTreeSet::new();
        let mut inside = at;
        while passed.insert(inside) {
            inside = parent(inside);
        }
        let mut earliest = inside;
        let mut next = parent(inside);
        while next != inside {
            earliest = earliest.min(next);
            next = parent(next);
        }
        earliest
    }

    fn cut(&mut self, at: usize) {
        if let Some(Link::Child(parent)) = self.link(at)
            && let Some(span) = self.spans.get_mut(parent)
        {
            span.children.retain(|child| *child != at);
        }
        if let Some(span) = self.spans.get_mut(at) {
            span.link = Link::Cycle;
        }
        self.roots.push(at);
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        outline::write(self, out)
    }
}

fn spans(
    events: Vec<Recorded>,
    start: Option<Timestamp>,
    basis: Basis,
    kept: &BTreeSet<EventId>,
) -> Vec<Span> {
    let links: Vec<Link> = links(&events, basis, kept);
    let span = |(event, link): (Recorded, Link)| Span {
        offset_us: micros(start, Some(time(&event))),
        link,
        children: Vec::new(),
        event,
    };
    events.into_iter().zip(links).map(span).collect()
}

fn micros(from: Option<Timestamp>, to: Option<Timestamp>) -> u64 {
    let time = from.zip(to).map(|(from, to)| to.since(from)).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn is_reached(reached: &[bool], at: usize) -> bool {
    reached.get(at).copied().unwrap_or(true)
}

#[cfg(test)]
mod tests;
