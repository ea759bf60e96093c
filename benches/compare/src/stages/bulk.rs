//! Many events in large batches: for speed, with all of them made before the clock is started; and
//! for a store that is killed, with each batch made when it is needed.

use std::io::Read;
use std::time::Instant;

use super::{Stage, batches, check, pour, tell};
use crate::Outcome;
use crate::engine::Input;
use crate::process::{cpu, disk_bytes};

/// Appends all events, stops cleanly, and tells what lies on the disk then.
///
/// # Errors
/// What failed, or which event is not there.
pub(crate) fn run(stage: &Stage) -> Outcome<()> {
    let engine = stage.open()?;
    let inputs: Vec<Input> = batches(stage.events).map(|batch| engine.prepare(batch)).collect();
    let (start, cpu_before) = (Instant::now(), cpu());
    stage.runtime.block_on(pour(&*engine, inputs.into_iter()))?;
    let (time, used) = (start.elapsed(), cpu().saturating_sub(cpu_before));
    tell("bulk_per_s", stage.events as f64 / time.as_secs_f64());
    tell("bulk_cpu_us", used.as_secs_f64() * 1e6 / stage.events as f64);
    check(&*engine, stage.events, stage.events)?;
    let start = Instant::now();
    engine.close()?;
    tell("close_ms", start.elapsed().as_secs_f64() * 1e3);
    tell("disk_bytes", disk_bytes(&stage.dir)? as f64 / stage.events as f64);
    Ok(())
}

/// Appends all events and waits to be killed.
///
/// # Errors
/// What failed.
pub(crate) fn fill(stage: &Stage) -> Outcome<()> {
    let engine = stage.open()?;
    let inputs = batches(stage.events).map(|batch| engine.prepare(batch));
    stage.runtime.block_on(pour(&*engine, inputs))?;
    println!("filled");
    // The parent never writes: this ends with the process.
    std::io::stdin().read_exact(&mut [0])?;
    Ok(())
}
