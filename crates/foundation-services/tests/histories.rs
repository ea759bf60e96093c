//! Many small histories of clients that read, change and follow one document at once, each held
//! against the model: over the journal in memory and over the embedded one on a simulated disk,
//! in an order that a seed says, and some of them on real threads.
//!
//! With `PROOF_HISTORIES` there are as many as it says; `PROOF_SEED` is the first seed.
//! The order is that of the seed but for one thing: on the embedded journal, who waits for the
//! same sync is woken by the thread of the journal, at its own pace.
//!
//! There is no run under `shuttle` beside these: it has to stand in for every lock and atomic on
//! the way, and those of tokio and of arc-swap, which that way consists of, it cannot replace.

mod client;
mod gate;
mod model;
mod planted;
mod scheduler;
mod seam;
mod told;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_services::ConfigServer;
use foundation_services::config::HistoryQuery;
use foundation_store::clock::SystemClock;
use foundation_store::config::ConfigState;
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, MemoryJournal, Mode};
use foundation_store::random::SystemRng;
use foundation_types::{Change, Settings, StoreId};

use crate::simulated::Dice;
use client::{Client, Notes, PATHS, amount, registers};
use gate::GatedDisk;
use model::{Answer, Operation, Registers, linearizable, wanted};
use scheduler::Task;
use seam::{Seam, Writer};
use told::complete;

/// What a history is recorded on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Memory,
    Disk,
    /// As on disk, with calls that fail or find no space.
    FailingDisk,
    MemoryThreads,
    DiskThreads,
}

/// A defect on the way between clients and journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    None,
    /// An append is published, then answered as if there had been no space for it.
    PublishesWhatItRefuses,
    StaleReads,
    ForgetsNews,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u64,
    on: On,
    plant: Plant,
}

/// A document over the journal of a case.
struct Node {
    server: ConfigServer<Settings>,
    writer: Writer,
}

impl Drop for Node {
    /// The thread of the journal ends whatever happened before.
    fn drop(&mut self) {
        if let Some(disk) = &self.writer.disk {
            disk.set_closed(false);
        }
    }
}

fn node(case: Case, dice: &Dice) -> Node {
    let clock = Arc::new(SystemClock::default());
    let state = Arc::new(ConfigState::<Settings>::new().expect("defaults are a tree"));
    let on_disk = matches!(case.on, On::Disk | On::FailingDisk | On::DiskThreads);
    let disk = on_disk.then(GatedDisk::default);
    let journal: Arc<dyn Journal> = match &disk {
        Some(disk) => {
            let options = EmbeddedOptions {
                mode: Mode::Write,
                segment_bytes: 4_096,
                background: false,
                reserve_bytes: 0,
            };
            let (files, rng) = (Arc::new(disk.clone()), SystemRng::default());
            let opened = Embedded::open(files, options, clock.clone(), &rng, state.clone());
            let (journal, _) = opened.expect("a new store is made");
            disk.set_closed(case.on != On::DiskThreads);
            Arc::new(journal)
        }
        None => {
            let (store, bytes_max) = (StoreId::from_bits(7), MemoryJournal::BYTES_MAX);
            Arc::new(MemoryJournal::new(store, bytes_max, clock.clone(), state.clone()))
        }
    };
    let seam = Arc::new(Seam::new(journal, dice.clone(), case.plant));
    let server = ConfigServer::open(seam.clone(), state, Vec::new(), clock);
    let fails_one_in = (case.on == On::FailingDisk).then_some(12);
    let writer = Writer { seam, disk, fails_one_in };
    Node { server: server.expect("defaults are valid"), writer }
}

/// Three to five clients, one or two of which follow the document.
fn clients(node: &Node, notes: &Arc<Notes>, case: Case, dice: &mut Dice) -> Vec<Task> {
    let (clients, watchers) = (3 + dice.below(3) as usize, 1 + dice.below(2) as usize);
    notes.writers.store(clients - watchers, Ordering::SeqCst);
    let client = |number: usize| Client {
        number,
        server: node.server.clone(),
        notes: Arc::clone(notes),
        dice: Dice::of(dice.bits()),
        plant: case.plant,
        seen: 0,
    };
    let clients: Vec<Client> = (0..clients).map(client).collect();
    let task = |client: Client| -> Task {
        if client.number < watchers { Box::pin(client.watch()) } else { Box::pin(client.work()) }
    };
    clients.into_iter().map(task).collect()
}

/// What histories had in them.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    operations: usize,
    reads: usize,
    changes: usize,
    conflicts: usize,
    news: usize,
    unknown: usize,
}

impl Count {
    fn add(&mut self, operations: &[Operation]) {
        self.operations += operations.len();
        for operation in operations {
            match operation.answer {
                Answer::Read(..) => self.reads += 1,
                Answer::Wrote(..) => self.changes += 1,
                Answer::Conflict(..) => self.conflicts += 1,
                Answer::Told(..) => self.news += 1,
                Answer::Unknown(..) => self.unknown += 1,
            }
        }
    }
}

