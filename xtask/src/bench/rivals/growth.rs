//! `cargo xtask bench --growth`: what Foundation takes as its store grows, without the other engines.

use std::path::Path;

use super::report::{cell, grouped};
use super::targets::{OWN, ROWS};
use super::{Figures, compared, write_section};
use crate::bench::machine;

/// The section that this writes.
pub(super) const HEADING: &str = "## Growth";
/// Events of the stores.
const SIZES: [u64; 3] = [10_000, 1_000_000, 10_000_000];
/// What does not depend on how many events there are.
const SAME_AT_ANY_SIZE: &str = "append_";

/// Measures stores of each size, and writes the section; what stands behind are options of the comparison.
///
/// # Errors
/// What could not be run, read or written.
pub(in crate::bench) fn run(root: &Path, options: &[&str]) -> Result<(), String> {
    let mut columns = Vec::new();
    for engine in OWN {
        for events in SIZES {
            let events = events.to_string();
            let words = [&["--only", engine, "--rounds", "1", "--events", &events][..], options];
            columns.push((engine, compared(root, &words.concat())?));
        }
    }
    write_section(root, HEADING, &section(&columns, &machine()))
}

/// The section, from its heading on.
fn section(columns: &[(&str, Figures)], machine: &str) -> String {
    let mut text = format!(
        "{HEADING}\n\n\
         Written by `cargo xtask bench --growth` from one run with events of 200 bytes, on {machine}. Each engine\n\
         was measured once with each number of events: differences below a half are of the moment.\n\n| |"
    );
    for (engine, figures) in columns {
        text.push_str(&format!(" {engine}, {} |", grouped(figures.events)));
    }
    text.push_str(&format!("\n|---|{}", "---|".repeat(columns.len())));
    let rows = ROWS.iter().filter(|(metric, ..)| !metric.starts_with(SAME_AT_ANY_SIZE));
    for (metric, name, _) in rows {
        text.push_str(&format!("\n| {name} |"));
        for (engine, figures) in columns {
            text.push_str(&format!(" {} |", cell(figures.of(metric, engine))));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_a_column_and_what_does_not_grow_has_no_row() {
        let metric = ROWS.iter().find(|row| !row.0.starts_with(SAME_AT_ANY_SIZE)).expect("a row");
        let of = |events, value| Figures {
            events,
            rounds: 1,
            all: vec![(metric.0.to_owned(), OWN[0].to_owned(), value)],
        };
        let text =
            section(&[(OWN[0], of(10_000, 1.5)), (OWN[0], of(10_000_000, 3.0))], "a machine");
        assert!(
            text.contains("foundation-journal, 10,000 | foundation-journal, 10,000,000 |"),
            "{text}"
        );
        assert!(text.contains(&format!("| {} | 1.50 | 3.00 |", metric.1)), "{text}");
        assert!(!text.contains("append alone"), "{text}");
    }
}
