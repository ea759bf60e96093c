//! What a node does for itself while it is killed: snapshots, backups, retention, and a start.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::load::foundation;
use super::{During, roll};

/// Bytes of full files of the log that stay: few, so that some go again and again.
const RETENTION: &str = "16777216";
/// Starts that are killed before the store is looked at.
const STARTS: u64 = 2;
/// Longest time, in milliseconds, that such a start lives.
const START_MS: u64 = 60;

/// Threads that ask a node for upkeep until it is gone.
pub(super) struct Upkeep {
    program: PathBuf,
    folder: PathBuf,
    snapshots: JoinHandle<u64>,
    backups: JoinHandle<u64>,
    /// Without a node, the program would open the directory itself.
    is_over: Arc<AtomicBool>,
}

/// What was done besides the load.
#[derive(Default)]
pub(super) struct Done {
    during: Option<During>,
    snapshots: u64,
    backups: u64,
    unfinished: u64,
    starts: u64,
    /// How often the oldest file of the log was another one than after the kill before.
    shortened: u64,
    oldest: Option<OsString>,
}

impl Done {
    pub(super) fn of(during: During) -> Self {
        Self { during: Some(during), ..Self::default() }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.snapshots += other.snapshots;
        self.backups += other.backups;
        self.unfinished += other.unfinished;
        self.starts += other.starts;
    }

    /// Looks whether the log was shortened since the last look.
    pub(super) fn look(&mut self, directory: &Path) {
        let Ok(entries) = std::fs::read_dir(directory) else { return };
        let names = entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name()));
        let oldest = names.filter(|name| Path::new(name).extension() == Some("seg".as_ref())).min();
        let was_shortened = self.oldest.is_some() && self.oldest < oldest;
        self.shortened += u64::from(was_shortened);
        self.oldest = oldest;
    }
}

impl fmt::Display for Done {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { during, snapshots, backups, unfinished, starts, shortened, .. } = self;
        if *during != Some(During::Upkeep) {
            return Ok(());
        }
        write!(
            out,
            ", {snapshots} snapshots and {backups} backups made, {unfinished} unfinished ones refused, the \
             log shortened {shortened} times, {starts} starts killed"
        )
    }
}

impl Upkeep {
    pub(super) fn start(program: &Path, folder: &Path, cycle: u64) -> Self {
        let (program, folder) = (program.to_owned(), folder.to_owned());
        let is_over = Arc::new(AtomicBool::new(false));
        let directory = folder.join("store");
        // Each cycle, for the first one makes the store.
        let setting = ["config", "set", "journal.retention.bytes", RETENTION];
        let _ = run(&program, &directory, &setting);
        let snapshots = repeat(&program, &directory, &is_over, |_| vec!["checkpoint".to_owned()]);
        let copies = folder.clone();
        let backups = repeat(&program, &directory, &is_over, move |number| {
            let copy = copies.join(format!("copy-{cycle}-{number}"));
            vec!["backup".to_owned(), copy.display().to_string()]
        });
        Self { program, folder, snapshots, backups, is_over }
    }

    /// Ends it after the node was killed; kills some starts too, and looks at the backups: each is
    /// a store, or is refused.
    pub(super) fn end(self, dice: &mut u64) -> Result<Done, String> {
        let Self { program, folder, snapshots, backups, is_over } = self;
        is_over.store(true, Ordering::Relaxed);
        let snapshots = snapshots.join().map_err(|_| "the snapshots panicked")?;
        let backups = backups.join().map_err(|_| "the backups panicked")?;
        for _ in 0..STARTS {
            let mut node = foundation(&program, &folder.join("store"))
                .arg("serve")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|cause| format!("cannot start a node: {cause}"))?;
            std::thread::sleep(Duration::from_millis(roll(dice, START_MS)));
            node.kill().map_err(|cause| format!("cannot kill a start: {cause}"))?;
            node.wait().map_err(|cause| format!("a start does not end: {cause}"))?;
        }
        let (whole, unfinished) = restore_all(&program, &folder)?;
        if whole < backups {
            return Err(format!("{backups} backups were told, {whole} can be restored"));
        }
        Ok(Done { snapshots, backups, unfinished, starts: STARTS, ..Done::default() })
    }
}

/// How many of the backups are whole, and how many are refused as unfinished; removes them.
fn restore_all(program: &Path, folder: &Path) -> Result<(u64, u64), String> {
    let read = |cause| format!("cannot read {}: {cause}", folder.display());
    let (mut whole, mut unfinished) = (0, 0);
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let copy = entry.map_err(read)?.path();
        let is_copy =
            copy.file_name().is_some_and(|name| name.to_string_lossy().starts_with("copy-"));
        if !is_copy {
            continue;
        }
        let target = folder.join("restored");
        let shown = copy.display().to_string();
        let (code, talk) = run(program, &target, &["restore", &shown])?;
        match (code, copy.join("MANIFEST").exists()) {
            (Some(0), true) => whole += 1,
            (Some(3..=6), false) => unfinished += 1,
            _ => return Err(format!("restoring {shown} ended with {code:?}: {talk}")),
        }
        let _ = std::fs::remove_dir_all(&target);
        let _ = std::fs::remove_dir_all(&copy);
    }
    Ok((whole, unfinished))
}

/// Asks for the same again and again; gives how often it was done.
fn repeat(
    program: &Path,
    directory: &Path,
    is_over: &Arc<AtomicBool>,
    words: impl Fn(u64) -> Vec<String> + Send + 'static,
) -> JoinHandle<u64> {
    let (program, directory) = (program.to_owned(), directory.to_owned());
    let is_over = Arc::clone(is_over);
    std::thread::spawn(move || {
        let mut done = 0;
        for number in 0.. {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let words = words(number);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match run(&program, &directory, &words) {
                Ok((Some(0), _)) => done += 1,
                _ => break,
            }
        }
        done
    })
}

/// The exit code of the program, and what it said.
fn run(program: &Path, directory: &Path, words: &[&str]) -> Result<(Option<i32>, String), String> {
    let output = foundation(program, directory)
        .args(["--lock-timeout", "0"])
        .args(words)
        .output()
        .map_err(|cause| format!("cannot run the program: {cause}"))?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}
