//! A directory in memory, for tests and for trying things out.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Access, Claim, Disk, DiskFile, LockGuard};

type Content = Arc<Mutex<Vec<u8>>>;

/// Files in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    files: Arc<Mutex<BTreeMap<String, Content>>>,
    locked: Arc<Mutex<Vec<(String, Hold)>>>,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Alone,
    Shared,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {name:?}"))
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(held(&self.files).keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut files = held(&self.files);
        let there = files.get(name).cloned();
        let content = match (access, there) {
            (Access::Create, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Access::Create, None) => files.entry(name.to_owned()).or_default().clone(),
            (_, Some(content)) => content,
            (_, None) => return Err(missing(name)),
        };
        Ok(Box::new(MemoryFile(content)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = held(&self.files);
        let content = files.remove(from).ok_or_else(|| missing(from))?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        held(&self.files).remove(name).map(drop).ok_or_else(|| missing(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        let hold = match claim {
            Claim::Owner(_) => Hold::Alone,
            Claim::Reader => Hold::Shared,
        };
        let mut locked = held(&self.locked);
        let excludes = |(other, theirs): &(String, Hold)| {
            other == name && (*theirs, hold) != (Hold::Shared, Hold::Shared)
        };
        if locked.iter().any(excludes) {
            return Ok(None);
        }
        locked.push((name.to_owned(), hold));
        Ok(Some(Box::new(HeldName { name: name.to_owned(), locked: self.locked.clone() })))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

struct MemoryFile(Content);

impl DiskFile for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = held(&self.0);
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let rest = &content[start..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = held(&self.0);
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if content.len() < end {
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        held(&self.0).resize(length, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(held(&self.0).len() as u64)
    }
}

struct HeldName {
    name: String,
    locked: Arc<Mutex<Vec<(String, Hold)>>>,
}

impl LockGuard for HeldName {}

impl Drop for HeldName {
    fn drop(&mut self) {
        let mut locked = held(&self.locked);
        if let Some(at) = locked.iter().position(|(other, _)| *other == self.name) {
            locked.swap_remove(at);
        }
    }
}
