//! Copies of a store: what is taken under load, what is restored, and what is refused.

mod cut_power;
mod refused;
mod restored;
mod side_by_side;

use std::sync::Arc;

use foundation_store::journal::{
    Embedded, EmbeddedOptions, Journal, Mode, RestoreOptions, Restored, Retention, restore,
    verify_store,
};
use foundation_store::random::SystemRng;
use foundation_types::{ErrorKind, Position, Result};

use super::super::simulated::SimulatedDisk;
use super::{append, batch, open, open_with, read_all, wait};
use side_by_side::Side;

/// A journal with this many batches of two events; the last one is `newest`.
fn filled(disk: &SimulatedDisk, batches: usize) -> Embedded {
    let journal = open(disk, Mode::Write).expect("opens").journal;
    for number in 0..batches {
        put(&journal, number);
    }
    journal
}

/// Appends two events at once.
fn put(journal: &Embedded, number: usize) {
    let texts = [format!("first of {number}"), "x".repeat(number % 24 * 9)];
    let commit = append(journal, batch("a", &texts)).expect("placed");
    wait(commit.durable()).expect("durable");
}

fn back_up(journal: &Embedded, target: &SimulatedDisk) -> Result<Position> {
    wait(journal.backup(Arc::new(target.clone()))).map(|backup| backup.position)
}

/// A backup of a small store, and what the store gives out.
fn sample(batches: usize) -> (SimulatedDisk, Vec<String>) {
    let (disk, target) = (SimulatedDisk::default(), SimulatedDisk::default());
    let journal = filled(&disk, batches);
    let position = back_up(&journal, &target).expect("is taken");
    let all = read_all(&journal);
    assert_eq!(position.to_engine(), all.len() as u64);
    (target, all)
}

fn restored(from: &SimulatedDisk, side: &Side, options: RestoreOptions) -> Result<Restored> {
    restore(Arc::new(from.clone()), side, "data", options, &SystemRng::default())
}

/// What the store in a directory gives out, after all of it was verified.
fn content(disk: &SimulatedDisk) -> Vec<String> {
    let found = verify_store(disk).expect("reads");
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    read_all(&open(disk, Mode::Read).expect("opens").journal)
}

fn until(position: u64) -> RestoreOptions {
    RestoreOptions { until: Some(Position::from_engine(position)), ..RestoreOptions::default() }
}
