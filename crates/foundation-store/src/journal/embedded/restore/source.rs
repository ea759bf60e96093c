//! The backup that is restored: all of it is proven before anything else is touched.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Result, StoreId};
use sha2::{Digest, Sha256};

use super::super::backup::{CHUNK_BYTES, Entry, MANIFEST, Manifest, copy_file, hex};
use super::super::verify::{Known, verify};
use super::super::{disk_failure, identity};
use crate::disk::{Access, Disk, DiskFile, read_full};
use crate::journal::status::Verification;

/// A backup in which nothing is missing, nothing is too much and every hash is right.
pub(super) struct Source {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) manifest: Manifest,
}

impl Source {
    /// Reads all of a backup: its manifest, every file, and the log in them.
    ///
    /// # Errors
    /// `NotFound` without a manifest, `UnknownFormat` for one that a newer program wrote,
    /// `Corruption`, `ForeignFile` or `AckedDataMissing`, with the file, for anything that is not
    /// what was written; `Disk` if it cannot be read.
    pub(super) fn prove(disk: Arc<dyn Disk>) -> Result<Self> {
        let source = Self { manifest: Manifest::read(&*disk)?, disk };
        source.check_names()?;
        for entry in &source.manifest.files {
            source.check_file(entry)?;
        }
        let store = source.manifest.store;
        match identity::read(&*source.disk)? {
            Some(own) if own == store => {}
            _ => {
                let message = format!("the identity in a backup is not that of store {store}");
                return Err(foreign(message, identity::FILE));
            }
        }
        source.check_log(store)?;
        Ok(source)
    }

    fn check_names(&self) -> Result<()> {
        let fail = |cause| disk_failure("list the backup", "", cause);
        let there: BTreeSet<String> = self.disk.list().map_err(fail)?.into_iter().collect();
        let listed = self.manifest.files.iter().map(|entry| entry.name.clone());
        let listed: BTreeSet<String> = listed.chain([MANIFEST.to_owned()]).collect();
        if let Some(name) = listed.difference(&there).next() {
            let message = "a file of the backup is missing";
            return Err(Error::new(ErrorKind::AckedDataMissing, message).with("file", name));
        }
        match there.difference(&listed).next() {
            Some(name) => Err(foreign("the manifest of the backup does not list a file", name)),
            None => Ok(()),
        }
    }

    fn check_file(&self, entry: &Entry) -> Result<()> {
        let name = &entry.name;
        let fail = |cause| disk_failure("read the backup", name, cause);
        let file = self.open(name)?;
        let bytes = file.len().map_err(fail)?;
        if bytes != entry.bytes {
            let message = format!(
                "a file of the backup has {bytes} bytes, its manifest says {}",
                entry.bytes
            );
            return Err(Error::new(ErrorKind::Corruption, message).with("file", name));
        }
        let (mut hash, mut offset) = (Sha256::new(), 0);
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let count = read_full(&*file, &mut buffer, offset).map_err(fail)?;
            if count == 0 {
                break;
            }
            hash.update(buffer.get(..count).unwrap_or_default());
            offset += count as u64;
        }
        check_hash(entry, &hex(&hash.finalize()))
    }

    fn check_log(&self, store: StoreId) -> Result<()> {
        let last = self.manifest.position.to_engine();
        let checked = verify(&*self.disk, None, store, Known::Backup(last))?;
        check_found(&checked.found)?;
        if checked.end.next - 1 != last {
            let message = format!(
                "the log of the backup ends at position {}, its manifest says {last}",
                checked.end.next - 1
            );
            return Err(foreign(message, MANIFEST));
        }
        Ok(())
    }

    /// Opens a file of the backup, if it is one: no link is followed and no device opened.
    pub(super) fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        self.disk.open(name, Access::Read).map_err(|cause| match cause.kind() {
            io::ErrorKind::InvalidInput => foreign("what stands in a backup is no file", name),
            _ => disk_failure("read the backup", name, cause),
        })
    }

    /// Copies a whole file, and sees that it is still the one that was proven.
    pub(super) fn copy(&self, entry: &Entry, target: &dyn Disk) -> Result<()> {
        let file = self.open(&entry.name)?;
        check_hash(entry, &copy_file(&entry.name, &*file, entry.bytes, target)?)
    }
}

fn check_hash(entry: &Entry, hash: &str) -> Result<()> {
    if entry.sha256 == hash {
        return Ok(());
    }
    let message = "a file of the backup is not the one that its manifest lists: its hash differs";
    Err(Error::new(ErrorKind::Corruption, message).with("file", &entry.name))
}

/// The first damage that was found, as an error.
pub(super) fn check_found(found: &Verification) -> Result<()> {
    match found.findings.iter().find(|finding| finding.damage) {
        None => Ok(()),
        Some(finding) => Err(Error::new(ErrorKind::Corruption, &finding.what)
            .with("file", &finding.file)
            .with("range", format!("{}..{}", finding.range.start, finding.range.end))),
    }
}

fn foreign(message: impl Into<String>, name: &str) -> Error {
    let shown: String = name.chars().take(64).collect();
    Error::new(ErrorKind::ForeignFile, message).with("file", shown)
}
