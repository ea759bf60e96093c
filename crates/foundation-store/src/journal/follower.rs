//! Whoever derives something from the journal, and what of it is kept beside the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_types::{EventType, Position, Result, StreamName, Timestamp, Version};

use crate::record::Record;

/// Whatever is derived from the journal.
pub trait Follower: Send + Sync + 'static {
    /// Records that have become durable, in order, each exactly once.
    ///
    /// It is called on the journal's writer thread (and during opening on the opening thread):
    /// it must not block on the journal.
    fn follow(&self, records: &[Record]);

    /// What stands in the log before the first record that it is told of. Told once, at opening,
    /// before any record.
    fn begin(&self, _: &Before) {}

    /// Records up to here are found by the journal's own index from now on: what is only kept to
    /// find them may be forgotten.
    fn indexed(&self, _: Position) {}

    /// Records up to here are gone for good, and are found by nobody.
    fn let_go(&self, _: Position) {}

    /// Records up to here are of no use to it any more, if it has a say: a journal in memory keeps them
    /// only as long as somebody has a use for them.
    fn done_with(&self) -> Option<Position> {
        None
    }

    /// Whether the records behind a snapshot of its states are enough for it. If not, it is told of
    /// every record that is kept at each opening.
    fn resumes(&self) -> bool {
        false
    }

    /// The states in it that are kept in snapshots.
    fn states(&self) -> Vec<&dyn State> {
        Vec::new()
    }
}

/// A state that is a fold of the log and is kept in snapshots, so that opening need not read all.
pub trait State: Send + Sync {
    /// What it is called in a snapshot.
    fn name(&self) -> &'static str;

    /// The state as of the last record that it was told of. Taking it is quick; encoding it, which
    /// the capture does, need not be. Equal states have equal bytes.
    fn capture(&self) -> Capture;

    /// Becomes what was captured when `position` was the last record, instead of whatever it was.
    /// Records up to there that it is told of afterwards change nothing.
    ///
    /// # Errors
    /// If the bytes are not such a capture; the state is as it was.
    fn restore(&self, position: Position, bytes: &[u8]) -> Result<()>;

    /// Becomes what it was before any record.
    fn reset(&self);

    /// The streams that it is folded from, and the version that it has of each.
    fn heads(&self) -> Vec<(StreamName, Version)> {
        Vec::new()
    }
}

/// A state that was taken and is still to be encoded.
pub type Capture = Box<dyn FnOnce() -> Result<Vec<u8>> + Send>;

/// What of the log stands before the first record that followers are told of.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Position of the last such record.
    pub last: Position,
    /// When the first record that is kept was recorded.
    pub first_recorded: Option<Timestamp>,
    /// When the last such record was recorded.
    pub last_recorded: Option<Timestamp>,
    /// How many of them there are of each type.
    pub by_type: BTreeMap<EventType, u64>,
    /// How many of them cannot be decoded.
    pub unreadable: u64,
}

/// Follows nothing.
impl Follower for () {
    fn follow(&self, _: &[Record]) {}

    fn resumes(&self) -> bool {
        true
    }
}

/// Several followers, told one after the other.
impl Follower for Vec<Arc<dyn Follower>> {
    fn follow(&self, records: &[Record]) {
        self.iter().for_each(|follower| follower.follow(records));
    }

    fn begin(&self, before: &Before) {
        self.iter().for_each(|follower| follower.begin(before));
    }

    fn let_go(&self, last: Position) {
        self.iter().for_each(|follower| follower.let_go(last));
    }

    fn done_with(&self) -> Option<Position> {
        self.iter().filter_map(|follower| follower.done_with()).min()
    }

    fn indexed(&self, last: Position) {
        self.iter().for_each(|follower| follower.indexed(last));
    }

    fn resumes(&self) -> bool {
        self.iter().all(|follower| follower.resumes())
    }

    fn states(&self) -> Vec<&dyn State> {
        self.iter().flat_map(|follower| follower.states()).collect()
    }
}
