//! Appends to a store until it is killed and prints each ack once it has it; or prints what a
//! store holds. The fault runs of `cargo xtask` are between the two.
//!
//! Every append is named by a number that counts up, so that whoever reads the lines knows what
//! was sent, what was acked, what was refused, and of what nobody knows how it ended.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its lines are what it is for")]

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::disk::{Access, Claim, Disk, DiskFile, Files, LockGuard};
use foundation_store::journal::{Batch, Commit, Embedded, EmbeddedOptions, Journal};
use foundation_store::random::SystemRng;
use foundation_store::record::RecordKind;
use foundation_types::{Error, ErrorKind, Event, Position, Result, StreamName};

const USAGE: &str = "usage: ledger COMMAND

  write DIRECTORY NAME BYTES
  lie DIRECTORY NAME BYTES    as write, over a disk that does not sync: to see that it is noticed
  read DIRECTORY";

/// Small, so that segments begin and end all the time.
const SEGMENT_BYTES: u64 = 64 * 1024;
/// Appends that wait for the disk together.
const WAVE: u64 = 8;
/// Waves that are tried after one failed.
const TRIES: u64 = 20;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [word @ ("write" | "lie"), directory, name, bytes] => match bytes.parse() {
            Ok(bytes) if *word == "lie" => write(files(directory).map(Lying), name, bytes),
            Ok(bytes) => write(files(directory), name, bytes),
            Err(_) => Err(Error::new(ErrorKind::InvalidArgument, USAGE)),
        },
        ["read", directory] => read(directory),
        _ => Err(Error::new(ErrorKind::InvalidArgument, USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn files(directory: &str) -> Result<Files> {
    Files::create(directory)
        .map_err(|cause| Error::new(ErrorKind::Disk, format!("cannot make {directory}: {cause}")))
}

fn open(disk: impl Disk) -> Result<Embedded> {
    let options = EmbeddedOptions { segment_bytes: SEGMENT_BYTES, ..EmbeddedOptions::default() };
    let clock = Arc::new(SystemClock::default());
    let opened =
        Embedded::open(Arc::new(disk), options, clock, &SystemRng::default(), Arc::new(()))?;
    Ok(opened.0)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// How a wave of appends ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Acked,
    Full,
    Failed,
}

/// Appends in waves until it is killed, or until nothing is taken any more. On a full disk it
/// waits for a line, goes on for some waves, and closes.
fn write(disk: Result<impl Disk>, name: &str, bytes: usize) -> Result<()> {
    let journal = open(disk?)?;
    println!("opened");
    let mut number = 0;
    let end = loop {
        let end = wave(&journal, name, &mut number, bytes);
        if end != End::Acked {
            break end;
        }
    };
    if end == End::Failed {
        (0..TRIES).for_each(|_| _ = wave(&journal, name, &mut number, bytes));
        return wait(journal.close());
    }
    println!("full");
    // An end of the input is as good as a line: the lines will show what came of it.
    let _ = std::io::stdin().read_line(&mut String::new());
    println!("on");
    (0..TRIES).for_each(|_| _ = wave(&journal, name, &mut number, bytes));
    wait(journal.close())?;
    println!("closed");
    Ok(())
}

fn wave(journal: &Embedded, name: &str, number: &mut u64, bytes: usize) -> End {
    let first = *number;
    *number += WAVE;
    let placed: Vec<(String, Result<Commit>)> = (first..*number)
        .map(|number| {
            let id = format!("{name}-{number}");
            let commit = place(journal, &id, bytes);
            (id, commit)
        })
        .collect();
    let mut end = End::Acked;
    for (id, commit) in placed {
        let outcome = commit.and_then(|commit| wait(commit.durable()).cloned());
        match outcome {
            Ok(appended) => println!("acked {id} {}", appended.last()),
            Err(error) => {
                let kind = error.kind();
                end = if kind == ErrorKind::DiskFull { End::Full } else { End::Failed };
                let word = if kind == ErrorKind::Indeterminate { "unknown" } else { "refused" };
                println!("{word} {id} {kind}");
            }
        }
    }
    end
}

fn place(journal: &Embedded, id: &str, bytes: usize) -> Result<Commit> {
    let event = Event::new("ledger.line").id(id).data(&text(id, bytes))?;
    let batch = Batch::new(StreamName::from("ledger"), RecordKind::Event, vec![event])?;
    let room = wait(journal.reserve(&batch))?;
    journal.append(batch, room)
}

/// A text of about this length, given by the id.
fn text(id: &str, bytes: usize) -> String {
    id.repeat(bytes / id.len() + 1)
}

/// Opens as an owner does, reads everything, and verifies it.
fn read(directory: &str) -> Result<()> {
    let journal = open(files(directory)?)?;
    let mut cursor = Position::START;
    loop {
        let page = wait(journal.read_after(cursor, 1 << 20))?;
        let Some(last) = page.last() else { break };
        cursor = last.position();
        for record in &page {
            let event = record.event()?;
            let id = event.id.to_string();
            let is_whole = event.data.trim_matches('"').replace(&id, "").is_empty();
            println!("{} {id} {}", if is_whole { "there" } else { "wrong" }, record.position());
        }
    }
    let verified = wait(journal.verify())?;
    wait(journal.close())?;
    match verified.findings.first() {
        Some(finding) => Err(Error::new(ErrorKind::Corruption, format!("{finding:?}"))),
        None => Ok(()),
    }
}

/// A disk that tells of syncs which it does not do.
struct Lying(Files);

struct LyingFile(Box<dyn DiskFile>);

impl Disk for Lying {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(LyingFile(self.0.open(name, access)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.0.lock(name, claim)
    }

    fn place(&self) -> String {
        self.0.place()
    }
}

impl DiskFile for LyingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}
