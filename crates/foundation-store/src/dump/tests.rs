//! Tests of dumps: what is in one, what is there when writing one fails, which ones stay.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundation_types::{ErrorKind, Position, Settings, StoreId, Timestamp};

use super::{Dump, Kept, file_name, write};
use crate::config::{ConfigState, Documents};
use crate::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};
use crate::table::Tables;
use crate::together::Together;

fn dump(position: u64) -> Dump {
    let mut documents = Documents::default();
    let state = ConfigState::<Settings>::new().expect("a tree");
    documents.link(Arc::new(state)).expect("the first of its name");
    let tables = Tables::default();
    let entries = br#"{"version":3,"entries":[["b",{"a":1.50}],["a",2]]}"#;
    tables.restore("visits", entries, Position::START).expect("was captured");
    let (store, together) = (StoreId::from_bits(1), Together::new(Vec::new()));
    let mut dump = Dump::take(store, Timestamp::UNIX_EPOCH, &together, &documents, &tables);
    dump.position = Position::from_engine(position);
    dump
}

fn content(disk: &dyn Disk, name: &str) -> String {
    let file = disk.open(name, Access::Read).expect("is there");
    let bytes = crate::disk::read_small(&*file, 1 << 20).expect("reads");
    String::from_utf8(bytes).expect("is text")
}

fn names(disk: &dyn Disk) -> Vec<String> {
    let mut names = disk.list().expect("lists");
    names.sort_unstable();
    names
}

#[test]
fn a_dump_is_plain_json_with_a_line_for_each_part() {
    let disk = MemoryDisk::default();
    let written = write(&disk, &dump(7), Kept::All).expect("there is space");
    assert_eq!(written.name, "dump-00000000000000000007.json");
    let text = content(&disk, &written.name);
    assert_eq!(text.len() as u64, written.bytes);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"foundation_dump":1,"store":"00000000000000000000000000000001","position":7,"time":"1970-01-01T00:00:00Z","documents":["#
    );
    assert!(lines[1].starts_with(r#"{"name":"foundation","version":0,"tree":{"#), "{text}");
    assert_eq!(
        lines[2..],
        [r#"{"name":"visits","version":3,"entries":["#, r#"["a",2],"#, r#"["b",{"a":1.50}]]}]}"#]
    );
    let whole: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(whole["documents"][0]["tree"]["interface"]["max_results"], 1_000);
}

#[test]
fn the_newest_stay_and_nobody_elses_files_are_touched() {
    let disk = MemoryDisk::default();
    let others = ["dump-7.json", "dump-00000000000000000001.json.gz", "notes"];
    let unfinished = "dump-00000000000000000002.json.new";
    for name in others.iter().chain([&unfinished]) {
        disk.open(name, Access::Create).expect("makes");
    }
    for position in [3, 9, 10, 10, 11] {
        write(&disk, &dump(position), Kept::Newest(2)).expect("there is space");
    }
    let mut expected = others.map(str::to_owned).to_vec();
    expected.extend([10, 11].map(|number| file_name(Position::from_engine(number))));
    expected.sort_unstable();
    assert_eq!(names(&disk), expected);
    write(&disk, &dump(4), Kept::Newest(0)).expect("there is space");
    assert!(names(&disk).contains(&file_name(Position::from_engine(4))), "what was just written");
}

#[test]
fn what_a_dump_left_that_was_killed_goes_with_the_next_one() {
    let disk = MemoryDisk::default();
    for name in ["dump-00000000000000000002.json.new", "mine.json.new"] {
        disk.open(name, Access::Create).expect("makes");
    }
    for position in [1, 3, 4] {
        write(&disk, &dump(position), Kept::All).expect("there is space");
    }
    let mut expected = [1, 3, 4].map(|number| file_name(Position::from_engine(number))).to_vec();
    expected.push("mine.json.new".to_owned());
    assert_eq!(names(&disk), expected);
}

/// A disk in memory of which one call fails.
#[derive(Clone, Default)]
struct Failing {
    inner: MemoryDisk,
    calls_left: Arc<AtomicU64>,
}

impl Failing {
    fn call(&self) -> io::Result<()> {
        match self.calls_left.fetch_sub(1, Ordering::SeqCst) {
            1 => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

impl Disk for Failing {
    fn list(&self) -> io::Result<Vec<String>> {
        self.call()?;
        self.inner.list()
    }
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.call()?;
        let inner = self.inner.open(name, access)?;
        Ok(Box::new(FailingFile { inner, disk: self.clone() }))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call()?;
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.call()?;
        self.inner.remove(name)
    }
    fn sync_names(&self) -> io::Result<()> {
        self.call()
    }
    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.inner.lock(name, claim)
    }
    fn place(&self) -> String {
        self.inner.place()
    }
}

struct FailingFile {
    inner: Box<dyn DiskFile>,
    disk: Failing,
}

impl DiskFile for FailingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.call()?;
        self.inner.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.call()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.inner.set_len(bytes)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

#[test]
fn whichever_call_fails_a_dump_that_is_there_is_whole() {
    let expected = {
        let disk = MemoryDisk::default();
        write(&disk, &dump(1), Kept::All).expect("there is space");
        content(&disk, &file_name(Position::from_engine(1)))
    };
    let mut failures = 0;
    for call in 1.. {
        let disk = Failing::default();
        disk.calls_left.store(u64::MAX, Ordering::SeqCst);
        write(&disk, &dump(1), Kept::Newest(1)).expect("there is space");
        disk.calls_left.store(call, Ordering::SeqCst);
        let outcome = write(&disk, &dump(2), Kept::Newest(1));
        let left = disk.calls_left.swap(u64::MAX, Ordering::SeqCst);
        for name in names(&disk).iter().filter(|name| name.ends_with(".json")) {
            let text = content(&disk, name);
            assert_eq!(text.len(), expected.len(), "call {call}");
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "call {call}");
        }
        assert!(names(&disk).iter().any(|name| name.ends_with(".json")), "call {call}");
        match outcome {
            Err(error) => assert_eq!(error.kind(), ErrorKind::DiskFull, "call {call}"),
            Ok(_) => assert!(left <= call && left > 0, "call {call}: no failure was passed over"),
        }
        failures += 1;
        // Tried again, it does what was to be done.
        write(&disk, &dump(2), Kept::Newest(1)).expect("there is space");
        assert_eq!(names(&disk), [file_name(Position::from_engine(2))], "call {call}");
        if left > 0 && left <= call {
            break;
        }
    }
    assert!(failures > 6, "{failures} calls were tried");
}
