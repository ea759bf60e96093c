//! What an answer of a sink means for each event of a batch.

use std::collections::HashSet;
use std::time::Duration;

use foundation_types::StreamName;

use super::sink::{Delivered, ExportBatch, Fault, SinkError, Verdict};
use crate::event::Settled;

/// What becomes of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Of each event, in their order.
    pub(super) events: Vec<Settled>,
    /// Why something comes again or is poison, if anything does.
    pub(super) cause: Option<String>,
}

/// Of an answer. `pause` is the time after which what failed is tried again.
pub(super) fn of_answer(answer: Delivered, batch: &ExportBatch, pause: Duration) -> Outcome {
    let count = batch.events.len();
    let verdicts = match answer {
        Delivered::All => vec![Verdict::Taken; count],
        Delivered::First(taken) => vec![Verdict::Taken; taken.min(count)],
        Delivered::Each(mut verdicts) => {
            verdicts.truncate(count);
            verdicts
        }
    };
    let is_alone = count == 1;
    let mut open: HashSet<&StreamName> = HashSet::new();
    let mut outcome = Outcome { events: Vec::with_capacity(count), cause: None };
    let mut verdicts = verdicts.into_iter();
    for one in &batch.events {
        let verdict = verdicts.next();
        let settled = if open.contains(&one.event.stream) {
            Settled::Untried
        } else {
            match verdict {
                Some(Verdict::Taken) => Settled::Taken,
                Some(Verdict::Never(cause)) => Settled::Refused(cause),
                Some(Verdict::Again(cause)) => Settled::Failed(cause, pause),
                None if is_alone => Settled::Failed("the sink took none of it".to_owned(), pause),
                None => Settled::Untried,
            }
        };
        match &settled {
            Settled::Taken => {}
            Settled::Refused(cause) => outcome.cause = Some(cause.clone()),
            Settled::Failed(cause, _) => {
                outcome.cause = Some(cause.clone());
                open.insert(&one.event.stream);
            }
            Settled::Untried => {
                open.insert(&one.event.stream);
                let told = || "the sink took a part of the batch".to_owned();
                outcome.cause.get_or_insert_with(told);
            }
        }
        outcome.events.push(settled);
    }
    outcome
}

/// Of an error: a batch of several is put back to be tried in smaller ones, so that only the event
/// that fails alone is one that failed.
pub(super) fn of_error(error: &SinkError, events: usize, pause: Duration) -> Outcome {
    let one = match error.fault {
        _ if events > 1 => Settled::Untried,
        Fault::Away => Settled::Untried,
        Fault::Failed => Settled::Failed(error.cause.clone(), pause),
        Fault::Refused => Settled::Refused(error.cause.clone()),
    };
    Outcome { events: vec![one; events], cause: Some(error.cause.clone()) }
}
