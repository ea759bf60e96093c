//! What a trace comes to: how deep and wide it is, what its time went by with, and what is missing.

use std::collections::BTreeMap;

use foundation_types::{StreamName, Version};
use serde::{Deserialize, Serialize};

use super::trace::{Basis, Link, Trace};

/// What a trace comes to.
///
/// Events are moments and have no length of their own. The time between two that follow each other
/// is counted for the later one, which says what was done by then: so the shares add up to the
/// whole duration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Events whose parent is named but is not in the trace, kept elsewhere or not.
    pub orphans: usize,
    /// Events at which a cycle of parents was cut, those among them that name themselves.
    pub cycles: usize,
    /// Events on the longest way down from a root; 0 where no event names a parent.
    pub depth: usize,
    /// The event that caused the most others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widest: Option<Widest>,
    /// The way from a root to the event that happened last; empty where no event names a parent.
    pub critical_path: Vec<Step>,
    /// Microseconds that this way takes.
    pub critical_us: u64,
    /// Whose events the time went by with, the largest share first.
    pub by_source: Vec<Share>,
    /// With what kind of events it went by, the largest share first.
    pub by_type: Vec<Share>,
    /// The longest time without an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_pause: Option<Pause>,
    /// Versions that are missing between events of one stream: they are of other stories or no
    /// longer kept. Of `events` and `foundation`, which all stories share, none are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
}

/// The event that caused the most others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widest {
    /// Which.
    pub span: usize,
    /// How many.
    pub children: usize,
}

/// One event on the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub span: usize,
    /// Microseconds since the one before it; less than 0 where clocks disagree.
    pub step_us: i64,
}

/// How much of the time went by with events that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What they have in common; absent for events without a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many there are.
    pub events: usize,
    /// Microseconds.
    pub time_us: u64,
}

/// A time without events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The span before it.
    pub after: usize,
    /// The span after it.
    pub before: usize,
    /// Microseconds.
    pub pause_us: u64,
}

/// Versions of a stream that are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The stream.
    pub stream: StreamName,
    /// The last version before them that is there.
    pub after: Version,
    /// The first version after them that is there.
    pub before: Version,
}

impl Figures {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut in_time: Vec<usize> = (0..trace.spans.len()).collect();
        in_time.sort_by_key(|at| offset(trace, *at));
        let is_known = trace.basis == Basis::Causes;
        let count =
            |wanted: fn(Link) -> bool| trace.spans.iter().filter(|span| wanted(span.link)).count();
        let critical_path = match in_time.last() {
            Some(last) if is_known => path_to(trace, *last),
            _ => Vec::new(),
        };
        let critical_us: i64 = critical_path.iter().map(|step| step.step_us).sum();
        Self {
            orphans: count(|link| matches!(link, Link::Gap | Link::Elsewhere)),
            cycles: count(|link| link == Link::Cycle),
            depth: if is_known { depth(trace) } else { 0 },
            widest: if is_known { widest(trace) } else { None },
            critical_path,
            critical_us: u64::try_from(critical_us).unwrap_or(0),
            by_source: shares(trace, &in_time, |trace, at| {
                trace.spans.get(at)?.event.event.source.as_deref()
            }),
            by_type: shares(trace, &in_time, |trace, at| {
                Some(trace.spans.get(at)?.event.event.kind.as_str())
            }),
            longest_pause: longest_pause(trace, &in_time),
            holes: holes(trace),
        }
    }
}

fn offset(trace: &Trace, at: usize) -> u64 {
    trace.spans.get(at).map_or(0, |span| span.offset_us)
}

/// The way from a root down to this span.
fn path_to(trace: &Trace, last: usize) -> Vec<Step> {
    let parent = |at: &usize| match trace.spans.get(*at)?.link {
        Link::Child(parent) => Some(parent),
        _ => None,
    };
    let mut path: Vec<usize> = std::iter::successors(Some(last), parent).collect();
    path.reverse();
    let mut before = path.first().map_or(0, |root| offset(trace, *root));
    let step = |span: usize| {
        let now = offset(trace, span);
        let step_us = now.cast_signed().saturating_sub(before.cast_signed());
        before = now;
        Step { span, step_us }
    };
    path.into_iter().map(step).collect()
}

fn depth(trace: &Trace) -> usize {
    let mut deepest = 0;
    let mut waiting: Vec<(usize, usize)> = trace.roots.iter().map(|root| (*root, 1)).collect();
    while let Some((at, depth)) = waiting.pop() {
        deepest = deepest.max(depth);
        if let Some(span) = trace.spans.get(at) {
            waiting.extend(span.children.iter().map(|child| (*child, depth + 1)));
        }
    }
    deepest
}

fn widest(trace: &Trace) -> Option<Widest> {
    let widths = trace.spans.iter().enumerate().map(|(span, one)| (span, one.children.len()));
    // Of several the first.
    let (span, children) = widths.rev().max_by_key(|(_, children)| *children)?;
    (children > 0).then_some(Widest { span, children })
}

fn shares(trace: &Trace, in_time: &[usize], name: fn(&Trace, usize) -> Option<&str>) -> Vec<Share> {
    let mut by_name: BTreeMap<Option<&str>, (usize, u64)> = BTreeMap::new();
    let mut before = 0;
    for at in in_time {
        let now = offset(trace, *at);
        let (events, time_us) = by_name.entry(name(trace, *at)).or_default();
        *events += 1;
        *time_us += now.saturating_sub(before);
        before = now;
    }
    let share = |(name, (events, time_us)): (Option<&str>, (usize, u64))| Share {
        name: name.map(str::to_owned),
        events,
        time_us,
    };
    let mut shares: Vec<Share> = by_name.into_iter().map(share).collect();
    shares
        .sort_by(|one, other| other.time_us.cmp(&one.time_us).then(other.events.cmp(&one.events)));
    shares
}

fn longest_pause(trace: &Trace, in_time: &[usize]) -> Option<Pause> {
    let pause = |pair: &[usize]| match pair {
        [after, before] => Some(Pause {
            after: *after,
            before: *before,
            pause_us: offset(trace, *before).saturating_sub(offset(trace, *after)),
        }),
        _ => None,
    };
    // Of several the first.
    in_time.windows(2).filter_map(pause).rev().max_by_key(|pause| pause.pause_us)
}

fn holes(trace: &Trace) -> Vec<Hole> {
    let mut versions: Vec<(&StreamName, Version)> = trace
        .spans
        .iter()
        .map(|span| (&span.event.stream, span.event.version))
        .filter(|(stream, _)| {
            !matches!(stream.as_str(), StreamName::EVENTS | StreamName::FOUNDATION)
        })
        .collect();
    versions.sort();
    let hole = |pair: &[(&StreamName, Version)]| match pair {
        [(stream, after), (same, before)] if stream == same && *before > after.next() => {
            Some(Hole { stream: (*stream).clone(), after: *after, before: *before })
        }
        _ => None,
    };
    versions.windows(2).filter_map(hole).collect()
}
