//! The disk of a store as it is with another manifest of its archive, only to be read.

use std::io;
use std::sync::Arc;

use foundation_types::Result;

use super::super::indexing::Held;
use super::manifest::{FILE, Manifest};
use crate::disk::{Access, Disk, DiskFile, View};

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

impl View for Proposed {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        if !names.iter().any(|name| name == FILE) {
            names.push(FILE.to_owned());
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        match name {
            FILE => Ok(Box::new(Held(self.manifest.clone()))),
            _ => self.disk.open(name, Access::Read),
        }
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}
