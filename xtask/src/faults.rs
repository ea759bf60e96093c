//! `cargo xtask faults`: the fault runs, and `docs/reliability.md` out of what they print.
//!
//! Nobody types a figure: a run prints one line that begins with a number, and that line is the
//! row. A run that fails has no row, and the report is not written; one that cannot be done on
//! this machine is a row that says why.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::kernel::{self, Fault};
use crate::kill::{self, During};

/// Where the report goes.
const REPORT: &str = "docs/reliability.md";

/// One run of the fault matrix.
struct Run {
    fault: &'static str,
    package: &'static str,
    /// Environment of the run.
    variables: &'static [(&'static str, &'static str)],
    /// Words after `cargo`.
    words: &'static [&'static str],
    /// What the line with the figure has in it.
    line: &'static str,
}

const STORE: &str = "foundation-store";
const SERVICES: &str = "foundation-services";

const RUNS: &[Run] = &[
    Run {
        fault: "power cut at a random call to the disk: unsynced writes torn, reordered or gone",
        package: STORE,
        variables: &[("PROOF_LIVES", "3200")],
        words: &["power_fails", "--", "--nocapture"],
        line: "crash images:",
    },
    Run {
        fault: "any row of appends, reads, reopenings, power cuts, failing calls and full disks, against a model",
        package: STORE,
        variables: &[("PROOF_CASES", "20000")],
        words: &["any_row_of_operations", "--", "--nocapture"],
        line: "rows of operations",
    },
    Run {
        fault: "each call to the disk fails once",
        package: STORE,
        variables: &[],
        words: &["whichever_call_fails", "--", "--nocapture"],
        line: "calls failed once:",
    },
    Run {
        fault: "each bit of a small store flipped, after a clean close",
        package: STORE,
        variables: &[],
        words: &["every_flipped_bit", "--", "--nocapture"],
        line: "flipped bits refused",
    },
    Run {
        fault: "random bits of a store of several segments, after a clean close and after a crash",
        package: STORE,
        variables: &[("PROOF_FLIPS", "10000")],
        words: &["a_random_bit_of_a_store", "--", "--nocapture"],
        line: "random bits flipped (",
    },
    Run {
        fault: "random bits of a large store with segments of the default size",
        package: STORE,
        variables: &[("PROOF_LARGE_MIB", "100"), ("PROOF_LARGE_FLIPS", "1000")],
        words: &["a_random_bit_of_a_large_store", "--", "--nocapture"],
        line: "random bits flipped in a store",
    },
    Run {
        fault: "pages of 4 KiB and whole files damaged, missing, foreign or stale",
        package: STORE,
        variables: &[("PROOF_MUTATIONS", "2000")],
        words: &["pages_and_files", "--", "--nocapture"],
        line: "pages and files zeroed",
    },
    Run {
        fault: "random bits that flip under a store that is open",
        package: STORE,
        variables: &[("PROOF_FLIPS", "10000")],
        words: &["under_an_open_store", "--", "--nocapture"],
        line: "flipped under an open store",
    },
    Run {
        fault: "defects planted in the disk or in what a store gives out, to try the checkers themselves",
        package: STORE,
        variables: &[],
        words: &["planted_defects", "--", "--nocapture"],
        line: "planted bugs caught",
    },
    HISTORIES,
    Run {
        fault: "power cut at each call to the disk while a document is changed",
        package: SERVICES,
        variables: &[("PROOF_IMAGES", "16")],
        words: &["wherever_the_power", "--", "--nocapture"],
        line: "images of a document",
    },
];

/// Small histories of concurrent clients, against the model.
const HISTORIES: Run = Run {
    fault: "clients that read, change and follow one document at once, each history against a model",
    package: SERVICES,
    variables: &[("PROOF_HISTORIES", "10000")],
    words: &["every_history", "--", "--nocapture"],
    line: "histories,",
};

/// The runs on real file systems.
const REAL: [(Fault, &str); 3] = [
    (Fault::Power, "power cut on a real ext4 under a writer"),
    (Fault::Syncs, "a sync fails on a real ext4, and the next one would not"),
    (Fault::Full, "a real file system is full, then has space again, under one writer"),
];

/// Seed of the runs that are given one.
const SEED: u64 = 1;

