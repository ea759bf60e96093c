//! `cargo xtask kill`: a real node is killed at random moments under load, again and again.
//!
//! The oracle knows only what came through pipes: the lines that were sent, the positions that
//! were acked, the versions that were acked. After each kill the store is opened again, and
//! everything acked has to be there, once, and nothing that was never sent.

mod load;
mod oracle;
mod upkeep;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use load::Load;
use oracle::Oracle;
use upkeep::Upkeep;

/// Cycles if none are asked for.
const CYCLES: u64 = 200;

/// What a node does besides its load when it is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    /// Nothing.
    Load,
    /// Snapshots, backups and retention without end; and the next start is killed as well.
    Upkeep,
}

impl During {
    /// Bytes of data in an event: for retention the log has to become long.
    fn padding(self) -> usize {
        match self {
            Self::Load => 0,
            Self::Upkeep => 700,
        }
    }

    /// Kills that one store goes through; then a new one is begun, since each check reads all of
    /// it.
    fn kills_of_a_store(self) -> u64 {
        match self {
            Self::Load => 40,
            Self::Upkeep => 200,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Load => "kill",
            Self::Upkeep => "upkeep",
        }
    }
}

/// Kills a node as often as the words say.
///
/// # Errors
/// As [`measure`], or how the words should be.
pub(crate) fn run(root: &Path, during: During, words: &[&str]) -> Result<(), String> {
    let (cycles, seed) = crate::cycles(during.word(), CYCLES, words)?;
    println!("killing {cycles} times, seed {seed}");
    println!("{}", measure(root, during, cycles, seed)?);
    Ok(())
}

/// Kills a node this often, in a directory of its own; gives what came of it.
///
/// # Errors
/// What was lost, invented, repeated or could not be opened, and how to repeat it.
pub(crate) fn measure(
    root: &Path,
    during: During,
    cycles: u64,
    seed: u64,
) -> Result<String, String> {
    let program = build(root)?;
    let folder = std::env::temp_dir().join(format!("foundation-kill-{}", std::process::id()));
    let began = Instant::now();
    let outcome = cycle_all(&program, &folder, during, cycles, seed);
    let _ = std::fs::remove_dir_all(&folder);
    let (oracle, done) = outcome.map_err(|what| {
        let word = during.word();
        format!("{what}\nto repeat it: cargo xtask {word} --cycles {cycles} --seed {seed}")
    })?;
    Ok(format!(
        "{cycles} kills in {:.0} s: {} events and {} updates acked{done}; acked lost 0, invented 0, repeated 0",
        began.elapsed().as_secs_f64(),
        oracle.acked_events,
        oracle.acked_updates,
    ))
}

/// Builds the program and gives its path.
fn build(root: &Path) -> Result<PathBuf, String> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--bin", "foundation"])
        .current_dir(root)
        .status()
        .map_err(|cause| format!("cannot run cargo: {cause}"))?;
    if !built.success() {
        return Err("the program does not build".to_owned());
    }
    Ok(release(root).join("foundation"))
}

/// Where cargo puts what it builds for release.
pub(crate) fn release(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("release")
}

fn cycle_all(
    program: &Path,
    folder: &Path,
    during: During,
    cycles: u64,
    seed: u64,
) -> Result<(Oracle, upkeep::Done), String> {
    let mut oracle = Oracle::default();
    let mut done = upkeep::Done::of(during);
    let mut dice = dice(seed);
    let directory = folder.join("store");
    for cycle in 0..cycles {
        if cycle.is_multiple_of(during.kills_of_a_store()) {
            let _ = std::fs::remove_dir_all(folder);
            std::fs::create_dir(folder)
                .map_err(|cause| format!("cannot make {}: {cause}", folder.display()))?;
            oracle = oracle.of_a_new_store();
        }
        let load = Load::start(program, &directory, cycle, during.padding())?;
        let upkeep = (during == During::Upkeep).then(|| Upkeep::start(program, folder, cycle));
        // From the first ack on: before it there is nothing to lose.
        load.wait_for_ack()?;
        std::thread::sleep(Duration::from_millis(roll(&mut dice, 150)));
        let sent = load.kill()?;
        let told = |what| format!("cycle {cycle} (seed {seed}): {what}");
        if let Some(upkeep) = upkeep {
            done.add(upkeep.end(&mut dice).map_err(told)?);
            done.look(&directory);
        }
        oracle.learn(sent);
        oracle.check(program, &directory).map_err(told)?;
    }
    Ok((oracle, done))
}

/// The beginning of a row of numbers that a seed gives.
pub(crate) fn dice(seed: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// A number below the bound.
pub(crate) fn roll(dice: &mut u64, bound: u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    (*dice >> 11) % bound
}
