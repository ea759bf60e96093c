//! Damage to stores that are too large to flip every bit of: single bits, pages, whole files.
//!
//! The law does not say who finds it. Whatever is damaged, no read gives a wrong value, and
//! opening, reading everything or verification tells of it; only the newest group, as long as no
//! watermark covers it, may be told as a discarded tail.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};
use foundation_store::journal::{EmbeddedOptions, Journal, Mode, verify_store};
use foundation_types::{Error, ErrorKind, Position, error::Category};

use super::super::simulated::Dice;
use super::{Opened, append, batch, open_with, said, wait};

const PAGE: usize = 4_096;

/// The files of a store that nobody writes to; clones share what they hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Still(pub(super) BTreeMap<String, Arc<Vec<u8>>>);

struct StillFile(Arc<Vec<u8>>);

struct Free;

impl LockGuard for Free {}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for Still {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        match (access, self.0.get(name)) {
            (Access::Read, Some(content)) => Ok(Box::new(StillFile(content.clone()))),
            (Access::Read, None) => Err(io::ErrorKind::NotFound.into()),
            _ => refused(),
        }
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn sync_names(&self) -> io::Result<()> {
        refused()
    }

    fn lock(&self, _: &str, _: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        Ok(Some(Box::new(Free)))
    }

    fn place(&self) -> String {
        "a still disk".to_owned()
    }
}

impl DiskFile for StillFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        refused()
    }

    fn sync(&self) -> io::Result<()> {
        refused()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

/// A store at rest and what was written to it.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) disk: Still,
    pub(super) written: Arc<Vec<String>>,
    /// Records that the watermark covers.
    pub(super) covered: usize,
    /// The files as they were when a third of it was written.
    pub(super) earlier: Still,
}

/// How a store is filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) bytes: usize,
    pub(super) segment_bytes: u64,
    /// Bytes of one text, about.
    pub(super) text_bytes: u64,
}

/// Several segments, and yet so small that a check takes a moment only.
pub(super) const SMALL: Shape =
    Shape { bytes: 160 * 1024, segment_bytes: 48 * 1024, text_bytes: 1_500 };

fn still(disk: &MemoryDisk) -> Still {
    let content = |name: String| {
        let file = disk.open(&name, Access::Read).expect("is there");
        let mut bytes = vec![0; file.len().expect("has a length") as usize];
        assert_eq!(file.read_at(&mut bytes, 0).expect("reads"), bytes.len());
        (name, Arc::new(bytes))
    };
    Still(disk.list().expect("lists").into_iter().map(content).collect())
}

fn fill(opened: &Opened, shape: Shape, bytes: usize, dice: &mut Dice) {
    let mut filled = 0;
    while filled < bytes {
        let texts: Vec<String> = (0..=dice.below(3)).map(|_| text(shape, dice)).collect();
        filled += texts.iter().map(String::len).sum::<usize>();
        let stream = ["a", "b", "c"][dice.below(3) as usize];
        let commit = append(&opened.journal, batch(stream, &texts)).expect("placed");
        wait(commit.durable()).expect("durable");
    }
}

/// Text of which no page is like another.
fn text(shape: Shape, dice: &mut Dice) -> String {
    let words = shape.text_bytes / 16 + dice.below(shape.text_bytes / 16);
    (0..words).map(|_| format!("{:016x}", dice.bits())).collect()
}

/// A store of this shape that was closed.
pub(super) fn store(shape: Shape, seed: u64) -> Store {
    let disk = MemoryDisk::default();
    let options = EmbeddedOptions { segment_bytes: shape.segment_bytes, ..Default::default() };
    let mut dice = Dice::of(seed);
    let mut lives = Vec::new();
    for share in [shape.bytes / 3, shape.bytes - shape.bytes / 3] {
        let opened = open_with(&disk, options).expect("opens");
        fill(&opened, shape, share, &mut dice);
        wait(opened.journal.close()).expect("closes");
        lives.push(still(&disk));
    }
    let mut lives = lives.into_iter();
    let (earlier, disk) = (lives.next().expect("the first"), lives.next().expect("the second"));
    let whole = open_with(&disk, EmbeddedOptions::of(Mode::Read)).expect("opens");
    let written = Arc::new(read(&whole).expect("reads"));
    Store { disk, covered: written.len(), written, earlier }
}

