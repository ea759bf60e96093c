//! All access to files, as one small trait with several implementations.
//!
//! A disk is one flat directory. The calls are the ones whose failure the journal reasons about,
//! and no others, so that a simulated disk can fail each of them.

mod files;
mod memory;
mod pool;
mod read_only;
mod siblings;
mod syncs;

pub use files::Files;
pub use memory::MemoryDisk;
pub(crate) use pool::Pool;
pub(crate) use read_only::{ReadOnly, View};
pub use siblings::{FileSiblings, Siblings};

use std::io;

/// One flat directory of files.
pub trait Disk: Send + Sync + 'static {
    /// The names of the files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, replacing the file of that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names of files survive a power cut.
    fn sync_names(&self) -> io::Result<()>;

    /// Takes the lock with this name until the guard is dropped, if nobody holds it; readers share
    /// it.
    ///
    /// The lock ends with the process, however it ends.
    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>>;

    /// Where the directory is, for messages.
    fn place(&self) -> String;
}

/// Who wants a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim<'a> {
    /// An owner who will write. This text is left in the file for others to read.
    Owner(&'a str),
    /// A reader beside any other readers: the file is neither made nor changed.
    Reader,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading; the file exists.
    Read,
    /// Reading and writing; the file exists.
    Write,
    /// Reading and writing; the file must not exist.
    Create,
}

/// An open file. Every call names its offset: there is no hidden cursor.
pub trait DiskFile: Send + Sync {
    /// Reads up to the length of `buffer`; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written survive a power cut.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file or extends it with zeros.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether it holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A lock that is held; dropping it gives it back.
pub trait LockGuard: Send + Sync {}

/// Reads until the buffer is full or the file ends, and says how much was read.
pub(crate) fn read_full(
    file: &dyn DiskFile,
    buffer: &mut [u8],
    mut offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The whole of a small file.
pub(crate) fn read_small(file: &dyn DiskFile, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; bytes_max];
    let count = read_full(file, &mut buffer, 0)?;
    buffer.truncate(count);
    Ok(buffer)
}
