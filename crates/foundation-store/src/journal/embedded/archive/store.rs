//! Where archived segments are kept: the four calls that a directory and an object store have alike.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use foundation_types::{Error, ErrorKind, Result};

use super::super::disk_failure;
use super::super::identity::remove_if_there;
use crate::disk::{Access, Disk, Files, read_full};

/// Named objects that are written once, as a whole. The calls wait; who makes them may.
///
/// An object store has what is asked for: an object put as a whole, a range of one, the list of
/// names, and removal.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::ops::Range;
/// use std::sync::{Mutex, PoisonError};
///
/// use foundation_store::journal::ArchiveStore;
/// use foundation_types::{Error, ErrorKind, Result};
///
/// #[derive(Default)]
/// struct Bucket(Mutex<BTreeMap<String, Vec<u8>>>);
///
/// impl ArchiveStore for Bucket {
///     fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
///         let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         all.insert(name.to_owned(), bytes.to_vec());
///         Ok(())
///     }
///
///     fn get_range(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>> {
///         let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         let object = all.get(name).ok_or_else(|| {
///             Error::new(ErrorKind::ArchiveMissing, format!("there is no {name} in the bucket"))
///         })?;
///         let [start, end] = [range.start, range.end].map(|at| object.len().min(at as usize));
///         Ok(object[start..end].to_vec())
///     }
///
///     fn list(&self) -> Result<Vec<String>> {
///         let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         Ok(all.keys().cloned().collect())
///     }
///
///     fn delete(&self, name: &str) -> Result<()> {
///         self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
///         Ok(())
///     }
///
///     fn place(&self) -> String {
///         "bucket:events".to_owned()
///     }
/// }
///
/// let bucket = Bucket::default();
/// bucket.put("a", b"12345")?;
/// assert_eq!(bucket.get_range("a", 3..9)?, b"45");
/// # Ok::<(), foundation_types::Error>(())
/// ```
pub trait ArchiveStore: Send + Sync + 'static {
    /// Keeps `bytes` under `name`, in the place of what had the name: as a whole or not at all, and
    /// for good once this returns.
    ///
    /// # Errors
    /// `DiskFull` or `Disk`.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()>;

    /// The bytes in this range, or as many as there are.
    ///
    /// # Errors
    /// `ArchiveMissing` if there is none of that name, `Disk` if it cannot be read.
    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>>;

    /// All names, in any order; none if there is no archive yet.
    ///
    /// # Errors
    /// `Disk` if they cannot be read.
    fn list(&self) -> Result<Vec<String>>;

    /// Removes what has this name, if anything has.
    ///
    /// # Errors
    /// `Disk` if it cannot be removed.
    fn delete(&self, name: &str) -> Result<()>;

    /// Where it is, for messages.
    fn place(&self) -> String;
}

/// An archive in a directory, which is made when the first segment is put there.
pub struct ArchiveDirectory {
    path: PathBuf,
    disk: OnceLock<Arc<dyn Disk>>,
}

impl ArchiveDirectory {
    /// The directory at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), disk: OnceLock::new() }
    }

    /// A directory that is open.
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        let path = PathBuf::from(disk.place());
        Self { path, disk: OnceLock::from(disk) }
    }

    fn made(&self) -> Result<Arc<dyn Disk>> {
        self.opened(Files::create).map_err(|cause| disk_failure("make the archive", "", cause))
    }

    fn opened(&self, open: fn(PathBuf) -> io::Result<Files>) -> io::Result<Arc<dyn Disk>> {
        if let Some(disk) = self.disk.get() {
            return Ok(Arc::clone(disk));
        }
        let disk: Arc<dyn Disk> = Arc::new(open(self.path.clone())?);
        Ok(Arc::clone(self.disk.get_or_init(|| disk)))
    }

    fn failure(&self, attempt: &str, name: &str, cause: io::Error) -> Error {
        if cause.kind() == io::ErrorKind::NotFound {
            return missing(name, &self.place());
        }
        disk_failure(attempt, name, cause)
    }
}

/// The error about an archive file that is not there.
pub(super) fn missing(name: &str, place: &str) -> Error {
    let message = format!("the archived segment {name} is not in {place}");
    Error::new(ErrorKind::ArchiveMissing, message).with("file", name)
}

impl ArchiveStore for ArchiveDirectory {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let disk = self.made()?;
        let new_name = format!("{name}.new");
        let write = || -> io::Result<()> {
            remove_if_there(&*disk, &new_name)?;
            let file = disk.open(&new_name, Access::Create)?;
            file.write_at(bytes, 0)?;
            file.sync()?;
            disk.rename(&new_name, name)?;
            disk.sync_names()
        };
        write().map_err(|cause| disk_failure("write to the archive", name, cause))
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>> {
        let read = || -> io::Result<Vec<u8>> {
            let file = self.opened(Files::existing)?.open(name, Access::Read)?;
            let there = file.len()?.min(range.end).saturating_sub(range.start);
            let mut bytes = vec![0; usize::try_from(there).unwrap_or(usize::MAX)];
            let count = read_full(&*file, &mut bytes, range.start)?;
            bytes.truncate(count);
            Ok(bytes)
        };
        read().map_err(|cause| self.failure("read the archive", name, cause))
    }

    fn list(&self) -> Result<Vec<String>> {
        match self.opened(Files::existing).and_then(|disk| disk.list()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|cause| disk_failure("list the archive", "", cause)),
        }
    }

    fn delete(&self, name: &str) -> Result<()> {
        let disk = match self.opened(Files::existing) {
            Ok(disk) => disk,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(disk_failure("open the archive", name, cause)),
        };
        let gone = remove_if_there(&*disk, name);
        gone.map_err(|cause| disk_failure("remove from the archive", name, cause))
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}