/// Records one history and judges it.
fn history(case: Case) -> Result<Vec<Operation>, String> {
    let mut dice = Dice::of(case.seed);
    let notes = Arc::new(Notes::default());
    let node = node(case, &dice);
    let start = registers(&node.server.get());
    let tasks = clients(&node, &notes, case, &mut dice);
    if matches!(case.on, On::MemoryThreads | On::DiskThreads) {
        on_threads(tasks);
    } else {
        scheduler::run(tasks, &node.writer, &mut dice)?;
    }
    let (dice, plant) = (Dice::of(case.seed), Plant::None);
    let (number, notes_of_last) = (usize::MAX, Arc::clone(&notes));
    let server = node.server.clone();
    // What is there in the end is the last operation of all.
    Client { number, server, notes: notes_of_last, dice, plant, seen: 0 }.read();
    let query = HistoryQuery::default();
    let changes = wait(node.server.history(query)).map_err(|error| format!("{error:?}"))?;
    judge(&notes, start, &changes)
}

fn judge(notes: &Notes, start: Registers, changes: &[Change]) -> Result<Vec<Operation>, String> {
    if let Some(odd) = notes.odd.lock().expect("no panic under the lock").first() {
        return Err(odd.clone());
    }
    let operations = notes.operations();
    linearizable(start, &operations)?;
    let published = versions(start, changes);
    logged(&operations, &published)?;
    for watched in notes.watched.lock().expect("no panic under the lock").iter() {
        complete(watched, &published)?;
    }
    Ok(operations)
}

/// The registers of each version, as the changes in the log tell of them.
fn versions(start: Registers, changes: &[Change]) -> Vec<Registers> {
    let mut versions = vec![start];
    for change in changes {
        let mut registers = versions[versions.len() - 1];
        for (register, path) in registers.iter_mut().zip(PATHS) {
            let edit = change.changes.iter().find(|edit| edit.path.to_string() == path);
            if let Some(after) = edit.and_then(|edit| edit.after.as_ref()) {
                *register = amount(after);
            }
        }
        versions.push(registers);
    }
    versions
}

/// Whether the log has each acked change as the version that it was told to be, and whether what
/// is there in the end is what the log comes to.
fn logged(operations: &[Operation], published: &[Registers]) -> Result<(), String> {
    for operation in operations {
        let is_so = match &operation.answer {
            Answer::Wrote(wish, _, version, true) => match published.get(version - 1..=*version) {
                Some([before, after]) => wanted(*before, wish) == *after,
                _ => false,
            },
            Answer::Read(version, registers) => published.get(*version) == Some(registers),
            _ => true,
        };
        if !is_so {
            return Err(format!("the log has {published:?}, but {operation:?}"));
        }
    }
    Ok(())
}

fn on_threads(tasks: Vec<Task>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().expect("threads");
    let tasks: Vec<_> = tasks.into_iter().map(|task| runtime.spawn(task)).collect();
    for task in tasks {
        runtime.block_on(task).expect("no client panics");
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_history_has_an_order_that_the_model_allows() {
    let first = setting("PROOF_SEED").unwrap_or(1);
    let count = setting("PROOF_HISTORIES").unwrap_or(500);
    let (mut all, mut on_memory, mut on_threads) = (Count::default(), 0, 0);
    for seed in first..first + count {
        let on = match seed % 20 {
            0..8 => On::Memory,
            8..13 => On::Disk,
            13..18 => On::FailingDisk,
            18 => On::MemoryThreads,
            _ => On::DiskThreads,
        };
        match history(Case { seed, on, plant: Plant::None }) {
            Ok(operations) => all.add(&operations),
            Err(what) => panic!(
                "seed {seed}, {on:?}: {what}\nreplay: PROOF_SEED={seed} PROOF_HISTORIES=1 \
                 cargo test -p foundation-services --test all every_history"
            ),
        }
        on_memory += u64::from(matches!(on, On::Memory | On::MemoryThreads));
        on_threads += u64::from(matches!(on, On::MemoryThreads | On::DiskThreads));
    }
    let Count { operations, reads, changes, conflicts, news, unknown } = all;
    println!(
        "{count} histories, {on_memory} in memory, the rest on a simulated disk, {on_threads} on threads: {operations} \
         operations ({reads} reads, {changes} changes, {conflicts} conflicts, {news} notices, {unknown} of unknown end), \
         lost updates 0, stale reads 0, gaps in notices 0"
    );
    if count >= 500 {
        let rare = [reads, changes, conflicts, news, unknown];
        assert!(rare.iter().all(|seen| *seen > 0), "the histories have nothing to check: {all:?}");
    }
}
