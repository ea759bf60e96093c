//! Syncs that fail, on a real ext4: after one of them nothing is acked until the store is opened
//! again, although the next sync would succeed.
//!
//! One half of the cycles has an image that is larger than the memory below it: a write is taken,
//! and its sync fails. In the other half strace makes one sync fail, and then the power is cut, so
//! that what was not synced is gone.

use super::ledger::{Ledger, Said};
use super::oracle::Oracle;
use super::volume::{Volume, has_strace};
use crate::kill::{dice, roll};

/// Memory below an image of 64 MiB.
const BELOW_KILOBYTES: u64 = 12 * 1024;
/// Syncs of a writer until the last one that may fail.
const SYNCS: u64 = 60;

pub(super) fn run(ledger: &Ledger, cycles: u64, seed: u64) -> Result<String, String> {
    let mut dice = dice(seed);
    let (mut acked, mut failed, mut traced) = (0, 0, 0);
    let strace = has_strace();
    for cycle in 0..cycles {
        let context = |what| format!("cycle {cycle} (seed {seed}): {what}");
        let said = thin(ledger, &mut dice).map_err(context)?;
        acked += said.acked.len();
        failed += u64::from(said.failure.is_some());
        if strace {
            let said = injected(ledger, &mut dice).map_err(context)?;
            acked += said.acked.len();
            traced += u64::from(said.failure.is_some());
        }
    }
    let beside = match strace {
        true => format!("and {traced} that strace made fail once"),
        false => "(none by strace, which is not here or may not trace)".to_owned(),
    };
    Ok(format!(
        "{failed} syncs failed on ext4 over too little memory, {beside}: {acked} acked before; \
         acked after a failure 0, acked lost 0, invented 0"
    ))
}

fn checked(said: Said, ledger: &Ledger, volume: &Volume) -> Result<Said, String> {
    if said.acks_after_failure > 0 {
        return Err(format!("{} acks after a failure", said.acks_after_failure));
    }
    Oracle::default().check("sync", &said, &ledger.read(&volume.store())?)?;
    Ok(said)
}

fn thin(ledger: &Ledger, dice: &mut u64) -> Result<Said, String> {
    let mut volume = Volume::thin("syncs", BELOW_KILOBYTES)?;
    let bytes = 8_000 + roll(dice, 60_000);
    let said = ledger.write(&volume.store(), "sync", bytes)?.end()?;
    // What fails is a group, or the segment or the watermark beside it; the error need not be EIO.
    if !said.is_fenced {
        return Err(format!("no sync failed: {:?}", said.failure));
    }
    volume.grow()?;
    volume.start_again()?;
    checked(said, ledger, &volume)
}

fn injected(ledger: &Ledger, dice: &mut u64) -> Result<Said, String> {
    let mut volume = Volume::ext4("syncs", 64)?;
    let number = 1 + roll(dice, SYNCS);
    let writer = ledger.write_with_failing_sync(&volume.store(), "sync", 300, number)?;
    let said = writer.end()?;
    volume.shut_down()?;
    volume.start_again()?;
    checked(said, ledger, &volume)
}
