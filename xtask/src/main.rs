//! The repository's own commands: `cargo xtask` with `tidy`, `test`, `bench`, `fuzz`,
//! `faults`, `histories`, `kill`, `upkeep`, `power`, `syncs` or `full`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to people at a terminal")]

mod bench;
mod faults;
mod fuzz;
mod kernel;
mod kill;
mod steps;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use kernel::Fault;
use kill::During;

const USAGE: &str = "usage: cargo xtask COMMAND

  tidy   the repository's own checks: layers, purity, sizes, names, ...
  test   everything that has to be green: format, lints, tidy, tests, documentation, user programs
  bench  measures everything in one run and writes docs/performance.md; with --rivals [--events N]
         [--rounds N] [--dir FOLDER] the section about other engines, which benches/compare measures;
         with --growth [--dir FOLDER] the one about stores of ten thousand, a million and ten million
  fuzz   what reads bytes is fuzzed: [TARGET] [--seconds N] [--if-installed]
  faults the fault runs; writes docs/reliability.md
  histories  10,000 histories of concurrent clients of a document, each against a model
  kill   a real node is killed at random moments under load: [--cycles N] [--seed N]
  upkeep the same during snapshots, backups and retention, and during the next start: [--cycles N] [--seed N]
  power  the power of a real ext4 is cut under a writer: [--cycles N] [--seed N]
  syncs  a sync fails on a real ext4, and the next one would not: [--cycles N] [--seed N]
  full   a real file system has no space, then some again: [--cycles N] [--seed N]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy::run(&root()),
        ["test"] => steps::run(&root()),
        ["histories"] => faults::histories(&root()),
        ["faults"] => faults::run(&root()),
        ["bench", rest @ ..] => bench::run(&root(), rest),
        ["fuzz", rest @ ..] => fuzz::run(&root(), rest),
        ["kill", rest @ ..] => kill::run(&root(), During::Load, rest),
        ["upkeep", rest @ ..] => kill::run(&root(), During::Upkeep, rest),
        ["power", rest @ ..] => kernel::run(&root(), Fault::Power, rest),
        ["syncs", rest @ ..] => kernel::run(&root(), Fault::Syncs, rest),
        ["full", rest @ ..] => kernel::run(&root(), Fault::Full, rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// How many cycles, and their seed, as the words behind a command say.
fn cycles(command: &str, default: u64, words: &[&str]) -> Result<(u64, u64), String> {
    let (mut cycles, mut seed) = (default, u64::from(std::process::id()));
    for pair in words.chunks(2) {
        match pair {
            ["--cycles", number] => cycles = number.parse().map_err(|_| "--cycles N")?,
            ["--seed", number] => seed = number.parse().map_err(|_| "--seed N")?,
            _ => return Err(format!("usage: cargo xtask {command} [--cycles N] [--seed N]")),
        }
    }
    Ok((cycles, seed))
}

/// The folder of the workspace: cargo names the folder of this package when it runs it.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    package.parent().map(PathBuf::from).unwrap_or_default()
}
