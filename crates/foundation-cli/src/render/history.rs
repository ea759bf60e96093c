//! A change as a line of the history: every field is there, whether it says something or not.

use foundation::config::{Change, Edit, Layer};
use foundation::{Timestamp, Version};
use serde::Serialize;

/// One change, with `null` for what nobody said.
#[derive(Serialize)]
pub(crate) struct HistoryRow<'a> {
    document: &'a str,
    version: Version,
    time: Timestamp,
    actor: Option<&'a str>,
    reason: Option<&'a str>,
    layer: Layer,
    until: Option<Timestamp>,
    changes: &'a [Edit],
}

impl<'a> HistoryRow<'a> {
    pub(crate) fn of(change: &'a Change) -> Self {
        Self {
            document: &change.document,
            version: change.version,
            time: change.time,
            actor: change.actor.as_deref(),
            reason: change.reason.as_deref(),
            layer: change.layer,
            until: change.until,
            changes: &change.changes,
        }
    }
}
