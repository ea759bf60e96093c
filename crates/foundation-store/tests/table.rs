//! Tables on a disk that forgets: what was acked is there after a crash, what was refused is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::disk::Disk;
use foundation_store::journal::{Batch, Embedded, EmbeddedOptions, Journal, Mode};
use foundation_store::random::SystemRng;
use foundation_store::record::RecordKind;
use foundation_store::table::{Entry, Flight, Placed, Step, TableState, Tables};
use foundation_types::{ErrorKind, Event, Keep, Result, StreamName};

use super::simulated::{Dice, Failure, SimulatedDisk};

type Model = BTreeMap<u8, u64>;

struct Opened {
    journal: Embedded,
    state: Arc<TableState<u8, u64>>,
}

fn open(disk: &SimulatedDisk) -> Result<Opened> {
    open_as(disk, Keep::Log)
}

fn open_as(disk: &SimulatedDisk, keep: Keep) -> Result<Opened> {
    let state = Arc::new(TableState::new("t", keep)?);
    let mut tables = Tables::default();
    tables.link(Arc::clone(&state))?;
    let options = EmbeddedOptions { segment_bytes: 2_048, ..EmbeddedOptions::of(Mode::Write) };
    let (clock, rng) = (Arc::new(SystemClock::default()), SystemRng::default());
    let (journal, _) =
        Embedded::open(Arc::new(disk.clone()), options, clock, &rng, Arc::new(tables))?;
    state.recovered()?;
    Ok(Opened { journal, state })
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

impl Opened {
    /// Puts a value, or removes what is there, as far as its place in the journal.
    fn place(&self, key: u8, value: Option<u64>) -> Result<Option<Flight>> {
        loop {
            let seen = self.state.look(&key, &self.state.text_of(&key)?)?;
            let step = match value {
                Some(value) => Step::Put(Entry::of(&seen.key, &value)?),
                None => Step::Remove,
            };
            match self.state.place(&self.journal, &key, &seen, &step, &mut None)? {
                Placed::Appended(flight) => return Ok(Some(flight)),
                Placed::Refused(error, newest) => {
                    if wait(self.state.stands(newest.as_ref())) {
                        return Err(error);
                    }
                }
                Placed::Moved | Placed::NoRoom(_) | Placed::Done => {}
            }
        }
    }

    fn says(&self) -> Model {
        self.state.snapshot().iter().map(|(key, value)| (*key, **value)).collect()
    }
}

fn apply(model: &mut Model, (key, value): (u8, Option<u64>)) {
    match value {
        Some(value) => drop(model.insert(key, value)),
        None => drop(model.remove(&key)),
    }
}

/// A life in which changes share syncs, ended by a power cut.
fn live(seed: u64) {
    let mut dice = Dice::of(seed);
    let disk = SimulatedDisk::default();
    let opened = open(&disk).expect("opens");
    let end = disk.calls() + 20 + dice.below(400);
    if dice.coin() {
        disk.set_failure(Failure::PowerOffAt(end));
    }
    // Every state that was acked, the newest last, and what may or may not have come after it.
    let (mut acked, mut open_changes) = (Model::new(), Vec::new());
    'life: for step in 0..80 {
        let mut flights = Vec::new();
        for _ in 0..=dice.below(4) {
            let key = u8::try_from(dice.below(5)).expect("is small");
            let value = (dice.below(4) > 0).then(|| step * 100 + dice.below(100));
            match opened.place(key, value) {
                Ok(flight) => flights.extend(flight.map(|flight| (flight, (key, value)))),
                Err(_) => break,
            }
        }
        for (flight, change) in flights {
            match wait(opened.state.confirm(&flight)) {
                Ok(()) if open_changes.is_empty() => apply(&mut acked, change),
                Ok(()) => panic!("seed {seed}: an ack after a failure"),
                Err(_) => open_changes.push(change),
            }
        }
        if !open_changes.is_empty() {
            assert_eq!(opened.says(), acked, "seed {seed}: what failed is not read");
            break 'life;
        }
        assert_eq!(opened.says(), acked, "seed {seed}: what is acked is read");
    }
    let mut allowed = vec![acked];
    for change in open_changes {
        let mut next = allowed.last().expect("the acked one").clone();
        apply(&mut next, change);
        allowed.push(next);
    }
    for _ in 0..4 {
        let image = disk.after_crash(&mut dice);
        let again = open(&image).expect("every image opens");
        let says = again.says();
        assert!(allowed.contains(&says), "seed {seed}: {says:?} is none of {allowed:?}");
        let bytes = again.state.capture().encode();
        wait(again.journal.close()).expect("closes");
        drop(again);
        assert_eq!(open(&image).expect("opens").state.capture().encode(), bytes, "seed {seed}");
    }
}

