//! What went to the archive, what is there, and what came back.

use foundation::node::{ArchiveReport, ArchivedRow};

use super::table::{Align, table};
use super::text::{bytes, counted, thousands};

/// How many files of the log it is about.
pub(crate) fn segments(report: &ArchiveReport) -> String {
    counted(report.segments.len() as u64, "segment")
}

/// What went to the archive, or would.
pub(crate) fn archived(report: &ArchiveReport) -> String {
    let (what, records) = (segments(report), counted(report.records, "record"));
    let before = bytes(report.bytes);
    match report.applied {
        true if report.segments.is_empty() => "nothing goes to the archive now".to_owned(),
        true => format!("archived {what}, {records}: {before} are {} now", bytes(report.stored)),
        false => format!("would archive {what}, {records}, {before}"),
    }
}

/// What came back from there.
pub(crate) fn restored(report: &ArchiveReport) -> String {
    let (what, records) = (segments(report), counted(report.records, "record"));
    format!("brought back {what}, {records}, {}", bytes(report.bytes))
}

/// What is in the archive: one row a file.
pub(crate) fn archive(rows: &[ArchivedRow]) -> Vec<String> {
    let cells = |row: &ArchivedRow| {
        let recorded = row.last_recorded.map(|time| format!("up to {time}"));
        [
            row.name.clone(),
            format!("{} to {}", row.first, row.last),
            thousands(row.records),
            bytes(row.bytes),
            bytes(row.stored),
            recorded.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let right = Align::Right;
    table([Align::Left, Align::Left, right, right, right, Align::Left], &rows)
}