/// The kills of a real node, and how many there are of each.
const KILLED: [(During, &str, u64); 2] = [
    (
        During::Load,
        "`kill -9` of a serving node during imports and updates, and of one whose configuration is at work",
        1_000,
    ),
    (
        During::Upkeep,
        "the same during snapshots, backups and retention, and during the start after it",
        200,
    ),
];

/// Runs the matrix and writes the report.
///
/// # Errors
/// The first run that failed, with the command that repeats it.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut rows = String::new();
    for run in RUNS {
        let (figure, seconds) = figure(root, run)?;
        println!("{}: {figure} ({seconds:.0} s)", run.fault);
        rows.push_str(&row(run.fault, &figure, &run.shown()));
    }
    for (fault, what) in REAL {
        let outcome = kernel::measure(root, fault, fault.cycles(), SEED)?;
        println!("{what}: {outcome}");
        let command = format!("cargo xtask {} --seed {SEED}", fault.word());
        rows.push_str(&row(what, &outcome.to_string(), &command));
    }
    for (during, what, cycles) in KILLED {
        let killed = kill::measure(root, during, cycles, SEED)?;
        println!("{what}: {killed}");
        let command = format!("cargo xtask {} --cycles {cycles} --seed {SEED}", during.word());
        rows.push_str(&row(what, &killed, &command));
    }
    let text = format!(
        "# Reliability\n\n\
         Written by `cargo xtask faults`; every figure is a line that the command beside it printed. In the rows with\n\
         `cargo test` the disk is simulated (`crates/foundation-store/tests/simulated.rs`); in those with `cargo xtask` the\n\
         kernel and its file systems are real. No claim is made about a device that lies. The tests take other seeds from\n\
         `PROOF_SEED`.\n\n\
         | fault | figure | command |\n|---|---|---|\n{rows}"
    );
    std::fs::write(root.join(REPORT), text)
        .map_err(|cause| format!("cannot write {REPORT}: {cause}"))
}

/// Runs the histories alone.
///
/// # Errors
/// The history that has no order, with the command that repeats it.
pub(crate) fn histories(root: &Path) -> Result<(), String> {
    let (figure, seconds) = figure(root, &HISTORIES)?;
    println!("{figure} ({seconds:.0} s)");
    Ok(())
}

/// A row of the report; a reason why there is no figure may hold any text.
fn row(fault: &str, figure: &str, command: &str) -> String {
    format!("| {fault} | {} | `{command}` |\n", figure.replace('|', "\\|"))
}

impl Run {
    /// Words after `cargo`.
    fn command(&self) -> Vec<&'static str> {
        let test = ["test", "--release", "-p", self.package, "--test", "all"];
        test.iter().chain(self.words).copied().collect()
    }

    fn shown(&self) -> String {
        let variables: String =
            self.variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        format!("{variables}cargo {}", self.command().join(" "))
    }
}

/// The line with the figure, and the seconds that the run took.
fn figure(root: &Path, run: &Run) -> Result<(String, f64), String> {
    let began = Instant::now();
    let mut command = Command::new("cargo");
    command.args(run.command()).current_dir(root).envs(run.variables.iter().copied());
    let output = command.output().map_err(|cause| format!("cannot run cargo: {cause}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = figure_line(&text, run.line).filter(|_| output.status.success());
    match found {
        Some(line) => Ok((line.to_owned(), began.elapsed().as_secs_f64())),
        None => Err(format!("{} failed:\n{text}\nto repeat it: {}", run.fault, run.shown())),
    }
}

/// The line that has a figure; a test's own name may stand in front of it.
fn figure_line<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.contains(part))?;
    Some(line.rsplit_once("... ").map_or(line, |(_, figure)| figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found_with_and_without_the_name_of_its_test() {
        let text = "running 1 test\ntest a::b ... 12 crash images: lost 0\nok\n";
        assert_eq!(figure_line(text, "crash images:"), Some("12 crash images: lost 0"));
        assert_eq!(figure_line("3 crash images: x\n", "crash images:"), Some("3 crash images: x"));
        assert_eq!(figure_line("nothing\n", "crash images:"), None);
    }

    #[test]
    fn a_reason_of_any_text_stays_in_its_cell() {
        let row = row("a fault", "skipped: a | b", "cargo xtask power");
        assert_eq!(row, "| a fault | skipped: a \\| b | `cargo xtask power` |\n");
    }
}
