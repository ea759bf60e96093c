//! The embedded journal on a simulated disk.

mod archived;
mod backup;
mod conformance;
mod crash;
mod damage;
mod diverged;
mod expired;
mod faults;
mod forged;
mod full;
mod large;
mod live;
mod machine;
mod mutated;
mod order;
mod planted;
mod repair;
mod resumed;
mod retained;
mod rot;
mod underfoot;
mod unreachable;

use std::sync::{Arc, Mutex};

use foundation_store::clock::SystemClock;
use foundation_store::disk::Disk;
use foundation_store::journal::{
    Batch, Commit, Embedded, EmbeddedOptions, Follower, Journal, Mode, Recovered,
};
use foundation_store::random::SystemRng;
use foundation_store::record::{Record, RecordKind};
use foundation_types::{Event, Result, StreamName};

/// Segments small enough that a few events make several.
const SEGMENT_BYTES: u64 = 2_048;

/// Notes the bodies of all records that it is told of.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic under the lock").clone()
    }
}

impl Follower for Told {
    fn follow(&self, records: &[Record]) {
        self.0.lock().expect("no panic under the lock").extend(records.iter().map(said));
    }
}

/// What a record says, with its place.
pub(crate) fn said(record: &Record) -> String {
    let event = record.event().expect("decodes");
    format!("{} {}@{} {}", record.position(), event.stream, event.version, event.data)
}

pub(crate) struct Opened {
    pub(crate) journal: Embedded,
    pub(crate) told: Arc<Told>,
    pub(crate) recovered: Recovered,
}

pub(crate) fn open(disk: &(impl Disk + Clone), mode: Mode) -> Result<Opened> {
    open_with(
        disk,
        EmbeddedOptions { mode, segment_bytes: SEGMENT_BYTES, background: false, reserve_bytes: 0 },
    )
}

pub(crate) fn open_with(disk: &(impl Disk + Clone), options: EmbeddedOptions) -> Result<Opened> {
    let told = Arc::new(Told::default());
    let follower: Arc<dyn Follower> = told.clone();
    let (journal, recovered) = Embedded::open(
        Arc::new(disk.clone()),
        options,
        Arc::new(SystemClock::default()),
        &SystemRng::default(),
        follower,
    )?;
    Ok(Opened { journal, told, recovered })
}

/// A batch of events in a stream whose data are these texts.
pub(crate) fn batch(stream: &str, data: &[String]) -> Batch {
    let event = |text: &String| {
        let id: String = text.chars().take(100).collect();
        Event::new("test.happened").id(id).data(text).expect("plain text")
    };
    Batch::new(StreamName::from(stream), RecordKind::Event, data.iter().map(event).collect())
        .expect("fits")
}

pub(crate) fn append(journal: &Embedded, batch: Batch) -> Result<Commit> {
    match journal.try_reserve(&batch)? {
        Some(room) => journal.append(batch, room),
        None => panic!("there is always room for a small batch"),
    }
}

/// What a journal gives out from its beginning on, until it ends or fails.
pub(crate) fn read_all(journal: &Embedded) -> Vec<String> {
    let (mut read, mut cursor) = (Vec::new(), journal.extent().before_first);
    while let Ok(page) = wait(journal.read_after(cursor, 1 << 16)) {
        let Some(last) = page.last() else { break };
        cursor = last.position();
        read.extend(page.iter().map(said));
    }
    read
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
