//! Clients of one document, and what they note of each call and its answer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use foundation_services::ConfigServer;
use foundation_services::config::{ConfigChange, Notice, Updated};
use foundation_types::value::from_value;
use foundation_types::{Error, ErrorKind, Path, Result, Settings, Value, Version};

use super::model::{Answer, Expects, OPERATIONS_MAX, Operation, REGISTERS, Registers, Wish};
use super::scheduler::let_others_go_first;
use super::told::{Start, Watched};
use super::{Dice, Plant};

/// The paths that the registers of the model stand for. No value that is put there is a default: to set
/// one would be a version that differs in nothing.
pub(crate) const PATHS: [&str; REGISTERS] =
    ["interface.max_results", "interface.query_timeout_ms", "events.buffer.max_events"];

/// What all clients note together.
#[derive(Default)]
pub(crate) struct Notes {
    now: AtomicU64,
    operations: Mutex<Vec<Operation>>,
    pub(crate) watched: Mutex<Vec<Watched>>,
    /// Answers that there may not be.
    pub(crate) odd: Mutex<Vec<String>>,
    /// Clients that may still write.
    pub(crate) writers: AtomicUsize,
    stale: Mutex<Option<(usize, Registers)>>,
}

impl Notes {
    fn tick(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&self, client: usize, began: u64, answer: Answer) {
        let ended = self.tick();
        let operation = Operation { client, began, ended, answer };
        self.operations.lock().expect("no panic under the lock").push(operation);
    }

    fn odd(&self, what: String) {
        self.odd.lock().expect("no panic under the lock").push(what);
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations.lock().expect("no panic under the lock").clone()
    }
}

/// One client with what it does next and what it has seen.
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) server: ConfigServer<Settings>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) dice: Dice,
    pub(crate) plant: Plant,
    pub(crate) seen: usize,
}

/// The registers of a document.
pub(crate) fn registers(settings: &Settings) -> Registers {
    let interface = &settings.interface;
    [interface.max_results, interface.query_timeout_ms, settings.events.buffer.max_events]
}

pub(crate) fn number(version: Version) -> usize {
    usize::try_from(version.number()).expect("few versions")
}

