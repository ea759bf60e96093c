//! What a verification reads of segments that are in the archive, before it reads them as segments.

use foundation_types::Result;

use super::super::archive::{self, ArchivedSegment, ArchivedStore};
use crate::journal::status::Finding;

/// The segments that are in the archive alone.
pub(super) struct Away<'a> {
    store: Option<&'a ArchivedStore>,
    segments: Vec<ArchivedSegment>,
}

/// What was found in the file of one.
pub(super) struct Found {
    pub(super) bytes: u64,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Away<'a> {
    pub(super) fn of(store: Option<&'a ArchivedStore>) -> Result<Self> {
        let segments = store.map_or(Ok(Vec::new()), ArchivedStore::away)?;
        Ok(Self { store, segments })
    }

    /// What is wrong with the segment that begins with this number, if it is there.
    pub(super) fn findings(&self, first: u64) -> Result<Option<Found>> {
        let at = self.segments.binary_search_by_key(&first, |one| one.first);
        let segment = at.ok().and_then(|at| self.segments.get(at));
        let (Some(store), Some(segment)) = (self.store, segment) else { return Ok(None) };
        let findings = archive::check(store, segment)?;
        Ok(Some(Found { bytes: segment.stored, findings }))
    }
}
