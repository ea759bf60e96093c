//! Where the answers to a query may be: the cheapest way to them, and the cursor along it.

use std::ops::{Range, RangeInclusive};
use std::vec::IntoIter;

use foundation_types::{EventQuery, Order, Result};

use super::blocks::BlockTable;
use super::page::Reading;
use super::postings::{List, ListCursor};
use super::terms::Lead;
use super::{Candidate, Grain, SegmentIndex, Term};
use crate::journal::looked::Way as By;

/// What it costs to look at a frame alone, in frames that are read one after the other.
const FRAME_COST: u64 = 8;
/// Frames between two that are read at once, and are not looked at, that cost as much as one that is.
const FRAMES_PASSED: u64 = 4;
/// Frames that are collected at once to bring them into the order of their places.
const COLLECTED_MAX: u64 = 16_384;
/// Blocks that one stretch may join: one at first, since a few answers may be enough, then more.
const STRETCH_BLOCKS_MAX: u32 = 64;

/// Frames that are read at once: one at first, as for blocks.
const RUN_FRAMES_MAX: usize = 64;
/// How far apart they may lie: to read what is between is as cheap as another read.
const RUN_GAP_MAX: u32 = 8 * 1024;

/// Candidates in the order of their query, found as they are asked for.
pub(in crate::journal::embedded) struct Candidates<'a> {
    reading: Reading<'a>,
    order: Order,
    by: By,
    way: Way<'a>,
    /// What turns postings into places, if they are numbers of stretches.
    stretches: Option<Stretches<'a>>,
    /// Found, and not near to those before it.
    apart: Option<u32>,
    /// Frames that the next candidate may join.
    run_max: usize,
}

/// The blocks that postings name, and the window that is asked for.
struct Stretches<'a> {
    table: BlockTable<'a>,
    window: Range<u64>,
}

enum Way<'a> {
    Nothing,
    /// Postings that were collected, ascending.
    Collected(IntoIter<u32>),
    Listed(ListCursor),
    Blocks(Blocks<'a>),
}

impl<'a> Candidates<'a> {
    pub(super) fn find(
        index: &'a SegmentIndex,
        query: &EventQuery,
        window: Range<u64>,
    ) -> Result<Self> {
        let mut reading = Reading::new(&index.pages);
        let stretches = (index.grain() == Grain::Stretches)
            .then(|| Stretches { table: index.block_table(), window: window.clone() });
        let (way, by) = Way::cheapest(index, &mut reading, query, window)?;
        let order = query.order;
        Ok(Self { reading, order, by, way, stretches, apart: None, run_max: 1 })
    }

    /// Which index leads to them, if one does.
    pub(in crate::journal::embedded) fn by(&self) -> By {
        self.by
    }

    /// The next one.
    ///
    /// # Errors
    /// `Corruption` if a page is not what was written, `Disk` if it cannot be read.
    pub(in crate::journal::embedded) fn next(&mut self) -> Result<Option<Candidate>> {
        if let Way::Blocks(blocks) = &mut self.way {
            let stretch = blocks.next(&mut self.reading, self.order)?;
            return Ok(stretch.map(Candidate::Stretch));
        }
        let first = match self.apart.take() {
            Some(apart) => Some(apart),
            None => self.posting()?,
        };
        let Some(mut last) = first else { return Ok(None) };
        if let Some(Stretches { table, window }) = &self.stretches {
            let stretch = table.numbered(&mut self.reading, last)?;
            return Ok(Some(Candidate::Stretch(inside(stretch, window))));
        }
        let mut run = vec![u64::from(last)];
        while run.len() < self.run_max {
            match self.posting()? {
                Some(frame) if frame.abs_diff(last) <= RUN_GAP_MAX => {
                    run.push(frame.into());
                    last = frame;
                }
                apart => {
                    self.apart = apart;
                    break;
                }
            }
        }
        self.run_max = (self.run_max * 2).min(RUN_FRAMES_MAX);
        if self.order == Order::Desc {
            run.reverse();
        }
        Ok(Some(Candidate::Frames(run)))
    }

    /// The next posting alone.
    fn posting(&mut self) -> Result<Option<u32>> {
        match (&mut self.way, self.order) {
            (Way::Nothing | Way::Blocks(_), _) => Ok(None),
            (Way::Collected(places), Order::Asc) => Ok(places.next()),
            (Way::Collected(places), Order::Desc) => Ok(places.next_back()),
            (Way::Listed(cursor), order) => cursor.next(&mut self.reading, order),
        }
    }
}

