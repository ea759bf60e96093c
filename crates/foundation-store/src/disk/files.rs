//! A directory of the operating system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::syncs::Syncs;
use super::{Access, Claim, Disk, DiskFile, LockGuard};

/// A directory that only its owner can read; files in it likewise.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    syncs: Arc<Syncs>,
}

impl Files {
    /// The directory at `path`, which must exist.
    ///
    /// # Errors
    /// What the system says if it is missing or not a directory.
    pub fn existing(path: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = path.into();
        let about = std::fs::metadata(&directory)?;
        if about.is_dir() {
            return Ok(Self { directory, syncs: Syncs::of_device(about.dev()) });
        }
        Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"))
    }

    /// The directory at `path`, made with its parents if it is missing.
    ///
    /// # Errors
    /// What the system says if it cannot be made.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let directory: PathBuf = path.into();
        let made = missing(&directory);
        if !made.is_empty() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
            made.iter().rev().try_for_each(|one| sync_parent(one))?;
        }
        Self::existing(directory)
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Opens a regular file. Opening anything else could wait for ever, as a pipe does, or have effects
/// outside of the directory, as a link does.
fn open_regular(options: &OpenOptions, path: &Path) -> io::Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if !about.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        }
        // What is missing may be made, or told, by the call itself.
        _ => options.open(path),
    }
}

/// What is missing of this path, the outermost last.
fn missing(directory: &Path) -> Vec<PathBuf> {
    let named = directory.ancestors().filter(|one| !one.as_os_str().is_empty());
    named.take_while(|one| !one.is_dir()).map(Path::to_owned).collect()
}

/// A new directory survives a power cut once its name does, which is kept by its parent.
fn sync_parent(directory: &Path) -> io::Result<()> {
    let full = std::fs::canonicalize(directory)?;
    match full.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

impl Disk for Files {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        match access {
            Access::Read => {}
            Access::Write => {
                options.write(true);
            }
            Access::Create => {
                options.write(true).create_new(true);
            }
        }
        let file = open_regular(&options, &self.directory.join(name))?;
        Ok(Box::new(OpenFile { file, syncs: Arc::clone(&self.syncs) }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.directory.join(from), self.directory.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.directory.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        let directory = File::open(&self.directory)?;
        self.syncs.run(|| directory.sync_all())
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        let path = self.directory.join(name);
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        if let Claim::Owner(_) = claim {
            options.write(true).create(true);
        }
        let file = open_regular(&options, &path)?;
        let taken = match claim {
            Claim::Owner(_) => file.try_lock(),
            Claim::Reader => file.try_lock_shared(),
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if let Claim::Owner(owner) = claim {
            file.set_len(0)?;
            file.write_all_at(owner.as_bytes(), 0)?;
        }
        Ok(Some(Box::new(HeldFile { _file: file })))
    }

    fn place(&self) -> String {
        self.directory.display().to_string()
    }
}

struct OpenFile {
    file: File,
    syncs: Arc<Syncs>,
}

impl DiskFile for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.run(|| self.file.sync_data())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

/// The system gives the lock back when the file is closed, also by the death of the process.
struct HeldFile {
    _file: File,
}

impl LockGuard for HeldFile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_that_is_made_on_the_way_has_its_name_kept() {
        let wanted = Path::new("/no-such-directory/b/c");
        let above = ["/no-such-directory/b/c", "/no-such-directory/b", "/no-such-directory"];
        assert_eq!(missing(wanted), above.map(PathBuf::from));
        assert_eq!(missing(Path::new("/")), Vec::<PathBuf>::new());
        assert_eq!(missing(Path::new("no-such-directory")), [Path::new("no-such-directory")]);
    }
}
