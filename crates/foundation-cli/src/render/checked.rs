//! What a look at the history found: a line for each type and schema, and what cannot be read.

use foundation::events::{HistoryReport, HistoryRow};

use super::table::{Align, table};
use super::text::{counted, thousands};

pub(crate) fn history_checked(report: &HistoryReport) -> Vec<String> {
    if report.rows.is_empty() {
        return vec!["no events of these types".to_owned()];
    }
    let row = |row: &HistoryRow| {
        [
            row.kind.to_string(),
            format!("schema {}", row.schema),
            counted(row.events, "event"),
            match row.failures {
                0 => "all can be read".to_owned(),
                failures => format!("{} cannot be read", thousands(failures)),
            },
        ]
    };
    let rows: Vec<[String; 4]> = report.rows.iter().map(row).collect();
    let mut lines = table([Align::Left, Align::Left, Align::Right, Align::Left], &rows);
    for failure in report.rows.iter().flat_map(|row| &row.first) {
        lines.push(format!("position {}: {}", failure.position, failure.cause));
    }
    lines
}
