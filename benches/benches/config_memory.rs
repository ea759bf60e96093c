//! What 10,000 versions of a document of 60 leaves take of memory: printed, for it is no time.
//!
//! It is what the process has grown by, so it runs in a process of its own; the records of the
//! changes are let go of, as they are on a disk.

#![expect(clippy::print_stdout, reason = "a figure that is no time has no row")]

use std::sync::Arc;

use foundation::seams::{Clock, SystemClock};
use foundation_benches::Sixty;
use foundation_store::config::ConfigState;
use foundation_store::journal::{Batch, Journal, MemoryJournal};
use foundation_store::record::RecordKind;
use foundation_types::event::Data;
use foundation_types::{Change, Edit, Event, EventType, StoreId, StreamName, Version};

const VERSIONS: u64 = 10_000;
const BYTES_MAX: usize = 10 * 1024 * 1024;
/// Records that the journal keeps.
const RECORDS_BYTES: usize = 64 * 1024;

fn main() {
    let clock = Arc::new(SystemClock::default());
    let state = Arc::new(ConfigState::<Sixty>::new().expect("a tree"));
    state.recovered(&[], None).expect("defaults are valid");
    let journal =
        MemoryJournal::new(StoreId::from_bits(1), RECORDS_BYTES, clock.clone(), state.clone());
    // What is needed once is no part of it.
    (1..=100).for_each(|version| append(&journal, &*clock, version));
    let before = resident_bytes();
    (101..=100 + VERSIONS).for_each(|version| append(&journal, &*clock, version));
    let grown = resident_bytes().saturating_sub(before);
    assert_eq!(state.current().version(), Version::new(VERSIONS + 100));
    let mib = grown as f64 / f64::from(1 << 20);
    println!("Config / {VERSIONS} versions of 60 leaves: {mib:.1} MiB");
    assert!(grown <= BYTES_MAX, "{grown} bytes are more than {BYTES_MAX}");
}

fn append(journal: &MemoryJournal, clock: &dyn Clock, version: u64) {
    let field = (b'a' + (version % 15) as u8) as char;
    let path = format!("second.{field}").parse().expect("a path");
    let edit = Edit { path, before: None, after: Some(version.into()) };
    let change = Change {
        document: "sixty".to_owned(),
        version: Version::new(version),
        schema: 1,
        time: clock.wall(),
        actor: None,
        reason: None,
        layer: foundation::config::Layer::RunTime,
        withdrawn: Vec::new(),
        until: None,
        changes: vec![edit],
    };
    let data = Data::of(&change).expect("a change is JSON");
    let told = Event { data, ..Event::new(EventType::CONFIG_CHANGED).id(version.to_string()) };
    let stream = StreamName::of_document("sixty");
    let batch = Batch::new(stream, RecordKind::Change, vec![told]).expect("small");
    let room = journal.try_reserve(&batch).expect("open").expect("room");
    journal.append(batch, room).expect("any version");
}

/// What of the process is in memory, in pages of 4 KiB.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a kernel that tells");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number") * 4_096
}