impl<'a> Way<'a> {
    fn cheapest(
        index: &'a SegmentIndex,
        reading: &mut Reading<'a>,
        query: &EventQuery,
        window: Range<u64>,
    ) -> Result<(Self, By)> {
        let nothing = Ok((Self::Nothing, By::Reading));
        let times = time_range(query);
        let elsewhere = times.as_ref().is_some_and(|times| index.has_none_in(times));
        let window = window.start..window.end.min(index.summary().end.offset);
        if window.is_empty() || elsewhere {
            return nothing;
        }
        let table = index.block_table();
        let mut range = table.within(reading, &window)?;
        if let Some(times) = &times {
            narrow(&table, reading, &mut range, times)?;
        }
        let Some(last) = range.clone().next_back() else { return nothing };
        let start = table.stretch(reading, range.start)?.start.max(window.start);
        let window = start..table.stretch(reading, last)?.end.min(window.end);
        let records = index.summary().records;
        let mut cost = table.record(reading, range.end, records)?.saturating_sub(table.record(
            reading,
            range.start,
            records,
        )?);
        let (all, blocks) = (cost, (range.end - range.start).max(1));
        let places = match index.grain() {
            Grain::Frames => window.clone(),
            Grain::Stretches => range.start + 1..range.end + 1,
        };
        let place_cost = |found: u64| match index.grain() {
            Grain::Frames => (1 + all / found.max(1) / FRAMES_PASSED).min(FRAME_COST),
            Grain::Stretches => all / blocks,
        };
        let blocks = Blocks::new(table, range, window.clone(), times.clone());
        let mut best = (Self::Blocks(blocks), By::Reading);
        for (by, leads) in asked_for(index, reading, query)? {
            if leads.is_empty() {
                return nothing;
            }
            let found = Found::of(index, reading, leads, &places)?;
            let found_cost = found.len().saturating_mul(place_cost(found.len()));
            if found_cost < cost {
                (best, cost) = ((found.into_way(index, reading, &places)?, by), found_cost);
            }
        }
        if let (Some(times), Some(list)) = (times, index.time_list()) {
            let count = list.count(reading, &times)?;
            if count <= COLLECTED_MAX && count.saturating_mul(FRAME_COST) < cost {
                let frames = list.collect(reading, &times, &window)?;
                best = (Self::Collected(frames.into_iter()), By::Time);
            }
        }
        Ok(best)
    }
}

/// Drops the blocks before the first and behind the last one with such times.
fn narrow(
    table: &BlockTable<'_>,
    reading: &mut Reading<'_>,
    range: &mut Range<u64>,
    times: &RangeInclusive<i64>,
) -> Result<()> {
    let Some(first) = table.next(reading, &mut range.clone(), Some(times))? else {
        range.end = range.start;
        return Ok(());
    };
    let last = table.next_back(reading, &mut range.clone(), Some(times))?.unwrap_or(first);
    *range = first..last + 1;
    Ok(())
}

/// The terms that a query asks for, all of them, save its types: those with the fewest records
/// first.
pub(super) fn terms(query: &EventQuery) -> impl Iterator<Item = Term<'_>> {
    let parent = query.parent_id.as_ref().map(|id| Term::Parent(id.as_str().as_bytes()));
    let correlation =
        query.correlation_id.as_ref().map(|id| Term::Correlation(id.as_str().as_bytes()));
    let stream = query.stream.as_ref().map(|name| Term::Stream(name.as_str().as_bytes()));
    let tags = query.tags.iter().map(|tag| Term::Tag(tag.as_str().as_bytes()));
    [parent, correlation].into_iter().flatten().chain(tags).chain(stream)
}

/// What leads on from each term that a query asks for, and from its types together.
fn asked_for(
    index: &SegmentIndex,
    reading: &mut Reading<'_>,
    query: &EventQuery,
) -> Result<Vec<(By, Vec<Lead>)>> {
    let mut asked = Vec::new();
    for term in terms(query) {
        let by = match term {
            Term::Correlation(_) => By::Correlation,
            Term::Parent(_) => By::Parent,
            Term::Tag(_) => By::Tag,
            Term::Stream(_) => By::Stream,
            Term::Type(_) | Term::Id(_) => By::Type,
        };
        asked.push((by, index.leads(reading, term)?));
    }
    if !query.types.is_empty() {
        asked.push((By::Type, index.type_leads(reading, &query.types)?));
    }
    Ok(asked)
}

