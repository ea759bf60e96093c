//! A disk in memory whose writes and syncs work, wait or fail as a test tells it to.

use std::io;
use std::sync::{Arc, Condvar, Mutex};

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};

/// What the disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    /// Syncs wait for another mood.
    SyncsWait,
    SyncsFail,
    /// Writes wait for another mood.
    WritesWait,
    /// Writes find no space.
    Full,
}

/// A disk in memory with a mood; clones share both.
#[derive(Clone)]
pub(crate) struct MoodyDisk {
    inner: MemoryDisk,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl Default for MoodyDisk {
    fn default() -> Self {
        let mood = Arc::new((Mutex::new(Mood::Works), Condvar::new()));
        Self { inner: MemoryDisk::default(), mood }
    }
}

impl MoodyDisk {
    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.0.lock().expect("no test panics here") = mood;
        self.mood.1.notify_all();
    }
}

struct MoodyFile {
    inner: Box<dyn DiskFile>,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl Disk for MoodyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let inner = self.inner.open(name, access)?;
        Ok(Box::new(MoodyFile { inner, mood: Arc::clone(&self.mood) }))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn sync_names(&self) -> io::Result<()> {
        self.inner.sync_names()
    }
    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.inner.lock(name, claim)
    }
    fn place(&self) -> String {
        self.inner.place()
    }
}

impl DiskFile for MoodyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mood = self.mood.0.lock().expect("no test panics here");
        let mood = self.mood.1.wait_while(mood, |mood| *mood == Mood::WritesWait);
        match *mood.expect("no test panics here") {
            Mood::Full => Err(io::ErrorKind::StorageFull.into()),
            _ => self.inner.write_at(bytes, offset),
        }
    }
    fn sync(&self) -> io::Result<()> {
        let mood = self.mood.0.lock().expect("no test panics here");
        let mood = self.mood.1.wait_while(mood, |mood| *mood == Mood::SyncsWait);
        match *mood.expect("no test panics here") {
            Mood::SyncsFail => Err(io::Error::other("the disk gave up")),
            _ => self.inner.sync(),
        }
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.inner.set_len(bytes)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}
