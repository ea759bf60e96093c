//! The index by time: times mostly come in order, and old ones come in bulk.
//!
//! Records whose times go up along the ring form a *run*, which is sorted by time and by place
//! at once: a range of times is one stretch of it, found by two binary searches and already in
//! order. Live events make one run, an import beside them a second. What fits no run is a
//! *stray*, kept in a sorted set.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Range, RangeInclusive};

use foundation_types::Order;

use super::ring::{Ordinal, push_tight};

/// Runs beyond which a time that fits none is a stray.
const RUNS_MAX: usize = 8;
/// Strays that one look-up collects; with more in its range, time does not narrow a query.
const STRAYS_MAX: usize = 16_384;

/// Places by time, in microseconds.
#[derive(Debug, Default)]
pub(super) struct TimeIndex {
    runs: Vec<Run>,
    strays: BTreeSet<(i64, Ordinal)>,
}

/// Times that never go down along the ring.
#[derive(Debug, Default)]
struct Run {
    times: VecDeque<i64>,
    ordinals: VecDeque<Ordinal>,
}

impl TimeIndex {
    /// Adds the newest record of the ring.
    pub(super) fn insert(&mut self, time: i64, ordinal: Ordinal) {
        // The run that ends closest before it, so that the others stay open for older times.
        let open = self.runs.len() < RUNS_MAX;
        let fitting = self.runs.iter_mut().filter(|run| run.last() <= time);
        match fitting.max_by_key(|run| run.last()) {
            Some(run) => run.push(time, ordinal),
            None if open => {
                let mut run = Run::default();
                run.push(time, ordinal);
                self.runs.push(run);
            }
            None => {
                self.strays.insert((time, ordinal));
            }
        }
    }

    /// Removes the oldest record of the ring: the front of its run, if it is in one.
    pub(super) fn remove_oldest(&mut self, time: i64, ordinal: Ordinal) {
        let holds = |run: &Run| run.ordinals.front() == Some(&ordinal);
        let Some(at) = self.runs.iter().position(holds) else {
            self.strays.remove(&(time, ordinal));
            return;
        };
        let Some(run) = self.runs.get_mut(at) else { return };
        run.pop();
        if run.ordinals.is_empty() {
            self.runs.swap_remove(at);
        }
    }

    /// The records with such a time in a window of the ring that begins at `front`; `None` if
    /// they are not fewer than `fewer_than` or too scattered to be collected.
    pub(super) fn within(
        &self,
        times: &RangeInclusive<i64>,
        front: Ordinal,
        window: &Range<usize>,
        fewer_than: usize,
    ) -> Option<Timed<'_>> {
        let mut sources: Vec<Source<'_>> =
            self.runs.iter().map(|run| run.within(times, front, window)).collect();
        let in_runs: usize = sources.iter().map(|source| source.range.len()).sum();
        let room = fewer_than.checked_sub(in_runs + 1)?.min(STRAYS_MAX);
        let strays = self.strays_within(times, front, window, room)?;
        sources.push(Source { range: 0..strays.len(), places: Places::Strays(strays) });
        sources.retain(|source| !source.range.is_empty());
        Some(Timed { front, sources })
    }

    /// The part of a window outside of which no record has such a time; the whole window where
    /// a stray does.
    pub(super) fn narrowed(
        &self,
        times: &RangeInclusive<i64>,
        front: Ordinal,
        window: Range<usize>,
    ) -> Range<usize> {
        let any = (*times.start(), Ordinal::MIN)..=(*times.end(), Ordinal::MAX);
        if times.is_empty() || self.strays.range(any).next().is_some() {
            return window;
        }
        let mut narrowed = window.end..window.start;
        for run in &self.runs {
            let Range { start, end } = run.within(times, front, &window).range;
            if start < end {
                let place = |at: usize| run.ordinals.get(at).map(|one| one.offset(front));
                let (Some(first), Some(last)) = (place(start), place(end - 1)) else { continue };
                narrowed = narrowed.start.min(first)..narrowed.end.max(last + 1);
            }
        }
        narrowed.start..narrowed.end.max(narrowed.start)
    }

    /// Entries in all runs and the set.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.runs.iter().map(|run| run.times.len()).sum::<usize>() + self.strays.len()
    }

    fn strays_within(
        &self,
        times: &RangeInclusive<i64>,
        front: Ordinal,
        window: &Range<usize>,
        max: usize,
    ) -> Option<Vec<Ordinal>> {
        let mut found = Vec::new();
        if times.is_empty() || self.strays.is_empty() {
            return Some(found);
        }
        let any = (*times.start(), Ordinal::MIN)..=(*times.end(), Ordinal::MAX);
        for (count, (_, ordinal)) in self.strays.range(any).enumerate() {
            if count == max {
                return None;
            }
            if window.contains(&ordinal.offset(front)) {
                found.push(*ordinal);
            }
        }
        found.sort_unstable_by_key(|ordinal| ordinal.offset(front));
        Some(found)
    }
}

