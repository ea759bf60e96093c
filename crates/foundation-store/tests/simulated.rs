//! A disk that forgets: what was not synced may be there, partly there, or gone after a crash.
//!
//! Every file has a live and a durable image, and so have the names of files. A crash keeps what
//! is durable and an arbitrary part of the rest: any writes, in any order, each possibly torn at a
//! sector, and any changes of names.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard};

const SECTOR: usize = 512;

/// A small generator whose sequence is given by its seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.bits() >> 11) % bound.max(1)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What the disk does other than it should, to see that the checker notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lie {
    #[default]
    None,
    /// A sync of a file does nothing.
    FileSync,
    /// A sync of names does nothing.
    NameSync,
    /// A failed sync is told as a success: what a writer sees that syncs again after a failure.
    FailedSync,
}

/// When calls fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Failure {
    #[default]
    Never,
    /// From this call on, every call fails and changes nothing: the power is off.
    PowerOffAt(u64),
    /// This one call fails; a write has written part of its bytes by then.
    OnceAt(u64),
    /// This one call finds no space and changes nothing, be it a sync.
    NoSpaceAt(u64),
    /// From this call on there is no space but what removed files give back: writes that make files
    /// longer fail half-way.
    FullFrom(u64),
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

impl File {
    /// What was changed since the last sync reaches the disk, and nothing else does.
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            apply(&mut self.durable, &change);
        }
    }
}

#[derive(Clone, Debug)]
enum NameChange {
    Add(String, usize),
    Rename(String, String),
    Remove(String),
}

type Names = BTreeMap<String, usize>;

#[derive(Clone, Debug, Default)]
struct State {
    files: Vec<File>,
    live: Names,
    durable: Names,
    unsynced: Vec<NameChange>,
    calls: u64,
    syncs: u64,
    failure: Failure,
    /// Bytes that files were given back since there was no space.
    room: isize,
    lie: Lie,
    locked: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, bytes) => {
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
        Change::Length(length) => content.resize(*length, 0),
    }
}

fn rename(names: &mut Names, change: &NameChange) {
    match change {
        NameChange::Add(name, file) => {
            names.insert(name.clone(), *file);
        }
        NameChange::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
    }
}

impl State {
    /// Counts a call; says whether it fails.
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        let fails = match self.failure {
            Failure::Never | Failure::FullFrom(_) => false,
            Failure::PowerOffAt(call) => self.calls >= call,
            Failure::OnceAt(call) => self.calls == call,
            Failure::NoSpaceAt(call) if self.calls == call => {
                return Err(io::Error::from_raw_os_error(28));
            }
            Failure::NoSpaceAt(_) => false,
        };
        if fails { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        matches!(self.failure, Failure::FullFrom(call) if self.calls >= call)
    }

