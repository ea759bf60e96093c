//! What is set for a time only, and what is to be there afterwards.

use foundation_logic::overlay::Overlay;
use foundation_types::config::Layer;
use foundation_types::value::present;
use foundation_types::{Change, Path, Timestamp, Value, Version};
use serde::{Deserialize, Serialize};

/// One place with a value that goes by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temporary {
    /// Where.
    pub path: Path,
    /// Until when.
    pub until: Timestamp,
    /// The version that put it there.
    pub version: Version,
    /// Whether something was set at run time before; otherwise the sources count again.
    pub was_set: bool,
    /// What was there before.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub before: Option<Value>,
}

/// All that is set for a time only, in the order in which it was set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passing(Vec<Temporary>);

impl Passing {
    /// Learns of a change, of which the overlay does not know yet. Who sets something at, in or
    /// around a place sets it for good, or for another time.
    pub(super) fn follow(&mut self, change: &Change, overlay: &Overlay) {
        if change.layer == Layer::Sources {
            return;
        }
        let before = std::mem::take(&mut self.0);
        let touched = change.changes.iter().map(|edit| &edit.path).chain(&change.withdrawn);
        let touched: Vec<&Path> = touched.collect();
        let is_touched = |one: &Temporary| touched.iter().any(|path| path.overlaps(&one.path));
        let (ended, kept): (Vec<_>, Vec<_>) = before.into_iter().partition(is_touched);
        self.0 = kept;
        let Some(until) = change.until else { return };
        for edit in &change.changes {
            let earlier = ended.iter().find(|one| one.path == edit.path);
            let (was_set, before) = match earlier {
                Some(one) => (one.was_set, one.before.clone()),
                None => (overlay.touches(&edit.path), edit.before.clone()),
            };
            let (path, version) = (edit.path.clone(), change.version);
            self.0.push(Temporary { path, until, version, was_set, before });
        }
    }

    /// Each of them.
    pub(super) fn all(&self) -> &[Temporary] {
        &self.0
    }

    /// What has had its time.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<Temporary> {
        self.0.iter().filter(|one| one.until <= now).cloned().collect()
    }

    /// Whether nothing is set for a time only.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
