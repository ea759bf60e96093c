//! Places in the ring that may hold what a query asks for, found in the cheapest way.

use std::collections::BinaryHeap;
use std::ops::{Range, RangeInclusive};

use foundation_types::{EventQuery, Order, TypePattern};

use super::hash::Hashing;
use super::index::NameIndex;
use super::postings::Postings;
use super::ring::Ordinal;
use super::state::State;
use super::times::Timed;
use crate::journal::Way;

/// Offsets in the ring, taken from either end.
pub(super) enum Candidates<'a> {
    Every(Range<usize>),
    Listed(Listed<'a>),
    Merged(Merged<'a>),
    Timed(Timed<'a>),
}

/// The part of a posting list that lies in a window of the ring.
pub(super) struct Listed<'a> {
    postings: &'a Postings,
    range: Range<usize>,
    front: Ordinal,
}

/// Lists that share no record, as one.
pub(super) struct Merged<'a> {
    lists: Vec<Listed<'a>>,
    /// What comes next of each list, what comes first of all on top.
    next: BinaryHeap<(usize, usize)>,
    len: usize,
}

impl<'a> Candidates<'a> {
    /// The index that leaves the fewest candidates in the window.
    pub(super) fn cheapest(
        state: &'a State,
        hashing: &Hashing,
        query: &EventQuery,
        window: Range<usize>,
    ) -> (Self, Way) {
        let (indices, front) = (&state.indices, state.ring.front());
        let times = time_range(query);
        let window = match &times {
            Some(times) => indices.times.narrowed(times, front, window),
            None => window,
        };
        let mut best = (Self::Every(window.clone()), Way::Reading);
        let mut offer = |candidates: Self, by| {
            if candidates.len() < best.0.len() {
                best = (candidates, by);
            }
        };
        let named = [
            (
                Way::Correlation,
                &indices.correlations,
                query.correlation_id.as_ref().map(|id| id.as_str()),
            ),
            (Way::Parent, &indices.parents, query.parent_id.as_ref().map(|id| id.as_str())),
            (Way::Stream, &indices.streams, query.stream.as_ref().map(|name| name.as_str())),
        ];
        let tags = query.tags.iter().map(|tag| (Way::Tag, &indices.tags, Some(tag.as_str())));
        for (by, index, name) in named.into_iter().chain(tags) {
            let Some(name) = name else { continue };
            offer(Self::listed(index, hashing.name(name.as_bytes()), front, &window), by);
        }
        match query.types.as_slice() {
            [] => {}
            [TypePattern::Exact(kind)] => {
                let hash = hashing.name(kind.as_str().as_bytes());
                offer(Self::listed(&indices.kinds, hash, front, &window), Way::Type);
            }
            _ => {
                if let Some(hashes) = state.tally.hashes(|kind| query.admits_type(kind)) {
                    let lists = hashes.into_iter().filter_map(|hash| {
                        Listed::within(indices.kinds.get(hash)?, front, &window)
                    });
                    offer(Self::Merged(Merged::new(lists.collect(), query.order)), Way::Type);
                }
            }
        }
        let timed =
            times.and_then(|times| indices.times.within(&times, front, &window, best.0.len()));
        timed.map_or(best, |timed| (Self::Timed(timed), Way::Time))
    }

    fn listed(index: &'a NameIndex, name: u64, front: Ordinal, window: &Range<usize>) -> Self {
        let listed = index.get(name).and_then(|list| Listed::within(list, front, window));
        listed.map_or(Self::Every(0..0), Self::Listed)
    }

    fn len(&self) -> usize {
        match self {
            Self::Every(range) => range.len(),
            Self::Listed(listed) => listed.range.len(),
            Self::Merged(merged) => merged.len,
            Self::Timed(timed) => timed.len(),
        }
    }

    pub(super) fn next(&mut self, order: Order) -> Option<usize> {
        match self {
            Self::Every(range) => next_in(range, order),
            Self::Listed(listed) => listed.next(order),
            Self::Merged(merged) => merged.next(order),
            Self::Timed(timed) => timed.next(order),
        }
    }
}

impl<'a> Listed<'a> {
    /// `None` if no record of the list is in the window.
    fn within(postings: &'a Postings, front: Ordinal, window: &Range<usize>) -> Option<Self> {
        let range = postings.within(front, window);
        (!range.is_empty()).then_some(Self { postings, range, front })
    }

    fn next(&mut self, order: Order) -> Option<usize> {
        let at = next_in(&mut self.range, order)?;
        self.postings.get(at).map(|ordinal| ordinal.offset(self.front))
    }
}

impl<'a> Merged<'a> {
    fn new(lists: Vec<Listed<'a>>, order: Order) -> Self {
        let len = lists.iter().map(|list| list.range.len()).sum();
        let mut merged = Self { lists, next: BinaryHeap::new(), len };
        (0..merged.lists.len()).for_each(|list| merged.advance(list, order));
        merged
    }

    fn next(&mut self, order: Order) -> Option<usize> {
        let (rank, list) = self.next.pop()?;
        self.advance(list, order);
        Some(ranked(rank, order))
    }

    fn advance(&mut self, list: usize, order: Order) {
        let next = self.lists.get_mut(list).and_then(|listed| listed.next(order));
        self.next.extend(next.map(|offset| (ranked(offset, order), list)));
    }
}

/// The rank of an offset, the highest for the one that comes first; and back.
fn ranked(offset: usize, order: Order) -> usize {
    match order {
        Order::Asc => usize::MAX - offset,
        Order::Desc => offset,
    }
}

fn next_in(range: &mut Range<usize>, order: Order) -> Option<usize> {
    match order {
        Order::Asc => range.next(),
        Order::Desc => range.next_back(),
    }
}

/// The microseconds that the query's times lie in; both ends belong to them, since a time that is
/// before `until` may lie in the same microsecond.
fn time_range(query: &EventQuery) -> Option<RangeInclusive<i64>> {
    if query.since.is_none() && query.until.is_none() {
        return None;
    }
    let since = query.since.map_or(i64::MIN, |time| time.as_unix_micros());
    let until = query.until.map_or(i64::MAX, |time| time.as_unix_micros());
    Some(since..=until)
}
