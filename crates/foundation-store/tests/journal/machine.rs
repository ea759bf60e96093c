//! Any row of operations against a model: appends, reads, reopening, and power cuts among them.
//!
//! The model holds what was acked, what may be there since nobody knows how its write ended, and
//! nothing else. A power cut is an operation like the others, so that every state that can be
//! reached is also a state that is crashed from.

use foundation_store::journal::{Finding, Journal, Mode, Verification, verify_store};
use foundation_types::{ErrorKind, ExpectedVersion, Position, StreamName, Version};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::super::simulated::{Dice, Failure, Lie, SimulatedDisk};
use super::{Opened, append, batch, open, said, wait};

const STREAMS: [&str; 3] = ["a", "b", "c"];

/// The records of one batch: its stream, and the bytes of each text.
type Sketch = (usize, Vec<u16>);

/// What can happen to a store.
#[derive(Clone, Debug)]
enum Act {
    Append(Sketch, Expectation),
    /// Placed one after the other without waiting.
    Burst(Vec<Sketch>),
    ReadAfter(u16, u32),
    ReadBefore(u16, u32),
    Record(u16),
    Verify,
    Close,
    /// Dropped without a word.
    Drop,
    OpenForReading,
    Peek,
    /// The power fails at a call during this burst; the disk keeps what the seed says.
    PowerCut(u8, Vec<Sketch>, u64),
    /// The process dies at a call during this burst, and the disk goes on.
    Death(u8, Vec<Sketch>),
    /// One call during this burst fails.
    Fault(u8, Vec<Sketch>),
    /// The disk is full during this burst.
    Full(Vec<Sketch>),
}

#[derive(Clone, Copy, Debug)]
enum Expectation {
    Right,
    /// The version of the stream and this much more.
    Wrong(u8),
    Absent,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let bytes = prop_oneof![4 => 0_u16..120, 1 => 120_u16..1_800];
    (0..STREAMS.len(), prop::collection::vec(bytes, 1..4))
}

fn burst() -> impl Strategy<Value = Vec<Sketch>> {
    prop::collection::vec(sketch(), 1..6)
}

fn act() -> impl Strategy<Value = Act> {
    let expectation = prop_oneof![
        2 => Just(Expectation::Right),
        1 => (1_u8..9).prop_map(Expectation::Wrong),
        1 => Just(Expectation::Absent),
    ];
    let bytes = || prop_oneof![Just(0_u32), 1_u32..3_000, Just(1 << 20)];
    prop_oneof![
        4 => (sketch(), expectation).prop_map(|(one, expected)| Act::Append(one, expected)),
        6 => burst().prop_map(Act::Burst),
        2 => (any::<u16>(), bytes()).prop_map(|(at, bytes)| Act::ReadAfter(at, bytes)),
        2 => (any::<u16>(), bytes()).prop_map(|(at, bytes)| Act::ReadBefore(at, bytes)),
        2 => any::<u16>().prop_map(Act::Record),
        1 => Just(Act::Verify),
        1 => Just(Act::Close),
        1 => Just(Act::Drop),
        1 => Just(Act::OpenForReading),
        1 => Just(Act::Peek),
        3 => (any::<u8>(), burst(), any::<u64>())
            .prop_map(|(call, burst, seed)| Act::PowerCut(call, burst, seed)),
        1 => (any::<u8>(), burst()).prop_map(|(call, burst)| Act::Death(call, burst)),
        1 => (any::<u8>(), burst()).prop_map(|(call, burst)| Act::Fault(call, burst)),
        1 => burst().prop_map(Act::Full),
    ]
}

/// A record as the model has it; its version is how many of its stream stand before it, and it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    stream: &'static str,
    text: String,
}

/// What a journal says of these entries.
fn sayings<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    let mut versions = [0_u64; STREAMS.len()];
    let say = |(position, entry): (u64, &Entry)| {
        let stream = STREAMS.iter().position(|stream| *stream == entry.stream).expect("is one");
        versions[stream] += 1;
        format!("{position} {}@{} {:?}", entry.stream, versions[stream], entry.text)
    };
    (1..).zip(entries).map(say).collect()
}