/// This store with one more group and then a crash: the watermark does not cover that group.
pub(super) fn crashed(store: &Store, shape: Shape, seed: u64) -> Store {
    let mut store = store.clone();
    let disk = MemoryDisk::default();
    for (name, content) in &store.disk.0 {
        let file = disk.open(name, Access::Create).expect("is made");
        file.write_at(content, 0).expect("is written");
    }
    let options = EmbeddedOptions { segment_bytes: shape.segment_bytes, ..Default::default() };
    let opened = open_with(&disk, options).expect("opens");
    let texts = [text(shape, &mut Dice::of(seed)), "the last".to_owned()];
    wait(append(&opened.journal, batch("a", &texts)).expect("placed").durable()).expect("durable");
    wait(opened.journal.close()).expect("closes");
    let watermark = store.disk.0["WATERMARK"].clone();
    store.disk = still(&disk);
    store.disk.0.insert("WATERMARK".to_owned(), watermark);
    let whole = open_with(&store.disk, EmbeddedOptions::of(Mode::Read)).expect("opens");
    store.written = Arc::new(read(&whole).expect("reads"));
    assert_eq!(store.written.len(), store.covered + 2);
    store
}

fn read(opened: &Opened) -> Result<Vec<String>, Error> {
    let (mut all, mut cursor) = (Vec::new(), Position::START);
    loop {
        let page = wait(opened.journal.read_after(cursor, 1 << 20))?;
        let Some(last) = page.last() else { return Ok(all) };
        cursor = last.position();
        all.extend(page.iter().map(said));
    }
}

/// What a damaged store did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything is there, and nobody says a word.
    Whole,
    /// Somebody tells of damage.
    Told,
    /// The newest group is told as the discarded tail of a write.
    Tail,
}

/// Whether an error says that what is stored is not what was written.
fn tells(error: &Error) -> bool {
    error.kind().row().category == Category::Corruption || error.kind() == ErrorKind::NotFound
}

/// Opens, reads and verifies.
///
/// # Errors
/// A value that nobody wrote, records that are gone silently, or an error about something else.
pub(super) fn judge(disk: &Still, written: &[String], covered: usize) -> Result<Verdict, String> {
    let (mut is_told, mut is_tail) = (false, false);
    match verify_store(disk) {
        Ok(found) => {
            is_told |= found.is_damaged();
            is_tail |= !found.findings.is_empty();
        }
        Err(error) if tells(&error) => is_told = true,
        Err(error) => return Err(format!("verification says {error:?}")),
    }
    let opened = match open_with(disk, EmbeddedOptions::of(Mode::Read)) {
        Ok(opened) => opened,
        Err(error) if tells(&error) => return Ok(Verdict::Told),
        Err(error) => return Err(format!("opening says {error:?}")),
    };
    is_tail |= opened.recovered.torn_bytes > 0;
    let told = opened.told.all();
    let (mut next, mut cursor) = (0, Position::START);
    loop {
        let page = match wait(opened.journal.read_after(cursor, 1 << 20)) {
            Ok(page) => page,
            Err(error) if tells(&error) => {
                is_told = true;
                break;
            }
            Err(error) => return Err(format!("reading says {error:?}")),
        };
        let Some(last) = page.last() else { break };
        for record in &page {
            let found = said(record);
            if written.get(next) != Some(&found) {
                return Err(format!("a wrong value at {next}: {found:.80}"));
            }
            next += 1;
        }
        cursor = last.position();
    }
    // What a follower heard at opening is a part of what was written, in its order.
    let mut rest = written.iter();
    if !told.iter().all(|text| rest.any(|one| one == text)) {
        return Err("a follower was told what was not written".to_owned());
    }
    match (is_told, is_tail) {
        (true, _) => Ok(Verdict::Told),
        (false, true) if next >= covered => Ok(Verdict::Tail),
        (false, false) if next == written.len() => Ok(Verdict::Whole),
        _ => Err(format!("{next} of {} records are there, and nobody tells", written.len())),
    }
}

