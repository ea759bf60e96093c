//! The answer to an aggregation, as data.

use std::cmp::Ordering;

use foundation_types::event::{Aggregation, By, Fold, Measure, Window};
use foundation_types::limits::ANSWER_BYTES_MAX;
use foundation_types::{Error, ErrorKind, Path, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::cell::{Cell, Numbers};
use super::{Aggregator, Group, windows};

/// What events come to, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregated {
    /// What is in `values` of each row.
    pub measures: Vec<Measure>,
    /// What is in `group` of each row.
    pub by: Vec<By>,
    /// Events that were looked at.
    pub events: u64,
    /// From the earliest to the latest of those that are in a row; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeSpan>,
    /// Events that came too late.
    pub late: u64,
    /// What the measures found at each place of the data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceTally>,
    /// The rows by window; without windows the largest first. What others share comes after the
    /// groups of its window, and what came too late at the end.
    pub rows: Vec<AggregateRow>,
}

/// From one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// The first moment.
    pub start: Timestamp,
    /// The end: of a window the first moment that is not in it, of a session and of what was seen
    /// the last one that is.
    pub end: Timestamp,
}

/// How often there was a number at a place of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceTally {
    /// The place.
    pub place: Path,
    /// Events with a finite number there, also one that is written as text.
    pub numbers: u64,
    /// Events with nothing there.
    pub missing: u64,
    /// Events with something else there.
    pub not_numbers: u64,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AggregateRow {
    /// What it stands for.
    #[serde(default, skip_serializing_if = "RowKind::is_group")]
    pub kind: RowKind,
    /// The window, where time is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<TimeSpan>,
    /// What its events have in common, in the order of [`Aggregated::by`]: nothing where they have
    /// nothing there. Empty for a row that is no group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<Option<String>>,
    /// Its events.
    pub events: u64,
    /// How often its events have something at a measured place that is no number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_numbers: u64,
    /// What it comes to, in the order of [`Aggregated::measures`]; nothing where there are no
    /// numbers, or no time for a rate.
    pub values: Vec<Option<Figure>>,
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Events that have something in common.
    #[default]
    Group,
    /// The groups beyond the limit.
    Other,
    /// Events that came too late.
    Late,
}

/// A number of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// A number of events.
    Count(u64),
    /// Anything else.
    Real(f64),
}

impl RowKind {
    fn is_group(&self) -> bool {
        *self == Self::Group
    }
}

impl Aggregator {
    /// What the events so far come to.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if the text of the rows has more than 16 MiB.
    pub fn answer(&self) -> Result<Aggregated> {
        let mut rows = Vec::with_capacity(self.cells.len() + 1);
        let mut bytes = 0;
        for ((group, start), cell) in &self.cells {
            let row = self.row(*group, *start, cell);
            bytes += row_bytes(&row);
            if bytes > ANSWER_BYTES_MAX {
                return Err(too_large());
            }
            rows.push(row);
        }
        rows.sort_by(order);
        if self.late.count > 0 {
            let values = self.values(&self.late, self.late.range());
            rows.push(AggregateRow { kind: RowKind::Late, ..row_of(&self.late, values) });
        }
        let places = self.places.iter().zip(&self.tally.places);
        let Aggregation { measures, by, .. } = self.asked.clone();
        Ok(Aggregated {
            measures,
            by,
            events: self.tally.events,
            time: self.tally.range.map(span),
            late: self.tally.late,
            places: places
                .map(|(place, [numbers, missing, not_numbers])| PlaceTally {
                    place: place.path.clone(),
                    numbers: *numbers,
                    missing: *missing,
                    not_numbers: *not_numbers,
                })
                .collect(),
            rows,
        })
    }

    fn row(&self, group: Group, start: i64, cell: &Cell) -> AggregateRow {
        let window = match self.asked.window {
            Window::None => None,
            Window::Session { .. } => cell.range(),
            window => windows::size(window).map(|size| (start, start.saturating_add(size))),
        };
        let texts = self.groups.texts(group);
        AggregateRow {
            kind: if texts.is_some() { RowKind::Group } else { RowKind::Other },
            window: window.map(span),
            group: texts.unwrap_or_default().to_vec(),
            ..row_of(cell, self.values(cell, window.or(self.tally.range)))
        }
    }

    fn values(&self, cell: &Cell, time: Option<(i64, i64)>) -> Vec<Option<Figure>> {
        let seconds = time.map_or(0.0, |(from, to)| to.saturating_sub(from) as f64 / 1e6);
        let value = |measure: &Measure| match measure {
            Measure::Count => Some(Figure::Count(cell.count)),
            Measure::Rate => (seconds > 0.0).then(|| Figure::Real(cell.count as f64 / seconds)),
            Measure::Of(fold, path) => {
                let at = self.places.iter().position(|place| place.path == *path)?;
                of_numbers(*fold, cell.numbers.get(at)?).map(Figure::Real)
            }
        };
        self.asked.measures.iter().map(value).collect()
    }
}

/// What the numbers come to; `None` if there are none.
fn of_numbers(fold: Fold, numbers: &Numbers) -> Option<f64> {
    if numbers.count == 0 {
        return None;
    }
    let extent = numbers.extent;
    Some(match fold {
        Fold::Sum => extent.sum,
        Fold::Min => extent.min,
        Fold::Max => extent.max,
        Fold::Mean => (extent.sum / numbers.count as f64).clamp(extent.min, extent.max),
        Fold::Percentile(share) => {
            numbers.sketch.as_ref()?.at(share)?.clamp(extent.min, extent.max)
        }
    })
}

fn row_of(cell: &Cell, values: Vec<Option<Figure>>) -> AggregateRow {
    AggregateRow {
        kind: RowKind::Group,
        window: None,
        group: Vec::new(),
        events: cell.count,
        not_numbers: cell.not_numbers,
        values,
    }
}

/// By window, then groups before others, then the largest first, then by name.
fn order(one: &AggregateRow, other: &AggregateRow) -> Ordering {
    let start = |row: &AggregateRow| row.window.map(|window| window.start);
    let by_window = start(one).cmp(&start(other)).then(one.kind.cmp(&other.kind));
    by_window.then(other.events.cmp(&one.events)).then_with(|| one.group.cmp(&other.group))
}

fn span((start, end): (i64, i64)) -> TimeSpan {
    TimeSpan { start: Timestamp::from_unix_micros(start), end: Timestamp::from_unix_micros(end) }
}

/// About what a row takes as JSON.
fn row_bytes(row: &AggregateRow) -> usize {
    let texts = row.group.iter().flatten();
    let chars = texts.flat_map(|text| text.chars());
    let text: usize = chars.map(|c| if c.is_control() { 6 } else { c.len_utf8() }).sum();
    text + 8 * row.group.len() + 20 * row.values.len() + 128
}

fn too_large() -> Error {
    let message = format!(
        "the rows have more than {ANSWER_BYTES_MAX} bytes: ask for longer windows or fewer groups"
    );
    Error::new(ErrorKind::TooLarge, message)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
