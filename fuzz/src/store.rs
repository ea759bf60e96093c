//! Stores that inputs change: made anew in memory by the journal itself, the same bytes each time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::config::Documents;
use foundation_store::disk::{Access, Disk, MemoryDisk};
use foundation_store::event::EventLog;
use foundation_store::journal::{
    Batch, Embedded, EmbeddedOptions, Follower, Journal, Mode, Recovered, State,
};
use foundation_store::random::Rng;
use foundation_store::record::{Record, RecordKind};
use foundation_store::table::Tables;
use foundation_types::config::BufferSettings;
use foundation_types::{Data, Event, EventType, Result, StreamName, Timestamp};
use tokio::runtime::{Builder, Runtime};

use crate::seal;

/// The files of a store.
pub type Image = BTreeMap<String, Vec<u8>>;

/// The first segment of every store here.
pub const SEGMENT: &str = "00000000000000000001.seg";
/// Its index.
pub const INDEX: &str = "00000000000000000001.idx";
/// Bytes after which a segment of a small store is full.
pub const SEGMENT_BYTES: u64 = 2_048;
/// The same of the store with many events.
pub const MANY_BYTES: u64 = 24 * 1024;

/// Goes on by a millisecond each time that it is looked at; nothing is ever old by it.
#[derive(Debug, Default)]
pub struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn wall(&self) -> Timestamp {
        let ticks = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_micros(1_700_000_000_000_000 + ticks as i64 * 1_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Counts.
#[derive(Debug, Default)]
pub struct Counted(AtomicU64);

impl Rng for Counted {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1
    }
}

/// Notes what all records say that it is told of; it wants to be told of each.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<String>>);

impl Told {
    /// What all of them say.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Follower for Told {
    fn follow(&self, records: &[Record]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(records.iter().map(said));
    }
}

/// All that a record says.
#[must_use]
pub fn said(record: &Record) -> String {
    let (stamp, bytes, kind) = (record.stamp().to_bits(), record.bytes(), record.kind());
    format!("{} {stamp} {bytes} {kind:?} {:?}", record.position(), record.event())
}

/// A store that is open, with all that follows it.
pub struct Opened {
    /// The journal.
    pub journal: Embedded,
    /// What it told of.
    pub told: Arc<Told>,
    /// The documents in it.
    pub documents: Arc<Documents>,
    /// The tables in it.
    pub tables: Arc<Tables>,
    /// The events in it.
    pub log: Arc<EventLog>,
    /// What opening found.
    pub recovered: Recovered,
}

/// Where opening begins to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first record, to [`Told`] as well.
    Beginning,
    /// Behind a snapshot, if there is one.
    Snapshot,
}

impl Opened {
    /// What would be kept of documents and tables in a snapshot, or why nothing would.
    #[must_use]
    pub fn states(&self) -> Vec<Vec<u8>> {
        let states: [&dyn State; 2] = [&*self.documents, &*self.tables];
        states
            .map(|state| state.capture()().unwrap_or_else(|error| error.to_string().into_bytes()))
            .to_vec()
    }
}

/// Opens the store on a disk.
///
/// # Errors
/// As [`Embedded::open`].
pub fn open(disk: &MemoryDisk, mode: Mode, from: From, segment_bytes: u64) -> Result<Opened> {
    let (told, log) = (Arc::<Told>::default(), Arc::new(EventLog::new(BufferSettings::default())));
    let (documents, tables) = (Arc::<Documents>::default(), Arc::<Tables>::default());
    let mut followers: Vec<Arc<dyn Follower>> =
        vec![log.clone(), documents.clone(), tables.clone()];
    if from == From::Beginning {
        followers.push(told.clone());
    }
    let (journal, recovered) = Embedded::open(
        Arc::new(disk.clone()),
        EmbeddedOptions { mode, segment_bytes, background: false, reserve_bytes: 0 },
        Arc::new(Ticks::default()),
        &Counted::default(),
        Arc::new(followers),
    )?;
    Ok(Opened { journal, told, documents, tables, log, recovered })
}

/// A disk with these files.
///
/// # Panics
/// Never: memory takes them.
#[must_use]
pub fn disk_of(image: &Image) -> MemoryDisk {
    let disk = MemoryDisk::default();
    for (name, content) in image {
        let file = disk.open(name, Access::Create).expect("is not there yet");
        file.write_at(content, 0).expect("memory takes it");
    }
    disk
}

/// The files of a disk.
///
/// # Panics
/// Never: memory gives them.
#[must_use]
pub fn image_of(disk: &MemoryDisk) -> Image {
    let content = |name: &String| {
        let file = disk.open(name, Access::Read).expect("is there");
        let mut bytes = vec![0; file.len().expect("is known") as usize];
        file.read_at(&mut bytes, 0).expect("memory gives it");
        bytes
    };
    let names = disk.list().expect("lists");
    names.into_iter().map(|name| (name.clone(), content(&name))).collect()
}

