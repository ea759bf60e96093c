//! A disk that is full, then has space again, under one writer that goes on.

use super::ledger::{FULL, Ledger};
use super::oracle::Oracle;
use super::volume::Volume;
use crate::kill::{dice, roll};

pub(super) fn run(ledger: &Ledger, cycles: u64, seed: u64) -> Result<String, String> {
    let mut dice = dice(seed);
    let (mut acked, mut recovered) = (0, 0);
    for cycle in 0..cycles {
        let context = |what| format!("cycle {cycle} (seed {seed}): {what}");
        // In turn memory and ext4, which run out of space in different calls.
        let volume = match cycle % 2 {
            0 => Volume::memory("full", 2 * 1024),
            _ => Volume::ext4("full", 8),
        };
        acked += fill(ledger, &volume.map_err(context)?, &mut dice).map_err(context)?;
        recovered += 1;
    }
    Ok(format!(
        "disk full {cycles} times: {acked} acked, acked lost 0, invented 0; went on without a restart \
         {recovered}"
    ))
}

/// Fills the volume, makes space, lets the writer go on, and compares; gives what was acked.
fn fill(ledger: &Ledger, volume: &Volume, dice: &mut u64) -> Result<u64, String> {
    let ballast = volume.ballast();
    std::fs::write(&ballast, vec![1; 768 * 1024])
        .map_err(|cause| format!("cannot write {}: {cause}", ballast.display()))?;
    let bytes = [600, 3_000, 9_000][roll(dice, 3) as usize] + roll(dice, 200);
    let mut writer = ledger.write(&volume.store(), "full", bytes)?;
    if !writer.wait_for_full()? {
        return Err(format!("the disk was never full: {:?}", writer.end()?.failure));
    }
    // ext4 gives freed blocks out once its journal says that they are free.
    std::fs::remove_file(&ballast)
        .and_then(|()| std::fs::File::open(volume.store())?.sync_all())
        .map_err(|cause| format!("cannot remove {}: {cause}", ballast.display()))?;
    writer.go_on()?;
    let said = writer.end()?;
    if said.failure.as_deref() != Some(FULL) || said.acks_after_full == 0 {
        return Err(format!("it did not go on when there was space: {:?}", said.failure));
    }
    let mut oracle = Oracle::default();
    oracle.check("full", &said, &ledger.read(&volume.store())?)?;
    Ok(oracle.acked)
}