/// A store, and what is known of it.
struct World {
    disk: SimulatedDisk,
    opened: Opened,
    acked: Vec<Entry>,
    /// Batches of which nobody knows whether they are there.
    unknown: Vec<Vec<Entry>>,
    /// Records there were when it was opened.
    before: usize,
    number: u64,
}

fn opened(disk: &SimulatedDisk, mode: Mode) -> Result<Opened, String> {
    open(disk, mode).map_err(|error| format!("the store does not open for {mode:?}: {error:?}"))
}

/// Everything that can be read.
fn read(opened: &Opened) -> Result<Vec<String>, String> {
    let (mut all, mut cursor) = (Vec::new(), Position::START);
    loop {
        let page = wait(opened.journal.read_after(cursor, 1 << 16))
            .map_err(|error| format!("it cannot be read after {cursor}: {error:?}"))?;
        let Some(last) = page.last() else { return Ok(all) };
        cursor = last.position();
        all.extend(page.iter().map(said));
    }
}

/// The records and findings of a verification. What an interrupted write has left beside the log
/// is told as well, and is no part of it.
fn told(found: Verification) -> (u64, Vec<Finding>) {
    let mut findings = found.findings;
    // A slot of a mark may be torn as well.
    let beside = |one: &Finding| one.file.ends_with(".new") || one.file == "WATERMARK";
    findings.retain(|one| one.damage || !beside(one));
    (found.records, findings)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}

impl World {
    fn new(lie: Lie) -> Result<Self, String> {
        let disk = SimulatedDisk::new(Failure::Never, lie);
        let opened = opened(&disk, Mode::Write)?;
        Ok(Self { disk, opened, acked: vec![], unknown: vec![], before: 0, number: 0 })
    }

    fn act(&mut self, act: &Act) -> Result<(), String> {
        match act {
            Act::Append(sketch, expectation) => self.append(sketch, *expectation),
            Act::Burst(sketches) => self.burst(sketches, None),
            Act::ReadAfter(at, bytes) => self.read_after(*at, *bytes as usize),
            Act::ReadBefore(at, bytes) => self.read_before(*at, *bytes as usize),
            Act::Record(at) => self.record(*at),
            Act::Verify => self.verify(),
            Act::Close => {
                wait(self.opened.journal.close()).map_err(|error| format!("{error:?}"))?;
                self.reopen(self.disk.clone())
            }
            Act::Drop => self.reopen(self.disk.clone()),
            Act::OpenForReading => self.open_for_reading(),
            Act::Peek => {
                let look = opened(&self.disk, Mode::Peek)?;
                same("a look from beside", read(&look)?, sayings(self.acked.iter()))
            }
            Act::PowerCut(call, sketches, seed) => {
                self.fail(Failure::PowerOffAt, *call, sketches)?;
                self.reopen(self.disk.after_crash(&mut Dice::of(*seed)))
            }
            Act::Death(call, sketches) => {
                self.fail(Failure::PowerOffAt, *call, sketches)?;
                self.reopen(self.disk.clone())
            }
            Act::Fault(call, sketches) => {
                self.fail(Failure::OnceAt, *call, sketches)?;
                self.reopen(self.disk.clone())
            }
            Act::Full(sketches) => {
                self.disk.set_failure(Failure::FullFrom(self.disk.calls()));
                let outcome = self.burst(sketches, Some(ErrorKind::DiskFull));
                self.disk.set_failure(Failure::Never);
                outcome
            }
        }
    }

    /// Fails one of the next calls, or all from there on, while a burst is written.
    fn fail(
        &mut self,
        failure: fn(u64) -> Failure,
        call: u8,
        sketches: &[Sketch],
    ) -> Result<(), String> {
        self.disk.set_failure(failure(self.disk.calls() + 1 + u64::from(call % 24)));
        self.burst(sketches, Some(ErrorKind::Indeterminate))
    }

    fn entries(&mut self, (stream, sizes): &Sketch) -> Vec<Entry> {
        let stream = STREAMS[*stream];
        let entry = |bytes: &u16| {
            self.number += 1;
            Entry { stream, text: format!("{}-{}", self.number, "x".repeat(usize::from(*bytes))) }
        };
        sizes.iter().map(entry).collect()
    }

