//! What many events come to, one event after the other, in bounded memory.
//!
//! An [`Aggregator`] is told of events and answers at any moment. Two that were told of different
//! events merge to what one that was told of all would be, up to the rounding of sums, as long as
//! no group had to share the row of others. With a [`Lateness`](foundation_types::event::Lateness)
//! this holds for events that follow each other in position, if the second began as
//! [`Aggregator::continued`] of the first.

mod answer;
mod cell;
mod groups;
mod sketch;
#[cfg(test)]
mod tests;
mod windows;

pub use answer::{AggregateRow, Aggregated, Figure, PlaceTally, RowKind, TimeSpan};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use foundation_types::event::{Aggregation, Fold, Late, Measure, Window};
use foundation_types::limits::{AGGREGATE_BUCKETS_MAX, AGGREGATE_ROWS_MAX};
use foundation_types::{Error, ErrorKind, Path, Recorded, Result};

use cell::{Cell, Found};
use groups::{Group, Groups};

/// Takes events one by one, and answers an [`Aggregation`] of those that it was told of.
///
/// ```
/// use foundation_logic::event::Aggregator;
/// use foundation_types::event::Aggregation;
/// let mut counted = Aggregator::new(Aggregation::count());
/// # let events: Vec<foundation_types::Recorded> = Vec::new();
/// for event in &events {
///     counted.add(event)?;
/// }
/// assert_eq!(counted.answer()?.events, 0);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Aggregator {
    asked: Aggregation,
    /// The places of the data that measures look at, each once.
    places: Vec<Place>,
    groups: Groups,
    /// What the events of a group come to in the window that begins at this microsecond.
    cells: BTreeMap<(Group, i64), Cell>,
    late: Cell,
    tally: Tally,
    /// Numbers and buckets that the percentiles of all cells keep.
    kept: usize,
}

/// A place of the data that measures look at.
#[derive(Clone, Debug)]
struct Place {
    path: Path,
    /// Whether a percentile of it is asked for.
    is_ranked: bool,
}

/// What all events that were told of come to, whatever their group and window.
#[derive(Clone, Debug, Default)]
struct Tally {
    events: u64,
    late: u64,
    /// Microseconds of the earliest and latest event that counted.
    range: Option<(i64, i64)>,
    /// Microsecond of the youngest event that was told of, here or in what this continues.
    youngest: Option<i64>,
    /// Numbers, nothing, and what is no number, by place.
    places: Vec<[u64; 3]>,
}

impl Aggregator {
    /// One that was told of nothing yet.
    #[must_use]
    pub fn new(asked: Aggregation) -> Self {
        let places = places_of(&asked.measures);
        let tally = Tally { places: vec![[0; 3]; places.len()], ..Tally::default() };
        Self {
            groups: Groups::default(),
            cells: BTreeMap::new(),
            late: Cell::new(&places),
            asked,
            places,
            tally,
            kept: 0,
        }
    }

    /// One that goes on where this one ends, and was told of nothing yet: what comes late is known
    /// from the events of both.
    #[must_use]
    pub fn continued(&self) -> Self {
        let mut next = Self::new(self.asked.clone());
        next.tally.youngest = self.tally.youngest;
        next
    }

    /// Counts one event more.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if that would make more rows than 20,000, or more numbers and
    /// buckets of percentiles than 2,000,000.
    pub fn add(&mut self, recorded: &Recorded) -> Result<()> {
        let time = recorded.event.time.unwrap_or(recorded.recorded).as_unix_micros();
        self.tally.events += 1;
        let is_late = self.is_late(time);
        self.tally.youngest = self.tally.youngest.max(Some(time));
        if is_late {
            self.tally.late += 1;
            if self.late_go() == Late::Drop {
                return Ok(());
            }
        }
        let found: Vec<Found> = self
            .places
            .iter()
            .map(|place| Found::of(recorded.event.data.leaf(&place.path)))
            .collect();
        for (place, found) in self.tally.places.iter_mut().zip(&found) {
            place[found.column()] += 1;
        }
        if is_late {
            self.kept = self.kept.saturating_add_signed(self.late.add(time, &found));
            return self.within();
        }
        let (from, to) = self.tally.range.unwrap_or((time, time));
        self.tally.range = Some((from.min(time), to.max(time)));
        let group = self.groups.of(&self.asked.by, recorded);
        self.count(group, time, &found)?;
        self.within()
    }

