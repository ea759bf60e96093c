//! What events come to: a table for people, rows by name for programs.

use foundation::events::{AggregateRow, Aggregated, By, Figure, PlaceTally, RowKind};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::table::{Align, wide_table};
use super::text::{counted, thousands};

/// A header, a row for each group and window, and what is not in them.
pub(crate) fn aggregated(answer: &Aggregated) -> Vec<String> {
    let mut lines = vec![header(answer)];
    if !answer.rows.is_empty() {
        lines.extend(rows(answer));
    }
    lines.extend(answer.places.iter().filter_map(place));
    lines
}

fn header(answer: &Aggregated) -> String {
    let mut header = counted(answer.events, "event");
    if let Some(time) = answer.time {
        header.push_str(&format!(" from {} to {}", time.start, time.end));
    }
    if answer.late > 0 {
        header.push_str(&format!(", {} late", thousands(answer.late)));
    }
    header
}

fn rows(answer: &Aggregated) -> Vec<String> {
    let has_windows = answer.rows.iter().any(|row| row.window.is_some());
    let has_names =
        answer.by.is_empty() && answer.rows.iter().any(|row| row.kind != RowKind::Group);
    let mut names = Vec::new();
    let mut columns = Vec::new();
    if has_windows {
        names.extend(["from".to_owned(), "to".to_owned()]);
        columns.extend([Align::Left; 2]);
    }
    names.extend(answer.by.iter().map(By::to_string));
    names.extend(has_names.then(String::new));
    columns.resize(names.len(), Align::Left);
    names.extend(answer.measures.iter().map(ToString::to_string));
    columns.resize(names.len(), Align::Right);
    let texts = answer.by.len().max(usize::from(has_names));
    let cells = |row: &AggregateRow| {
        let mut cells = Vec::with_capacity(columns.len());
        if has_windows {
            let time = |at: Option<_>| {
                at.map_or_else(|| "-".to_owned(), |at: foundation::Timestamp| at.to_string())
            };
            cells.push(time(row.window.map(|window| window.start)));
            cells.push(time(row.window.map(|window| window.end)));
        }
        cells.extend(group(row, texts));
        cells.extend(row.values.iter().map(|value| value.map_or_else(|| "-".to_owned(), figure)));
        cells
    };
    let mut table = vec![names];
    table.extend(answer.rows.iter().map(cells));
    wide_table(&columns, &table)
}

/// What the events of a row have in common, in this many cells.
fn group(row: &AggregateRow, cells: usize) -> Vec<String> {
    let mut group: Vec<String> = match row.kind {
        RowKind::Group => {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            row.group.iter().map(text).collect()
        }
        RowKind::Other => vec!["(other groups)".to_owned()],
        RowKind::Late => vec!["(late)".to_owned()],
    };
    group.resize(cells, String::new());
    group
}

/// What was found at a place where not every event has a number.
fn place(tally: &PlaceTally) -> Option<String> {
    let PlaceTally { place, numbers, missing, not_numbers } = tally;
    if *missing == 0 && *not_numbers == 0 {
        return None;
    }
    let place = By::Data(place.clone());
    let [missing, not_numbers] = [missing, not_numbers].map(|count| thousands(*count));
    Some(format!(
        "{place}: {}, missing {missing}, something else {not_numbers}",
        counted(*numbers, "number")
    ))
}

/// A number with about six digits that count.
fn figure(figure: Figure) -> String {
    let number = match figure {
        Figure::Count(count) => return thousands(count),
        Figure::Real(number) => number,
    };
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        return format!("{number:.5e}");
    }
    let digits_before = if magnitude < 1.0 { 0 } else { magnitude.log10().floor() as usize + 1 };
    let text = format!("{number:.*}", 6_usize.saturating_sub(digits_before));
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A row by itself: what it has in common and what it comes to, each under its name.
pub(crate) struct NamedRow<'a> {
    pub(crate) of: &'a Aggregated,
    pub(crate) row: &'a AggregateRow,
}

impl Serialize for NamedRow<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { of, row } = self;
        let mut map = out.serialize_map(None)?;
        if row.kind != RowKind::Group {
            map.serialize_entry("kind", &row.kind)?;
        }
        if let Some(window) = row.window {
            map.serialize_entry("from", &window.start)?;
            map.serialize_entry("to", &window.end)?;
        }
        for (by, text) in of.by.iter().zip(&row.group) {
            map.serialize_entry(&by.to_string(), text)?;
        }
        for (measure, value) in of.measures.iter().zip(&row.values) {
            map.serialize_entry(&measure.to_string(), value)?;
        }
        if row.not_numbers > 0 {
            map.serialize_entry("not_numbers", &row.not_numbers)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_say_something() {
        let shown = [0.0, 1.0, -2.5, 0.247_782_9, 1_234.567_89, 9_999_999.4, 1e300, -3.2e-9, 0.001]
            .map(|number| figure(Figure::Real(number)));
        assert_eq!(
            shown,
            [
                "0",
                "1",
                "-2.5",
                "0.247783",
                "1234.57",
                "9999999",
                "1.00000e300",
                "-3.20000e-9",
                "0.001"
            ]
        );
        assert_eq!(figure(Figure::Count(2_417)), "2,417");
    }
}
