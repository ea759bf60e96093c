//! The example program `ledger`: a writer whose lines tell what was acked, and a reader.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest time that a program may be silent before it is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program.
pub(super) struct Ledger(PathBuf);

/// What a writer said until it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Position of each id that was acked.
    pub(super) acked: BTreeMap<String, u64>,
    /// As `acked`, heard when the power was being cut: who hears of it may as well not.
    pub(super) late: BTreeMap<String, u64>,
    /// What was said not to be applied.
    pub(super) refused: BTreeSet<String>,
    /// Acks that came after an append had failed.
    pub(super) acks_after_failure: u64,
    /// How the first append that failed did so.
    pub(super) failure: Option<String>,
    /// Whether it was told that nothing is written any more.
    pub(super) is_fenced: bool,
    /// Acks after the disk was full and somebody said that there is space.
    pub(super) acks_after_full: u64,
    pub(super) is_on: bool,
}

/// A writer at work.
pub(super) struct Writer {
    child: Child,
    input: Option<ChildStdin>,
    reader: JoinHandle<Said>,
    is_over: Arc<AtomicBool>,
    lines: Receiver<Line>,
}

/// A line that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Acked,
    Full,
    Other,
}

impl Ledger {
    /// Builds it.
    pub(super) fn build(root: &Path) -> Result<Self, String> {
        let words = ["build", "--release", "-p", "foundation-store", "--example", "ledger"];
        let built = Command::new("cargo").args(words).current_dir(root).status();
        if !built.map_err(|cause| format!("cannot run cargo: {cause}"))?.success() {
            return Err("the program does not build".to_owned());
        }
        Ok(Self(crate::kill::release(root).join("examples").join("ledger")))
    }

    /// Starts a writer whose appends have names that begin with this one.
    pub(super) fn write(&self, store: &Path, name: &str, bytes: u64) -> Result<Writer, String> {
        Writer::start(Command::new(&self.0), "write", store, name, bytes)
    }

    /// As [`Ledger::write`], over a disk that tells of syncs which it does not do.
    pub(super) fn lie(&self, store: &Path, name: &str, bytes: u64) -> Result<Writer, String> {
        Writer::start(Command::new(&self.0), "lie", store, name, bytes)
    }

    /// As [`Ledger::write`]; its sync with this number fails, and only that one.
    pub(super) fn write_with_failing_sync(
        &self,
        store: &Path,
        name: &str,
        bytes: u64,
        number: u64,
    ) -> Result<Writer, String> {
        let mut command = Command::new("strace");
        let inject = format!("inject=fdatasync:error=EIO:when={number}");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject]);
        command.arg(&self.0);
        Writer::start(command, "write", store, name, bytes)
    }

    /// Opens a store as an owner does; gives the ids that it holds with their positions.
    pub(super) fn read(&self, store: &Path) -> Result<Vec<(String, u64)>, String> {
        let output = Command::new(&self.0)
            .arg("read")
            .arg(store)
            .output()
            .map_err(|cause| format!("cannot run the program: {cause}"))?;
        if !output.status.success() {
            let talk = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the store does not open: {}", talk.trim()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .map(|line| match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["there", id, position] => {
                    let position = position.parse().map_err(|_| format!("no position: {line}"))?;
                    Ok(((*id).to_owned(), position))
                }
                _ => Err(format!("a wrong value: {line}")),
            })
            .collect()
    }
}