    /// Adds all that another one was told of.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it answers another aggregation; as [`Aggregator::add`].
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.asked != other.asked {
            let message = "what is merged answers another aggregation: merge parts of the same one";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.tally.merge(&other.tally);
        self.kept = self.kept.saturating_add_signed(self.late.merge(&other.late));
        for ((group, start), cell) in &other.cells {
            let group = self.groups.like(*group, &other.groups);
            match self.asked.window {
                Window::Session { gap_ms } => {
                    self.join_session(group, cell.clone(), micros(gap_ms))
                }
                _ => self.join(group, *start, cell),
            }
            self.within()?;
        }
        Ok(())
    }

    fn count(&mut self, group: Group, time: i64, found: &[Found]) -> Result<()> {
        if let Window::Session { gap_ms } = self.asked.window {
            let mut alone = Cell::new(&self.places);
            alone.add(time, found);
            self.join_session(group, alone, micros(gap_ms));
            return Ok(());
        }
        for start in windows::starts(self.asked.window, time) {
            let is_full = self.cells.len() >= AGGREGATE_ROWS_MAX;
            let cell = match self.cells.entry((group, start)) {
                Entry::Occupied(cell) => cell.into_mut(),
                Entry::Vacant(_) if is_full => return Err(too_many_rows()),
                Entry::Vacant(place) => place.insert(Cell::new(&self.places)),
            };
            self.kept = self.kept.saturating_add_signed(cell.add(time, found));
        }
        Ok(())
    }

    fn join(&mut self, group: Group, start: i64, theirs: &Cell) {
        let cell = self.cells.entry((group, start)).or_insert_with(|| Cell::new(&self.places));
        self.kept = self.kept.saturating_add_signed(cell.merge(theirs));
    }

    /// Joins a session with those of its group that no pause of `gap` lies between.
    fn join_session(&mut self, group: Group, mut session: Cell, gap: i64) {
        self.kept = self.kept.saturating_add(session.kept());
        let Some((mut first, mut last)) = session.range() else { return };
        loop {
            // A session that begins before may reach into this one; those of a group do not overlap.
            let near = (group, i64::MIN)..(group, last.saturating_add(gap));
            let near = self.cells.range(near).next_back();
            let Some((key, other)) = near.and_then(|(key, cell)| Some((*key, cell.range()?)))
            else {
                break;
            };
            if other.1 <= first.saturating_sub(gap) {
                break;
            }
            if let Some(cell) = self.cells.remove(&key) {
                self.kept = self.kept.saturating_add_signed(session.merge(&cell));
                self.kept = self.kept.saturating_sub(cell.kept());
            }
            (first, last) = (first.min(other.0), last.max(other.1));
        }
        self.cells.insert((group, first), session);
    }

    fn is_late(&self, time: i64) -> bool {
        self.asked.lateness.zip(self.tally.youngest).is_some_and(|(lateness, youngest)| {
            time < youngest.saturating_sub(micros(lateness.allowed_ms))
        })
    }

    fn late_go(&self) -> Late {
        self.asked.lateness.map(|lateness| lateness.late).unwrap_or_default()
    }

    fn within(&self) -> Result<()> {
        if self.cells.len() > AGGREGATE_ROWS_MAX {
            return Err(too_many_rows());
        }
        if self.kept > AGGREGATE_BUCKETS_MAX {
            let message = format!(
                "the percentiles need more than {AGGREGATE_BUCKETS_MAX} numbers and buckets: ask for \
                 fewer of them, longer windows or fewer groups"
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(())
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.late += other.late;
        self.youngest = self.youngest.max(other.youngest);
        self.range = match (self.range, other.range) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
        for (ours, theirs) in self.places.iter_mut().zip(&other.places) {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours += theirs;
            }
        }
    }
}

/// The places that the measures look at, each once.
fn places_of(measures: &[Measure]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for measure in measures {
        let Measure::Of(fold, path) = measure else { continue };
        let is_ranked = matches!(fold, Fold::Percentile(_));
        match places.iter_mut().find(|place| place.path == *path) {
            Some(place) => place.is_ranked |= is_ranked,
            None => places.push(Place { path: path.clone(), is_ranked }),
        }
    }
    places
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

fn too_many_rows() -> Error {
    let message = format!(
        "the answer has more than {AGGREGATE_ROWS_MAX} rows: ask for longer windows, a shorter range \
         of time or fewer groups"
    );
    Error::new(ErrorKind::TooLarge, message)
}
