//! `cargo xtask power`, `syncs` and `full`: a real store on a real file system whose power is cut,
//! whose syncs fail, or whose space runs out.
//!
//! The file systems are images in a folder of their own, mounted through loop devices: without
//! root and the tools for that a run is skipped, and says so. Each run has a mount table of its
//! own, so that nothing stays mounted, however it ends.

mod cuts;
mod ledger;
mod oracle;
mod space;
mod syncs;
mod volume;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ledger::Ledger;

/// One of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Power,
    Syncs,
    Full,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The line with the figure.
    Figure(String),
    /// Why there is none here.
    Skipped(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Figure(line) => f.write_str(line),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

impl Fault {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Syncs => "syncs",
            Self::Full => "full",
        }
    }

    /// Cycles if none are asked for.
    pub(crate) fn cycles(self) -> u64 {
        match self {
            Self::Power => 200,
            Self::Syncs => 50,
            Self::Full => 100,
        }
    }
}

/// Runs it as often as the words say.
///
/// # Errors
/// As [`measure`], or how the words should be.
pub(crate) fn run(root: &Path, fault: Fault, words: &[&str]) -> Result<(), String> {
    let (cycles, seed) = crate::cycles(fault.word(), fault.cycles(), words)?;
    println!("{} cycles of {}, seed {seed}", cycles, fault.word());
    println!("{}", measure(root, fault, cycles, seed)?);
    Ok(())
}

/// Says that this program was started by itself, with a mount table of its own.
const INSIDE: &str = "PROOF_OWN_MOUNTS";

/// Runs this many cycles; gives what came of them.
///
/// # Errors
/// What was lost or invented, or acked after a failure, and how to repeat it.
pub(crate) fn measure(
    root: &Path,
    fault: Fault,
    cycles: u64,
    seed: u64,
) -> Result<Outcome, String> {
    let command = format!("cargo xtask {} --cycles {cycles} --seed {seed}", fault.word());
    let began = Instant::now();
    let outcome = match std::env::var_os(INSIDE) {
        Some(_) => cycle(root, fault, cycles, seed),
        None => inside(root, fault, cycles, seed),
    };
    let outcome = outcome.map_err(|what| format!("{what}\nto repeat it: {command}"))?;
    if std::env::var_os(INSIDE).is_none() {
        println!("{command}: {:.0} s", began.elapsed().as_secs_f64());
    }
    Ok(outcome)
}

/// Runs this program once more where it has a mount table of its own, which ends with it.
fn inside(root: &Path, fault: Fault, cycles: u64, seed: u64) -> Result<Outcome, String> {
    if let Some(reason) = volume::missing_namespace() {
        return Ok(Outcome::Skipped(reason));
    }
    let program = std::env::current_exe().map_err(|cause| format!("no own program: {cause}"))?;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(program)
        .args([fault.word(), "--cycles", &cycles.to_string(), "--seed", &seed.to_string()])
        .current_dir(root)
        .env(INSIDE, "1")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| format!("cannot run unshare: {cause}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.trim_end().lines().last().unwrap_or_default();
    if !output.status.success() {
        return Err(format!("a run of {} failed", fault.word()));
    }
    Ok(match line.strip_prefix("skipped: ") {
        Some(reason) => Outcome::Skipped(reason.to_owned()),
        None => Outcome::Figure(line.to_owned()),
    })
}

fn cycle(root: &Path, fault: Fault, cycles: u64, seed: u64) -> Result<Outcome, String> {
    if let Some(reason) = volume::missing() {
        return Ok(Outcome::Skipped(reason));
    }
    let ledger = Ledger::build(root)?;
    let line = match fault {
        Fault::Power => cuts::run(&ledger, cycles, seed),
        Fault::Syncs => syncs::run(&ledger, cycles, seed),
        Fault::Full => space::run(&ledger, cycles, seed),
    };
    line.map(Outcome::Figure)
}
