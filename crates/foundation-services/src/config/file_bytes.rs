//! The bytes of a configuration file, whatever its name leads to.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path as FilePath;

use foundation_types::limits::CONFIG_BYTES_MAX;
use foundation_types::{Error, ErrorKind, Result};
use rustix::io::Errno;

/// What a look at a file found.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Looked {
    /// What it says; one that is too large ends early.
    pub(super) bytes: Vec<u8>,
    /// How long it is, and when it was written: seconds and nanoseconds.
    stamp: (u64, i64, i64),
}

/// The bytes of a configuration file; one that is too large ends early.
///
/// # Errors
/// `NotFound`, `Denied`, `InvalidArgument` for what is no regular file, `Disk`.
pub fn file_bytes(path: &FilePath) -> Result<Vec<u8>> {
    let looked = look_at(path, true).map_err(|error| error.with("file", path.display()))?;
    Ok(looked.map(|looked| looked.bytes).unwrap_or_default())
}

/// What a regular file says; nothing if it may be absent and is.
///
/// Opened without waiting, so that a pipe that nobody writes to does not hold up the start, and no
/// more is read than may be there: a device may never end.
pub(super) fn look_at(path: &FilePath, required: bool) -> Result<Option<Looked>> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(nonblocking).open(path);
    let file = match opened {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !required => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(no_file(kind_of(about.file_type())));
    }
    let mut bytes = Vec::new();
    let limit = CONFIG_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(Looked { bytes, stamp: (about.len(), about.mtime(), about.mtime_nsec()) }))
}

fn failed(cause: io::Error) -> Error {
    let kind = match (cause.kind(), cause.raw_os_error().map(Errno::from_raw_os_error)) {
        (_, Some(Errno::LOOP)) => {
            return no_file("links that lead in a circle, or through too many others");
        }
        // What has a name and cannot be opened: a socket, or a device that is not there.
        (_, Some(Errno::NXIO)) => return no_file("a socket or a device"),
        (_, Some(Errno::NOTDIR)) => return no_file("a name inside of what is no directory"),
        (io::ErrorKind::NotFound, _) => ErrorKind::NotFound,
        (io::ErrorKind::PermissionDenied, _) => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    };
    Error::new(kind, format!("the file cannot be read: {cause}"))
}

fn kind_of(kind: std::fs::FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

fn no_file(what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("it is {what}, and no regular file"))
}
