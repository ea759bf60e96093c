//! A changed file of an archive, or its manifest, in a store whose first segments are there.
//!
//! Whatever the input makes of it: a record is what it was, or it is refused; the store is verified
//! and everything is brought back, or what is wrong is told.

use std::sync::{Arc, LazyLock};

use arbitrary::Unstructured;
use foundation_store::disk::{Disk, MemoryDisk};
use foundation_store::event::EventLog;
use foundation_store::journal::{
    ArchiveDirectory, ArchiveMode, ArchivePolicy, ArchivedStore, Embedded, EmbeddedOptions,
    Journal, Mode, VerifyOptions, verify_archived_store,
};
use foundation_types::config::BufferSettings;
use foundation_types::{Position, Result};

use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, Counted, Image, SEGMENT_BYTES, Ticks, disk_of, image_of, said, wait};

const MANIFEST: &str = "ARCHIVE";

/// The file is changed.
const CHANGED: u8 = 0;
/// The file is changed, and what checksums it has are right again.
const SEALED: u8 = 1;

fn shown(disk: &MemoryDisk) -> Arc<ArchivedStore> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = Arc::new(ArchiveDirectory::on(Arc::clone(&disk)));
    Arc::new(ArchivedStore::new(disk, files, "archive"))
}

fn open(disk: &MemoryDisk, mode: Mode) -> Result<Embedded> {
    let options =
        EmbeddedOptions { mode, segment_bytes: SEGMENT_BYTES, background: false, reserve_bytes: 0 };
    let log = Arc::new(EventLog::new(BufferSettings::default()));
    let (clock, rng) = (Arc::new(Ticks::default()), Counted::default());
    Embedded::open_archived(shown(disk), options, clock, &rng, log).map(|(journal, _)| journal)
}

/// A store with all full segments but one in the archive.
static STORE: LazyLock<Image> = LazyLock::new(|| {
    let disk = disk_of(&store::small());
    let journal = open(&disk, Mode::Write).expect("opens");
    let policy = ArchivePolicy { keep_segments: Some(1), ..ArchivePolicy::default() };
    let gone = wait(journal.archive(policy, ArchiveMode::Move)).expect("goes");
    assert!(!gone.segments.is_empty());
    wait(journal.close()).expect("closes");
    drop(journal);
    image_of(&disk)
});

/// What every record says.
static SAID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let journal = open(&disk_of(&STORE), Mode::Read).expect("opens");
    let last = journal.extent().last.to_engine();
    let read = |at| said(&wait(journal.record(Position::from_engine(at))).expect("reads"));
    (1..=last).map(read).collect()
});

fn names() -> Vec<String> {
    let archived = STORE.keys().filter(|name| name.ends_with(".arc"));
    archived.cloned().chain([MANIFEST.to_owned()]).collect()
}

/// The input is a way, a file, and what is changed of it.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let way = byte(&mut input) % 2;
    let names = names();
    let name = &names[usize::from(byte(&mut input)) % names.len()];
    let right = LazyLock::force(&SAID);
    let mut image = STORE.clone();
    let content = image.get_mut(name).expect("is there");
    let before = content.clone();
    edits::apply(&mut input, content);
    match (way, name.as_str()) {
        (SEALED, MANIFEST) => seal::manifest(content),
        (SEALED, _) => seal::archive(content),
        _ => {}
    }
    let is_changed = *content != before;
    let disk = disk_of(&image);
    let clock = Arc::new(Ticks::default());
    let found = verify_archived_store(&shown(&disk), VerifyOptions::default(), clock);
    let is_told = found.as_ref().map_or(true, |found| !found.findings.is_empty());
    if way == CHANGED {
        assert_eq!(is_told, is_changed, "{name}: {found:?}");
    }
    let Ok(journal) = open(&disk, Mode::Write) else { return };
    for (at, right) in (1..).zip(right) {
        if let Ok(record) = wait(journal.record(Position::from_engine(at))) {
            assert_eq!(said(&record), *right, "another value");
        }
    }
    let back = wait(journal.bring_back());
    assert!(back.is_ok() || is_told, "what cannot come back was told: {back:?}");
    drop(journal);
    if back.is_ok() && !is_told {
        let journal = open(&disk, Mode::Read).expect("opens");
        assert_eq!(journal.extent().last.to_engine(), right.len() as u64);
    }
}

/// Each file, changed in its header, its table, its blocks and its end.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in 0..names().len() as u8 {
        for way in [CHANGED, SEALED] {
            seeds.push(vec![way, file]);
            for at in [
                0, 8, 12, 20, 40, 60, 78, 84, 92, 100, 108, 116, 130, 154, 158, 162, 170, 174, 178, 182,
                186, 190, 194, 201, 203, 220, 260, 400,
            ] {
                seeds.push(Script::of(&[way, file]).byte(at, 7).0);
            }
            for at in [0, 60, 160, 190, 300] {
                seeds.push(Script::of(&[way, file]).cut(at).0);
            }
        }
    }
    seeds
}