#[test]
fn a_table_is_after_a_power_cut_what_was_acked_of_it() {
    (0..150).for_each(live);
}

#[test]
fn a_full_disk_refuses_and_the_table_goes_on_when_there_is_space() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk).expect("opens");
    let mut acked = Model::new();
    for round in 0..20 {
        disk.set_failure(Failure::FullFrom(disk.calls() + 3 * round));
        for step in 0..30 {
            let change = (step, (step % 3 > 0).then_some(round));
            let placed = opened.place(change.0, change.1).expect("is taken");
            match placed.map_or(Ok(()), |flight| wait(opened.state.confirm(&flight))) {
                Ok(()) => apply(&mut acked, change),
                Err(error) => assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}"),
            }
            assert_eq!(opened.says(), acked);
        }
        disk.set_failure(Failure::Never);
        let flight = opened.place(200, Some(round)).expect("is taken").expect("is logged");
        wait(opened.state.confirm(&flight)).expect("there is space");
        apply(&mut acked, (200, Some(round)));
    }
    wait(opened.journal.close()).expect("closes");
    drop(opened);
    assert_eq!(open(&disk).expect("opens").says(), acked);
}

#[test]
fn a_table_of_which_nothing_is_kept_for_a_while_loses_nothing_that_was_logged() {
    let put = |opened: &Opened, key, value| {
        let flight = opened.place(key, Some(value)).expect("may enter").expect("is logged");
        wait(opened.state.confirm(&flight)).expect("durable");
    };
    for with_snapshots in [false, true] {
        let disk = SimulatedDisk::default();
        let end = |opened: Opened| {
            for _ in 0..2 {
                tick(&opened.journal);
                wait(opened.journal.checkpoint()).expect("is taken");
            }
            wait(opened.journal.close()).expect("closes");
            let names = disk.list().expect("lists");
            let snapshots = names.iter().filter(|name| name.ends_with(".snap"));
            snapshots
                .filter(|_| !with_snapshots)
                .for_each(|name| disk.remove(name).expect("is there"));
        };
        let kept = open(&disk).expect("opens");
        put(&kept, 3, 30);
        put(&kept, 4, 40);
        end(kept);
        let fleeting = open_as(&disk, Keep::Nothing).expect("opens");
        assert_eq!(fleeting.says(), Model::new(), "{with_snapshots}");
        end(fleeting);
        let kept = open(&disk).expect("opens");
        assert_eq!(kept.says(), Model::from([(3, 30), (4, 40)]), "{with_snapshots}");
        put(&kept, 5, 50);
        assert_eq!(kept.state.snapshot().version().number(), 3);
    }
}

/// Appends something that is of no table.
fn tick(journal: &Embedded) {
    let events = vec![Event::new("tick").id("t")];
    let batch = Batch::new(StreamName::from("ticks"), RecordKind::Event, events);
    let batch = batch.expect("one event");
    let room = wait(journal.reserve(&batch)).expect("there is room");
    wait(journal.append(batch, room).expect("is placed").durable()).expect("durable");
}