/// What became of many damaged copies.
#[derive(Debug, Default)]
struct Tally {
    told: u64,
    tail: u64,
    /// The damage met bytes that mean nothing, or that another copy stands in for.
    whole: u64,
}

impl Tally {
    fn add(&mut self, store: &Store, damaged: &Still) -> Result<(), String> {
        match judge(damaged, &store.written, store.covered)? {
            Verdict::Told => self.told += 1,
            Verdict::Tail => self.tail += 1,
            Verdict::Whole => self.whole += 1,
        }
        Ok(())
    }
}

/// The names of what has meaning for the store.
fn names(disk: &Still) -> Vec<&String> {
    disk.0.keys().filter(|name| *name != "LOCK").collect()
}

/// Flips one bit; says where. Each byte is as likely as any other.
fn flip(disk: &mut Still, dice: &mut Dice) -> String {
    let total: usize = names(disk).iter().map(|name| disk.0[*name].len()).sum();
    let mut at = dice.below(total as u64) as usize;
    let name = names(disk).into_iter().find(|name| {
        let length = disk.0[*name].len();
        let is_here = at < length;
        at -= if is_here { 0 } else { length };
        is_here
    });
    let name = name.expect("a byte of some file").clone();
    let bit = dice.below(8);
    Arc::make_mut(disk.0.get_mut(&name).expect("is there"))[at] ^= 1 << bit;
    format!("bit {bit} of byte {at} of {name}")
}

fn flips(store: &Store, count: u64, dice: &mut Dice, tally: &mut Tally) -> Result<(), String> {
    for number in 0..count {
        let mut damaged = store.disk.clone();
        let place = flip(&mut damaged, dice);
        let whole = tally.whole;
        tally.add(store, &damaged).map_err(|what| format!("flip {number}, {place}: {what}"))?;
        // Every byte of the log says something, if only that nothing stands there.
        if tally.whole > whole && place.ends_with(".seg") {
            return Err(format!("flip {number}, {place}: nobody tells"));
        }
    }
    Ok(())
}

pub(super) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_random_bit_of_a_store_is_noticed_after_a_close_and_after_a_crash() {
    let (seed, count) = (number("PROOF_SEED", 1), number("PROOF_FLIPS", 400));
    let (mut dice, mut tally) = (Dice::of(seed), Tally::default());
    let closed = store(SMALL, seed);
    for store in [&closed, &crashed(&closed, SMALL, seed)] {
        flips(store, count / 2, &mut dice, &mut tally)
            .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
    let Tally { told, tail, whole } = tally;
    println!(
        "{count} random bits flipped (seed {seed}): told as damage {told}, told as a discarded tail \
         {tail}, harmless {whole}; undetected 0, wrong values 0, panics 0"
    );
}

#[test]
fn a_random_bit_of_a_large_store_is_noticed() {
    let (seed, count) = (number("PROOF_SEED", 1), number("PROOF_LARGE_FLIPS", 4));
    let megabytes = number("PROOF_LARGE_MIB", 4) as usize;
    let shape = Shape {
        bytes: megabytes << 20,
        segment_bytes: EmbeddedOptions::default().segment_bytes,
        text_bytes: 40_000,
    };
    let (store, mut dice, mut tally) = (store(shape, seed), Dice::of(seed), Tally::default());
    flips(&store, count, &mut dice, &mut tally)
        .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    let Tally { told, tail, whole } = tally;
    println!(
        "{count} random bits flipped in a store of {megabytes} MiB (seed {seed}): told as damage \
         {told}, told as a discarded tail {tail}, harmless {whole}; undetected 0, wrong values 0"
    );
}

/// One of the files that hold records, or what is derived from them.
fn file<'a>(disk: &'a Still, dice: &mut Dice) -> &'a String {
    let of_records = |name: &&&String| !["STORE", "WATERMARK"].contains(&name.as_str());
    let all = names(disk);
    let all: Vec<&&String> = all.iter().filter(of_records).collect();
    all[dice.below(all.len() as u64) as usize]
}