    fn named(&self, name: &str) -> io::Result<usize> {
        self.live.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change_names(&mut self, change: NameChange) {
        rename(&mut self.live, &change);
        self.unsynced.push(change);
    }
}

impl SimulatedDisk {
    pub(crate) fn new(failure: Failure, lie: Lie) -> Self {
        Self(Arc::new(Mutex::new(State { failure, lie, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic under the lock")
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Syncs of files so far.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    pub(crate) fn set_failure(&self, failure: Failure) {
        let mut state = self.state();
        (state.failure, state.room) = (failure, 0);
    }

    /// What a machine finds that lost its power now.
    pub(crate) fn after_crash(&self, dice: &mut Dice) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        for change in &state.unsynced {
            if dice.coin() {
                rename(&mut names, change);
            }
        }
        let files = state.files.iter().map(|file| crashed(file, dice)).collect();
        let after = Self::holding(names, files);
        // A device that lies does so after the crash too.
        after.state().lie = state.lie;
        after
    }

    /// What is on the disk as seen by who runs on it.
    pub(crate) fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let content =
            |(name, file): (&String, &usize)| (name.clone(), state.files[*file].live.clone());
        state.live.iter().map(content).collect()
    }

    /// A disk with these files, all durable.
    pub(crate) fn of_image(image: &BTreeMap<String, Vec<u8>>) -> Self {
        let names = image.keys().cloned().zip(0..).collect();
        let files = image.values().map(|bytes| durable(bytes.clone())).collect();
        Self::holding(names, files)
    }

    /// A disk with these files that lies from now on.
    pub(crate) fn lying(image: &BTreeMap<String, Vec<u8>>, lie: Lie) -> Self {
        let disk = Self::of_image(image);
        disk.state().lie = lie;
        disk
    }

    fn holding(names: Names, files: Vec<File>) -> Self {
        let (live, durable) = (names.clone(), names);
        Self(Arc::new(Mutex::new(State { files, live, durable, ..State::default() })))
    }
}

fn durable(bytes: Vec<u8>) -> File {
    File { live: bytes.clone(), durable: bytes, unsynced: Vec::new() }
}

fn crashed(file: &File, dice: &mut Dice) -> File {
    let mut content = file.durable.clone();
    let mut changes = file.unsynced.clone();
    for at in (1..changes.len()).rev() {
        changes.swap(at, dice.below(at as u64 + 1) as usize);
    }
    for change in &changes {
        match change {
            Change::Write(offset, bytes) => tear(&mut content, *offset, bytes, dice),
            Change::Length(_) if dice.coin() => apply(&mut content, change),
            Change::Length(_) => {}
        }
    }
    durable(content)
}

/// Keeps all, none, a prefix or an arbitrary set of the sectors of a write.
fn tear(content: &mut Vec<u8>, offset: usize, bytes: &[u8], dice: &mut Dice) {
    let mode = dice.below(4);
    let sectors = bytes.len() / SECTOR + 2;
    let kept = dice.below(sectors as u64 + 1) as usize;
    let mut start = 0;
    let mut sector = 0;
    while start < bytes.len() {
        // Sectors are those of the disk, not of the write.
        let end = ((offset + start) / SECTOR + 1) * SECTOR - offset;
        let end = end.min(bytes.len());
        let keep = match mode {
            0 => true,
            1 => false,
            2 => sector < kept,
            _ => dice.coin(),
        };
        if keep {
            apply(content, &Change::Write(offset + start, bytes[start..end].to_vec()));
        }
        (start, sector) = (end, sector + 1);
    }
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.call()?;
        Ok(state.live.keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.call()?;
        let file = match (access, state.named(name)) {
            (Access::Create, Ok(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Access::Create, Err(_)) => {
                let file = state.files.len();
                state.files.push(File::default());
                state.change_names(NameChange::Add(name.to_owned(), file));
                file
            }
            (_, there) => there?,
        };
        Ok(Box::new(OpenFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        state.named(from)?;
        state.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        let file = state.named(name)?;
        if state.is_full() {
            state.room += state.files[file].live.len() as isize;
        }
        state.change_names(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        if state.lie != Lie::NameSync {
            state.durable = state.live.clone();
            state.unsynced.clear();
        }
        Ok(())
    }

    fn lock(&self, _: &str, _: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        let mut state = self.state();
        state.call()?;
        if state.locked {
            return Ok(None);
        }
        state.locked = true;
        Ok(Some(Box::new(Held(self.clone()))))
    }

    fn place(&self) -> String {
        "a simulated disk".to_owned()
    }
}

struct Held(SimulatedDisk);

impl LockGuard for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

struct OpenFile {
    disk: SimulatedDisk,
    file: usize,
}

impl OpenFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.state();
        let outcome = state.call();
        let (is_full, room) = (state.is_full(), state.room);
        let failure = state.failure;
        let file = &mut state.files[self.file];
        let before = file.live.len() as isize;
        let change = match (change, &outcome) {
            (Change::Write(offset, bytes), Ok(()))
                if is_full && (offset + bytes.len()) as isize > before + room.max(0) =>
            {
                // As systems do: what fits is written.
                let change = Change::Write(offset, bytes[..bytes.len() / 2].to_vec());
                apply(&mut file.live, &change);
                file.unsynced.push(change);
                let grown = file.live.len() as isize - before;
                state.room -= grown;
                return Err(io::Error::from_raw_os_error(28));
            }
            (change, Ok(())) => change,
            (Change::Write(offset, bytes), Err(_)) if matches!(failure, Failure::OnceAt(_)) => {
                Change::Write(offset, bytes[..bytes.len() / 2].to_vec())
            }
            _ => return outcome,
        };
        apply(&mut file.live, &change);
        let grown = file.live.len() as isize - before;
        file.unsynced.push(change);
        if is_full {
            state.room -= grown;
        }
        outcome
    }
}

impl DiskFile for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.call()?;
        let content = &state.files[self.file].live;
        let start = (offset as usize).min(content.len());
        let count = buffer.len().min(content.len() - start);
        buffer[..count].copy_from_slice(&content[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write(offset as usize, bytes.to_vec()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let outcome = state.call();
        let (lie, failure) = (state.lie, state.failure);
        let file = &mut state.files[self.file];
        match (&outcome, failure) {
            (Ok(()), _) if lie == Lie::FileSync => {}
            (Ok(()), _) => file.sync(),
            // As Linux does: what could not be written is given up and counts as written. It is
            // read back until the power goes, and no later sync brings it to the disk.
            (Err(_), Failure::OnceAt(_)) => {
                file.unsynced.clear();
                if lie == Lie::FailedSync {
                    return Ok(());
                }
            }
            (Err(_), _) => {}
        }
        state.syncs += u64::from(outcome.is_ok());
        outcome
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.change(Change::Length(bytes as usize))
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.call()?;
        Ok(state.files[self.file].live.len() as u64)
    }
}
