//! Rows under one another, column by column.

use super::text::one_line;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Widest column, in characters; a longer cell pushes its own row only.
const COLUMN_MAX: usize = 60;

/// The rows as lines, two spaces between columns, none at the end.
pub(crate) fn table<const N: usize>(columns: [Align; N], rows: &[[String; N]]) -> Vec<String> {
    wide_table(&columns, rows)
}

/// The same where how many columns there are is known only now. A row has a cell for each.
pub(crate) fn wide_table<R: AsRef<[String]>>(columns: &[Align], rows: &[R]) -> Vec<String> {
    let shown = |row: &R| row.as_ref().iter().map(|cell| one_line(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        widths.filter(|width| *width <= COLUMN_MAX).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(columns).zip(&widths) {
            let room = " ".repeat(width.saturating_sub(cell.chars().count()));
            match align {
                Align::Left => line.extend([cell, room.as_str(), "  "]),
                Align::Right => line.extend([room.as_str(), cell, "  "]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_one_another() {
        let rows = [["a", "1", "x"], ["bcd", "1,000", ""]].map(|row| row.map(String::from));
        let lines = table([Align::Left, Align::Right, Align::Left], &rows);
        assert_eq!(lines, ["a        1  x", "bcd  1,000"]);
    }
}
