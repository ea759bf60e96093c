//! What is to be let go of, who holds the log from that, and what became of it.

use std::sync::Arc;

use foundation_types::config::EventSettings;
use foundation_types::{Position, Timestamp};

use super::retention::{Dropped, Retention};

/// What is to be let go of, from the front of the log on.
#[derive(Clone, Debug)]
pub struct Prune {
    /// How much of the log is kept.
    pub keep: Retention,
    /// Also files of which all events are expired go, by these settings.
    pub expired: Option<Arc<EventSettings>>,
    /// Files that go at most; absent for as many as there are.
    pub segments_max: Option<u64>,
    /// Whose holds count.
    pub holding: Holding,
    /// Whether it goes, or is only named.
    pub mode: PruneMode,
}

/// Whose holds count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holding {
    /// Everybody's.
    #[default]
    All,
    /// Everybody's but that of consumers, and of exports, which are consumers.
    PastConsumers,
}

/// Whether something goes, or is only named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PruneMode {
    /// Nothing is changed.
    #[default]
    Plan,
    /// It goes.
    Go,
}

/// Who keeps records from being let go of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The application, by a hold of its own.
    Application,
    /// The durable consumer with this name, which may be that of an export.
    Consumer(String),
    /// The projection with this name.
    Projection(String),
    /// A backup or a check that is under way.
    Copy,
    /// What would be let go of is not in both kept snapshots.
    Snapshot,
}

/// Somebody who holds the log from a position on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub holder: Holder,
    /// Nothing after this position goes.
    pub position: Position,
}

/// What was let go of, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Records, files and bytes.
    pub dropped: Dropped,
    /// Events in files that go for nothing else than that all in them is expired.
    pub expired: u64,
    /// The last record of that; the start of the log if nothing goes.
    pub up_to: Position,
    /// When it was recorded.
    pub newest: Option<Timestamp>,
    /// What would go if nobody held anything.
    pub wanted: Dropped,
    /// Who holds some of that, oldest position first.
    pub held_by: Vec<Held>,
}

impl Prune {
    /// Lets go of what is not to be kept and nobody holds.
    #[must_use]
    pub fn keeping(keep: Retention) -> Self {
        Self { keep, expired: None, segments_max: None, holding: Holding::All, mode: PruneMode::Go }
    }

    /// Lets go of the oldest files of which all events are expired by these settings, as many at once as
    /// they say, and of nothing else.
    #[must_use]
    pub fn expired(settings: Arc<EventSettings>) -> Self {
        let most = settings.expiry.max_files;
        Self {
            expired: Some(settings),
            segments_max: Some(most),
            ..Self::keeping(Retention::default())
        }
    }
}

impl Holding {
    pub(super) fn counts(self, holder: &Holder) -> bool {
        self == Self::All || !matches!(holder, Holder::Consumer(_))
    }
}