fn page(content: &[u8], dice: &mut Dice) -> Range<usize> {
    let start = dice.below(content.len().div_ceil(PAGE) as u64) as usize * PAGE;
    start..(start + PAGE).min(content.len())
}

/// Damages whole pages or files; says how.
fn mutate(store: &Store, other: &Store, damaged: &mut Still, dice: &mut Dice) -> String {
    let name = file(&store.disk, dice).clone();
    let mut bytes = store.disk.0[&name].to_vec();
    let what = match dice.below(8) {
        0 => {
            let at = page(&bytes, dice);
            bytes[at.clone()].fill(0);
            format!("zeros at {at:?} of {name}")
        }
        1 | 2 => return copy_page(store, damaged, dice, IsSwap(false)),
        3 => return copy_page(store, damaged, dice, IsSwap(true)),
        4 => {
            bytes.truncate(dice.below(bytes.len() as u64) as usize);
            format!("{name} cut to {}", bytes.len())
        }
        5 => {
            damaged.0.remove(&name);
            return format!("{name} is missing");
        }
        at => {
            let (from, what) = match at {
                6 => (&other.disk, "another store"),
                _ => (&store.earlier, "an earlier time"),
            };
            let theirs = names(from);
            let theirs = theirs[dice.below(theirs.len() as u64) as usize];
            damaged.0.insert(theirs.clone(), from.0[theirs].clone());
            return format!("{theirs} of {what}");
        }
    };
    damaged.0.insert(name, Arc::new(bytes));
    what
}

struct IsSwap(bool);

/// A page takes the place of another one, and that may take its place.
fn copy_page(store: &Store, damaged: &mut Still, dice: &mut Dice, swap: IsSwap) -> String {
    let (from, to) = (file(&store.disk, dice), file(&store.disk, dice));
    let (source, target) = (page(&store.disk.0[from], dice), page(&store.disk.0[to], dice));
    let length = source.len().min(target.len());
    let mut put = |name: &String, at: usize, bytes: &[u8]| {
        let content = damaged.0.get_mut(name).expect("is there");
        Arc::make_mut(content)[at..at + length].copy_from_slice(bytes);
    };
    put(to, target.start, &store.disk.0[from][source.start..source.start + length]);
    if swap.0 {
        put(from, source.start, &store.disk.0[to][target.start..target.start + length]);
    }
    let verb = if swap.0 { "swapped with" } else { "copied over" };
    format!("page {} of {from} {verb} {} of {to}", source.start, target.start)
}

/// Whether records are concerned: what is derived from them may be derived anew without a word,
/// and an older watermark says less and nothing wrong.
fn is_harmed(store: &Still, damaged: &Still) -> bool {
    let segments = store.0.keys().chain(damaged.0.keys()).filter(|name| name.ends_with(".seg"));
    let of = |disk: &Still, name: &str| disk.0.get(name).map(|content| meaning(content).to_vec());
    segments.into_iter().any(|name| of(store, name) != of(damaged, name))
}

/// A file without the zeros at its end, which say no more than its end does.
pub(super) fn meaning(content: &[u8]) -> &[u8] {
    let used = content.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    &content[..used]
}

#[test]
fn pages_and_files_that_are_zeroed_moved_cut_missing_foreign_or_stale_are_noticed() {
    let (seed, count) = (number("PROOF_SEED", 1), number("PROOF_MUTATIONS", 300));
    let (store, other) = (store(SMALL, seed), store(SMALL, seed + 1));
    let (mut dice, mut tally) = (Dice::of(seed), Tally::default());
    let mut harmed = 0;
    while harmed < count {
        let mut damaged = store.disk.clone();
        let how = mutate(&store, &other, &mut damaged, &mut dice);
        let is_harmed = is_harmed(&store.disk, &damaged);
        let whole = tally.whole;
        tally.add(&store, &damaged).unwrap_or_else(|what| panic!("seed {seed}, {how}: {what}"));
        assert!(!is_harmed || tally.whole == whole, "seed {seed}, {how}: nobody tells");
        harmed += u64::from(is_harmed);
    }
    println!(
        "{count} pages and files zeroed, repeated, swapped, cut, missing, foreign or stale (seed \
         {seed}): undetected 0, wrong values 0, panics 0"
    );
}
