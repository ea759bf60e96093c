//! A gate before the writes and syncs of a disk: each waits until it is let through, so that the
//! scheduler decides when something becomes durable, and whether it does.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard};

use super::Dice;
use crate::simulated::{Failure, SimulatedDisk};

#[derive(Default)]
struct Queue {
    is_closed: bool,
    waiting: usize,
    passes: usize,
}

/// A simulated disk behind a gate; clones share both.
#[derive(Clone, Default)]
pub(crate) struct GatedDisk {
    inner: SimulatedDisk,
    gate: Arc<(Mutex<Queue>, Condvar)>,
}

impl GatedDisk {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.gate.0.lock().expect("no panic under the lock")
    }

    /// From now on each write and sync has to be let through, or none any more.
    pub(crate) fn set_closed(&self, is_closed: bool) {
        self.queue().is_closed = is_closed;
        self.gate.1.notify_all();
    }

    /// Whether a call stands at the gate.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.queue().waiting > 0
    }

    /// Lets one call through. One in so many, if it is to fail at all, fails or finds no space.
    pub(crate) fn let_through(&self, dice: &mut Dice, fails_one_in: Option<u64>) {
        if fails_one_in.is_some_and(|many| dice.below(many) == 0) {
            let call = self.inner.calls() + 1;
            let failure =
                if dice.below(4) == 0 { Failure::OnceAt(call) } else { Failure::NoSpaceAt(call) };
            self.inner.set_failure(failure);
        }
        let mut queue = self.queue();
        queue.waiting -= 1;
        queue.passes += 1;
        drop(queue);
        self.gate.1.notify_all();
    }

    fn pass(&self) {
        let mut queue = self.queue();
        if !queue.is_closed {
            return;
        }
        queue.waiting += 1;
        let stands = |queue: &mut Queue| queue.is_closed && queue.passes == 0;
        queue = self.gate.1.wait_while(queue, stands).expect("no panic under the lock");
        match queue.passes {
            0 => queue.waiting -= 1,
            _ => queue.passes -= 1,
        }
    }
}

struct GatedFile {
    inner: Box<dyn DiskFile>,
    disk: GatedDisk,
}

impl Disk for GatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let inner = self.inner.open(name, access)?;
        Ok(Box::new(GatedFile { inner, disk: self.clone() }))
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

impl DiskFile for GatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.pass();
        self.inner.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.pass();
        self.inner.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.inner.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}
