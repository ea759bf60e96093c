//! Questions to a store that was opened anew: what is asked for is on the disk, or in the system's
//! cache of it.

use std::time::{Duration, Instant};

use super::{Stage, tell};
use crate::Outcome;
use crate::engine::{Engine, Question};
use crate::process::peak_bytes;
use crate::sample::{Bits, KINDS, ROUND, Sample, correlation_of_10, correlation_of_100, time_of};

/// Questions of each kind, unless they take too long.
const QUESTIONS: usize = 2_000;
const TIME_MAX: Duration = Duration::from_secs(4);
/// Questions whose answers are compared with what was written, event by event.
const CHECKED: usize = 40;
/// How often everything is read.
const SCANS: usize = 3;
/// Hits of the questions that have many.
const MANY: u64 = 100;

/// Runs the stage.
///
/// # Errors
/// What failed, or which answer is wrong.
pub(crate) fn run(stage: &Stage) -> Outcome<()> {
    let engine = stage.open()?;
    for kind in ["corr10", "corr100", "type100", "time100"] {
        let mut bits = Bits(stage.events);
        let mut next = || question(kind, stage.events, &mut bits);
        for _ in 0..CHECKED {
            let (question, expected) = next();
            compare(&*engine, &question, &expected(stage.events))?;
        }
        let mut times = Vec::with_capacity(QUESTIONS);
        let hits = if kind == "corr10" { 10 } else { MANY };
        let begun = Instant::now();
        while times.len() < QUESTIONS && begun.elapsed() < TIME_MAX {
            times.push(timed(&*engine, &next().0, hits)?);
        }
        times.sort();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
        tell(&format!("query_{kind}_p50_us"), at(0.5));
        tell(&format!("query_{kind}_p99_us"), at(0.99));
    }
    scan(&*engine, stage.events)?;
    tell("read_peak_mib", peak_bytes(std::process::id())? as f64 / f64::from(1 << 20));
    engine.close()
}

/// Numbers of the events that an answer has to consist of, in any order, of so many written.
type Expected = Box<dyn Fn(u64) -> Vec<u64>>;

/// A question of a kind, and its answer.
fn question(kind: &str, events: u64, bits: &mut Bits) -> (Question, Expected) {
    let round = bits.next() % (events / ROUND);
    let of_round = move |id: String| -> Expected {
        Box::new(move |_| {
            let all = round * ROUND..(round + 1) * ROUND;
            all.filter(|number| crate::sample::correlation_of(*number) == id).collect()
        })
    };
    match kind {
        "corr10" => {
            let id = correlation_of_10(round, bits.next() % 100);
            (Question::Correlation(id.clone()), of_round(id))
        }
        "corr100" => {
            let id = correlation_of_100(round, bits.next() % 10);
            (Question::Correlation(id.clone()), of_round(id))
        }
        "type100" => {
            let kind = KINDS[(bits.next() % KINDS.len() as u64) as usize];
            let expected = move |events: u64| {
                let newest = (0..events).rev().filter(|one| Sample::of(*one).kind == kind);
                newest.take(MANY as usize).collect()
            };
            (Question::Newest(kind, MANY as usize), Box::new(expected))
        }
        _ => {
            let first = bits.next() % (events - MANY);
            let question = Question::Between(time_of(first), time_of(first + MANY));
            (question, Box::new(move |_| (first..first + MANY).collect()))
        }
    }
}

fn compare(engine: &dyn Engine, question: &Question, expected: &[u64]) -> Outcome<()> {
    let (mut found, mut wrong) = (Vec::new(), None);
    engine.ask(question, &mut |seen| {
        found.extend(seen.number());
        wrong = seen.check().err().or(wrong.take());
    })?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    // The order matters where it was asked for.
    let mut expected = expected.to_vec();
    if !matches!(question, Question::Newest(..)) {
        found.sort_unstable();
        expected.sort_unstable();
    }
    if found != expected {
        return Err(format!("{question:?} is answered by {found:?}, not {expected:?}").into());
    }
    Ok(())
}

fn timed(engine: &dyn Engine, question: &Question, hits: u64) -> Outcome<Duration> {
    let (mut found, mut bytes) = (0, 0);
    let start = Instant::now();
    engine.ask(question, &mut |seen| {
        found += 1;
        bytes += seen.data.len() + seen.kind.len() + seen.correlation.len();
    })?;
    let time = start.elapsed();
    if found != hits || bytes == 0 {
        return Err(format!("{question:?} has {found} hits, not {hits}").into());
    }
    Ok(time)
}

/// The best of some reads of everything, oldest first.
fn scan(engine: &dyn Engine, events: u64) -> Outcome<()> {
    let mut best = 0.0_f64;
    for _ in 0..SCANS {
        let time = timed(engine, &Question::All, events)?;
        best = best.max(events as f64 / time.as_secs_f64());
    }
    tell("scan_per_s", best);
    Ok(())
}
