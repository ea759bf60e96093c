//! What is measured: each stage of each engine runs in a process of its own.

pub(crate) mod append;
pub(crate) mod bulk;
pub(crate) mod drop;
pub(crate) mod query;
pub(crate) mod reopen;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::Runtime;

use crate::Outcome;
use crate::engine::{self, Ack, Engine, Input, Question};
use crate::sample::Sample;

/// Events of one append where many are appended: the most that Foundation takes.
const BULK_BATCH: u64 = 10_000;
/// Appends of a bulk that are on their way at a time.
const WINDOW: usize = 4;
/// Of so many events one is compared with what was written, field by field.
const CHECK_STEP: u64 = 97;

/// What a stage works on.
pub(crate) struct Stage {
    pub(crate) engine: String,
    pub(crate) dir: PathBuf,
    pub(crate) events: u64,
    pub(crate) runtime: Arc<Runtime>,
}

impl Stage {
    pub(crate) fn open(&self) -> Outcome<Box<dyn Engine>> {
        engine::open(&self.engine, &self.dir, &self.runtime)
    }
}

/// Tells the parent a figure.
pub(crate) fn tell(metric: &str, value: f64) {
    println!("{metric} {value}");
}

/// The batches of a bulk, each with its events.
fn batches(events: u64) -> impl Iterator<Item = Vec<Sample>> {
    (0..events)
        .step_by(BULK_BATCH as usize)
        .map(move |first| (first..(first + BULK_BATCH).min(events)).map(Sample::of).collect())
}

/// Appends one batch after the other, some of them on their way at a time.
async fn pour(engine: &dyn Engine, inputs: impl Iterator<Item = Input>) -> Outcome<()> {
    let mut flights: VecDeque<Ack<'_>> = VecDeque::new();
    for input in inputs {
        let mut flight = engine.append(input);
        // Polled at once, so that batches have their places in this order.
        match poll_fn(|context| Poll::Ready(flight.as_mut().poll(context))).await {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => flights.push_back(flight),
        }
        if flights.len() >= WINDOW
            && let Some(oldest) = flights.pop_front()
        {
            oldest.await?;
        }
    }
    for flight in flights {
        flight.await?;
    }
    Ok(())
}

/// Reads everything: each of the newest events that were written is there once, at least so many,
/// and nothing else. Gives their count.
fn check(engine: &dyn Engine, written: u64, least: u64) -> Outcome<u64> {
    let mut seen_before = vec![false; usize::try_from(written)?];
    let (mut count, mut lowest) = (0, written);
    let mut wrong = None;
    engine.ask(&Question::All, &mut |seen| {
        count += 1;
        let number = seen.number().unwrap_or(u64::MAX);
        lowest = lowest.min(number);
        match seen_before.get_mut(number as usize) {
            Some(before) if !*before => *before = true,
            _ => wrong = Some(format!("event {number} is there twice or was never written")),
        }
        if number % CHECK_STEP == 0
            && let Err(cause) = seen.check()
        {
            wrong = Some(cause.to_string());
        }
    })?;
    if let Some(wrong) = wrong {
        return Err(wrong.into());
    }
    let most = least + if least == written { 0 } else { engine.slack() };
    if !(least..=most).contains(&count) {
        return Err(format!("{count} events are there, not {least} to {most}").into());
    }
    // Only a store that was written in order is asked for less than all.
    if lowest != written - count {
        return Err(format!("the oldest event is {lowest}, not {}", written - count).into());
    }
    Ok(count)
}
