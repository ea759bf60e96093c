//! The disk of a store as it is with another manifest of its archive, only to be read.

use std::io;
use std::sync::Arc;

use foundation_types::Result;

use super::super::indexing::Held;
use super::manifest::{FILE, Manifest};
use crate::disk::{Access, Claim, Disk, DiskFile, LockGuard};

/// A disk and the manifest that it would have.
pub(super) struct Proposed {
    disk: Arc<dyn Disk>,
    manifest: Vec<u8>,
}

impl Proposed {
    pub(super) fn new(disk: Arc<dyn Disk>, manifest: &Manifest) -> Result<Self> {
        Ok(Self { disk, manifest: manifest.to_bytes()? })
    }
}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for Proposed {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        if !names.iter().any(|name| name == FILE) {
            names.push(FILE.to_owned());
        }
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        match access {
            Access::Read if name == FILE => Ok(Box::new(Held(self.manifest.clone()))),
            Access::Read => self.disk.open(name, access),
            Access::Write | Access::Create => refused(),
        }
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn sync_names(&self) -> io::Result<()> {
        refused()
    }

    fn lock(&self, _: &str, _: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        refused()
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}
