//! What the events of one row come to.

use foundation_types::event::Leaf;

use super::Place;
use super::sketch::Sketch;
use crate::telemetry::Extent;

/// What an event has at a place that a measure looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// A number.
    Number(f64),
    /// Nothing.
    Nothing,
    /// Something that is no number.
    NoNumber,
}

impl Found {
    pub(super) fn of(leaf: Leaf) -> Self {
        match (leaf.number(), leaf) {
            (Some(number), _) => Self::Number(number),
            (None, Leaf::Nothing) => Self::Nothing,
            (None, _) => Self::NoNumber,
        }
    }

    /// Where it is counted among numbers, nothing and no numbers.
    pub(super) fn column(self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Nothing => 1,
            Self::NoNumber => 2,
        }
    }
}

/// What the events of one row come to.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) count: u64,
    /// By place.
    pub(super) numbers: Vec<Numbers>,
    /// Places of events where something was that is no number.
    pub(super) not_numbers: u64,
    range: Option<(i64, i64)>,
}

/// The numbers at one place.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub(super) count: u64,
    pub(super) extent: Extent,
    /// Absent where no percentile is asked for.
    pub(super) sketch: Option<Sketch>,
}

impl Cell {
    pub(super) fn new(places: &[Place]) -> Self {
        let numbers = |place: &Place| Numbers {
            count: 0,
            extent: Extent::EMPTY,
            sketch: place.is_ranked.then(Sketch::default),
        };
        Self {
            count: 0,
            numbers: places.iter().map(numbers).collect(),
            not_numbers: 0,
            range: None,
        }
    }

    /// Counts an event; gives by how much more is kept.
    pub(super) fn add(&mut self, time: i64, found: &[Found]) -> isize {
        self.count += 1;
        self.stretch((time, time));
        let mut more = 0;
        for (numbers, found) in self.numbers.iter_mut().zip(found) {
            match found {
                Found::Number(number) => more += numbers.add(*number),
                Found::NoNumber => self.not_numbers += 1,
                Found::Nothing => {}
            }
        }
        more
    }

    /// Adds what another one was told of; gives by how much more is kept.
    pub(super) fn merge(&mut self, other: &Self) -> isize {
        self.count += other.count;
        self.not_numbers += other.not_numbers;
        if let Some(range) = other.range {
            self.stretch(range);
        }
        let before = self.kept();
        for (ours, theirs) in self.numbers.iter_mut().zip(&other.numbers) {
            ours.count += theirs.count;
            ours.extent = ours.extent.and(theirs.extent);
            if let (Some(ours), Some(theirs)) = (&mut ours.sketch, &theirs.sketch) {
                ours.merge(theirs);
            }
        }
        self.kept().cast_signed() - before.cast_signed()
    }

    /// Numbers and buckets that the percentiles keep.
    pub(super) fn kept(&self) -> usize {
        let sketches = self.numbers.iter().filter_map(|numbers| numbers.sketch.as_ref());
        sketches.map(Sketch::kept).sum()
    }

    /// Microseconds of the earliest and the latest event.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        self.range
    }

    fn stretch(&mut self, (first, last): (i64, i64)) {
        let (from, to) = self.range.unwrap_or((first, last));
        self.range = Some((from.min(first), to.max(last)));
    }
}

impl Numbers {
    /// Gives by how much more is kept.
    fn add(&mut self, number: f64) -> isize {
        self.count += 1;
        self.extent = self.extent.with(number);
        let Some(sketch) = &mut self.sketch else { return 0 };
        let before = sketch.kept();
        sketch.add(number);
        sketch.kept().cast_signed() - before.cast_signed()
    }
}
