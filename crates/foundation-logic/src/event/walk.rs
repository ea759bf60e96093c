//! The spans of a trace in the order in which they are shown.

use super::trace::{Basis, Trace};

/// A span whose turn it is.
pub(super) struct Visit {
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) is_last: bool,
}

/// The spans, each after what it hangs on. What follows only in time hangs on the first of its
/// source, side by side: that one came after the other is no nesting.
///
/// The walk has a stack of its own: a chain of parents may be longer than the stack of a thread is
/// deep.
pub(super) fn walk(trace: &Trace) -> impl Iterator<Item = Visit> + '_ {
    let mut waiting = Vec::new();
    push(&mut waiting, &trace.roots, 0);
    std::iter::from_fn(move || {
        let visit = waiting.pop()?;
        match trace.basis {
            Basis::Causes => push(&mut waiting, children(trace, visit.at), visit.depth + 1),
            Basis::Times if visit.depth == 0 => push(&mut waiting, &chain(trace, visit.at), 1),
            Basis::Times => {}
        }
        Some(visit)
    })
}

fn children(trace: &Trace, at: usize) -> &[usize] {
    trace.spans.get(at).map(|span| span.children.as_slice()).unwrap_or_default()
}

/// What comes after a span, one after the other.
fn chain(trace: &Trace, from: usize) -> Vec<usize> {
    let next = |at: &usize| children(trace, *at).first().copied();
    std::iter::successors(next(&from), next).collect()
}

fn push(waiting: &mut Vec<Visit>, spans: &[usize], depth: usize) {
    let last = spans.len().saturating_sub(1);
    let visit = |(nth, at): (usize, &usize)| Visit { at: *at, depth, is_last: nth == last };
    waiting.extend(spans.iter().enumerate().map(visit).rev());
}
