//! Durable appends: alone beside the bare disk, and by 64 producers.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Stage, check, tell};
use crate::Outcome;
use crate::engine::{Engine, Input};
use crate::process::cpu;
use crate::sample::Sample;

const PRODUCERS: u64 = 64;
/// Appends by one, and how many of them stand between two rounds of the bare disk.
const ALONE: u64 = 3_000;
const ROUND: u64 = 250;
/// Bytes of a bare append.
const BARE_BYTES: usize = 216;

/// Runs the stage.
///
/// # Errors
/// What failed, or which event is not there.
pub(crate) fn run(stage: &Stage) -> Outcome<()> {
    let engine = Arc::new(stage.open()?);
    let mut written = alone(stage, &**engine)?;
    for (batch, most) in [(1, 100_000), (16, 500_000)] {
        let each = (stage.events / 2).clamp(20_000, most) / PRODUCERS / batch;
        let produced = produce(stage, &engine, Load { first: written, each, batch })?;
        let Produced { events, time, cpu } = produced;
        tell(&format!("append_64x{batch}_per_s"), events as f64 / time.as_secs_f64());
        tell(&format!("append_64x{batch}_cpu_us"), cpu.as_secs_f64() * 1e6 / events as f64);
        written += events;
    }
    check(&**engine, written, written)?;
    Arc::into_inner(engine).ok_or("a producer is left")?.close()
}

/// One append after the other, in turns with the bare disk, so that both meet the same load.
fn alone(stage: &Stage, engine: &dyn Engine) -> Outcome<u64> {
    let bare = Bare::new(&stage.dir)?;
    let (mut bare_times, mut times) = (Vec::new(), Vec::new());
    let mut number = 0;
    while number < ALONE {
        for nth in number..number + ROUND {
            bare_times.push(bare.append(nth)?);
        }
        let samples = (number..number + ROUND).map(|nth| vec![Sample::of(nth)]);
        let inputs: Vec<Input> = samples.map(|one| engine.prepare(one)).collect();
        for input in inputs {
            let start = Instant::now();
            engine.append_here(input)?;
            times.push(start.elapsed());
        }
        number += ROUND;
    }
    tell("append_bare_us", middle(&mut bare_times).as_secs_f64() * 1e6);
    tell("append_alone_us", middle(&mut times).as_secs_f64() * 1e6);
    Ok(number)
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A file that was written with zeros before: the least that a durable write costs on this disk.
struct Bare(File);

impl Bare {
    fn new(dir: &Path) -> Outcome<Self> {
        let path = dir.with_extension("bare");
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&vec![0; BARE_BYTES * ALONE as usize], 0)?;
        file.sync_all()?;
        Ok(Self(file))
    }

    fn append(&self, nth: u64) -> Outcome<Duration> {
        let start = Instant::now();
        self.0.write_all_at(&[7; BARE_BYTES], nth * BARE_BYTES as u64)?;
        self.0.sync_data()?;
        Ok(start.elapsed())
    }
}

/// What each producer appends.
#[derive(Clone, Copy)]
struct Load {
    /// Number of the first event.
    first: u64,
    /// Appends of each producer.
    each: u64,
    /// Events of each append.
    batch: u64,
}

struct Produced {
    events: u64,
    time: Duration,
    cpu: Duration,
}

/// Producers that each wait for an append before the next.
fn produce(stage: &Stage, engine: &Arc<Box<dyn Engine>>, load: Load) -> Outcome<Produced> {
    let Load { first, each, batch } = load;
    let append = |nth: u64| {
        let from = first + nth * batch;
        engine.prepare((from..from + batch).map(Sample::of).collect())
    };
    let inputs_of = |producer: u64| (producer * each..(producer + 1) * each).map(append).collect();
    let inputs: Vec<Vec<Input>> = (0..PRODUCERS).map(inputs_of).collect();
    let (start, cpu_before) = (Instant::now(), cpu());
    let tasks: Vec<_> = inputs
        .into_iter()
        .map(|inputs| {
            let engine = engine.clone();
            stage.runtime.spawn(async move {
                for input in inputs {
                    engine.append(input).await?;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for task in tasks {
        stage.runtime.block_on(task)??;
    }
    let events = PRODUCERS * each * batch;
    Ok(Produced { events, time: start.elapsed(), cpu: cpu().saturating_sub(cpu_before) })
}
