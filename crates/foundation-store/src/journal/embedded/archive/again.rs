//! What a repair knows of an archive: what its manifest says, or what the archived files say of
//! themselves where it says nothing.

use std::ops::Range;
use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::cause::is_damage;
use super::super::mark::{FRONT, Mark};
use super::super::segment;
use super::check::check;
use super::container::{HEADER_BYTES, Header, Table};
use super::manifest::{ArchivedSegment, FILE, Manifest, is_archived, name_of};
use super::reader::table_behind;
use super::shown::ArchivedStore;
use crate::disk::Access;
use crate::journal::status::Finding;

/// The manifest that a store should have, as far as that can be told.
pub(in super::super) struct Known {
    /// Why the one that is there is not it.
    pub(in super::super) found: Option<Finding>,
    /// Whether there was one that cannot be read: then there was an archive.
    pub(super) is_damaged: bool,
    /// Whether there is none, as where there never was an archive.
    is_lost: bool,
    pub(super) manifest: Manifest,
    /// What is missing or damaged in the archive.
    pub(in super::super) left: Vec<Finding>,
}

/// What the manifest says, and of that only what is whole.
///
/// # Errors
/// `UnknownFormat` if a newer program wrote the manifest or a file; what the archive says if it cannot
/// be read.
pub(in super::super) fn known(store: &ArchivedStore, id: StoreId) -> Result<Known> {
    let mut known = Known {
        found: None,
        is_damaged: false,
        is_lost: false,
        manifest: Manifest::new(id, store.place_noted()),
        left: Vec::new(),
    };
    match store.manifest() {
        Ok(Some(manifest)) => known.manifest = Manifest::clone(&manifest),
        Ok(None) => known.is_lost = true,
        Err(error) if error.kind() == ErrorKind::Corruption => {
            known.found = Some(damage(FILE, error.message()));
            known.is_damaged = true;
        }
        Err(error) => return Err(error),
    }
    let live = store.live_names()?;
    for segment in known.manifest.clone().segments() {
        if live.contains(&segment::name_of(segment.first)) {
            continue;
        }
        let wrong = check(store, segment)?;
        if !wrong.is_empty() {
            let what = format!("it names {}, which is missing or damaged", segment.name);
            known.found.get_or_insert_with(|| damage(FILE, &what));
            known.manifest = known.manifest.without(segment.first);
        }
        known.left.extend(wrong);
    }
    Ok(known)
}

impl Known {
    /// The store as it is with this manifest.
    pub(in super::super) fn seen(&self, store: &ArchivedStore) -> Result<Arc<ArchivedStore>> {
        store.with_manifest(&self.manifest)
    }

    /// Takes the archived files that have what is missing from the log; says whether there are such.
    pub(in super::super) fn take(
        &mut self,
        store: &ArchivedStore,
        id: StoreId,
        gaps: &[Range<u64>],
    ) -> Result<bool> {
        let live = store.live_names()?;
        let mut gaps = gaps.to_vec();
        let is_begun = !self.manifest.segments().is_empty();
        if !is_begun {
            gaps.extend(self.before_live(store, id, &live)?);
        }
        if gaps.is_empty() {
            return Ok(false);
        }
        let mut names = store.files().list()?;
        names.retain(|name| is_archived(name));
        names.sort_unstable();
        let mut is_taken = false;
        for name in names {
            let Some(first) = segment::first_of(&name.replace(".arc", ".seg")) else { continue };
            let Some(gap) = gaps.iter().find(|gap| gap.contains(&first)) else { continue };
            let is_told = self.left.iter().any(|one| one.file == name);
            if is_told
                || self.manifest.of(first).is_some()
                || live.contains(&segment::name_of(first))
            {
                continue;
            }
            let segment = match said(store, &name) {
                Ok((header, _)) if header.segment.store != id => continue,
                Ok((header, table)) => ArchivedSegment::of(&header, table.file_bytes()),
                Err(error) if error.kind() == ErrorKind::Corruption => {
                    self.left.push(damage(&name, error.message()));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let wrong = check(store, &segment)?;
            let with = self.manifest.with(segment.clone())?;
            if wrong.is_empty() && segment.last < gap.end && with.check().is_ok() {
                self.manifest = with;
                is_taken = true;
            }
            self.left.extend(wrong);
        }
        if is_taken {
            let what = "the manifest of the archive does not name all that is in the archive";
            let found = self.untold().unwrap_or_else(|| damage(FILE, what));
            self.found.get_or_insert(found);
        }
        if is_taken && !is_begun {
            // Without it nobody knows whether the first of them are missing.
            match Mark::open(store.live(), FRONT, id, Access::Read) {
                Err(error) if is_damage(&error) => self.left.push(damage(FRONT, error.message())),
                front => drop(front?),
            }
        }
        Ok(is_taken)
    }

    /// Why nothing says what is in the archive, if nothing does.
    pub(in super::super) fn untold(&self) -> Option<Finding> {
        match (self.is_lost, self.is_damaged) {
            (true, _) => Some(damage(FILE, "the manifest of the archive is missing")),
            (_, true) => self.found.clone(),
            _ => None,
        }
    }

    /// The positions before the first segment in the store, of which at least the last is in no other.
    fn before_live(
        &self,
        store: &ArchivedStore,
        id: StoreId,
        live: &[String],
    ) -> Result<Option<Range<u64>>> {
        let front = match Mark::open(store.live(), FRONT, id, Access::Read) {
            Err(error) if is_damage(&error) => 0,
            front => front?.map_or(0, |mark| mark.sequence()),
        };
        let first = live.iter().filter_map(|name| segment::first_of(name)).min();
        let before = 1..first.unwrap_or(u64::MAX);
        Ok((before.end > front + 1).then_some(before))
    }

    /// Puts the manifest in its place.
    pub(in super::super) fn write(self, store: &ArchivedStore) -> Result<()> {
        store.write(self.manifest)
    }
}

/// The header of a file and the table behind it.
fn said(store: &ArchivedStore, name: &str) -> Result<(Header, Table)> {
    let begun = store.files().get_range(name, 0..HEADER_BYTES as u64)?;
    let header = Header::read(&begun, name)?;
    if name_of(header.segment.first) != name {
        let message = "an archived segment has the name of another one";
        return Err(Error::new(ErrorKind::Corruption, message).with("file", name));
    }
    let table = table_behind(store.files(), header.clone(), &begun, name)?;
    Ok((header, table))
}

pub(super) fn damage(file: &str, what: &str) -> Finding {
    Finding { file: file.to_owned(), range: 0..0, what: what.to_owned(), damage: true }
}
