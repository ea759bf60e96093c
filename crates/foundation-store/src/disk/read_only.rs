//! A disk as it would be, to be looked at before anything is changed: whatever writes is refused.

use std::io;

use super::{Access, Claim, Disk, DiskFile, LockGuard};

/// The files that such a disk shows.
pub(crate) trait View: Send + Sync + 'static {
    /// The names of the files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file for reading.
    fn read(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Where the directory is, for messages.
    fn place(&self) -> String;
}

/// A disk that shows a view.
pub(crate) struct ReadOnly<V>(pub(crate) V);

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl<V: View> Disk for ReadOnly<V> {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        match access {
            Access::Read => self.0.read(name),
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
        self.0.place()
    }
}
