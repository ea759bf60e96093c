//! Dumps: the whole state at one position as one plain file of JSON, beside the journal.
//!
//! A dump is for people and for other programs; the journal does not need it. The file is written
//! beside its place, synced, given its name, and the name synced: one that is there is whole.
//! Names carry the position, so that they sort by it.

mod content;
#[cfg(test)]
mod tests;

pub use content::Dump;

use std::io::{self, BufWriter, Write};

use foundation_types::{Error, ErrorKind, Position, Result};

use crate::disk::{Access, Disk, DiskFile};

/// What the names of dumps begin and end with.
const PREFIX: &str = "dump-";
const SUFFIX: &str = ".json";
/// What is added to the name of a dump that is still being written.
const BESIDE: &str = ".new";

/// How many dumps stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of them.
    All,
    /// So many of the newest, but at least one.
    Newest(usize),
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// The name of a dump as of a position.
#[must_use]
pub fn file_name(position: Position) -> String {
    format!("{PREFIX}{:020}{SUFFIX}", position.to_engine())
}

/// Writes a dump into a directory, replacing one of the same position; then lets go of those
/// that do not stay, and of older ones that were never finished.
///
/// # Errors
/// `DiskFull`, `Denied` or `Disk`, with the file: the dumps that were there are there.
pub fn write(disk: &dyn Disk, dump: &Dump, kept: Kept) -> Result<Written> {
    let name = file_name(dump.position);
    let beside = format!("{name}{BESIDE}");
    let failed = |cause| failed(disk, "write the dump", &name, cause);
    let bytes = write_beside(disk, dump, &beside).map_err(failed)?;
    disk.rename(&beside, &name).and_then(|()| disk.sync_names()).map_err(failed)?;
    let_go(disk, &name, kept)?;
    Ok(Written { name, bytes })
}

fn write_beside(disk: &dyn Disk, dump: &Dump, beside: &str) -> io::Result<u64> {
    match disk.remove(beside) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        // What an earlier try left behind.
        _ => {}
    }
    let file = disk.open(beside, Access::Create)?;
    let mut out = BufWriter::with_capacity(64 * 1024, Appender { file: &*file, end: 0 });
    dump.write_to(&mut out)?;
    out.flush()?;
    let bytes = out.get_ref().end;
    file.sync()?;
    Ok(bytes)
}

/// Removes the dumps that do not stay, and what was left of older ones that were never finished.
fn let_go(disk: &dyn Disk, newest: &str, kept: Kept) -> Result<()> {
    let failed = |name: &str, cause| failed(disk, "let go of the dump", name, cause);
    let mut names = disk.list().map_err(|cause| failed(newest, cause))?;
    let unfinished = |name: &String| {
        name.strip_suffix(BESIDE).is_some_and(|name| is_dump(name) && name < newest)
    };
    let mut gone: Vec<String> = names.extract_if(.., |name| unfinished(name)).collect();
    names.retain(|name| is_dump(name));
    names.sort_unstable();
    let stay = match kept {
        Kept::All => names.len(),
        Kept::Newest(count) => count.max(1),
    };
    names.truncate(names.len().saturating_sub(stay));
    gone.append(&mut names);
    for name in gone.iter().filter(|name| *name != newest) {
        disk.remove(name).map_err(|cause| failed(name, cause))?;
    }
    Ok(())
}

fn is_dump(name: &str) -> bool {
    let number = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    number.is_some_and(|text| text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn failed(disk: &dyn Disk, attempt: &str, name: &str, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    };
    let message = format!("cannot {attempt} {name} in {}: {cause}", disk.place());
    Error::new(kind, message).caused_by(cause)
}

/// Writes to the end of a file.
struct Appender<'a> {
    file: &'a dyn DiskFile,
    end: u64,
}

impl Write for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