/// The postings in a window that may have a term.
enum Found {
    Listed(List, Range<u64>),
    /// Of several types, or of the rare hashes that several terms share; or a frame alone.
    Several(Vec<Lead>, u64),
}

impl Found {
    fn of(
        index: &SegmentIndex,
        reading: &mut Reading<'_>,
        leads: Vec<Lead>,
        window: &Range<u64>,
    ) -> Result<Self> {
        let lists = index.sections().lists;
        if let [Lead::List(address)] = leads.as_slice() {
            let list = List::read(reading, &lists, *address)?;
            return Ok(Self::Listed(list, list.within(reading, window)?));
        }
        let mut count = 0_u64;
        for lead in &leads {
            count += match lead {
                Lead::Frame(frame) => u64::from(window.contains(&u64::from(*frame))),
                Lead::Name(_) => 0,
                Lead::List(address) => {
                    let range = List::read(reading, &lists, *address)?.within(reading, window)?;
                    range.end.saturating_sub(range.start)
                }
            };
        }
        Ok(Self::Several(leads, count))
    }

    fn len(&self) -> u64 {
        match self {
            Self::Listed(_, range) => range.end.saturating_sub(range.start),
            Self::Several(_, count) => *count,
        }
    }

    fn into_way<'a>(
        self,
        index: &SegmentIndex,
        reading: &mut Reading<'_>,
        window: &Range<u64>,
    ) -> Result<Way<'a>> {
        let leads = match self {
            Self::Listed(list, range) => return Ok(Way::Listed(ListCursor::new(list, range))),
            Self::Several(leads, _) => leads,
        };
        let mut places = Vec::new();
        for lead in leads {
            index.places(reading, lead, window, &mut places)?;
        }
        places.sort_unstable();
        places.dedup();
        Ok(Way::Collected(places.into_iter()))
    }
}

/// Blocks that are still to be looked at, joined to stretches.
struct Blocks<'a> {
    table: BlockTable<'a>,
    range: Range<u64>,
    window: Range<u64>,
    times: Option<RangeInclusive<i64>>,
    /// Found, and not next to those before it.
    apart: Option<Range<u64>>,
    /// Blocks that the next stretch may join.
    joined_max: u32,
}

impl<'a> Blocks<'a> {
    fn new(
        table: BlockTable<'a>,
        range: Range<u64>,
        window: Range<u64>,
        times: Option<RangeInclusive<i64>>,
    ) -> Self {
        Self { table, range, window, times, apart: None, joined_max: 1 }
    }

    fn next(&mut self, reading: &mut Reading<'_>, order: Order) -> Result<Option<Range<u64>>> {
        let first = match self.apart.take() {
            Some(apart) => Some(apart),
            None => self.block(reading, order)?,
        };
        let Some(mut stretch) = first else { return Ok(None) };
        for _ in 1..self.joined_max {
            match self.block(reading, order)? {
                Some(block) if block.start == stretch.end => stretch.end = block.end,
                Some(block) if block.end == stretch.start => stretch.start = block.start,
                apart => {
                    self.apart = apart;
                    break;
                }
            }
        }
        self.joined_max = (self.joined_max * 2).min(STRETCH_BLOCKS_MAX);
        Ok(Some(stretch))
    }

    /// The part in the window of the next block.
    fn block(&mut self, reading: &mut Reading<'_>, order: Order) -> Result<Option<Range<u64>>> {
        let times = self.times.as_ref();
        let at = match order {
            Order::Asc => self.table.next(reading, &mut self.range, times)?,
            Order::Desc => self.table.next_back(reading, &mut self.range, times)?,
        };
        let Some(at) = at else { return Ok(None) };
        Ok(Some(inside(self.table.stretch(reading, at)?, &self.window)))
    }
}

/// The part of a stretch that is in a window.
fn inside(stretch: Range<u64>, window: &Range<u64>) -> Range<u64> {
    let start = stretch.start.max(window.start);
    start..stretch.end.min(window.end).max(start)
}

/// The microseconds that the query's times lie in; both ends belong to them, since a time that is
/// before `until` may lie in the same microsecond.
pub(super) fn time_range(query: &EventQuery) -> Option<RangeInclusive<i64>> {
    if query.since.is_none() && query.until.is_none() {
        return None;
    }
    let since = query.since.map_or(i64::MIN, |time| time.as_unix_micros());
    let until = query.until.map_or(i64::MAX, |time| time.as_unix_micros());
    Some(since..=until)
}
