//! Many files that are read, few of which are open.
//!
//! A process may have about a thousand files open, and a store may have more than that. So a file
//! of a pool is opened when it is read, stays open, and is closed when as many others were
//! opened after it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Access, Disk, DiskFile};

/// Files of one disk, opened for reading when they are read.
pub(crate) struct Pool {
    disk: Arc<dyn Disk>,
    open_max: usize,
    /// Files that are open, the longest open first.
    open: Mutex<VecDeque<Weak<Slot>>>,
}

/// A file of the pool, which is open or not.
struct Slot(Mutex<Option<Arc<dyn DiskFile>>>);

struct Pooled {
    pool: Arc<Pool>,
    name: String,
    slot: Arc<Slot>,
}

impl Pool {
    /// A pool that keeps up to `open_max` files open.
    pub(crate) fn new(disk: Arc<dyn Disk>, open_max: usize) -> Arc<Self> {
        Arc::new(Self { disk, open_max, open: Mutex::default() })
    }

    /// The file with this name, which need not be open.
    pub(crate) fn file(self: &Arc<Self>, name: &str) -> Box<dyn DiskFile> {
        let slot = Arc::new(Slot(Mutex::default()));
        Box::new(Pooled { pool: Arc::clone(self), name: name.to_owned(), slot })
    }

    /// Notes that this file is open; closes the one that was open the longest.
    fn opened(&self, slot: &Arc<Slot>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back(Arc::downgrade(slot));
        let too_many = open.len() > self.open_max;
        let oldest =
            if too_many { open.pop_front().and_then(|oldest| oldest.upgrade()) } else { None };
        drop(open);
        if let Some(oldest) = oldest {
            // Whoever reads from it at this moment has it open for as long.
            drop(oldest.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Pooled {
    fn file(&self) -> io::Result<Arc<dyn DiskFile>> {
        let mut held = self.slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*held {
            return Ok(Arc::clone(file));
        }
        let file: Arc<dyn DiskFile> = self.pool.disk.open(&self.name, Access::Read)?.into();
        *held = Some(Arc::clone(&file));
        drop(held);
        self.pool.opened(&self.slot);
        Ok(file)
    }
}

impl DiskFile for Pooled {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file()?.read_at(buffer, offset)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn sync(&self) -> io::Result<()> {
        Err(read_only())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn len(&self) -> io::Result<u64> {
        self.file()?.len()
    }
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "a file of a pool is only read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    #[test]
    fn few_files_are_open_however_many_are_read() {
        let disk = MemoryDisk::default();
        for name in ["a", "b", "c"] {
            let file = disk.open(name, Access::Create).expect("made");
            file.write_at(name.as_bytes(), 0).expect("written");
        }
        let pool = Pool::new(Arc::new(disk), 2);
        let files = ["a", "b", "c"].map(|name| pool.file(name));
        for _ in 0..3 {
            for (file, name) in files.iter().zip(["a", "b", "c"]) {
                let mut byte = [0];
                assert_eq!(file.read_at(&mut byte, 0).expect("read"), 1);
                assert_eq!(byte, name.as_bytes());
                let open = pool.open.lock().expect("no panic");
                let held = open.iter().filter_map(Weak::upgrade);
                assert!(held.filter(|slot| slot.0.lock().expect("free").is_some()).count() <= 2);
            }
        }
    }
}
