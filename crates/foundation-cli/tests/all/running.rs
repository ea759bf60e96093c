//! Running the program: on a directory, or against the node that serves it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

use foundation::Timestamp;
use tempfile::TempDir;

/// A folder with a store in it, or none yet.
pub(crate) struct Store {
    folder: TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) talk: String,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The directory of the store; the program makes it.
    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the store.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("writes");
        path
    }

    /// The program with these words, not started yet.
    pub(crate) fn command<W: AsRef<OsStr>>(&self, words: &[W]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foundation"));
        command.arg("--data").arg(self.directory()).args(words);
        command.env("USER", "tester").env_remove("LOGNAME");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<W: AsRef<OsStr>>(&self, words: &[W]) -> Ran {
        Ran::of(self.command(words).spawn().expect("starts"))
    }

    /// Runs the program with this on standard input.
    pub(crate) fn feed(&self, words: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().expect("starts");
        let mut stdin = child.stdin.take().expect("is piped");
        let input = input.as_ref().to_owned();
        // A program that ends early reads no further, which is its right.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let ran = Ran::of(child);
        writer.join().expect("writes");
        ran
    }

    /// What a run that has to succeed writes.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        self.run(words).ok()
    }

    /// What a run that has to succeed writes, as one JSON value.
    pub(crate) fn json(&self, words: &[&str]) -> serde_json::Value {
        let out = self.ok(&[&["--output", "json"], words].concat());
        serde_json::from_str(&out).expect("is JSON")
    }

    /// Starts a node and waits until it serves.
    pub(crate) fn serve(&self, words: &[&str]) -> Node {
        Node::of(&mut self.command(&[&["serve"], words].concat()))
    }
}

impl Ran {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("ends");
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            talk: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }
}

/// A node in a process of its own; killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    talk: Option<BufReader<ChildStderr>>,
}

impl Node {
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let mut talk = BufReader::new(child.stderr.take().expect("is piped"));
        read_until(&mut talk, |line| line.starts_with("serving "));
        Self { child, talk: Some(talk) }
    }

    /// Starts it in a shell that runs this first.
    pub(crate) fn in_shell(first: &str, node: &Command) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{first}; exec \"$@\"")).arg("sh");
        shell.arg(node.get_program()).args(node.get_args());
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::of(&mut shell)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would.
    pub(crate) fn kill_9(mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("ends");
    }

    /// What it says up to the line that is waited for.
    pub(crate) fn says(&mut self, awaited: impl Fn(&str) -> bool) -> String {
        read_until(self.talk.as_mut().expect("it is not read twice"), awaited)
    }

    /// Listens no more: what it says from here on cannot be written.
    pub(crate) fn hang_up(&mut self) {
        self.talk = None;
    }

    /// Sends a signal and waits for the end; what it said from there on.
    pub(crate) fn end_by(mut self, signal: &str) -> Ran {
        send(signal, self.pid());
        let mut talk = String::new();
        if let Some(mut reader) = self.talk.take() {
            reader.read_to_string(&mut talk).expect("is UTF-8");
        }
        let code = self.child.wait().expect("ends").code();
        Ran { code, out: String::new(), talk }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Most have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program whose input is fed and whose output is read line by line.
pub(crate) struct Dialogue {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Dialogue {
    pub(crate) fn start(store: &Store, words: &[&str]) -> Self {
        let mut child = store.command(words).stdin(Stdio::piped()).spawn().expect("starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("is piped"));
        Self { child, input, output }
    }

    pub(crate) fn tell(&mut self, bytes: &[u8]) {
        self.input.as_mut().expect("is open").write_all(bytes).expect("is read");
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("is UTF-8");
        line
    }

    /// Reads no more, as `head` does once it has enough; gives how it ended.
    pub(crate) fn walk_away(mut self) -> Option<i32> {
        drop((self.input.take(), self.output));
        self.child.wait().expect("ends").code()
    }

    /// Closes the input and waits for the end.
    pub(crate) fn end(mut self) -> Ran {
        drop(self.input.take());
        let mut out = String::new();
        self.output.read_to_string(&mut out).expect("is UTF-8");
        let Ran { code, talk, .. } = Ran::of(self.child);
        Ran { code, out, talk }
    }
}

fn read_until(talk: &mut impl BufRead, awaited: impl Fn(&str) -> bool) -> String {
    let mut said = String::new();
    loop {
        let mut line = String::new();
        let bytes = talk.read_line(&mut line).expect("is UTF-8");
        said.push_str(&line);
        assert!(bytes > 0, "it ended after saying\n{said}");
        if awaited(&line) {
            return said;
        }
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn send(signal: &str, pid: u32) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status();
    assert!(sent.expect("there is a shell").success());
}

/// The same case on a directory and against the node that serves it.
pub(crate) fn both(case: impl Fn(&Store)) {
    case(&Store::new());
    let store = Store::new();
    let node = store.serve(&[]);
    case(&store);
    let ended = node.end_by("TERM");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// The text without what is different each time: times, sizes of stores, ids, processes.
pub(crate) fn redacted(text: &str, store: &Store) -> String {
    let text = text.replace(&store.directory().display().to_string(), "[data]");
    let mut shown = String::new();
    for word in text.split_inclusive([' ', '\n', '"', ',', '(', ')']) {
        let bare = word.trim_end_matches([' ', '\n', '"', ',', '(', ')']);
        let end = word.get(bare.len()..).unwrap_or_default();
        let is_id = bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        if bare.parse::<Timestamp>().is_ok() {
            shown.push_str("[time]");
        } else if is_id {
            shown.push_str("[id]");
        } else {
            shown.push_str(bare);
        }
        shown.push_str(end);
    }
    shown
}

/// The lines as JSON objects.
pub(crate) fn objects(lines: &str) -> Vec<serde_json::Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// A folder beside the workspace, or above it, that has this file; absent on most machines.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    start.ancestors().map(|folder| folder.join("shared").join(file)).find(|path| path.is_file())
}
