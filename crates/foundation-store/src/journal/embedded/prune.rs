//! Letting go of the oldest segments, or saying which would go and who holds them.

use std::sync::Arc;

use foundation_logic::event::Lives;
use foundation_types::{ErrorKind, Position, Result};

use super::heads::Heads;
use super::retention::{self, Bounds};
use super::segment::Segment;
use super::shared::Shared;
use super::snapshot::{self, Snapshot};
use super::upkeep::{self, SNAPSHOTS_KEPT};
use super::{indexing, mark, reserve};
use crate::disk::Access;
use crate::journal::prune::{Held, Holder, Prune, PruneMode, Pruned};

/// Lets go of the oldest segments. On a full disk the reserve makes room for that.
pub(super) fn prune(shared: &Shared, prune: &Prune) -> Result<Pruned> {
    let _upkeep = upkeep::lock(shared);
    if prune.mode == PruneMode::Plan {
        return plan(shared, prune).map(|planned| planned.pruned);
    }
    if shared.intake().ended {
        return Err(super::closing());
    }
    let pruned = match go(shared, prune) {
        Err(error) if error.kind() == ErrorKind::DiskFull && reserve::give_up(&*shared.disk) => {
            go(shared, prune)
        }
        pruned => pruned,
    };
    upkeep::make_reserve(shared);
    pruned
}

struct Planned {
    going: Vec<Arc<Segment>>,
    pruned: Pruned,
}

fn plan(shared: &Shared, prune: &Prune) -> Result<Planned> {
    let (sealed, away) = (shared.log.sealed(), shared.away()?);
    let lives = prune.expired.as_deref().map(Lives::of);
    let (last, now) = (shared.durable(), shared.clock.wall());
    let segments_max = prune.segments_max.map_or(usize::MAX, |most| most as usize);
    let bounds = Bounds { keep: prune.keep, lives: lives.as_ref(), segments_max, last, now };
    let choose = |needed| retention::chosen(&sealed, &bounds, needed, &away);
    let wanted = choose(u64::MAX)?;
    // Most often nothing is to go, and then no snapshot need be read.
    if wanted.segments == 0 {
        return Ok(Planned { going: Vec::new(), pruned: Pruned::default() });
    }
    let mut held_by = shared.holds.before(wanted.last);
    let needed = |held_by: &[Held]| {
        let held = held_by.iter().filter(|held| prune.holding.counts(&held.holder));
        held.map(|held| held.position.to_engine()).min().unwrap_or(u64::MAX)
    };
    if prune.mode == PruneMode::Go && choose(needed(&held_by))?.segments == 0 {
        let pruned = Pruned { wanted: wanted.dropped, held_by, ..Pruned::default() };
        return Ok(Planned { going: Vec::new(), pruned });
    }
    let covered = unneeded(shared, prune.mode)?;
    if covered < wanted.last {
        held_by.push(Held { holder: Holder::Snapshot, position: Position::from_engine(covered) });
    }
    let going = choose(needed(&held_by))?;
    let pruned = Pruned {
        dropped: going.dropped,
        expired: going.expired,
        up_to: Position::from_engine(going.last),
        newest: going.newest,
        wanted: wanted.dropped,
        held_by,
    };
    Ok(Planned { going: sealed.into_iter().take(going.segments).collect(), pruned })
}

fn go(shared: &Shared, prune: &Prune) -> Result<Pruned> {
    let disk = &*shared.disk;
    let Planned { going, pruned } = plan(shared, prune)?;
    let Some(index) = going.last().and_then(|newest| newest.whole_index()) else {
        return Ok(pruned);
    };
    let front = index.summary().last();
    keep_heads(shared, front, &going)?;
    let mut mark = match mark::Mark::open(disk, mark::FRONT, shared.store, Access::Write)? {
        Some(mark) => mark,
        None => mark::Mark::create(disk, mark::FRONT, shared.store)
            .and_then(|mark| disk.sync_names().map(|()| mark))
            .map_err(|cause| super::disk_failure("make a mark", mark::FRONT, cause))?,
    };
    mark.set(mark::HAS_HEADS);
    mark.advance(front)?;
    let names = shared.log.forget_before(front + 1);
    retention::remove(disk, &names)?;
    Ok(pruned)
}

/// Keeps the versions of the streams in segments that are to go.
fn keep_heads(shared: &Shared, front: u64, going: &[Arc<Segment>]) -> Result<()> {
    let mut heads = Heads::clone(&shared.heads.load());
    for segment in going {
        let Some(index) = segment.whole_index() else { continue };
        let streams = indexing::asked(segment, &index, |index| index.streams())?;
        heads.add(front, streams.into_iter().map(|stream| (stream.name, stream.version)));
    }
    heads.write(&*shared.disk, shared.store)?;
    shared.heads.store(Arc::new(heads));
    Ok(())
}

/// The last record that no follower needs any more. A plan removes no snapshot, however damaged.
fn unneeded(shared: &Shared, mode: PruneMode) -> Result<u64> {
    if !shared.follower.resumes() {
        // One that is told everything at each opening needs everything.
        return Ok(0);
    }
    if shared.follower.states().is_empty() {
        return Ok(u64::MAX);
    }
    // Only what can be read counts: nothing else has what the oldest segments told.
    let disk = &*shared.disk;
    let lasts = match mode {
        PruneMode::Go => snapshot::prune(disk, shared.store, SNAPSHOTS_KEPT)?,
        PruneMode::Plan => {
            let names = snapshot::names(disk)?.into_iter();
            let mut read = names.filter(|name| Snapshot::read(disk, name, shared.store).is_ok());
            let older = read.nth(SNAPSHOTS_KEPT - 1).and_then(|name| snapshot::last_of(&name));
            return Ok(older.unwrap_or(0));
        }
    };
    Ok(lasts.get(SNAPSHOTS_KEPT - 1).copied().unwrap_or(0))
}