    fn version(&self, stream: &str) -> u64 {
        self.acked.iter().filter(|entry| entry.stream == stream).count() as u64
    }

    fn append(&mut self, sketch: &Sketch, expectation: Expectation) -> Result<(), String> {
        let stream = STREAMS[sketch.0];
        let version = self.version(stream);
        let head = self.opened.journal.head(&StreamName::from(stream));
        let head = head.map_err(|error| format!("head: {error}"))?;
        same("head", head, Version::new(version))?;
        let (expected, holds) = match expectation {
            Expectation::Right => (ExpectedVersion::Exactly(Version::new(version)), true),
            Expectation::Wrong(more) => {
                (ExpectedVersion::Exactly(Version::new(version + u64::from(more))), false)
            }
            Expectation::Absent => (ExpectedVersion::Absent, version == 0),
        };
        let entries = self.entries(sketch);
        let given = batch(stream, &texts(&entries)).expecting(expected);
        match append(&self.opened.journal, given) {
            Ok(commit) if holds => {
                wait(commit.durable()).map_err(|error| format!("not durable: {error:?}"))?;
                self.acked.extend(entries);
                Ok(())
            }
            Err(error) if !holds => same("refusal", error.kind(), ErrorKind::VersionConflict),
            other => Err(format!("expected {expected:?} at {version}: {:?}", other.map(drop))),
        }
    }

    /// Appends without waiting, then waits for all. `allowed` is how it may fail, if at all.
    fn burst(&mut self, sketches: &[Sketch], allowed: Option<ErrorKind>) -> Result<(), String> {
        let mut placed = Vec::new();
        for sketch in sketches {
            let entries = self.entries(sketch);
            match append(&self.opened.journal, batch(entries[0].stream, &texts(&entries))) {
                Ok(commit) => placed.push((entries, commit)),
                Err(_) if allowed == Some(ErrorKind::Indeterminate) => break,
                Err(error) => return Err(format!("not taken: {error:?}")),
            }
        }
        let mut failed = None;
        for (entries, commit) in placed {
            match (wait(commit.durable()).map_err(|error| error.kind()), allowed) {
                (Ok(_), Some(ErrorKind::Indeterminate)) if failed.is_some() => {
                    return Err("an ack after a failure".to_owned());
                }
                (Ok(appended), _) => {
                    let first = self.acked.len() as u64 + 1;
                    same("position", appended.first, Position::from_engine(first))?;
                    self.acked.extend(entries);
                }
                (Err(ErrorKind::Indeterminate), Some(ErrorKind::Indeterminate)) => {
                    self.unknown.push(entries);
                    failed = Some(ErrorKind::Indeterminate);
                }
                (
                    Err(kind @ (ErrorKind::Fenced | ErrorKind::Disk)),
                    Some(ErrorKind::Indeterminate),
                )
                | (Err(kind @ ErrorKind::DiskFull), Some(ErrorKind::DiskFull)) => {
                    failed = Some(kind);
                }
                (Err(kind), _) => return Err(format!("a burst failed with {kind}")),
            }
        }
        self.told()
    }

    /// The follower heard of everything up to the end, in order, and of each record once.
    fn told(&self) -> Result<(), String> {
        let (told, acked) = (self.opened.told.all(), sayings(self.acked.iter()));
        if acked.ends_with(&told) && told.len() >= acked.len() - self.before.min(acked.len()) {
            return Ok(());
        }
        Err(format!("told {told:?}, acked {acked:?}"))
    }

    fn position(&self, at: u16) -> usize {
        usize::from(at) % (self.acked.len() + 2)
    }

    fn read_after(&self, at: u16, bytes: usize) -> Result<(), String> {
        let at = self.position(at);
        let page = wait(self.opened.journal.read_after(Position::from_engine(at as u64), bytes))
            .map_err(|error| format!("after {at}: {error:?}"))?;
        let page: Vec<String> = page.iter().map(said).collect();
        let all = sayings(self.acked.iter());
        let rest = all.get(at..).unwrap_or_default();
        if rest.starts_with(&page) && page.is_empty() == rest.is_empty() {
            return Ok(());
        }
        Err(format!("{page:?} are read after {at} of {all:?}"))
    }