impl Client {
    /// Some operations, then the document is closed if no other client writes any more.
    pub(crate) async fn work(mut self) {
        for _ in 0..4 + self.dice.below(5) {
            for _ in 0..self.dice.below(3) {
                let_others_go_first().await;
            }
            match self.dice.below(10) {
                0..3 => self.read(),
                3..8 => self.write().await,
                _ => self.add().await,
            }
        }
        if self.notes.writers.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.server.close();
        }
    }

    pub(crate) fn read(&mut self) {
        let began = self.notes.tick();
        let current = self.server.get();
        let mut seen = (number(current.version()), registers(&current));
        if self.plant == Plant::StaleReads && self.dice.coin() {
            let mut stale = self.notes.stale.lock().expect("no panic under the lock");
            seen = stale.replace(seen).unwrap_or(seen);
        }
        self.seen = seen.0;
        self.notes.note(self.number, began, Answer::Read(seen.0, seen.1));
    }

    async fn write(&mut self) {
        let at = self.dice.below(REGISTERS as u64) as usize;
        // Few enough that some changes change nothing.
        let mut values = vec![(at, 1 + self.dice.below(12))];
        if self.dice.below(4) == 0 {
            values.push(((at + 1) % REGISTERS, 1 + self.dice.below(12)));
        }
        let since = self.seen - self.dice.below(2).min(self.seen as u64) as usize;
        let expects = match self.dice.below(3) {
            0 => Expects::Anything,
            1 => Expects::Version(self.seen),
            _ => Expects::Unchanged(self.dice.below(REGISTERS as u64) as usize, since),
        };
        let mut update = self.server.transaction();
        for &(at, value) in &values {
            update = update.set(PATHS[at], value);
        }
        let version = |number: usize| Version::new(number as u64);
        let update = match expects {
            Expects::Anything => update,
            Expects::Version(seen) => update.expect_version(version(seen)),
            Expects::Unchanged(at, since) => update.expect_unchanged(PATHS[at], version(since)),
        };
        let began = self.notes.tick();
        let answer = update.await;
        self.answered(began, Wish::Put(values), expects, answer);
    }

    async fn add(&mut self) {
        let at = self.dice.below(REGISTERS as u64) as usize;
        let began = self.notes.tick();
        let more = self.server.retry_on_conflict(|seen, change| {
            change.set(PATHS[at], registers(&seen.document)[at] + 1)
        });
        let answer = more.await;
        self.answered(began, Wish::Add(at), Expects::Anything, answer);
    }

    fn answered(&mut self, began: u64, wish: Wish, expects: Expects, answer: Result<Updated>) {
        let answer = match answer {
            Ok(updated) => {
                self.seen = number(updated.version);
                Answer::Wrote(wish, expects, self.seen, updated.position.is_some())
            }
            Err(error) => match refused(&error, wish, expects) {
                Ok(Some(answer)) => answer,
                // Nothing was applied: there is nothing to have a place.
                Ok(None) => return,
                Err(odd) => return self.notes.odd(odd),
            },
        };
        if let Answer::Conflict(_, Some(actual)) = answer {
            self.seen = actual;
        }
        self.notes.note(self.number, began, answer);
    }

    /// Follows the document, or one place of it, until it is closed.
    pub(crate) async fn watch(mut self) {
        for _ in 0..self.dice.below(12) {
            let_others_go_first().await;
        }
        let register = match self.dice.below(REGISTERS as u64 + 1) as usize {
            REGISTERS => None,
            at => Some(at),
        };
        let path: Path = register.map_or("", |at| PATHS[at]).parse().expect("a path");
        let before = number(self.server.version());
        let (subscription, start) = if self.dice.coin() {
            let live = self.server.subscribe(path);
            (live, Start::Between(before, number(self.server.version())))
        } else {
            let from = self.dice.below(before as u64 + 1);
            let from_version = self.server.subscribe_from(Version::new(from), path).await;
            (from_version, Start::After(from as usize))
        };
        let mut subscription = match subscription {
            Ok(subscription) => subscription,
            Err(error) => return self.notes.odd(format!("cannot subscribe: {error:?}")),
        };
        let mut watched = Watched { register, start, versions: Vec::new() };
        loop {
            let began = self.notes.tick();
            match subscription.next().await {
                Ok(Some(Notice::Changed(change))) => {
                    if self.plant == Plant::ForgetsNews && self.dice.below(8) == 0 {
                        continue;
                    }
                    watched.versions.push(number(change.version));
                    self.told(began, register, &change);
                }
                Ok(None) => break,
                other => return self.notes.odd(format!("a subscriber was told {other:?}")),
            }
        }
        self.notes.watched.lock().expect("no panic under the lock").push(watched);
    }

    fn told(&mut self, began: u64, register: Option<usize>, change: &ConfigChange) {
        let value = |tree: &Option<Value>, at: usize| {
            let tree = tree.as_ref().expect("every field has a value");
            let path: Path = PATHS[at].parse().expect("a path");
            let inner = if register.is_some() { Some(tree) } else { tree_at(tree, &path) };
            inner.map(amount).expect("is there")
        };
        let all = (0..REGISTERS).filter(|at| register.is_none_or(|register| register == *at));
        let changes = all.map(|at| (at, value(&change.before, at), value(&change.after, at)));
        let answer = Answer::Told(number(change.version), changes.collect());
        self.notes.note(self.number, began, answer);
        // Whoever was told of a version reads it, or a later one.
        if self.dice.below(4) == 0 && self.notes.operations().len() < OPERATIONS_MAX / 2 {
            self.read();
        }
    }
}

/// The number that a register has.
pub(crate) fn amount(value: &Value) -> u64 {
    from_value(value).expect("a number")
}

fn tree_at<'a>(tree: &'a Value, path: &Path) -> Option<&'a Value> {
    foundation_logic::lens::get(tree, path)
}

/// What a refusal says of the document; nothing if it says that nothing was applied.
fn refused(error: &Error, wish: Wish, expects: Expects) -> Result<Option<Answer>, String> {
    match (error.kind(), expects) {
        (ErrorKind::VersionConflict, Expects::Version(_)) => {
            let actual = error.conflict().map(|conflict| number(conflict.actual));
            Ok(Some(Answer::Conflict(expects, actual)))
        }
        (ErrorKind::VersionConflict, Expects::Unchanged(..)) => {
            Ok(Some(Answer::Conflict(expects, None)))
        }
        (ErrorKind::Indeterminate, _) => Ok(Some(Answer::Unknown(wish, expects))),
        (ErrorKind::DiskFull | ErrorKind::Fenced | ErrorKind::Disk, _) => Ok(None),
        _ => Err(format!("{wish:?} expecting {expects:?} was answered {error:?}")),
    }
}
