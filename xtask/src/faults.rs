//! `cargo xtask faults`: the fault runs, and `docs/reliability.md` out of what they print.
//!
//! Nobody types a figure: a run prints one line that begins with a number, and that line is the
//! row. A run that fails has no row, and the report is not written.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::kill;

/// Where the report goes.
const REPORT: &str = "docs/reliability.md";

/// One run of the fault matrix.
struct Run {
    fault: &'static str,
    /// Environment of the run.
    variable: Option<(&'static str, &'static str)>,
    /// Words after `cargo`.
    words: &'static [&'static str],
    /// What the line with the figure has in it.
    line: &'static str,
}

const STORE: [&str; 6] = ["test", "--release", "-p", "foundation-store", "--test", "all"];

const RUNS: &[Run] = &[
    Run {
        fault: "power cut at a random call to the disk: unsynced writes torn, reordered or gone",
        variable: Some(("FOUNDATION_LIVES", "3200")),
        words: &["power_fails", "--", "--nocapture"],
        line: "crash images:",
    },
    Run {
        fault: "each call to the disk fails once",
        variable: None,
        words: &["whichever_call_fails", "--", "--nocapture"],
        line: "calls failed once:",
    },
    Run {
        fault: "each bit of a small store flipped, after a clean close",
        variable: None,
        words: &["every_flipped_bit", "--", "--nocapture"],
        line: "flipped bits refused",
    },
];

/// Kills of a real node in the report.
const KILLS: u64 = 200;

/// Runs the matrix and writes the report.
///
/// # Errors
/// The first run that failed, with the command that repeats it.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut rows = String::new();
    for run in RUNS {
        let (figure, seconds) = figure(root, run)?;
        println!("{}: {figure} ({seconds:.0} s)", run.fault);
        rows.push_str(&format!("| {} | {figure} | `{}` |\n", run.fault, run.shown()));
    }
    let killed = kill::measure(root, KILLS, KILLS)?;
    println!("{killed}");
    rows.push_str(&format!(
        "| `kill -9` of a serving node during imports and updates | {killed} | `cargo xtask kill --cycles {KILLS}` |\n"
    ));
    let text = format!(
        "# Reliability\n\n\
         Written by `cargo xtask faults`; every figure is a line that the command beside it printed. The disk of the first\n\
         rows is simulated (`crates/foundation-store/tests/simulated.rs`); no claim is made about a device that lies.\n\n\
         | fault | figure | command |\n|---|---|---|\n{rows}"
    );
    std::fs::write(root.join(REPORT), text)
        .map_err(|cause| format!("cannot write {REPORT}: {cause}"))
}

impl Run {
    fn shown(&self) -> String {
        let variable =
            self.variable.map(|(name, value)| format!("{name}={value} ")).unwrap_or_default();
        format!("{variable}cargo {} {}", STORE.join(" "), self.words.join(" "))
    }
}

/// The line with the figure, and the seconds that the run took.
fn figure(root: &Path, run: &Run) -> Result<(String, f64), String> {
    let began = Instant::now();
    let mut command = Command::new("cargo");
    command.args(STORE).args(run.words).current_dir(root).envs(run.variable);
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
}
