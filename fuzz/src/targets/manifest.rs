//! Any bytes as the manifest of a right backup, or any changed file in it, restored.
//!
//! A backup that is refused leaves nothing; one that is taken gives a store with the records of
//! what was backed up, or the first of them if it is to end earlier.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arbitrary::Unstructured;
use foundation_store::disk::{Disk, MemoryDisk, Siblings};
use foundation_store::journal::{Journal, Mode, RestoreOptions, restore};
use foundation_types::Position;

use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, Counted, From, Image, SEGMENT_BYTES, disk_of, wait};

const MANIFEST: &str = "MANIFEST";

static BACKUP: LazyLock<Image> = LazyLock::new(|| {
    let opened = store::open(&disk_of(&store::small()), Mode::Read, From::Beginning, SEGMENT_BYTES);
    let target = MemoryDisk::default();
    let copy: Arc<dyn Disk> = Arc::new(target.clone());
    wait(opened.expect("opens").journal.backup(copy)).expect("is copied");
    store::image_of(&target)
});

static SAID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let opened = store::open(&disk_of(&store::small()), Mode::Read, From::Beginning, SEGMENT_BYTES);
    opened.expect("opens").told.all()
});

/// The whole manifest is the rest of the input.
const RAW: u8 = 0;
/// The manifest is changed.
const CHANGED: u8 = 1;
/// The manifest is changed, and its last line is right again.
const SEALED: u8 = 2;
/// Another file is changed.
const FILE: u8 = 3;

/// Directories in memory.
#[derive(Default)]
struct Folders(Mutex<BTreeMap<String, MemoryDisk>>);

impl Folders {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, MemoryDisk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Siblings for Folders {
    fn find(&self, name: &str) -> io::Result<Option<Arc<dyn Disk>>> {
        Ok(self.all().get(name).map(|disk| Arc::new(disk.clone()) as Arc<dyn Disk>))
    }

    fn make(&self, name: &str) -> io::Result<Arc<dyn Disk>> {
        let disk = MemoryDisk::default();
        self.all().insert(name.to_owned(), disk.clone());
        Ok(Arc::new(disk))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut all = self.all();
        let disk = all.remove(from).ok_or(io::ErrorKind::NotFound)?;
        all.insert(to.to_owned(), disk);
        Ok(())
    }

    fn exchange(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.all().remove(name);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The input is a way, where to end, and what the way says.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let (way, until) = (byte(&mut input) % 4, byte(&mut input));
    let mut image = BACKUP.clone();
    let names: Vec<String> = image.keys().cloned().collect();
    let name = match way {
        FILE => names[usize::from(byte(&mut input)) % names.len()].clone(),
        _ => MANIFEST.to_owned(),
    };
    let content = image.get_mut(&name).expect("is there");
    match way {
        RAW => *content = input.peek_bytes(input.len()).unwrap_or_default().to_vec(),
        _ => edits::apply(&mut input, content),
    }
    if way == SEALED {
        seal::manifest(content);
    }
    // Ending nowhere in most of them, else behind one of the records or none.
    let until = (until > 127).then(|| Position::from_engine(u64::from(until - 128)));
    let options = RestoreOptions { until, ..RestoreOptions::default() };
    let folders = Folders::default();
    let restored =
        restore(Arc::new(disk_of(&image)), &folders, "data", options, &Counted::default());
    let restored = match restored {
        Ok(restored) => restored,
        Err(_) => {
            assert!(folders.all().is_empty(), "a restore that is refused leaves nothing");
            return;
        }
    };
    let disk = folders.all().get("data").cloned().expect("has its place");
    let opened = store::open(&disk, Mode::Write, From::Beginning, SEGMENT_BYTES).expect("opens");
    let told = opened.told.all();
    assert!(SAID.starts_with(&told), "nothing is there that was not backed up");
    assert!(until.is_some() || told.len() == SAID.len(), "all of it is there");
    assert!(until.is_none_or(|until| restored.position <= until));
}

/// One of each way, and a manifest that names what it must not.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let manifest = BACKUP.get(MANIFEST).map(Vec::as_slice).unwrap_or_default();
    seeds.push([&[RAW, 0][..], manifest].concat());
    let text = String::from_utf8_lossy(manifest).replacen("STORE", "../x", 1);
    seeds.push([&[RAW, 0][..], text.as_bytes()].concat());
    for until in [0, 130, 140, 150] {
        seeds.push(Script::of(&[CHANGED, until]).0);
        for at in [3, 14, 60, 90, 130, 200, 260, 300] {
            seeds.push(Script::of(&[SEALED, until]).byte(at, b'7').0);
            seeds.push(Script::of(&[CHANGED, until]).cut(at).0);
        }
        seeds.push(Script::of(&[SEALED, until]).insert(2, b"\"format\": 1, ").0);
        for file in 0..8 {
            seeds.push(Script::of(&[FILE, until, file]).byte(20, 1).0);
        }
    }
    seeds
}
