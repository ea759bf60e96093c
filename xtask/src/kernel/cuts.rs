//! Power cuts on a real ext4, at any moment of a writer's life.

use std::path::Path;
use std::time::Duration;

use super::ledger::{Ledger, Writer};
use super::oracle::Oracle;
use super::volume::Volume;
use crate::kill::{dice, roll};

/// Cuts that one store goes through; then a new one is begun, since each check reads all of it.
const CUTS_OF_A_STORE: u64 = 20;
/// Longest time between the first ack and the cut.
const WAIT_MS_MAX: u64 = 120;
/// Longest time between the start and the cut, where that is not to wait for an ack.
const START_MS_MAX: u64 = 12;

/// Cuts under a writer that does not sync, of which at least one has to be noticed.
const LIES: u64 = 10;

/// # Errors
/// What was lost or invented; or that the lies of a writer were not noticed.
pub(super) fn run(ledger: &Ledger, cycles: u64, seed: u64) -> Result<String, String> {
    let caught = lives(ledger, Ledger::lie, LIES, seed);
    if !caught.is_err_and(|what| ["lost", "does not open"].iter().any(|word| what.contains(word))) {
        return Err(format!("{LIES} power cuts under a writer that does not sync: none noticed"));
    }
    let acked = lives(ledger, Ledger::write, cycles, seed)?;
    Ok(format!(
        "{cycles} power cuts on ext4: {acked} acked, lost 0, invented 0; a writer that does not sync \
         is caught"
    ))
}

/// Starts a writer on a store.
type Start = fn(&Ledger, &Path, &str, u64) -> Result<Writer, String>;

fn lives(ledger: &Ledger, start: Start, cycles: u64, seed: u64) -> Result<u64, String> {
    let mut dice = dice(seed);
    let mut oracle = Oracle::default();
    let mut volume = None;
    for cycle in 0..cycles {
        if cycle.is_multiple_of(CUTS_OF_A_STORE) {
            volume = None;
            oracle = oracle.of_a_new_store();
        }
        let place = match volume.take() {
            Some(place) => place,
            None => Volume::ext4("power", 256)?,
        };
        let place = volume.insert(place);
        cut(ledger, start, place, &mut oracle, &mut dice, cycle)
            .map_err(|what| format!("cycle {cycle} (seed {seed}): {what}"))?;
    }
    Ok(oracle.acked)
}

fn cut(
    ledger: &Ledger,
    start: Start,
    volume: &mut Volume,
    oracle: &mut Oracle,
    dice: &mut u64,
    cycle: u64,
) -> Result<(), String> {
    let name = format!("cut{cycle}");
    let bytes = [40, 300, 3_000][roll(dice, 3) as usize];
    let writer = start(ledger, &volume.store(), &name, bytes)?;
    // Now and then while it is opening, which makes files and cuts a torn tail.
    if roll(dice, 4) == 0 {
        std::thread::sleep(Duration::from_millis(roll(dice, START_MS_MAX)));
    } else {
        if !writer.wait_for_ack()? {
            return Err("the writer ended before it acked anything".to_owned());
        }
        std::thread::sleep(Duration::from_millis(roll(dice, WAIT_MS_MAX)));
    }
    writer.hears_no_more();
    volume.shut_down()?;
    let said = writer.kill()?;
    if said.acks_after_failure > 0 {
        return Err(format!("{} acks after a failure", said.acks_after_failure));
    }
    volume.start_again()?;
    oracle.check(&name, &said, &ledger.read(&volume.store())?)
}
