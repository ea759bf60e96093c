//! Directories side by side, one of which takes the place of another.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Disk, Files};

/// One directory of directories. As with [`Disk`], the calls are the ones whose failure somebody
/// reasons about.
pub trait Siblings: Send + Sync {
    /// The directory with this name, if there is one.
    ///
    /// # Errors
    /// Also if something with this name is no directory.
    fn find(&self, name: &str) -> io::Result<Option<Arc<dyn Disk>>>;

    /// Makes a directory that only its owner can use; nothing with this name exists.
    ///
    /// # Errors
    /// What the system says.
    fn make(&self, name: &str) -> io::Result<Arc<dyn Disk>>;

    /// Gives a directory another name, which nothing has but perhaps an empty directory.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives each of two directories the name of the other, in one step: at no moment is one of
    /// the names missing.
    ///
    /// # Errors
    /// `Unsupported` if the file system cannot do that; what the system says.
    fn exchange(&self, one: &str, other: &str) -> io::Result<()>;

    /// Removes a directory in which nothing is left.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names survive a power cut.
    ///
    /// # Errors
    /// What the system says.
    fn sync_names(&self) -> io::Result<()>;
}

/// The directories in a directory of the operating system.
#[derive(Debug)]
pub struct FileSiblings {
    parent: PathBuf,
}

impl FileSiblings {
    /// Those in the directory at `parent`.
    pub fn new(parent: impl Into<PathBuf>) -> Self {
        Self { parent: parent.into() }
    }
}

impl Siblings for FileSiblings {
    fn find(&self, name: &str) -> io::Result<Option<Arc<dyn Disk>>> {
        let path = self.parent.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => Ok(Some(Arc::new(Files::existing(path)?))),
            Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory")),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    fn make(&self, name: &str) -> io::Result<Arc<dyn Disk>> {
        let path = self.parent.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Arc::new(Files::existing(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.parent.join(from), self.parent.join(to))
    }

    #[cfg(target_os = "linux")]
    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        let (one, other) = (self.parent.join(one), self.parent.join(other));
        let done = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
        done.map_err(|cause| match cause {
            // What kernels and file systems say that do not know the flag.
            Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
            cause => cause.into(),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn exchange(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_dir(self.parent.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.parent)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_directories_exchange_their_names() -> io::Result<()> {
        let parent =
            std::env::temp_dir().join(format!("foundation-siblings-{}", std::process::id()));
        std::fs::create_dir(&parent)?;
        let siblings = FileSiblings::new(&parent);
        for name in ["a", "b"] {
            siblings.make(name)?;
            std::fs::write(parent.join(name).join(format!("of {name}")), name)?;
        }
        let exchanged = siblings.exchange("a", "b");
        let moved =
            parent.join("a").join("of b").exists() && parent.join("b").join("of a").exists();
        std::fs::remove_dir_all(&parent)?;
        match exchanged {
            Ok(()) => assert!(moved),
            Err(cause) => assert_eq!(cause.kind(), io::ErrorKind::Unsupported),
        }
        Ok(())
    }
}