impl Run {
    fn last(&self) -> i64 {
        self.times.back().copied().unwrap_or(i64::MIN)
    }

    fn push(&mut self, time: i64, ordinal: Ordinal) {
        push_tight(&mut self.times, time);
        push_tight(&mut self.ordinals, ordinal);
    }

    fn pop(&mut self) {
        self.times.pop_front();
        self.ordinals.pop_front();
        if self.times.capacity() > 64 && self.times.len() < self.times.capacity() / 4 {
            self.times.shrink_to(self.times.len() * 2);
            self.ordinals.shrink_to(self.ordinals.len() * 2);
        }
    }

    fn within(
        &self,
        times: &RangeInclusive<i64>,
        front: Ordinal,
        window: &Range<usize>,
    ) -> Source<'_> {
        let before = |offset| self.ordinals.partition_point(|one| one.offset(front) < offset);
        let start = self.times.partition_point(|time| time < times.start());
        let end = self.times.partition_point(|time| time <= times.end());
        let (start, end) = (start.max(before(window.start)), end.min(before(window.end)));
        Source { range: start..end.max(start), places: Places::Run(&self.ordinals) }
    }
}

/// Records in a range of times, to be taken in the order of their places.
#[derive(Debug)]
pub(super) struct Timed<'a> {
    front: Ordinal,
    sources: Vec<Source<'a>>,
}

#[derive(Debug)]
struct Source<'a> {
    places: Places<'a>,
    range: Range<usize>,
}

#[derive(Debug)]
enum Places<'a> {
    Run(&'a VecDeque<Ordinal>),
    Strays(Vec<Ordinal>),
}

impl Timed<'_> {
    pub(super) fn len(&self) -> usize {
        self.sources.iter().map(|source| source.range.len()).sum()
    }

    /// The next place in this direction.
    pub(super) fn next(&mut self, order: Order) -> Option<usize> {
        let front = self.front;
        let ends = self
            .sources
            .iter_mut()
            .filter_map(|source| source.end(order).map(|ordinal| (ordinal.offset(front), source)));
        let (offset, source) = match order {
            Order::Asc => ends.min_by_key(|(offset, _)| *offset)?,
            Order::Desc => ends.max_by_key(|(offset, _)| *offset)?,
        };
        source.step(order);
        Some(offset)
    }
}

impl Source<'_> {
    fn end(&self, order: Order) -> Option<Ordinal> {
        let at = match order {
            Order::Asc => self.range.clone().next()?,
            Order::Desc => self.range.clone().next_back()?,
        };
        match &self.places {
            Places::Run(ordinals) => ordinals.get(at).copied(),
            Places::Strays(ordinals) => ordinals.get(at).copied(),
        }
    }

    fn step(&mut self, order: Order) {
        match order {
            Order::Asc => self.range.next(),
            Order::Desc => self.range.next_back(),
        };
    }
}
