//! Simulated directories side by side, on a machine whose power can go at any call.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, Siblings};

use super::super::super::simulated::{Dice, SimulatedDisk};

/// Counts calls of everything that it runs; some of them fail.
#[derive(Clone, Debug, Default)]
pub(super) struct Power(Arc<Mutex<(u64, Fails)>>);

#[derive(Clone, Copy, Debug, Default)]
enum Fails {
    #[default]
    Never,
    From(u64),
    Only(u64),
}

impl Power {
    pub(super) fn off_at(call: u64) -> Self {
        Self(Arc::new(Mutex::new((0, Fails::From(call)))))
    }

    /// One call fails, and all others work.
    pub(super) fn fails_at(call: u64) -> Self {
        Self(Arc::new(Mutex::new((0, Fails::Only(call)))))
    }

    pub(super) fn calls(&self) -> u64 {
        self.0.lock().expect("no panic under the lock").0
    }

    fn call(&self) -> io::Result<()> {
        let mut state = self.0.lock().expect("no panic under the lock");
        state.0 += 1;
        let (calls, fails) = *state;
        let does_fail = match fails {
            Fails::Never => false,
            Fails::From(at) => calls >= at,
            Fails::Only(at) => calls == at,
        };
        if does_fail { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}

/// A disk that runs on some power.
#[derive(Clone)]
pub(super) struct Powered {
    pub(super) disk: SimulatedDisk,
    pub(super) power: Power,
}

struct PoweredFile {
    file: Box<dyn DiskFile>,
    power: Power,
}

impl Disk for Powered {
    fn list(&self) -> io::Result<Vec<String>> {
        self.power.call()?;
        self.disk.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.power.call()?;
        let file = self.disk.open(name, access)?;
        Ok(Box::new(PoweredFile { file, power: self.power.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.power.call()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.power.call()?;
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.power.call()?;
        self.disk.sync_names()
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.power.call()?;
        self.disk.lock(name, claim)
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}

impl DiskFile for PoweredFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.power.call()?;
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.power.call()?;
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.power.call()?;
        self.file.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.power.call()?;
        self.file.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.power.call()?;
        self.file.len()
    }
}

type Names = BTreeMap<String, SimulatedDisk>;

#[derive(Clone)]
enum Change {
    Make(String, SimulatedDisk),
    Rename(String, String),
    Exchange(String, String),
    Remove(String),
}

#[derive(Default)]
struct State {
    live: Names,
    durable: Names,
    unsynced: Vec<Change>,
}

/// Directories side by side.
#[derive(Default)]
pub(super) struct Side {
    state: Mutex<State>,
    pub(super) power: Power,
    exchanges: bool,
}

impl Side {
    /// One with these directories, all durable.
    pub(super) fn of(directories: &[(&str, &SimulatedDisk)], power: Power) -> Self {
        let named = |(name, disk): &(&str, &SimulatedDisk)| ((*name).to_owned(), (*disk).clone());
        let live: Names = directories.iter().map(named).collect();
        let durable = live.clone();
        let state = State { live, durable, unsynced: Vec::new() };
        Self { state: Mutex::new(state), power, exchanges: true }
    }

    /// One on which two names can be exchanged in one step, or cannot.
    pub(super) fn exchanging(mut self, exchanges: bool) -> Self {
        self.exchanges = exchanges;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }

    /// The directory as whoever runs on the machine sees it.
    pub(super) fn directory(&self, name: &str) -> Option<SimulatedDisk> {
        self.state().live.get(name).cloned()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.state().live.keys().cloned().collect()
    }

    /// What a machine finds that lost its power now.
    pub(super) fn after_crash(&self, dice: &mut Dice) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        for change in &state.unsynced {
            if dice.coin() {
                apply(&mut names, change);
            }
        }
        let live: Names =
            names.into_iter().map(|(name, disk)| (name, disk.after_crash(dice))).collect();
        let durable = live.clone();
        let state = Mutex::new(State { live, durable, unsynced: Vec::new() });
        Self { state, power: Power::default(), exchanges: self.exchanges }
    }

    fn change(&self, change: Change) {
        let mut state = self.state();
        apply(&mut state.live, &change);
        state.unsynced.push(change);
    }
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Make(name, disk) => {
            names.insert(name.clone(), disk.clone());
        }
        Change::Rename(from, to) => {
            if let Some(disk) = names.remove(from) {
                names.insert(to.clone(), disk);
            }
        }
        Change::Exchange(one, other) => {
            let [first, second] = [one, other].map(|name| names.remove(name));
            let moved = [(other, first), (one, second)];
            let moved = moved.into_iter().filter_map(|(name, disk)| Some((name.clone(), disk?)));
            names.extend(moved);
        }
        Change::Remove(name) => {
            names.remove(name);
        }
    }
}

impl Siblings for Side {
    fn find(&self, name: &str) -> io::Result<Option<Arc<dyn Disk>>> {
        self.power.call()?;
        let powered =
            |disk| -> Arc<dyn Disk> { Arc::new(Powered { disk, power: self.power.clone() }) };
        Ok(self.directory(name).map(powered))
    }

    fn make(&self, name: &str) -> io::Result<Arc<dyn Disk>> {
        self.power.call()?;
        if self.directory(name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let disk = SimulatedDisk::default();
        self.change(Change::Make(name.to_owned(), disk.clone()));
        Ok(Arc::new(Powered { disk, power: self.power.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.power.call()?;
        self.directory(from).ok_or(io::ErrorKind::NotFound)?;
        if self.directory(to).is_some_and(|there| !there.image().is_empty()) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.change(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.power.call()?;
        if !self.exchanges {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if [one, other].iter().any(|name| self.directory(name).is_none()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(Change::Exchange(one.to_owned(), other.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.power.call()?;
        let there = self.directory(name).ok_or(io::ErrorKind::NotFound)?;
        if !there.image().is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.change(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        self.power.call()?;
        let mut state = self.state();
        state.durable = state.live.clone();
        state.unsynced.clear();
        Ok(())
    }
}
