//! The example program `harbour`: a node whose document is changed by itself and by a file, and what it
//! shows when it is opened again.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::changes::{Changes, Seen};
use super::told::note;

/// Longest time until a change is acked.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time after which most files give way to the next: too short to be taken for written.
const BRIEFLY: Duration = Duration::from_millis(20);
/// Time for which some stand still: a node reads what does so for a quarter of a second.
const FOR_LONG: Duration = Duration::from_millis(600);
/// Numbers that the changes of one life have for themselves; those of files are below.
const NUMBERS: u64 = 1_000_000;
/// What the secret begins with. It is in no file of the store.
const SECRET: &[u8] = b"harbour-token-";

/// A store, and all that is known of it from outside.
pub(super) struct Harbour {
    program: PathBuf,
    folder: PathBuf,
    changes: Changes,
    lives: u64,
    /// What was seen of earlier stores.
    earlier: Seen,
}

/// A node at work, and whoever writes its file.
pub(super) struct Life {
    node: Child,
    lines: JoinHandle<Vec<String>>,
    first_ack: Receiver<()>,
    files: JoinHandle<Result<u64, String>>,
    is_over: Arc<AtomicBool>,
}

impl Harbour {
    /// Builds the program.
    pub(super) fn build(root: &Path, folder: &Path) -> Result<Self, String> {
        let words = ["build", "--release", "-p", "foundation", "--example", "harbour"];
        let built = Command::new("cargo").args(words).current_dir(root).status();
        if !built.map_err(|cause| format!("cannot run cargo: {cause}"))?.success() {
            return Err("the example does not build".to_owned());
        }
        Ok(Self {
            program: super::release(root).join("examples").join("harbour"),
            folder: folder.to_owned(),
            changes: Changes::default(),
            lives: 0,
            earlier: Seen::default(),
        })
    }

    /// Goes on with a store of which nothing is known yet; the folder is empty.
    pub(super) fn begin_anew(&mut self) -> Result<(), String> {
        self.earlier = self.seen();
        self.changes = Changes::default();
        self.write_whole()
    }

    /// What was seen in all stores.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = self.earlier;
        seen.add(self.changes.seen);
        seen
    }

    /// Starts a node that changes the document, and has its file change.
    pub(super) fn start(&mut self) -> Result<Life, String> {
        self.lives += 1;
        let mut node = Command::new(&self.program)
            .arg("run")
            .args([self.store(), self.file()])
            .arg((self.lives * NUMBERS).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|cause| format!("cannot start a harbour: {cause}"))?;
        let output = node.stdout.take().ok_or("the harbour has no output")?;
        let (told, first_ack) = channel();
        let (serves, started) = channel();
        let lines = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            let heard = lines.inspect(|line| {
                if line.starts_with("acked ") {
                    let _ = told.send(());
                } else if line == "serving" {
                    let _ = serves.send(());
                }
            });
            heard.collect()
        });
        let is_over = Arc::new(AtomicBool::new(false));
        let (file, next, ends) = (self.file(), self.changes.files + 1, Arc::clone(&is_over));
        let files = std::thread::spawn(move || {
            // A start refuses a file that is not whole.
            let _ = started.recv();
            write_files(&file, next, &ends)
        });
        Ok(Life { node, lines, first_ack, files, is_over })
    }

    /// Opens the store after a kill and compares.
    pub(super) fn check(&mut self, said: Vec<String>, files: u64) -> Result<(), String> {
        self.changes.files = files;
        for line in said.iter().filter(|line| *line != "serving") {
            note(&mut self.changes.told, line)?;
        }
        self.find_secrets()?;
        // Whoever starts the node does so with a file that is whole.
        self.write_whole()?;
        let output = Command::new(&self.program)
            .arg("show")
            .args([self.store(), self.file()])
            .output()
            .map_err(|cause| format!("cannot run the harbour: {cause}"))?;
        if !output.status.success() {
            let talk = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the document does not open: {}", talk.trim()));
        }
        let shown: Value = serde_json::from_slice(&output.stdout)
            .map_err(|cause| format!("what is shown is no JSON: {cause}"))?;
        self.changes.check(&shown)
    }

    fn store(&self) -> PathBuf {
        self.folder.join("harbour")
    }

    fn file(&self) -> PathBuf {
        self.folder.join("harbour.toml")
    }

    fn write_whole(&mut self) -> Result<(), String> {
        self.changes.files += 1;
        rename(&self.file(), self.changes.files)
    }

    fn find_secrets(&self) -> Result<(), String> {
        let store = self.store();
        let told = |cause| format!("cannot read {}: {cause}", store.display());
        for entry in std::fs::read_dir(&store).map_err(told)? {
            let path = entry.map_err(told)?.path();
            if !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(told)?;
            if bytes.windows(SECRET.len()).any(|part| part == SECRET) {
                return Err(format!("told: a secret is in {}", path.display()));
            }
        }
        Ok(())
    }
}

impl Life {
    /// Waits until something was acked.
    pub(super) fn wait_for_ack(&self) -> Result<(), String> {
        self.first_ack
            .recv_timeout(PATIENCE)
            .map_err(|_| "no change of the harbour was acked in 30 s".to_owned())
    }

    /// Kills the node with SIGKILL; gives what it said, and the number of the last file.
    pub(super) fn kill(mut self) -> Result<(Vec<String>, u64), String> {
        let ended = self.node.try_wait().map_err(|cause| cause.to_string())?;
        if let Some(status) = ended {
            return Err(format!("the harbour ended by itself with {status}"));
        }
        self.node.kill().map_err(|cause| format!("cannot kill the harbour: {cause}"))?;
        self.node.wait().map_err(|cause| format!("the harbour does not end: {cause}"))?;
        self.is_over.store(true, Ordering::Relaxed);
        let said = self.lines.join().map_err(|_| "the reader of lines panicked")?;
        let files = self.files.join().map_err(|_| "the writer of files panicked")??;
        Ok((said, files))
    }
}

/// Writes files until it is over: most are renamed into place, and some stand there half for a while
/// before. Gives the number of the last one.
fn write_files(file: &Path, first: u64, is_over: &AtomicBool) -> Result<u64, String> {
    for (turn, number) in (first..).enumerate() {
        std::thread::sleep(if turn % 3 == 1 { FOR_LONG } else { BRIEFLY });
        if is_over.load(Ordering::Relaxed) {
            return Ok(number - 1);
        }
        if number.is_multiple_of(4) {
            let text = text(number);
            let half = &text[..text.len() / 2];
            std::fs::write(file, half).map_err(|cause| format!("cannot write a file: {cause}"))?;
            std::thread::sleep(if number.is_multiple_of(8) { FOR_LONG } else { BRIEFLY });
        }
        rename(file, number)?;
    }
    Ok(first)
}

fn rename(file: &Path, number: u64) -> Result<(), String> {
    let new = file.with_extension("new");
    let written = std::fs::write(&new, text(number)).and_then(|()| std::fs::rename(&new, file));
    written.map_err(|cause| format!("cannot write {}: {cause}", file.display()))
}

/// The file with this number. No beginning of it is a file that says anything.
fn text(number: u64) -> String {
    format!("quay = {{ left = {number}, right = {number}, tide = {number}, berths = {number} }}\n")
}
