//! What is done beside the appends: indices of sealed segments, snapshots; what is let go of is in `prune`.
//!
//! One at a time does it, whoever holds the lock of the upkeep: a thread that ends once there is
//! nothing to do, a caller who asks for a checkpoint, or the writer when it closes. Nothing of it
//! can harm the log: what fails is told by the status and tried again at the next occasion, with
//! new files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use foundation_types::{Error, ErrorKind, Position, Result};

use super::index::Grain;
use super::scan::Cursor;
use super::segment::Segment;
use super::shared::Shared;
use super::snapshot::{self, Kept, Snapshot};
use super::{indexing, reserve};
use crate::journal::follower::Capture;

/// Snapshots that are kept: should the newest not be readable, there is the one before.
pub(super) const SNAPSHOTS_KEPT: usize = 2;

/// The states of the followers, taken by the writer between two groups, all of it synced.
pub(super) struct Captured {
    last: u64,
    /// Checksum of the frame of that record.
    chain: u32,
    epoch: u64,
    states: Vec<(&'static str, Capture)>,
    /// The segment that had the record, and where it ended then.
    segment: Option<(Arc<Segment>, u64)>,
}

impl Captured {
    /// Takes the states as of the record before the cursor. Only the writer can: nobody is told of
    /// anything meanwhile.
    pub(super) fn at(shared: &Shared, cursor: Cursor, epoch: u64) -> Self {
        let states = shared.follower.states();
        let segment = shared.log.last();
        Self {
            last: cursor.next - 1,
            chain: cursor.chain,
            epoch,
            states: states.iter().map(|state| (state.name(), state.capture())).collect(),
            segment: segment.map(|one| (Arc::clone(&one), one.end.load(Ordering::Acquire))),
        }
    }
}

/// What waits for the upkeep since a segment was sealed.
#[derive(Default)]
pub(super) struct Sealed {
    /// The newest states; older ones that were not yet kept are of no use any more.
    captured: Option<Captured>,
    /// Whether a thread sees to it.
    is_seen_to: bool,
}

/// Has a sealed segment indexed and the states kept, without holding up the writer: by a thread,
/// of which there is one at a time, however fast segments are sealed.
pub(super) fn begin(shared: &Arc<Shared>, captured: Captured, in_background: bool) {
    let mut sealed = sealed(shared);
    sealed.captured = Some(captured);
    if std::mem::replace(&mut sealed.is_seen_to, true) {
        return;
    }
    drop(sealed);
    if !in_background {
        return see_to(shared);
    }
    let owned = Arc::clone(shared);
    let thread = std::thread::Builder::new().name("foundation-upkeep".to_owned());
    if let Err(cause) = thread.spawn(move || see_to(&owned)) {
        self::sealed(shared).is_seen_to = false;
        let error = Error::new(ErrorKind::Unavailable, "cannot start the upkeep of the journal");
        shared.note_upkeep(Err(error.caused_by(cause)));
    }
}

/// Works until nothing waits.
fn see_to(shared: &Shared) {
    loop {
        let captured = {
            let mut sealed = sealed(shared);
            let Some(captured) = sealed.captured.take() else {
                sealed.is_seen_to = false;
                return;
            };
            captured
        };
        let done = catch_unwind(AssertUnwindSafe(|| after_sealing(shared, captured)));
        shared.note_upkeep(done.unwrap_or_else(|_| Err(panicked())));
    }
}

fn sealed(shared: &Shared) -> MutexGuard<'_, Sealed> {
    shared.sealed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn after_sealing(shared: &Shared, captured: Captured) -> Result<()> {
    let _upkeep = lock(shared);
    if shared.intake().ended {
        // The directory may be somebody else's by now.
        return Ok(());
    }
    let indexed = index_sealed(shared);
    keep(shared, captured).and(indexed)
}

/// Makes the indices that are missing.
pub(super) fn index_sealed(shared: &Shared) -> Result<()> {
    let mut missing = shared.log.sealed();
    missing.retain(|segment| segment.whole_index().is_none());
    let away = if missing.is_empty() { Vec::new() } else { shared.away()? };
    for segment in missing {
        let is_away = away.iter().any(|one| one.first == segment.header.first);
        let grain = if is_away { Grain::Stretches } else { Grain::Frames };
        indexing::write(&*shared.disk, &shared.pool, &segment, grain)?;
        if let Some(index) = segment.whole_index() {
            shared.follower.indexed(Position::from_engine(index.summary().last()));
        }
    }
    Ok(())
}

/// Keeps these states, and an index up to the same record, so that opening reads nothing that came
/// before.
///
/// # Errors
/// `Unavailable` if the journal was closed meanwhile, or why a file could not be written.
pub(super) fn checkpoint(shared: &Shared, captured: Captured) -> Result<Position> {
    let _upkeep = lock(shared);
    if shared.intake().ended {
        return Err(super::closing());
    }
    let made = make_checkpoint(shared, captured);
    shared.note_upkeep(made.as_ref().map(|_| ()).map_err(Error::clone));
    made
}

/// The checkpoint of a journal that closes. Its writer is the last who holds the lock.
pub(super) fn last_checkpoint(shared: &Shared, captured: Captured) {
    let _upkeep = lock(shared);
    let made = catch_unwind(AssertUnwindSafe(|| make_checkpoint(shared, captured)));
    shared.note_upkeep(made.unwrap_or_else(|_| Err(panicked())).map(|_| ()));
}

fn make_checkpoint(shared: &Shared, captured: Captured) -> Result<Position> {
    let last = captured.last;
    let indexed = index_up_to(shared, &captured);
    // Without an index a start reads more, but it finds the states all the same.
    keep(shared, captured).and(indexed)?;
    Ok(Position::from_engine(last))
}

/// Makes the indices that are missing up to the record of the states.
fn index_up_to(shared: &Shared, captured: &Captured) -> Result<()> {
    index_sealed(shared)?;
    let Some((segment, end)) = &captured.segment else { return Ok(()) };
    let index = segment.index.load_full();
    let covered = index.is_some_and(|index| index.summary().last() >= captured.last);
    if !covered && captured.last >= segment.header.first {
        indexing::write_up_to(&*shared.disk, &shared.pool, segment, *end)?;
    }
    Ok(())
}

fn panicked() -> Error {
    Error::new(ErrorKind::Internal, "the upkeep of the journal panicked")
}

/// Writes a snapshot, if there is none as new.
fn keep(shared: &Shared, captured: Captured) -> Result<()> {
    let is_new = captured.last > shared.snapshot.load(Ordering::Acquire);
    if captured.states.is_empty() || !is_new {
        return Ok(());
    }
    let Captured { last, chain, epoch, states, .. } = captured;
    let encode =
        |(name, capture): (&str, Capture)| Ok(Kept { name: name.to_owned(), bytes: capture()? });
    let states = states.into_iter().map(encode).collect::<Result<Vec<Kept>>>()?;
    Snapshot { store: shared.store, epoch, last, chain, states }.write(&*shared.disk)?;
    shared.snapshot.store(last, Ordering::Release);
    snapshot::prune(&*shared.disk, shared.store, SNAPSHOTS_KEPT).map(drop)
}

/// Makes the reserve, so large that the versions of all streams let go of can be written anew.
pub(super) fn make_reserve(shared: &Shared) {
    let heads = if shared.reserve_bytes > 0 { 2 * shared.heads.load().bytes() } else { 0 };
    reserve::make(&*shared.disk, shared.reserve_bytes + heads);
}

/// Waits until nobody else does it.
pub(super) fn lock(shared: &Shared) -> MutexGuard<'_, ()> {
    shared.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
}
