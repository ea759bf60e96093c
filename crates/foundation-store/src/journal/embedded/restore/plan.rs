//! What of a backup is restored: all of it, or as much as was there at an earlier record.

use foundation_types::{Error, ErrorKind, Position, Result};

use super::super::backup::Entry;
use super::super::mark::{FRONT, Mark};
use super::super::row;
use super::super::scan::Cursor;
use super::super::segment::{self, HEADER_BYTES, Segment};
use super::super::snapshot;
use super::cut::{Cut, cut};
use super::source::Source;
use crate::disk::Access;

/// Which files are copied, and where the log ends.
pub(super) struct Plan<'a> {
    pub(super) whole: Vec<&'a Entry>,
    /// The segment of which a beginning is copied.
    pub(super) part: Option<(Segment, Cut)>,
    pub(super) end: Cursor,
}

impl<'a> Plan<'a> {
    /// What ends with the last whole batch up to a record.
    ///
    /// # Errors
    /// `InvalidArgument` if the backup does not reach so far, or cannot go back so far.
    pub(super) fn of(source: &'a Source, until: Option<Position>) -> Result<Self> {
        let manifest = &source.manifest;
        let until = until.unwrap_or(manifest.position);
        if until > manifest.position {
            let last = manifest.position;
            return Err(refused(format!(
                "the backup ends at position {last}, before position {until}"
            )));
        }
        let mut plan = Self {
            whole: Vec::new(),
            part: None,
            end: Cursor { offset: HEADER_BYTES, next: 1, chain: 0 },
        };
        let front = Mark::open(&*source.disk, FRONT, manifest.store, Access::Read)?;
        let front = front.map_or(0, |mark| mark.sequence());
        plan.segments(source, until.to_engine())?;
        let is_segment = |entry: &&Entry| segment::is_segment(&entry.name);
        let other = manifest.files.iter().filter(|entry| !is_segment(entry));
        let last = plan.last();
        let fits = |entry: &&Entry| snapshot::last_of(&entry.name).is_none_or(|at| at <= last);
        plan.whole.extend(other.filter(fits));
        let snapshots = manifest.files.iter().filter_map(|entry| snapshot::last_of(&entry.name));
        let oldest = snapshots.min().filter(|_| front > 0);
        let newest = plan.whole.iter().filter_map(|entry| snapshot::last_of(&entry.name)).max();
        let is_cut = last < manifest.position.to_engine();
        if last < front
            || last > until.to_engine()
            || is_cut && front > 0 && newest.is_none_or(|at| at < front)
        {
            return Err(refused(format!(
                "the backup cannot go back to position {until}: records up to {front} are not \
                 kept{}",
                oldest
                    .map(|at| format!(", and its older snapshot is of position {at}"))
                    .unwrap_or_default()
            )));
        }
        Ok(plan)
    }

    /// The last record.
    pub(super) fn last(&self) -> u64 {
        self.end.next - 1
    }

    fn segments(&mut self, source: &'a Source, until: u64) -> Result<()> {
        let named = |entry: &'a Entry| Some((segment::first_of(&entry.name)?, entry));
        let mut entries: Vec<(u64, &Entry)> =
            source.manifest.files.iter().filter_map(named).collect();
        entries.sort_unstable_by_key(|(first, _)| *first);
        let reached = entries.partition_point(|(first, _)| *first <= until);
        let Some(((_, last), before)) = entries.get(..reached).and_then(<[_]>::split_last) else {
            if let Some((first, entry)) = entries.first() {
                let segment = row::open_segment(&*source.disk, &entry.name, Access::Read)?;
                self.end = Cursor { next: *first, chain: segment.header.previous, ..self.end };
            }
            return Ok(());
        };
        self.whole.extend(before.iter().map(|(_, entry)| *entry));
        let segment = row::open_segment(&*source.disk, &last.name, Access::Read)?;
        let cut = cut(&segment, until)?;
        self.end = cut.end;
        if cut.end.next == segment.header.first {
            // Nothing of it is kept: the new epoch begins here.
            return Ok(());
        }
        if cut.whole == last.bytes {
            self.whole.push(last);
        } else {
            self.part = Some((segment, cut));
        }
        Ok(())
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
