//! `cargo xtask bench --rivals`: Foundation on a disk beside other engines, in one run.
//!
//! The rivals are a package of their own, `benches/compare`, so that nobody else builds them.

mod growth;
mod report;
mod targets;

use std::path::Path;
use std::process::{Command, Stdio};

use super::sections::with_section;
use super::{REPORT, machine};

pub(super) use growth::run as growth;

/// The sections that are written here; `cargo xtask bench` leaves them as they are.
pub(super) const HEADINGS: [&str; 2] = [HEADING, growth::HEADING];
const HEADING: &str = "## Durable, beside other engines";
const PACKAGE: &str = "benches/compare/Cargo.toml";

/// What the package told.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    events: u64,
    rounds: u64,
    /// Metric, engine, value.
    all: Vec<(String, String, f64)>,
}

impl Figures {
    fn read(output: &str) -> Result<Self, String> {
        let mut figures = Self::default();
        for line in output.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                ["about", "events", events] => {
                    figures.events = events.parse().map_err(|cause| format!("{line}: {cause}"))?;
                }
                ["about", "rounds", rounds] => {
                    figures.rounds = rounds.parse().map_err(|cause| format!("{line}: {cause}"))?;
                }
                ["figure", metric, engine, value] => {
                    let value = value.parse().map_err(|cause| format!("{line}: {cause}"))?;
                    figures.all.push(((*metric).to_owned(), (*engine).to_owned(), value));
                }
                // The table for people.
                _ => {}
            }
        }
        if figures.events == 0 || figures.all.is_empty() {
            return Err("the comparison told no figures".to_owned());
        }
        Ok(figures)
    }

    fn of(&self, metric: &str, engine: &str) -> Option<f64> {
        let here = |one: &&(String, String, f64)| one.0 == metric && one.1 == engine;
        self.all.iter().find(here).map(|one| one.2)
    }
}

/// Runs the comparison with these options and writes its section of the report.
///
/// # Errors
/// What could not be run, read or written.
pub(super) fn run(root: &Path, options: &[&str]) -> Result<(), String> {
    let section = report::section(&compared(root, options)?, &machine());
    write_section(root, HEADING, &section)
}

/// What the comparison tells with these options.
fn compared(root: &Path, options: &[&str]) -> Result<Figures, String> {
    let output = Command::new("cargo")
        .args(["run", "--release", "--manifest-path", PACKAGE, "--"])
        .args(options)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| format!("cannot run cargo: {cause}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    if !output.status.success() {
        return Err(format!("the comparison failed: {}", output.status));
    }
    Figures::read(&text)
}

fn write_section(root: &Path, heading: &str, section: &str) -> Result<(), String> {
    let path = root.join(REPORT);
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, with_section(&before, heading, section))
        .map_err(|cause| format!("cannot write {REPORT}: {cause}"))?;
    println!("the section is in {REPORT}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_the_table_for_people_is_not() {
        let text = "about\tevents\t2000\nfigure\tbulk_per_s\tredb\t1.5\n   redb  1.5\n";
        let figures = Figures::read(text).expect("figures");
        assert_eq!((figures.events, figures.of("bulk_per_s", "redb")), (2000, Some(1.5)));
        assert_eq!(figures.of("bulk_per_s", "fjall"), None);
        assert!(Figures::read("nothing").is_err());
    }
}
