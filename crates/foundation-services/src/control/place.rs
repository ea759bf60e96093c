//! Where the socket of a directory is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Name of the socket in its directory.
pub(super) const FILE: &str = "control.sock";
/// Longest path that every system takes for a socket, in bytes.
const PATH_BYTES_MAX: usize = 100;

/// The path of the socket, short enough for the system however long that of the directory is.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// The directory, kept open while its number stands for it.
    _directory: Option<File>,
}

impl Place {
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(FILE);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _directory: None });
        }
        let opened = File::open(directory)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(FILE);
        Ok(Self { path, _directory: Some(opened) })
    }
}
