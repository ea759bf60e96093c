//! `cargo xtask kill`: a real node is killed at random moments under load, again and again.
//!
//! The oracle knows only what came through pipes: the lines that were sent, the positions that
//! were acked, the versions that were acked. After each kill the store is opened again, and
//! everything acked has to be there, once, and nothing that was never sent. Beside it another node is
//! killed whose configuration is at work in all ways: its document has to be what its history makes of
//! it by rules written down here once more.

mod changes;
mod document;
mod harbour;
mod load;
mod oracle;
mod told;
mod upkeep;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use changes::Seen;
use harbour::Harbour;
use load::Load;
use oracle::Oracle;
use upkeep::Upkeep;

/// Cycles if none are asked for.
const CYCLES: u64 = 200;

/// Longest time, in milliseconds, from the first ack to a kill.
const SHORT_MS: u64 = 150;
/// Time, in milliseconds, that passes before it as well where files are to be seen.
const FILES_MS: u64 = 700;

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
    let mut run = Run {
        harbour: match during {
            During::Load => Some(Harbour::build(root, &folder)?),
            During::Upkeep => None,
        },
        program,
        folder: folder.clone(),
        during,
        oracle: Oracle::default(),
        done: upkeep::Done::of(during),
    };
    let outcome = run.cycle_all(cycles, seed);
    let _ = std::fs::remove_dir_all(&folder);
    outcome.map_err(|what| {
        let word = during.word();
        format!("{what}\nto repeat it: cargo xtask {word} --cycles {cycles} --seed {seed}")
    })?;
    let Run { oracle, done, harbour, .. } = run;
    let seen = harbour.map_or_else(String::new, |harbour| told_of(harbour.seen()));
    Ok(format!(
        "{cycles} kills in {:.0} s: {} events and {} updates acked{done}{seen}; acked lost 0, invented 0, repeated 0",
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

/// What was seen of documents, as text.
fn told_of(seen: Seen) -> String {
    let Seen { versions, files, ended, conditional, sealed, parked, decided, untold } = seen;
    format!(
        "; as many kills of a node with a document: {versions} versions, {files} of them of files, \
         {conditional} conditional, {sealed} of a secret, {ended} that gave way by themselves, \
         {parked} changes parked and {decided} of them decided; {untold} are there though nobody was told"
    )
}

/// All kills of one command.
struct Run {
    program: PathBuf,
    folder: PathBuf,
    during: During,
    oracle: Oracle,
    done: upkeep::Done,
    harbour: Option<Harbour>,
}

impl Run {
    fn cycle_all(&mut self, cycles: u64, seed: u64) -> Result<(), String> {
        let mut dice = dice(seed);
        for cycle in 0..cycles {
            if cycle.is_multiple_of(self.during.kills_of_a_store()) {
                self.begin_anew()?;
            }
            let told = |what| format!("cycle {cycle} (seed {seed}): {what}");
            self.cycle(cycle, &mut dice).map_err(told)?;
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), String> {
        let folder = &self.folder;
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir(folder)
            .map_err(|cause| format!("cannot make {}: {cause}", folder.display()))?;
        self.oracle = std::mem::take(&mut self.oracle).of_a_new_store();
        self.harbour.as_mut().map_or(Ok(()), Harbour::begin_anew)
    }

    fn cycle(&mut self, cycle: u64, dice: &mut u64) -> Result<(), String> {
        let directory = self.folder.join("store");
        let load = Load::start(&self.program, &directory, cycle, self.during.padding())?;
        let upkeep = (self.during == During::Upkeep)
            .then(|| Upkeep::start(&self.program, &self.folder, cycle));
        let life = self.harbour.as_mut().map(Harbour::start).transpose()?;
        // From the first ack on: before it there is nothing to lose.
        load.wait_for_ack()?;
        if let Some(life) = &life {
            life.wait_for_ack()?;
        }
        // A file counts once it stands still for a while, so that some lives are long.
        let files_ms = if life.is_some() && roll(dice, 4) == 0 { FILES_MS } else { 0 };
        std::thread::sleep(Duration::from_millis(files_ms + roll(dice, SHORT_MS)));
        let killed = life.map(harbour::Life::kill).transpose()?;
        let sent = load.kill()?;
        if let Some(upkeep) = upkeep {
            self.done.add(upkeep.end(dice)?);
            self.done.look(&directory);
        }
        self.oracle.learn(sent);
        self.oracle.check(&self.program, &directory)?;
        match (&mut self.harbour, killed) {
            (Some(harbour), Some((said, files))) => {
                harbour.check(said, files).map_err(|what| format!("the harbour: {what}"))
            }
            _ => Ok(()),
        }
    }
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
