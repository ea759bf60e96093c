//! Where opening begins to read: behind the newest snapshot that can be trusted.

use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Position, Result, StoreId};

use super::cause::is_no_file;
use super::indexing;
use super::log::checksum_in;
use super::options::Mode;
use super::row;
use super::scan::{Cursor, Groups};
use super::segment::{self, HEADER_BYTES, Segment};
use super::snapshot::{self, Snapshot};
use super::{Follower, disk_failure};
use crate::disk::{Disk, Pool};

/// What the states of the followers are as of.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    /// No record up to here has to be told.
    pub(super) last: u64,
    /// The record of the snapshot that was taken, if one was.
    pub(super) snapshot: Option<u64>,
    /// Why newer snapshots were passed over.
    pub(super) passed_over: Vec<Error>,
}

/// Restores the states of the follower from the newest snapshot that is whole and belongs to this
/// log; without one they begin anew.
pub(super) fn restore(
    disk: &dyn Disk,
    pool: &Arc<Pool>,
    store: StoreId,
    mode: Mode,
    follower: &dyn Follower,
) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::default();
    let states = follower.states();
    states.iter().for_each(|state| state.reset());
    if !follower.resumes() {
        return Ok(checkpoint);
    }
    if states.is_empty() {
        checkpoint.last = u64::MAX;
        return Ok(checkpoint);
    }
    for name in snapshot::names(disk)? {
        let taken = Snapshot::read(disk, &name, store)
            .and_then(|snapshot| check_place(disk, pool, &snapshot, &name).map(|()| snapshot))
            .and_then(|snapshot| take(&snapshot, &name, follower).map(|()| snapshot.last));
        match taken {
            Ok(last) => {
                (checkpoint.last, checkpoint.snapshot) = (last, Some(last));
                return Ok(checkpoint);
            }
            // Beside a writer it may have gone since it was listed.
            Err(error)
                if error.kind() == ErrorKind::Disk && mode != Mode::Peek && !is_no_file(&error) =>
            {
                return Err(error);
            }
            Err(error) => checkpoint.passed_over.push(error),
        }
    }
    states.iter().for_each(|state| state.reset());
    Ok(checkpoint)
}

fn take(snapshot: &Snapshot, name: &str, follower: &dyn Follower) -> Result<()> {
    let position = Position::from_engine(snapshot.last);
    for state in follower.states() {
        let bytes = snapshot.state(state.name()).ok_or_else(|| {
            let message = format!("a snapshot does not have the state {:?}", state.name());
            Error::new(ErrorKind::NotFound, message).with("file", name)
        })?;
        state.restore(position, bytes).map_err(|error| error.with("file", name))?;
    }
    Ok(())
}

/// Whether the log has the record of the snapshot, with the checksum that it had then. A log that
/// ends before it is for recovery to judge.
fn check_place(disk: &dyn Disk, pool: &Arc<Pool>, snapshot: &Snapshot, name: &str) -> Result<()> {
    let names = row::segment_names(disk)?;
    let foreign = |what: &str| Error::new(ErrorKind::ForeignFile, what).with("file", name);
    let behind = |one: &String| segment::first_of(one).is_some_and(|first| first > snapshot.last);
    let after = names.iter().position(behind).unwrap_or(names.len());
    if let Some(following) = names.get(after)
        && segment::first_of(following) == Some(snapshot.last + 1)
    {
        let chain = row::open_pooled(pool, following)?.header.previous;
        return if chain == snapshot.chain { Ok(()) } else { Err(foreign(OTHER_LOG)) };
    }
    let Some(holding) = after.checked_sub(1).and_then(|at| names.get(at)) else {
        return Err(foreign("a snapshot is of a record that the log does not begin with"));
    };
    let segment = row::open_pooled(pool, holding)?;
    match chain_at(pool, &segment, snapshot.last)? {
        Some(chain) if chain != snapshot.chain => Err(foreign(OTHER_LOG)),
        _ => Ok(()),
    }
}

const OTHER_LOG: &str = "a snapshot was taken of another log than this one";

/// The checksum of the frame of a record, if the segment has it.
fn chain_at(pool: &Arc<Pool>, segment: &Segment, sequence: u64) -> Result<Option<u32>> {
    let header = segment.header;
    // An index says where to look; what is there says the log itself.
    if let Ok(index) = indexing::open(pool, segment)
        && index.summary().last() >= sequence
        && let Ok(offset) = index.offset_of(sequence)
        && let Some(checksum) = checksum_in(segment, offset..index.summary().end.offset, sequence)?
    {
        return Ok(Some(checksum));
    }
    let fail = |cause| disk_failure("read the log", &segment.name, cause);
    let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
    let mut groups = Groups::new(&*segment.file, segment.seed, start).map_err(fail)?;
    while let Ok(read) = groups.next().map_err(fail)? {
        let found = read.records.iter().find(|one| one.position().to_engine() == sequence);
        if let Some(record) = found {
            return Ok(Some(record.checksum()));
        }
    }
    Ok(None)
}
