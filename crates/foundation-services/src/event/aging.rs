//! The bound of the buffer in age: what came long ago leaves it.
//!
//! How far the log was is noted at times that a monotonic clock says, so that a wall clock that is set
//! has no say. A note is made each thousandth part of the bound, and no oftener than somebody looks.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foundation_types::Position;

use super::EventStore;

/// Notes in the time of the bound.
const NOTES: u32 = 1_000;

/// How far the log was when; oldest first.
#[derive(Debug, Default)]
pub(super) struct Aging(Mutex<VecDeque<(Duration, Position)>>);

impl Aging {
    /// Notes how far the log is, and gives up to where it is older than `age`.
    fn look(&self, now: Duration, age: Duration, published: Position) -> Option<Position> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.back().is_none_or(|(when, _)| now.saturating_sub(*when) >= age / NOTES) {
            notes.push_back((now, published));
        }
        let mut old = None;
        while let Some((when, position)) = notes.front().copied() {
            if now.saturating_sub(when) < age {
                break;
            }
            old = Some(position);
            notes.pop_front();
        }
        old
    }
}

impl EventStore {
    /// Lets what is older than `events.buffer.max_age_s` leave the buffer: to be called now and then. An
    /// event leaves it no sooner, and later by at most the time between two calls and a thousandth part
    /// of the bound.
    pub fn age_buffer(&self) {
        let core = &self.0;
        let seconds = core.settings.current().events.buffer.max_age_s;
        if seconds == 0 {
            return;
        }
        let (now, age) = (core.clock.monotonic(), Duration::from_secs(seconds));
        if let Some(position) = core.aging.look(now, age, core.log.published()) {
            core.log.forget_up_to(position);
            core.journal.let_go_of_unused();
            core.intake.look_again();
        }
    }
}