impl Writer {
    fn start(
        mut command: Command,
        word: &str,
        store: &Path,
        name: &str,
        bytes: u64,
    ) -> Result<Self, String> {
        let mut child = command
            .arg(word)
            .arg(store)
            .args([name, &bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| format!("cannot start a writer: {cause}"))?;
        let output = child.stdout.take().ok_or("the writer has no output")?;
        let input = child.stdin.take();
        let (told, lines) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let reader = std::thread::spawn(move || {
            let mut said = Said::default();
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.for_each(|line| {
                let _ = told.send(said.hear(&line, ends.load(Ordering::Acquire)));
            });
            said
        });
        Ok(Self { child, input, reader, is_over, lines })
    }

    /// Waits until something was acked; `false` if it ended before.
    pub(super) fn wait_for_ack(&self) -> Result<bool, String> {
        self.wait_for(Line::Acked)
    }

    /// Waits until there was no space; `false` if it ended before.
    pub(super) fn wait_for_full(&self) -> Result<bool, String> {
        self.wait_for(Line::Full)
    }

    fn wait_for(&self, wanted: Line) -> Result<bool, String> {
        use std::sync::mpsc::RecvTimeoutError;
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == wanted => return Ok(true),
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("nothing was said in {} s", PATIENCE.as_secs()));
                }
            }
        }
    }

    /// Lets a writer that found no space go on.
    pub(super) fn go_on(&mut self) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("the writer has no input")?;
        input.write_all(b"on\n").map_err(|cause| format!("the writer does not listen: {cause}"))
    }

    /// From now on an ack counts for nothing. ext4 may answer a sync with success that a cut of
    /// its power interrupts; a machine without power answers nothing.
    pub(super) fn hears_no_more(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Kills it and gives what it said.
    pub(super) fn kill(mut self) -> Result<Said, String> {
        self.child.kill().map_err(|cause| format!("cannot kill the writer: {cause}"))?;
        self.end()
    }

    /// Waits until it ends by itself and gives what it said.
    pub(super) fn end(mut self) -> Result<Said, String> {
        drop(self.input.take());
        // Its lines end with it; one that says nothing for too long is killed.
        let mut outcome = Ok(());
        while outcome.is_ok() {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(_) => outcome = Err("the writer does not end".to_owned()),
            }
        }
        if outcome.is_err() {
            let _ = self.child.kill();
        }
        self.child.wait().map_err(|cause| format!("the writer does not end: {cause}"))?;
        let said = self.reader.join().map_err(|_| "the reader of lines panicked")?;
        outcome.map(|()| said)
    }
}

impl Said {
    /// Takes in a line. One that was cut by the end of the writer says nothing.
    fn hear(&mut self, line: &str, is_over: bool) -> Line {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["acked", id, position] => {
                let Ok(position) = position.parse() else { return Line::Other };
                let acked = if is_over { &mut self.late } else { &mut self.acked };
                acked.insert((*id).to_owned(), position);
                let failed = self.failure.as_deref().is_some_and(|kind| kind != FULL);
                self.acks_after_failure += u64::from(failed || self.is_fenced);
                self.acks_after_full += u64::from(self.is_on);
                Line::Acked
            }
            [word @ ("refused" | "unknown"), id, kind] => {
                if *word == "refused" {
                    self.refused.insert((*id).to_owned());
                }
                self.is_fenced |= *kind == "fenced";
                self.failure.get_or_insert_with(|| (*kind).to_owned());
                Line::Other
            }
            ["full"] => Line::Full,
            ["on"] => {
                self.is_on = true;
                Line::Other
            }
            _ => Line::Other,
        }
    }
}

/// The kind of a write that found no space.
pub(super) const FULL: &str = "disk_full";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_was_acked_and_what_was_not() {
        let mut said = Said::default();
        let lines = ["opened", "acked a-0 1", "unknown a-1 indeterminate", "refused a-2 fenced"];
        assert_eq!(
            lines.map(|line| said.hear(line, false)),
            [Line::Other, Line::Acked, Line::Other, Line::Other]
        );
        assert_eq!((said.acked["a-0"], said.acks_after_failure), (1, 0));
        assert!(said.refused.contains("a-2") && !said.refused.contains("a-1"));
        assert_eq!(said.failure.as_deref(), Some("indeterminate"));
        assert_eq!(said.hear("acked a-", false), Line::Other);
        said.hear("acked a-3 2", false);
        assert_eq!(said.acks_after_failure, 1, "a planted ack is counted");
        said.hear("acked a-4 3", true);
        assert_eq!((said.acked.len(), said.late["a-4"]), (2, 3));
    }
}
