//! Bringing archived segments back to the store, so that it is whole without the archive.

use std::io;
use std::sync::Arc;

use foundation_types::Result;

use super::super::identity::remove_if_there;
use super::super::index::Grain;
use super::super::shared::Shared;
use super::super::{disk_failure, indexing, segment, upkeep};
use super::leave::Archived;
use super::manifest::ArchivedSegment;
use super::reader::whole;
use super::shown::ArchivedStore;
use crate::disk::{Access, Disk};

/// Left from a segment that was not brought back to the end; made again.
const NEW_FILE: &str = "SEGMENT.new";

/// Brings all of them back, the newest first: so what is in the archive is always the oldest part.
pub(in super::super) fn bring_back(shared: &Shared) -> Result<Archived> {
    let store = shared.archive()?;
    let mut came = Archived::default();
    loop {
        let _upkeep = upkeep::lock(shared);
        if shared.intake().ended {
            return Err(super::super::closing());
        }
        let manifest = store.manifest()?;
        let Some(archived) = manifest.and_then(|manifest| manifest.segments().last().cloned())
        else {
            came.segments.reverse();
            return Ok(came);
        };
        bring_one(shared, store, &archived)?;
        came.segments.push(segment::name_of(archived.first));
        came.records += archived.records;
        came.bytes += archived.bytes;
        came.stored += archived.stored;
    }
}

fn bring_one(shared: &Shared, store: &ArchivedStore, archived: &ArchivedSegment) -> Result<()> {
    let name = segment::name_of(archived.first);
    if !store.live_names()?.contains(&name) {
        let raw = whole(store.files(), archived)?;
        put(store.live(), &name, &raw)
            .map_err(|cause| disk_failure("bring back a segment", &name, cause))?;
    }
    let every = shared.log.every();
    if let Some(old) = every.iter().find(|one| one.header.first == archived.first) {
        let back = Arc::new(old.through(shared.pool.file(&name)));
        // Frame by frame again. If the power goes before, it stays as good as it was in the archive.
        indexing::write(&*shared.disk, &shared.pool, &back, Grain::Frames)?;
        shared.log.replace(back);
    }
    store.remove(archived)
}

fn put(disk: &dyn Disk, name: &str, raw: &[u8]) -> io::Result<()> {
    remove_if_there(disk, NEW_FILE)?;
    let file = disk.open(NEW_FILE, Access::Create)?;
    file.write_at(raw, 0)?;
    file.sync()?;
    disk.rename(NEW_FILE, name)?;
    disk.sync_names()
}