    fn read_before(&self, at: u16, bytes: usize) -> Result<(), String> {
        let at = self.position(at);
        let next = Position::from_engine(at as u64 + 1);
        let page = wait(self.opened.journal.read_before(next, bytes))
            .map_err(|error| format!("before {next}: {error:?}"))?;
        let page: Vec<String> = page.iter().map(said).collect();
        let all = sayings(self.acked.iter());
        let rest = &all[..at.min(all.len())];
        if rest.ends_with(&page) && page.is_empty() == rest.is_empty() {
            return Ok(());
        }
        Err(format!("{page:?} are read before {next} of {all:?}"))
    }

    fn record(&self, at: u16) -> Result<(), String> {
        let at = self.position(at);
        let found = wait(self.opened.journal.record(Position::from_engine(at as u64)));
        let all = sayings(self.acked.iter());
        let expected = at.checked_sub(1).and_then(|at| all.get(at)).cloned();
        let found = found.as_ref().map(said).map_err(|error| error.kind());
        same("a record", found, expected.ok_or(ErrorKind::NotFound))
    }

    fn verify(&self) -> Result<(), String> {
        let found =
            wait(self.opened.journal.verify()).map_err(|error| format!("verify: {error:?}"))?;
        same("verified", told(found), (self.acked.len() as u64, vec![]))
    }

    fn open_for_reading(&mut self) -> Result<(), String> {
        wait(self.opened.journal.close()).map_err(|error| format!("{error:?}"))?;
        let found = verify_store(&self.disk).map_err(|error| format!("verify: {error:?}"))?;
        same("verified", told(found), (self.acked.len() as u64, vec![]))?;
        let reading = opened(&self.disk, Mode::Read)?;
        same("opened for reading", read(&reading)?, sayings(self.acked.iter()))?;
        let refused = append(&reading.journal, batch("a", &["no".to_owned()])).map(drop);
        same("refusal", refused.map_err(|error| error.kind()), Err(ErrorKind::ReadOnly))?;
        drop(reading);
        self.reopen(self.disk.clone())
    }

    /// Lets go of the store and opens what is on this disk; what is there from now on is acked.
    fn reopen(&mut self, disk: SimulatedDisk) -> Result<(), String> {
        // Nothing of the one before may reach the disk once the next one owns it.
        self.opened = opened(&SimulatedDisk::default(), Mode::Write)?;
        self.disk = disk;
        self.disk.set_failure(Failure::Never);
        self.opened = opened(&self.disk, Mode::Write)?;
        let found = read(&self.opened)?;
        let mut there = std::mem::take(&mut self.acked);
        let mut unknown = std::mem::take(&mut self.unknown).into_iter();
        while there.len() < found.len() {
            let Some(entries) = unknown.next() else { break };
            there.extend(entries);
        }
        same("after opening", found, sayings(there.iter()))?;
        self.acked = there;
        self.before = self.acked.len();
        self.told()
    }
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.text.clone()).collect()
}

fn live(acts: &[Act], lie: Lie) -> Result<(), String> {
    let mut world = World::new(lie)?;
    for (at, act) in acts.iter().enumerate() {
        world.act(act).map_err(|what| format!("act {at}: {what}"))?;
    }
    world.act(&Act::OpenForReading).map_err(|what| format!("at the end: {what}"))
}

/// One row of operations that is given by its seed, made smaller if it fails.
pub(super) fn case(seed: u64, lie: Lie, shrinks: u32) -> Result<(), String> {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let acts = prop::collection::vec(act(), 1..50);
    runner.run(&acts, |acts| live(&acts, lie).map_err(TestCaseError::fail)).map_err(|failure| {
        format!(
            "{failure}\nreplay: PROOF_SEED={seed} cargo test -p foundation-store --test all \
             any_row_of_operations"
        )
    })
}

#[test]
fn any_row_of_operations_leaves_what_the_model_has() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("PROOF_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PROOF_CASES").unwrap_or(300),
    };
    let cases = seeds.end - seeds.start;
    for seed in seeds {
        if let Err(what) = case(seed, Lie::None, 2_000) {
            panic!("{what}");
        }
    }
    println!("{cases} rows of operations with power cuts among them: differences from the model 0");
}
