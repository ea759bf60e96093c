//! A node under load: one program imports events and prints each ack, another changes a setting.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest time that a node may take to start, or a program to end after its node was killed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Events of one cycle; there are always more to come when the node is killed.
const EVENTS: u64 = 200_000;

/// A node and the programs that load it.
pub(crate) struct Load {
    node: Child,
    cycle: u64,
    writer: JoinHandle<()>,
    acks: JoinHandle<Vec<u64>>,
    updates: JoinHandle<Vec<(u64, u64)>>,
    importer: Child,
    first_ack: Receiver<()>,
    /// Ends the updates: without a node, the program would open the directory itself.
    is_over: Arc<AtomicBool>,
}

/// What was sent and acked before the kill.
pub(crate) struct Sent {
    pub(crate) cycle: u64,
    /// Position of each acked event, in the order in which they were sent.
    pub(crate) acked: Vec<u64>,
    /// Version and value of each acked update.
    pub(crate) updates: Vec<(u64, u64)>,
}

/// The id of the event that is sent as number `number` of a cycle.
pub(crate) fn id(cycle: u64, number: u64) -> String {
    format!("kill-{cycle}-{number}")
}

/// The program on a directory.
pub(crate) fn foundation(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--data").arg(directory).stdin(Stdio::null());
    command
}

impl Load {
    pub(crate) fn start(
        program: &Path,
        directory: &Path,
        cycle: u64,
        padding: usize,
    ) -> Result<Self, String> {
        let node = start_node(program, directory)?;
        let mut importer = foundation(program, directory)
            .args(["events", "import", "-", "--acks"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| format!("cannot start an import: {cause}"))?;
        let lines = importer.stdin.take().ok_or("the import has no input")?;
        let acks = importer.stdout.take().ok_or("the import has no output")?;
        let (told, first_ack) = channel();
        let (program, directory) = (program.to_owned(), directory.to_owned());
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        Ok(Self {
            node,
            cycle,
            writer: std::thread::spawn(move || send(lines, cycle, padding)),
            acks: std::thread::spawn(move || collect(acks, &told)),
            updates: std::thread::spawn(move || update(&program, &directory, cycle, &ends)),
            importer,
            first_ack,
            is_over,
        })
    }

    /// Waits until something was acked.
    pub(crate) fn wait_for_ack(&self) -> Result<(), String> {
        match self.first_ack.recv_timeout(PATIENCE) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err("nothing was acked in 30 s".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("the import ended at once".to_owned()),
        }
    }

    /// Kills the node with SIGKILL and gathers what was acked.
    pub(crate) fn kill(mut self) -> Result<Sent, String> {
        self.node.kill().map_err(|cause| format!("cannot kill the node: {cause}"))?;
        self.node.wait().map_err(|cause| format!("the node does not end: {cause}"))?;
        self.is_over.store(true, Ordering::Relaxed);
        // Its own end of the pipe closes when the import gives up.
        let acked = self.acks.join().map_err(|_| "the reader of acks panicked")?;
        let _ = self.importer.kill();
        let _ = self.importer.wait();
        self.writer.join().map_err(|_| "the writer of events panicked")?;
        let updates = self.updates.join().map_err(|_| "the updater panicked")?;
        Ok(Sent { cycle: self.cycle, acked, updates })
    }
}

fn start_node(program: &Path, directory: &Path) -> Result<Child, String> {
    let mut node = foundation(program, directory)
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cannot start a node: {cause}"))?;
    let talk = node.stderr.take().ok_or("the node has no output")?;
    let mut said = String::new();
    let mut lines = BufReader::new(talk).lines();
    while let Some(Ok(line)) = lines.next() {
        said.push_str(&line);
        said.push('\n');
        if line.contains("serving ") {
            // Read on, so that the node never waits for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(node);
        }
    }
    let _ = node.wait();
    Err(format!("the node did not start:\n{said}"))
}

/// Sends events; what stands in their data besides a number makes the log longer.
fn send(mut lines: ChildStdin, cycle: u64, padding: usize) {
    let padding = "x".repeat(padding);
    for number in 0..EVENTS {
        let line = format!(
            "{{\"type\":\"kill.event\",\"id\":\"{}\",\"correlation_id\":\"cycle-{cycle}\",\"data\":[{number},\"{padding}\"]}}\n",
            id(cycle, number)
        );
        if lines.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn collect(acks: ChildStdout, told: &Sender<()>) -> Vec<u64> {
    let mut acked = Vec::new();
    for line in BufReader::new(acks).lines().map_while(Result::ok) {
        // A line that was cut by the end of the import is no ack.
        let Ok(position) = line.trim().parse() else { continue };
        acked.push(position);
        let _ = told.send(());
    }
    acked
}

/// Changes a setting until the node is gone or it is over; gives what was acked.
fn update(program: &Path, directory: &Path, cycle: u64, is_over: &AtomicBool) -> Vec<(u64, u64)> {
    let mut acked = Vec::new();
    for number in 0..10_000 {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let value = 1 + (cycle * 10_000 + number) % 100_000;
        let output = foundation(program, directory)
            .args(["--lock-timeout", "0", "--output", "json", "config", "set"])
            .args(["interface.max_results", &value.to_string()])
            .stderr(Stdio::null())
            .output();
        let Ok(output) = output else { break };
        if !output.status.success() {
            break;
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(version) = oracle_number(&text, "\"version\":") else { break };
        acked.push((version, value));
    }
    acked
}

/// The number behind the first place of `key` in JSON text.
pub(crate) fn oracle_number(text: &str, key: &str) -> Option<u64> {
    let rest = text.split_once(key)?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
