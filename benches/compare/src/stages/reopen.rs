//! Opening a store that was killed or stopped, until the first question is answered.

use std::time::Instant;

use super::{Stage, check, tell};
use crate::Outcome;
use crate::engine::Question;
use crate::sample::{ROUND, correlation_of_10};

/// Runs the stage.
///
/// # Errors
/// What failed, or which event is not there.
pub(crate) fn run(stage: &Stage) -> Outcome<()> {
    let question = Question::Correlation(correlation_of_10(stage.events / ROUND / 2, 7));
    let mut hits = 0;
    let start = Instant::now();
    let engine = stage.open()?;
    engine.ask(&question, &mut |_| hits += 1)?;
    let time = start.elapsed();
    if hits != 10 {
        return Err(format!("{hits} events of a story of 10 are found").into());
    }
    tell("reopen_ms", time.as_secs_f64() * 1e3);
    check(&*engine, stage.events, stage.events)?;
    engine.close()
}
