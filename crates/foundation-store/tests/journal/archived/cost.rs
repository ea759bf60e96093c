//! What an archive costs, with the real input: bytes on the disk for an event, and time for a query.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use foundation_store::clock::SystemClock;
use foundation_store::disk::{Disk, MemoryDisk};
use foundation_store::event::EventLog;
use foundation_store::journal::{
    ArchiveDirectory, ArchivedStore, Batch, Embedded, EmbeddedOptions, Journal,
};
use foundation_store::random::SystemRng;
use foundation_store::record::RecordKind;
use foundation_types::config::BufferSettings;
use foundation_types::{Event, EventId, EventQuery, Position, StreamName, Timestamp};

use super::super::{append, wait};
use super::archive;

const INPUT: &str = "shared/data/openstack_2k.ndjson";
const EVENTS: usize = 120_000;

/// An id as the program draws it: the millisecond, and bits that look drawn.
fn id(at: usize) -> EventId {
    let bits = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let more = bits.rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let drawn: [u8; 16] = (u128::from(bits) << 64 | u128::from(more)).to_le_bytes();
    let mut random = [0; 10];
    random.copy_from_slice(&drawn[..10]);
    EventId::generate(Timestamp::from_unix_micros(1_700_000_000_000_000 + at as i64 * 50), random)
}

/// Events as the lines of the input, each story and id once in all.
fn events(text: &str) -> Vec<Event> {
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect();
    let event = |at: usize| {
        let line = &lines[at % lines.len()];
        let of = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let story = format!("{}-{}", of("correlation_id"), at / lines.len());
        let time = of("time").parse().expect("is a time");
        let event = Event::new(of("type").as_str()).id(id(at)).at(time).source(of("source"));
        event.correlation(story).data(&line["data"]).expect("is JSON")
    };
    (0..EVENTS).map(event).collect()
}

fn bytes_of(disk: &MemoryDisk, suffixes: &[&str]) -> u64 {
    let names = disk.list().expect("lists");
    let wanted = names.iter().filter(|name| suffixes.iter().any(|one| name.ends_with(one)));
    let open = |name: &String| disk.open(name, foundation_store::disk::Access::Read);
    wanted.map(|name| open(name).expect("is there").len().expect("is known")).sum()
}

/// Microseconds that each of these queries takes on average.
fn asked(journal: &Embedded, queries: &[EventQuery]) -> u128 {
    let begun = Instant::now();
    for query in queries {
        let (mut cursor, mut found) = (Some(Position::START), 0);
        while let Some(from) = cursor {
            let step = wait(journal.find(query, from, Position::END)).expect("reads");
            found += step.records.len();
            cursor = step.cursor;
        }
        assert!(found > 0, "{query:?}");
    }
    begun.elapsed().as_micros() / queries.len() as u128
}

#[test]
fn archived_events_of_the_real_input_take_at_most_three_tenths_of_their_bytes_with_their_index() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = own.ancestors().skip(2).map(|folder| folder.join(INPUT)).find(|path| path.exists());
    let Some(path) = found else {
        println!("SKIPPED: there is no {INPUT} beside the workspace");
        return;
    };
    let text = std::fs::read_to_string(path).expect("reads");
    let disk = MemoryDisk::default();
    let plain: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = Arc::new(ArchiveDirectory::on(Arc::clone(&plain)));
    let store = Arc::new(ArchivedStore::new(plain, files, "archive"));
    let log =
        Arc::new(EventLog::new(BufferSettings { max_events: 16, ..BufferSettings::default() }));
    let options = EmbeddedOptions { background: false, ..EmbeddedOptions::default() };
    let (clock, rng) = (Arc::new(SystemClock::default()), SystemRng::default());
    let (journal, _) = Embedded::open_archived(store, options, clock, &rng, log).expect("opens");
    let events = events(&text);
    for some in events.chunks(100) {
        let batch = Batch::new(StreamName::from("events"), RecordKind::Event, some.to_vec());
        wait(append(&journal, batch.expect("fits")).expect("placed").durable()).expect("durable");
    }
    let story = |at: usize| {
        EventQuery::all().correlation(events[at].correlation_id.clone().expect("has one"))
    };
    let queries: Vec<EventQuery> = (0..100).map(|at| story(at * 397)).collect();
    let live = asked(&journal, &queries);
    let begun = Instant::now();
    let gone = archive(&journal, 0).expect("goes");
    let took = begun.elapsed();
    let first = asked(&journal, &queries);
    let records = gone.records as f64;
    let names: Vec<String> =
        gone.segments.iter().map(|name| name.replace(".seg", ".idx")).collect();
    let indices = bytes_of(&disk, &names.iter().map(String::as_str).collect::<Vec<_>>()) as f64;
    let (raw, stored) = (gone.bytes as f64 / records, gone.stored as f64 / records);
    let index = indices / records;
    println!(
        "{records} events of {raw:.1} bytes: archived {stored:.1}, index {index:.1}, together {:.1} \
         bytes an event, in {took:?}; a story of the log in {live} us, of the archive in {first} us",
        stored + index
    );
    // Sixty bytes of an event that takes two hundred.
    assert!((stored + index) / raw <= 0.30);
}
