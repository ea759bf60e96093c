//! The life that made the golden store: with a clock and numbers that count, so that whoever lives
//! it again by the same format has the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::config::Documents;
use foundation_store::disk::{Access, Disk, MemoryDisk};
use foundation_store::journal::{
    Batch, Embedded, EmbeddedOptions, Follower, Journal, Mode, Recovered, Retention,
};
use foundation_store::random::Rng;
use foundation_store::record::RecordKind;
use foundation_store::table::Tables;
use foundation_types::{Data, Durability, Event, EventType, Result, StreamName, Timestamp};

use super::super::journal::wait;

/// The files of a store.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

/// Goes on by a millisecond with each look; nothing is ever old by it.
#[derive(Debug, Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn wall(&self) -> Timestamp {
        let ticks = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_micros(1_767_225_600_000_000 + ticks as i64 * 1_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Counts, from numbers on that are easy to see in a dump.
#[derive(Debug)]
struct Counted(AtomicU64);

impl Rng for Counted {
    fn bits(&self) -> u64 {
        self.0.fetch_add(0x0101_0101_0101_0101, Ordering::Relaxed)
    }
}

/// A store that is open, with what is kept in its snapshots.
pub(super) struct Opened {
    pub(super) journal: Embedded,
    pub(super) recovered: Recovered,
    pub(super) documents: Arc<Documents>,
    pub(super) tables: Arc<Tables>,
}

/// Opens a store; `also` is told, too.
pub(super) fn open(
    disk: &MemoryDisk,
    mode: Mode,
    also: Option<Arc<dyn Follower>>,
) -> Result<Opened> {
    let (documents, tables) = (Arc::<Documents>::default(), Arc::<Tables>::default());
    let mut followers: Vec<Arc<dyn Follower>> = vec![documents.clone(), tables.clone()];
    followers.extend(also);
    let (journal, recovered) = Embedded::open(
        Arc::new(disk.clone()),
        EmbeddedOptions { mode, segment_bytes: 2_048, background: false, reserve_bytes: 0 },
        Arc::new(Ticks::default()),
        &Counted(AtomicU64::new(0x1011_1213_1415_1617)),
        Arc::new(followers),
    )?;
    Ok(Opened { journal, recovered, documents, tables })
}

/// The golden store, made anew.
pub(super) fn made() -> Image {
    let disk = MemoryDisk::default();
    let opened = open(&disk, Mode::Write, None).expect("opens");
    let journal = &opened.journal;
    for number in 0..28 {
        append(journal, round(number));
        if number == 12 {
            wait(journal.checkpoint()).expect("is kept");
        }
    }
    wait(journal.checkpoint()).expect("is kept");
    let keep = Retention { records: Some(26), ..Retention::default() };
    let dropped = wait(journal.retain(keep)).expect("lets go");
    assert!(dropped.segments > 0, "there is a front");
    for number in 28..32 {
        append(journal, round(number));
    }
    wait(journal.close()).expect("closes");
    drop(opened);
    image_of(&disk)
}

/// Batches of which all but the last are acked by the system alone: the group of the last says that
/// those before it were not durable.
fn append(journal: &Embedded, batches: Vec<Batch>) {
    for batch in batches {
        let room = journal.try_reserve(&batch).expect("is open").expect("has room");
        let commit = journal.append(batch, room).expect("is taken");
        wait(commit.durable()).expect("is written");
    }
}

fn round(number: u64) -> Vec<Batch> {
    let data = |json: String| Data::from_json(&json).expect("is JSON");
    let of = |kind: &'static str, json: String| {
        let id = format!("{kind} {number}");
        Event { data: data(json), ..Event::new(EventType::from(kind)).id(id) }
    };
    let one = |stream: &str, kind, event| batch(stream, kind, vec![event]);
    match number % 5 {
        0 => {
            let (path, document) =
                if number.is_multiple_of(2) { ("port", "shop") } else { ("limits.rate", "mail") };
            let json = format!(
                "{{\"document\":\"{document}\",\"version\":1,\"time\":\"2026-01-01T00:00:00Z\",\
                 \"actor\":\"ops\",\"reason\":\"more\",\
                 \"changes\":[{{\"path\":\"{path}\",\"after\":{number}}}]}}"
            );
            let change = of(EventType::CONFIG_CHANGED, json);
            vec![one(&format!("config/{document}"), RecordKind::Change, change)]
        }
        1 => {
            let put = format!("{{\"key\":\"k{}\",\"value\":{{\"n\":{number}}}}}", number % 3);
            let gone = "{\"key\":\"k2\"}".to_owned();
            let events = vec![of(EventType::TABLE_PUT, put), of(EventType::TABLE_REMOVED, gone)];
            vec![batch("table/stock", RecordKind::Event, events)]
        }
        2 => vec![one("events", RecordKind::Event, full(number))],
        3 => {
            let events = (0..3).map(|at| Event::new("plain").id(format!("{number}.{at}")));
            vec![batch("plain", RecordKind::Event, events.collect())]
        }
        _ => {
            let quick = |at: u64| {
                let event = Event::new("quick").id(format!("{number}.{at}"));
                one("quick", RecordKind::Event, event)
            };
            vec![quick(0).at(Durability::Os), quick(1).at(Durability::Os), quick(2)]
        }
    }
}

/// An event with every field.
fn full(number: u64) -> Event {
    Event::new("order.placed")
        .id(format!("00000000-0000-4000-8000-{number:012x}"))
        .at(Timestamp::from_unix_micros(1_700_000_000_000_000 - number as i64 * 1_000_003))
        .source("till/4")
        .subject("Grüße")
        .correlation(format!("story-{}", number % 3))
        .parent("the one before")
        .tag("customer:7")
        .tag("Blüte")
        .schema(2)
        .data(&[1, 2, 3])
        .expect("is JSON")
}

fn batch(stream: &str, kind: RecordKind, events: Vec<Event>) -> Batch {
    Batch::new(StreamName::from(stream), kind, events).expect("fits")
}

/// A disk with these files.
pub(super) fn disk_of(image: &Image) -> MemoryDisk {
    let disk = MemoryDisk::default();
    for (name, content) in image {
        let file = disk.open(name, Access::Create).expect("is not there yet");
        file.write_at(content, 0).expect("memory takes it");
    }
    disk
}

/// The files of a disk.
pub(super) fn image_of(disk: &MemoryDisk) -> Image {
    let content = |name: &String| {
        let file = disk.open(name, Access::Read).expect("is there");
        let mut bytes = vec![0; file.len().expect("is known") as usize];
        file.read_at(&mut bytes, 0).expect("memory gives it");
        bytes
    };
    let names = disk.list().expect("lists");
    names.into_iter().map(|name| (name.clone(), content(&name))).collect()
}
