//! The manifest made again from what the archived files say of themselves, if it is lost or damaged.

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::segment;
use super::check::check;
use super::container::{HEADER_BYTES, Header, Table};
use super::manifest::{ArchivedSegment, FILE, Manifest, is_archived};
use super::reader::table_behind;
use super::shown::ArchivedStore;
use crate::journal::status::Finding;

/// A manifest that would take the place of one that is lost or damaged.
pub(in super::super) struct Remade {
    /// What is wrong with the one that is there, or not there.
    pub(in super::super) found: Finding,
    manifest: Manifest,
    /// What is wrong with the files that it would name: then it is not written.
    pub(in super::super) left: Vec<Finding>,
}

/// Looks whether the manifest has to be made again, and of what; nothing if it is as it should be, or
/// if there is no archive.
///
/// # Errors
/// `UnknownFormat` if a newer program wrote the manifest or a file; what the archive says if it cannot
/// be read.
pub(in super::super) fn remade(store: &ArchivedStore, id: StoreId) -> Result<Option<Remade>> {
    let what = match store.manifest() {
        Ok(Some(_)) => return Ok(None),
        Ok(None) => "the manifest of the archive is missing".to_owned(),
        Err(error) if error.kind() == ErrorKind::Corruption => error.message().to_owned(),
        Err(error) => return Err(error),
    };
    let is_lost = store.manifest().is_ok();
    let live = store.live_names()?;
    let mut names = store.files().list()?;
    names.retain(|name| is_archived(name));
    names.sort_unstable();
    let (mut segments, mut left) = (Vec::new(), Vec::new());
    for name in names {
        let segment = match said(store, &name) {
            Ok((header, _)) if header.segment.store != id => continue,
            // In the store as well: left from a way that was not gone to its end.
            Ok((header, _)) if live.contains(&segment::name_of(header.segment.first)) => continue,
            Ok((header, table)) => ArchivedSegment::of(&header, table.file_bytes()),
            Err(error) if error.kind() == ErrorKind::Corruption => {
                left.push(damage(&name, error.message()));
                continue;
            }
            Err(error) => return Err(error),
        };
        left.extend(check(store, &segment)?);
        segments.push(segment);
    }
    let found = damage(FILE, &what);
    if segments.is_empty() && left.is_empty() {
        // Nothing is known of an archive, or it is not where it is looked for.
        let manifest = Manifest::new(id, store.place_noted());
        let left = vec![found.clone()];
        return Ok((!is_lost).then_some(Remade { found, manifest, left }));
    }
    let mut manifest = Manifest::new(id, store.place_noted());
    for segment in segments {
        manifest = manifest.with(segment)?;
    }
    if let Err(error) = manifest.check() {
        left.push(damage(FILE, error.message()));
    }
    Ok(Some(Remade { found, manifest, left }))
}

impl Remade {
    /// Puts it in its place.
    pub(in super::super) fn write(self, store: &ArchivedStore) -> Result<()> {
        store.write(self.manifest)
    }
}

/// The header of a file and the table behind it.
fn said(store: &ArchivedStore, name: &str) -> Result<(Header, Table)> {
    let begun = store.files().get_range(name, 0..HEADER_BYTES as u64)?;
    let header = Header::read(&begun, name)?;
    if super::manifest::name_of(header.segment.first) != name {
        let message = "an archived segment has the name of another one";
        return Err(Error::new(ErrorKind::Corruption, message).with("file", name));
    }
    let table = table_behind(store.files(), header.clone(), &begun, name)?;
    Ok((header, table))
}

fn damage(file: &str, what: &str) -> Finding {
    Finding { file: file.to_owned(), range: 0..0, what: what.to_owned(), damage: true }
}
