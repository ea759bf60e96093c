//! `cargo xtask bench`: measures everything in one run and writes `docs/performance.md`.
//!
//! A figure counts beside the bare operation of the same run, not by itself: machines differ, and
//! so do their moments. With `--rivals` it measures, and writes the section about, Foundation on a
//! disk beside other engines; with `--growth` one about Foundation alone as its store grows.

mod rivals;
mod rows;
mod sections;
mod targets;

use std::path::Path;
use std::process::Command;

use rows::Row;
use targets::{SCALE_NS, SCALE_ROW, TARGETS, Target};

/// Where the report goes.
const REPORT: &str = "docs/performance.md";

/// Runs all benches and writes the report; or the comparison, with what follows `--rivals`.
///
/// # Errors
/// What could not be run, read or written.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    match words {
        [] => measure(root),
        ["--rivals", options @ ..] => rivals::run(root, options),
        ["--growth", options @ ..] => rivals::growth(root, options),
        [word, ..] => Err(format!("{word} is not known: there are --rivals and --growth")),
    }
}

fn measure(root: &Path) -> Result<(), String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), Into::into);
    let measured = target.join("criterion");
    // Rows of an earlier run would stand beside those of this one.
    let _ = std::fs::remove_dir_all(&measured);
    let status = Command::new("cargo")
        .args(["bench", "-p", "foundation-benches"])
        .current_dir(root)
        .status()
        .map_err(|cause| format!("cannot run cargo: {cause}"))?;
    if !status.success() {
        return Err(format!("the benches failed: {status}"));
    }
    let rows = rows::read(&measured)?;
    let before = std::fs::read_to_string(root.join(REPORT)).unwrap_or_default();
    let mut text = report(&rows, &machine());
    for heading in rivals::HEADINGS {
        if let Some(kept) = sections::section(&before, heading) {
            text = sections::with_section(&text, heading, kept);
        }
    }
    std::fs::write(root.join(REPORT), text)
        .map_err(|cause| format!("cannot write {REPORT}: {cause}"))?;
    println!("{} rows are in {REPORT}", rows.len());
    Ok(())
}

fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let version = rustc.map(|one| String::from_utf8_lossy(&one.stdout).trim().to_owned());
    format!("{cores} cores of {model}, {}", version.unwrap_or_default())
}

fn report(rows: &[Row], machine: &str) -> String {
    let mut text = format!(
        "# Performance\n\n\
         Written by `cargo xtask bench` from one run of all benches, on {machine}. Medians; where a row handles many\n\
         events at once, time for one of them. An absolute target was set on a machine on which `{SCALE_ROW}` takes\n\
         {SCALE_NS} ns, and is scaled by what that row takes in this run. Other load on the machine moves every row.\n\n\
         | row | median | target | |\n|---|---|---|---|\n"
    );
    for row in rows {
        let (target, verdict) = match TARGETS.iter().find(|(id, _)| *id == row.id) {
            Some((_, target)) => judged(row, *target, rows),
            None => (String::new(), ""),
        };
        text.push_str(&format!("| {} | {} | {target} | {verdict} |\n", row.id, shown(row.nanos)));
    }
    text
}

fn judged(row: &Row, target: Target, rows: &[Row]) -> (String, &'static str) {
    let of = |id: &str| rows.iter().find(|row| row.id == id).map(|row| row.nanos);
    let (limit, text) = match target {
        Target::Scaled(nanos) => {
            let Some(scale) = of(SCALE_ROW) else { return (String::new(), "") };
            let limit = nanos * scale / SCALE_NS;
            (limit, format!("≤ {} here ({})", shown(limit), shown(nanos)))
        }
        Target::Ratio(most, id) => {
            let Some(bare) = of(id) else { return (String::new(), "") };
            (bare * most, format!("≤ {most} × `{id}`, is {:.2} ×", row.nanos / bare))
        }
    };
    (text, if row.nanos <= limit { "met" } else { "**missed**" })
}

fn shown(nanos: f64) -> String {
    match nanos {
        ..100.0 => format!("{nanos:.1} ns"),
        ..10_000.0 => format!("{nanos:.0} ns"),
        ..10_000_000.0 => format!("{:.1} µs", nanos / 1e3),
        _ => format!("{:.1} ms", nanos / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_judged_by_the_same_run() {
        let row = |id: &str, nanos| Row { id: id.to_owned(), nanos };
        let rows = [
            row(SCALE_ROW, SCALE_NS / 2.0),
            row("Config.get / typed", SCALE_NS * 0.7),
            row("Config.update / durable", 130_000.0),
            row("Config.update / bare append and sync", 100_000.0),
            row("Events.store / memory", 200.0),
            row("without a target", 12_345.0),
        ];
        let text = report(&rows, "a machine");
        let line =
            |id: &str| text.lines().find(|line| line.starts_with(&format!("| {id}"))).unwrap_or("");
        assert!(line("Config.get / typed").contains("is 1.40 × | **missed**"), "{text}");
        assert!(line("Config.update / durable").contains("is 1.30 × | **missed**"), "{text}");
        assert!(line("Events.store / memory").contains("≤ 200 ns here (400 ns) | met"), "{text}");
        assert!(line("without a target").contains("| 12.3 µs |  |  |"), "{text}");
    }
}
