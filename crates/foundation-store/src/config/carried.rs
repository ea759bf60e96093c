//! The newest changes of a document as they were logged, kept beside the log: they can be read after
//! the log has let go of them.
//!
//! They end where the document ends, and begin with a stored tree, so that what they make can be
//! computed as well. Which ones are kept depends on the changes alone, and on no clock.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::limits::CONFIG_HISTORY_BYTES_MAX;
use foundation_types::{Change, Data, Error, ErrorKind, Result, Timestamp, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::versions::TREE_EVERY;

/// How much of the history of each document is kept whatever becomes of the log. A change stays while
/// it is among the newest ones, or young beside the newest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBound {
    /// So many of the newest changes stay.
    pub versions: u64,
    /// What was recorded no longer than this before the newest one stays.
    pub age: Duration,
}

impl HistoryBound {
    /// Before it is known what the settings say, everything stays that there is room for.
    pub const NONE: Self = Self { versions: u64::MAX, age: Duration::MAX };
}

/// The newest changes of one document, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    bound: HistoryBound,
    /// The version that the last of them made; of the document, if there is none.
    last: u64,
    changes: im::Vector<Option<CarriedChange>>,
    /// Whether a snapshot had some.
    was_kept: bool,
    bytes: usize,
}

/// One change; the ones that were lost to damage have no text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CarriedChange {
    /// When it was recorded.
    pub(super) time: Timestamp,
    /// The change as it was logged.
    change: Arc<RawValue>,
}

impl CarriedChange {
    /// What a record tells of.
    ///
    /// # Errors
    /// `Corruption` if it is no JSON.
    pub(super) fn of(time: Timestamp, text: &str) -> Result<Self> {
        let change = RawValue::from_string(text.to_owned()).map_err(|cause| {
            Error::new(ErrorKind::Corruption, "a logged change is not JSON").caused_by(cause)
        })?;
        Ok(Self { time, change: Arc::from(change) })
    }

    /// The change that made this version.
    ///
    /// # Errors
    /// `Corruption` if it is none.
    pub(super) fn to_change(&self, version: Version) -> Result<Change> {
        let mut change: Change = Data::from_checked(self.change.get()).to().map_err(|cause| {
            Error::new(ErrorKind::Corruption, "what is kept of a history is no change")
                .with("version", version)
                .caused_by(cause)
        })?;
        (change.version, change.time) = (version, self.time);
        Ok(change)
    }

    pub(super) fn bytes(&self) -> usize {
        self.change.get().len()
    }
}

impl Carried {
    pub(super) fn new(bound: HistoryBound) -> Self {
        Self { bound, last: 0, changes: im::Vector::new(), was_kept: false, bytes: 0 }
    }

    pub(super) fn bound(&self) -> HistoryBound {
        self.bound
    }

    /// From here on this much stays.
    pub(super) fn set_bound(&mut self, bound: HistoryBound) {
        self.bound = bound;
        self.trim();
    }

    /// The first version whose change is here; the next one of the document if there is none.
    pub(super) fn first(&self) -> Version {
        Version::new(self.last + 1 - self.changes.len() as u64)
    }

    /// The change that made a version; nothing inside if it was lost to damage.
    pub(super) fn get(&self, version: Version) -> Option<Option<CarriedChange>> {
        let at = version.number().checked_sub(self.first().number())?;
        self.changes.get(usize::try_from(at).ok()?).cloned()
    }

    /// Learns of the change that made this version; of the ones between nothing is known.
    pub(super) fn push(&mut self, version: Version, change: CarriedChange) {
        for _ in self.last + 1..version.number() {
            self.changes.push_back(None);
        }
        self.bytes = self.bytes.saturating_add(change.bytes());
        self.changes.push_back(Some(change));
        self.last = version.number();
        self.trim();
    }

    /// Whether the change of an earlier version should be here: itself, or to compute one that should.
    pub(super) fn wants(&self, version: Version, change: Option<&CarriedChange>) -> bool {
        let is_end_of_step = version.number().is_multiple_of(TREE_EVERY as u64);
        let is_newest = version.number() == self.last;
        !self.keeps_nothing()
            && (is_newest
                || !is_end_of_step
                || !self.is_over(version.number(), change.map(|change| change.time)))
    }

    /// Puts a change right before those that are here.
    pub(super) fn put_before(&mut self, change: Option<CarriedChange>) {
        self.bytes += change.as_ref().map_or(0, CarriedChange::bytes);
        self.changes.push_front(change);
    }

    /// Puts changes right before those that are here, the newest of them first.
    pub(super) fn precede(&mut self, earlier: Vec<Option<CarriedChange>>) {
        earlier.into_iter().for_each(|change| self.put_before(change));
        self.trim();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What of them a snapshot keeps: nothing before it is known what should be kept, unless an earlier
    /// snapshot had it.
    pub(super) fn kept(&self) -> Vec<Option<CarriedChange>> {
        match self.bound == HistoryBound::NONE && !self.was_kept {
            true => Vec::new(),
            false => self.changes.iter().cloned().collect(),
        }
    }

    /// Takes what a snapshot has kept of a document with so many versions.
    ///
    /// # Errors
    /// `Corruption` if there are more than versions.
    pub(super) fn restore(&mut self, last: usize, all: Vec<Option<CarriedChange>>) -> Result<()> {
        if all.len() > last {
            let message = "a snapshot has more changes of a document than it has versions";
            return Err(Error::new(ErrorKind::Corruption, message));
        }
        (self.last, self.was_kept) = (last as u64, !all.is_empty());
        self.bytes = all.iter().flatten().map(CarriedChange::bytes).sum();
        self.changes = all.into_iter().collect();
        self.trim();
        Ok(())
    }

    /// Lets go of what need not stay: whole steps from one stored tree to the next, and single changes
    /// where they are too large together.
    fn trim(&mut self) {
        while self.bytes > CONFIG_HISTORY_BYTES_MAX {
            self.let_go(1);
        }
        let step = TREE_EVERY as u64;
        loop {
            let before = self.first().number() - 1;
            let end = before - before % step + step;
            if end > self.last {
                break;
            }
            let time = self.get(Version::new(end)).flatten().map(|change| change.time);
            if !self.is_over(end, time) {
                return;
            }
            self.let_go(end - before);
        }
        if self.keeps_nothing() {
            self.let_go(self.changes.len() as u64);
        }
    }

    fn keeps_nothing(&self) -> bool {
        self.bound.versions == 0 && self.bound.age.is_zero()
    }

    /// Whether neither this version, recorded then, nor one before it has to stay.
    fn is_over(&self, version: u64, time: Option<Timestamp>) -> bool {
        if self.last.saturating_sub(version) < self.bound.versions {
            return false;
        }
        let newest = self.changes.last().and_then(Option::as_ref).map(|change| change.time);
        let (Some(time), Some(newest)) = (time, newest) else { return true };
        let age = newest.as_unix_micros().saturating_sub(time.as_unix_micros());
        u128::try_from(age).unwrap_or(0) >= self.bound.age.as_micros()
    }

    fn let_go(&mut self, changes: u64) {
        for _ in 0..changes {
            if let Some(Some(change)) = self.changes.pop_front() {
                self.bytes -= change.bytes();
            }
        }
    }
}