thread_local! {
    /// Made once: whoever asks a journal asks it thousands of times.
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

/// Waits for what a journal answers.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Appends, and waits until it is durable.
///
/// # Errors
/// As [`Journal::append`].
///
/// # Panics
/// If there is no room for one small batch.
pub fn append(journal: &Embedded, batch: Batch) -> Result<()> {
    let room = journal.try_reserve(&batch)?.expect("there is room for a small batch");
    let commit = journal.append(batch, room)?;
    wait(commit.durable()).map(|_| ())
}

/// A batch of these events.
///
/// # Panics
/// If they do not fit.
#[must_use]
pub fn batch(stream: &str, kind: RecordKind, events: Vec<Event>) -> Batch {
    Batch::new(StreamName::from(stream), kind, events).expect("fits")
}

/// A store with events of all shapes, two documents and a table, in several segments, with an index
/// for each and two snapshots.
///
/// # Panics
/// If the journal does not take it.
#[must_use]
pub fn small() -> Image {
    let disk = MemoryDisk::default();
    let opened = open(&disk, Mode::Write, From::Snapshot, SEGMENT_BYTES).expect("opens");
    for number in 0..24_u64 {
        append(&opened.journal, mixed(number)).expect("is taken");
        if number == 12 {
            wait(opened.journal.checkpoint()).expect("is kept");
        }
    }
    closed(opened, &disk)
}

/// A store whose first segment has so many events that its index has everything that there is in
/// one; some more are in a second one.
///
/// # Panics
/// If the journal does not take it.
#[must_use]
pub fn many() -> Image {
    let disk = MemoryDisk::default();
    let opened = open(&disk, Mode::Write, From::Snapshot, MANY_BYTES).expect("opens");
    for number in 0..24 {
        let events = (0..12).map(|at| scattered(number * 12 + at)).collect();
        let stream = if number % 9 == 0 { "rare" } else { "events" };
        append(&opened.journal, batch(stream, RecordKind::Event, events)).expect("is taken");
    }
    closed(opened, &disk)
}

fn closed(opened: Opened, disk: &MemoryDisk) -> Image {
    wait(opened.journal.close()).expect("closes");
    drop(opened);
    let mut image = image_of(disk);
    let segments: Vec<&mut Vec<u8>> =
        image.iter_mut().filter(|(name, _)| name.ends_with(".seg")).map(|(_, file)| file).collect();
    for segment in segments {
        let used = segment.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        segment.truncate(used);
    }
    // How often it was written depends on how quick the machine is.
    let watermark = image.get_mut("WATERMARK").expect("a store has one");
    let newest = watermark.chunks(512).max_by_key(|slot| seal::number(slot, 16));
    let mut slot = newest.map(<[u8]>::to_vec).unwrap_or_default();
    slot[16..24].copy_from_slice(&2_u64.to_le_bytes());
    slot.resize(1024, 0);
    seal::mark(&mut slot);
    *watermark = slot;
    image
}

fn mixed(number: u64) -> Batch {
    let data = |json: String| Data::from_json(&json).expect("is JSON");
    let of = |kind: &'static str, json: String| {
        let id = format!("{number} {kind}");
        Event { data: data(json), ..Event::new(EventType::from(kind)).id(id) }
    };
    match number % 4 {
        0 => {
            let path = if number.is_multiple_of(8) { "port" } else { "limits.rate" };
            let change = of(EventType::CONFIG_CHANGED, change(path, number));
            let document = if number.is_multiple_of(3) { "config/shop" } else { "config/mail" };
            batch(document, RecordKind::Change, vec![change])
        }
        1 => {
            let put = format!("{{\"key\":\"k{}\",\"value\":{{\"n\":{number}}}}}", number % 3);
            let mut events = vec![of(EventType::TABLE_PUT, put)];
            if number % 8 == 5 {
                events.push(of(EventType::TABLE_REMOVED, "{\"key\":\"k1\"}".to_owned()));
            }
            batch("table/stock", RecordKind::Event, events)
        }
        2 => batch("events", RecordKind::Event, vec![full(number)]),
        _ => {
            let events = (0..3).map(|at| Event::new("plain").id(format!("{number}.{at}")));
            batch("plain", RecordKind::Event, events.collect())
        }
    }
}

fn change(path: &str, number: u64) -> String {
    let document = if number.is_multiple_of(3) { "shop" } else { "mail" };
    format!(
        "{{\"document\":\"{document}\",\"version\":0,\"time\":\"2026-01-01T00:00:00Z\",\
         \"actor\":\"a\",\"changes\":[{{\"path\":\"{path}\",\"after\":{number}}}]}}"
    )
}

/// An event with every field.
fn full(number: u64) -> Event {
    Event::new("order.placed")
        .id(format!("00000000-0000-4000-8000-{number:012x}"))
        .at(Timestamp::from_unix_micros(number as i64 * 1_000_003))
        .source("till/4")
        .subject("Grüße")
        .correlation(format!("story-{}", number % 3))
        .parent("the one before")
        .data(&[1, 2, 3])
        .expect("is JSON")
}

/// Times out of order, so that the index keeps a list of them.
fn scattered(number: u64) -> Event {
    let id = match number % 2 {
        0 => format!("00000000-0000-4000-8000-{number:012x}"),
        _ => number.to_string(),
    };
    Event::new(if number.is_multiple_of(3) { "placed" } else { "paid" })
        .id(id)
        .at(Timestamp::from_unix_micros((number as i64 * 7_919) % 500))
        .correlation(format!("story {}", number / 10))
}
