//! What a query looked at, and which way led it there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The way to the records that may answer a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The index by story.
    Correlation,
    /// The index by the event that caused them.
    Parent,
    /// The index by stream.
    Stream,
    /// The index by tag.
    Tag,
    /// The index by time.
    Time,
    /// The index by type.
    Type,
    /// One record after the other, as none of the indices leaves fewer, or as there is none yet.
    Reading,
}

/// What a query looked at in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Records that were looked at, by the way to them.
    pub by: BTreeMap<Way, u64>,
    /// Records that were found.
    pub found: u64,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::Correlation,
        Self::Parent,
        Self::Stream,
        Self::Tag,
        Self::Time,
        Self::Type,
        Self::Reading,
    ];
}

/// Counts what is looked at, one record after the other.
#[derive(Debug, Default)]
pub(crate) struct Looking {
    by: [u64; Way::ALL.len()],
    found: u64,
}

impl Looking {
    pub(crate) fn count(&mut self, by: Way, is_found: bool) {
        if let Some(count) = self.by.get_mut(by as usize) {
            *count += 1;
        }
        self.found += u64::from(is_found);
    }

    pub(crate) fn told(&self) -> Looked {
        let all = Way::ALL.into_iter().map(|way| (way, self.by.get(way as usize).copied()));
        let by = all.filter_map(|(way, count)| Some((way, count.filter(|count| *count > 0)?)));
        Looked { by: by.collect(), found: self.found }
    }
}
