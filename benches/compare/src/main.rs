//! Foundation's journal and event store beside fjall, redb and SQLite: one run, one machine, one
//! file system, the same events.
//!
//! What makes the comparison fair, and where it is not:
//!
//! - Every event has 200 bytes of content (type, correlation id, id, time, data) and is found by
//!   type, correlation and time. Foundation finds it by its id and its stream too, and chains
//!   records to each other; the rivals need not.
//! - Every append is acked after a sync of the disk. Concurrent producers are tasks of one runtime.
//!   fjall, redb and SQLite get a queue in front, whose one writer thread commits all that waits as
//!   one transaction and wakes all who share it at once, as Foundation does inside. An append alone
//!   goes to them directly, without the hop to that thread which Foundation makes.
//! - Each is used as its documentation recommends for this: fjall with a keyspace for each index and
//!   one atomic batch with `PersistMode::SyncAll`; redb with one write transaction over four tables
//!   at `Durability::Immediate`; SQLite with prepared statements, `journal_mode=WAL` and
//!   `synchronous=FULL`, 64 MiB of page cache and a mapped file.
//! - Events are made before the clock is started. A bulk has four batches of 10,000 on their way.
//! - An answer counts once every hit was read as type, correlation, time and data. Foundation
//!   verifies the checksum of each record that it reads; fjall those of blocks; redb and SQLite none.
//! - Space is what the file system has allotted after a clean stop. Memory is the peak of a process
//!   that makes its events batch by batch; the pages of a file that an engine maps count.
//! - Every stage of every engine is a process of its own. The whole is done in rounds, engine after
//!   engine, and the best of each figure is told: other load makes nothing faster.
//! - What each engine holds is read back after each stage: every event once, a sample of them
//!   compared field by field, and the answers of questions event by event. A wrong one ends the run.

#![forbid(unsafe_code)]

mod engine;
mod engines;
mod process;
mod queue;
mod run;
mod sample;
mod stages;
mod table;

use std::process::ExitCode;

/// What any step ends with.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str =
    "usage: foundation-compare [--events N] [--rounds N] [--dir FOLDER] [--only ENGINE]

  --events N     events of the large store: 1000000 unless said, a multiple of 2000
  --rounds N     how often everything is measured: 3 times unless said; the best is told
  --dir FOLDER   where the stores go; a folder beside the program unless said
  --only ENGINE  one engine: foundation-journal, foundation-store, fjall, redb, sqlite";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [run::CHILD, stage, engine, dir, events] => run::child(stage, engine, dir, events),
        words => match run::Options::read(words) {
            Ok(options) => run::all(&options),
            Err(problem) => {
                eprintln!("{problem}\n{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
