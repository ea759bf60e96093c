//! A store's directory in which archived segments are seen as if they still were there.
//!
//! What reads segments need not know where they are: it lists, opens and removes them by their name.
//! A segment that is in both places is read from the store.

use std::io;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::{disk_failure, segment};
use super::manifest::{ArchivedSegment, Manifest};
use super::proposed::Proposed;
use super::reader::{ArchivedFile, BlockCache, as_io};
use super::store::{ArchiveStore, missing};
use crate::disk::{Access, Claim, Disk, DiskFile, LockGuard, ReadOnly};
use crate::journal::status::ArchiveExtent;

/// The directory of a store and its archive, as one.
pub struct ArchivedStore {
    disk: Arc<dyn Disk>,
    store: Arc<dyn ArchiveStore>,
    /// Where it is, seen from the store.
    place: String,
    cache: Arc<BlockCache>,
    manifest: RwLock<Option<Arc<Manifest>>>,
}

impl ArchivedStore {
    /// The store on `disk` with its archive, which is at `place`, seen from the directory.
    pub fn new(
        disk: Arc<dyn Disk>,
        store: Arc<dyn ArchiveStore>,
        place: impl Into<String>,
    ) -> Self {
        let (cache, manifest) = (Arc::default(), RwLock::default());
        Self { disk, store, place: place.into(), cache, manifest }
    }

    /// Where the archived files are.
    pub(super) fn files(&self) -> &dyn ArchiveStore {
        &*self.store
    }

    /// The manifest as it was last read or written; nothing if there is none.
    fn known(&self) -> Option<Arc<Manifest>> {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The manifest as it is on the disk.
    pub(super) fn manifest(&self) -> Result<Option<Arc<Manifest>>> {
        let read = Manifest::read(&*self.disk)?.map(Arc::new);
        *self.manifest.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
        Ok(read)
    }

    /// Where the archive is, seen from the store.
    pub(super) fn place_noted(&self) -> String {
        self.place.clone()
    }

    /// The manifest to which something is added.
    pub(super) fn begun(&self, store: StoreId) -> Result<Manifest> {
        let begun = match self.manifest()? {
            Some(manifest) => Manifest::clone(&manifest),
            None => Manifest::new(store, self.place.clone()),
        };
        if begun.store != store {
            let message = format!("the manifest of the archive belongs to store {}", begun.store);
            return Err(Error::new(ErrorKind::ForeignFile, message));
        }
        Ok(begun.at(&self.place))
    }

    pub(super) fn write(&self, manifest: Manifest) -> Result<()> {
        manifest.write(&*self.disk)?;
        *self.manifest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(manifest));
        Ok(())
    }

    /// The same with another manifest, only to be read.
    pub(super) fn with_manifest(&self, manifest: &Manifest) -> Result<Arc<Self>> {
        let disk = Arc::new(ReadOnly(Proposed::new(Arc::clone(&self.disk), manifest)?));
        Ok(Arc::new(Self::new(disk, Arc::clone(&self.store), self.place.clone())))
    }

    /// The names of files in the store itself.
    pub(super) fn live_names(&self) -> Result<Vec<String>> {
        self.disk.list().map_err(|cause| disk_failure("list the store", "", cause))
    }

    /// The store itself, without what is in the archive.
    pub(in super::super) fn live(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The segments that are in the archive and not in the store, oldest first.
    ///
    /// # Errors
    /// As [`super::archive_place`].
    pub(in super::super) fn away(&self) -> Result<Vec<ArchivedSegment>> {
        // In this order: a segment that goes meanwhile is in the manifest before it is gone.
        let live = self.live_names()?;
        let Some(manifest) = self.manifest()? else { return Ok(Vec::new()) };
        let is_away = |one: &&ArchivedSegment| !live.contains(&segment::name_of(one.first));
        Ok(manifest.segments().iter().filter(is_away).cloned().collect())
    }

    /// What of the log is in the archive, and whether it is there.
    pub(in super::super) fn extent(&self) -> ArchiveExtent {
        if self.known().is_none() {
            return ArchiveExtent::default();
        }
        let away = self.away().unwrap_or_default();
        let there = if away.is_empty() { Ok(Vec::new()) } else { self.store.list() };
        let there = there.unwrap_or_default();
        let missing = away.iter().filter(|one| !there.contains(&one.name));
        ArchiveExtent {
            segments: away.len() as u64,
            records: away.iter().map(|one| one.records).sum(),
            stored: away.iter().map(|one| one.stored).sum(),
            missing: missing.map(|one| one.name.clone()).collect(),
        }
    }

    /// Whether all that went to the archive is there.
    pub(super) fn whole(&self) -> Result<()> {
        match self.extent().missing.first() {
            Some(name) => Err(missing(name, &self.store.place())),
            None => Ok(()),
        }
    }

    /// What the manifest says of a segment with this name.
    fn archived(&self, name: &str) -> Result<Option<ArchivedSegment>> {
        let Some(first) = segment::first_of(name) else { return Ok(None) };
        let of = |manifest: &Option<Arc<Manifest>>| manifest.as_ref()?.of(first).cloned();
        match of(&self.known()) {
            // It may have gone there since.
            None => self.manifest().map(|read| of(&read)),
            known => Ok(known),
        }
    }

    /// An archived segment as a file.
    fn file(&self, segment: ArchivedSegment) -> Result<ArchivedFile> {
        let header = segment.header_bytes()?;
        let (store, cache) = (Arc::clone(&self.store), Arc::clone(&self.cache));
        let disk = Arc::clone(&self.disk);
        Ok(ArchivedFile { disk, store, cache, segment, header, table: OnceLock::new() })
    }

    /// Takes a segment out of the archive.
    pub(super) fn remove(&self, archived: &ArchivedSegment) -> Result<()> {
        // Before the file is gone: what the manifest names is there.
        self.write(self.begun(self.store_of()?)?.without(archived.first))?;
        self.cache.forget(archived.first);
        self.store.delete(&archived.name)
    }

    fn store_of(&self) -> Result<StoreId> {
        let missing = || Error::new(ErrorKind::Internal, "there is no manifest of the archive");
        self.known().map(|manifest| manifest.store).ok_or_else(missing)
    }
}

impl Disk for ArchivedStore {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        if let Some(manifest) = self.manifest().map_err(as_io)? {
            let archived = manifest.segments().iter().map(|one| segment::name_of(one.first));
            names.extend(archived.collect::<Vec<_>>());
            names.sort_unstable();
            names.dedup();
        }
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        match self.disk.open(name, access) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && access == Access::Read => {
                match self.archived(name).map_err(as_io)? {
                    Some(archived) => Ok(Box::new(self.file(archived).map_err(as_io)?)),
                    None => Err(cause),
                }
            }
            opened => opened,
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = self.disk.remove(name);
        match (removed, self.archived(name).map_err(as_io)?) {
            (Err(cause), _) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            (_, Some(archived)) => self.remove(&archived).map_err(as_io),
            (removed, None) => removed,
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.disk.lock(name, claim)
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}
