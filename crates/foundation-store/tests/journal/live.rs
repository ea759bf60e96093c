//! Looking at a store while its owner writes: what happens meanwhile is no damage.

use std::io;
use std::sync::{Arc, Mutex};

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};
use foundation_store::journal::{EmbeddedOptions, Journal, Mode};

use super::{append, batch, open, open_with, wait};

type Meanwhile = Box<dyn FnOnce() + Send>;

/// A disk on which something happens while the names of its files are read.
#[derive(Clone, Default)]
struct Interrupted {
    disk: MemoryDisk,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl Disk for Interrupted {
    fn list(&self) -> io::Result<Vec<String>> {
        let meanwhile = self.meanwhile.lock().expect("no panic under the lock").take();
        if let Some(happen) = meanwhile {
            std::thread::spawn(happen).join().expect("no panic");
        }
        self.disk.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.disk.open(name, access)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.disk.lock(name, claim)
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}

#[test]
fn what_is_written_during_a_verification_or_a_look_is_no_damage() {
    let disk = Interrupted::default();
    let options = EmbeddedOptions { segment_bytes: 1 << 20, ..EmbeddedOptions::default() };
    let opened = open_with(&disk, options).expect("opens");
    let journal = Arc::new(opened.journal);
    let commit = append(&journal, batch("a", &["small".to_owned()])).expect("placed");
    wait(commit.durable()).expect("durable");
    for _ in 0..2 {
        let writer = journal.clone();
        let write = move || {
            for number in 0..4 {
                let text = format!("{number}-{}", "x".repeat(600_000));
                let commit = append(&writer, batch("a", &[text])).expect("placed");
                wait(commit.durable()).expect("durable");
            }
        };
        let segments = journal.status().segments;
        *disk.meanwhile.lock().expect("no panic") = Some(Box::new(write.clone()));
        assert_eq!(wait(journal.verify()).expect("reads").findings, []);
        assert!(journal.status().segments > segments, "a segment was begun meanwhile");
        *disk.meanwhile.lock().expect("no panic") = Some(Box::new(write));
        let before = opened.told.all().len();
        let look = open(&disk, Mode::Peek).expect("takes no lock");
        assert!(look.told.all().len() >= before);
    }
}
