//! Dropping the oldest half, and giving its space back.

use std::time::Instant;

use super::{Stage, check, tell};
use crate::Outcome;
use crate::process::disk_bytes;

/// Runs the stage.
///
/// # Errors
/// What failed, or which event is not there.
pub(crate) fn run(stage: &Stage) -> Outcome<()> {
    let mut engine = stage.open()?;
    let kept = stage.events / 2;
    let start = Instant::now();
    if !engine.keep_newest(kept)? {
        return engine.close();
    }
    tell("drop_ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    engine.give_back()?;
    tell("give_back_ms", start.elapsed().as_secs_f64() * 1e3);
    let left = check(&*engine, stage.events, kept)?;
    engine.close()?;
    tell("disk_bytes_after_drop", disk_bytes(&stage.dir)? as f64 / left as f64);
    Ok(())
}
