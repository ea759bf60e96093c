//! What became of every event that was offered, and what is on its way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Counts that always add up: what was offered is stored, repeated, rejected, dropped, or still
/// open.
#[derive(Debug, Default)]
pub struct Intake {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    counts: IntakeCounts,
    on_the_way: Load,
}

/// Events that came in, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakeCounts {
    /// Handed to the store.
    pub offered: u64,
    /// Recorded.
    pub stored: u64,
    /// Recognised by their id as stored before.
    pub repeated: u64,
    /// Refused with an error.
    pub rejected: u64,
    /// Not stored because a buffer was full and its policy says so.
    pub dropped: u64,
}

impl IntakeCounts {
    /// Events offered whose outcome is still open.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let settled = self.stored + self.repeated + self.rejected + self.dropped;
        self.offered.saturating_sub(settled)
    }
}

/// How an event that was offered ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Recorded.
    Stored,
    /// Stored before.
    Repeated,
    /// Refused.
    Rejected,
    /// Dropped by the policy of a full buffer.
    Dropped,
}

/// A number of events and the bytes that they are counted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Events.
    pub events: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Load {
    /// Both loads together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { events: self.events + more.events, bytes: self.bytes + more.bytes }
    }
}

impl Intake {
    /// Counts events that come in; each is to be settled once.
    pub fn offer(&self, events: u64) {
        self.state().counts.offered += events;
    }

    /// Settles events.
    pub fn settle(&self, events: u64, how: Settled) {
        self.state().settle(events, how);
    }

    /// Lets a load in if `has_room` says so of what is on its way; it is to be let out once.
    pub fn let_in(&self, load: Load, has_room: impl FnOnce(Load) -> bool) -> bool {
        let mut state = self.state();
        // Asked under the lock: two loads cannot both take the last room.
        let room = has_room(state.on_the_way);
        if room {
            state.on_the_way = state.on_the_way.and(load);
        }
        room
    }

    /// Lets a load out and wakes all who wait for room.
    pub fn let_out(&self, load: Load) {
        let mut state = self.state();
        state.on_the_way.events = state.on_the_way.events.saturating_sub(load.events);
        state.on_the_way.bytes = state.on_the_way.bytes.saturating_sub(load.bytes);
        drop(state);
        self.freed.notify_waiters();
    }

    /// Wakes all who wait for room: there may be more of it.
    pub fn look_again(&self) {
        self.freed.notify_waiters();
    }

    /// Ends when a load is let out after this call.
    pub fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Events let in and not yet let out.
    #[must_use]
    pub fn on_the_way(&self) -> Load {
        self.state().on_the_way
    }

    /// All counts at one moment.
    #[must_use]
    pub fn counts(&self) -> IntakeCounts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn settle(&mut self, events: u64, how: Settled) {
        let counts = &mut self.counts;
        *match how {
            Settled::Stored => &mut counts.stored,
            Settled::Repeated => &mut counts.repeated,
            Settled::Rejected => &mut counts.rejected,
            Settled::Dropped => &mut counts.dropped,
        } += events;
    }
}
