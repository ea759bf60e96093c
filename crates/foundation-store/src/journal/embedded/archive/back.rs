//! Bringing archived segments back to the store, so that it is whole without the archive.

use std::io;
use std::sync::Arc;

use foundation_types::{Error, Result};

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
        let left = manifest.as_ref().map_or(&[][..], |manifest| manifest.segments());
        let Some(archived) = left.last().cloned() else {
            came.segments.reverse();
            return Ok(came);
        };
        bring_one(shared, store, &archived).map_err(|error| partly(&error, &came, left))?;
        came.segments.push(segment::name_of(archived.first));
        came.records += archived.records;
        came.bytes += archived.bytes;
        came.stored += archived.stored;
    }
}

/// The error that ended it, with what came back before and what did not.
fn partly(error: &Error, came: &Archived, left: &[ArchivedSegment]) -> Error {
    let came_back = match came.segments.as_slice() {
        [] => "nothing came back".to_owned(),
        [newest, .., oldest] => {
            let count = came.segments.len();
            format!("{count} files of the log came back and stay, {oldest} to {newest}")
        }
        [only] => format!("1 file of the log came back and stays, {only}"),
    };
    let stays = left.last().map(|last| last.name.as_str()).unwrap_or_default();
    let message = format!(
        "{}: {came_back}; {} did not, {stays} and what is older than it",
        error.message(),
        left.len()
    );
    let told = Error::new(error.kind(), message);
    let told = error.context().iter().fold(told, |told, (name, value)| told.with(name, value));
    let told = told.with("came_back", came.segments.len()).with("left", left.len());
    told.caused_by(error.clone())
}

/// Removes what is left from a segment that was not brought back to the end.
pub(in super::super) fn clear(store: &ArchivedStore) {
    // If that fails, it is in nobody's way but that of the next one, which tells of it.
    let _ = remove_if_there(store.live(), NEW_FILE);
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
