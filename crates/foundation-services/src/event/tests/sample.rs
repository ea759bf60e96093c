//! A node in small: a store over a journal in memory or on a disk whose syncs can be held back,
//! a clock that moves only when it is read, settings that can be changed.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::config::{ConfigState, Documents};
use foundation_store::disk::{Access, Claim, Disk, DiskFile, LockGuard, MemoryDisk};
use foundation_store::event::{EventLog, IntakeCounts};
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, MemoryJournal};
use foundation_store::random::Rng;
use foundation_types::config::BufferSettings;
use foundation_types::{
    ErrorKind, Event, EventQuery, Recorded, Result, Settings, StoreId, Timestamp,
};

use foundation_validate::settings::rules as settings_rules;

use crate::config::ConfigServer;
use crate::event::{EventStore, EventStoreParts, EventStoreStats, Pipeline};
use crate::telemetry::TelemetryService;

const STORE: StoreId = StoreId::from_bits(7);

/// A clock that goes on by a step with each reading.
#[derive(Debug, Default)]
pub(super) struct StepClock {
    micros: AtomicU64,
    step: AtomicU64,
}

impl StepClock {
    /// From now on each reading is this much later than the one before.
    pub(super) fn step_by(&self, step: Duration) {
        self.step.store(step.as_micros() as u64, Ordering::SeqCst);
    }
}

impl Clock for StepClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_micros(1_795_000_000_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        let step = self.step.load(Ordering::SeqCst);
        Duration::from_micros(self.micros.fetch_add(step, Ordering::SeqCst))
    }
}

/// Bits that count up.
#[derive(Debug, Default)]
pub(super) struct CountingRng(AtomicU64);

impl Rng for CountingRng {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A disk whose syncs wait while it is held back, and fail once it is broken.
#[derive(Clone, Default)]
pub(super) struct HeldDisk {
    files: MemoryDisk,
    state: Arc<(Mutex<DiskState>, Condvar)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum DiskState {
    #[default]
    Well,
    Held,
    Broken,
}

impl HeldDisk {
    pub(super) fn hold(&self) {
        self.put(DiskState::Held);
    }

    pub(super) fn let_go(&self) {
        self.put(DiskState::Well);
    }

    pub(super) fn break_down(&self) {
        self.put(DiskState::Broken);
    }

    fn put(&self, state: DiskState) {
        *self.state.0.lock().expect("no test panics here") = state;
        self.state.1.notify_all();
    }
}

impl Disk for HeldDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.files.list()
    }
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = self.files.open(name, access)?;
        Ok(Box::new(HeldFile { file, state: Arc::clone(&self.state) }))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }
    fn sync_names(&self) -> io::Result<()> {
        self.files.sync_names()
    }
    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.files.lock(name, claim)
    }
    fn place(&self) -> String {
        self.files.place()
    }
}

struct HeldFile {
    file: Box<dyn DiskFile>,
    state: Arc<(Mutex<DiskState>, Condvar)>,
}

impl DiskFile for HeldFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        let state = self.state.0.lock().expect("no test panics here");
        let state = self
            .state
            .1
            .wait_while(state, |state| *state == DiskState::Held)
            .expect("no test panics here");
        match *state {
            DiskState::Broken => Err(io::Error::other("the disk is broken")),
            DiskState::Well | DiskState::Held => self.file.sync(),
        }
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

/// An event store and what is around it.
pub(super) struct World {
    pub(super) events: EventStore,
    pub(super) settings: ConfigServer<Settings>,
    pub(super) telemetry: TelemetryService,
    pub(super) clock: Arc<StepClock>,
    pub(super) disk: HeldDisk,
}

impl World {
    /// Over a journal in memory.
    pub(super) fn in_memory() -> Self {
        Self::keeping(MemoryJournal::BYTES_MAX)
    }

    /// Over a journal in memory that keeps this many bytes.
    pub(super) fn keeping(bytes_max: usize) -> Self {
        Self::in_memory_with(bytes_max, Pipeline::default())
    }

    /// Over a journal in memory, with these stages.
    pub(super) fn with_stages(pipeline: Pipeline) -> Self {
        Self::in_memory_with(MemoryJournal::BYTES_MAX, pipeline)
    }

    fn in_memory_with(bytes_max: usize, pipeline: Pipeline) -> Self {
        Self::over(HeldDisk::default(), pipeline, |clock, log| {
            Arc::new(MemoryJournal::new(STORE, bytes_max, clock, log))
        })
    }

    /// Over a journal on a disk.
    pub(super) fn on_disk() -> Self {
        Self::on_disk_with(Pipeline::default())
    }

    /// Over a journal on a disk, with these stages.
    pub(super) fn on_disk_with(pipeline: Pipeline) -> Self {
        let disk = HeldDisk::default();
        let files = Arc::new(disk.clone());
        Self::over(disk, pipeline, |clock, log| {
            let (options, rng) = (EmbeddedOptions::default(), CountingRng::default());
            let opened = Embedded::open(files, options, clock, &rng, log);
            Arc::new(opened.expect("an empty disk").0)
        })
    }

    fn over(
        disk: HeldDisk,
        pipeline: Pipeline,
        journal: impl FnOnce(Arc<StepClock>, Arc<EventLog>) -> Arc<dyn Journal>,
    ) -> Self {
        let clock = Arc::new(StepClock::default());
        clock.step_by(Duration::from_micros(1));
        let log = Arc::new(EventLog::new(BufferSettings::default()));
        let journal = journal(clock.clone(), log.clone());
        let telemetry = TelemetryService::new(2_000, clock.clone());
        let (state, settings) = settings(clock.clone());
        let events = EventStore::new(EventStoreParts {
            durability: Default::default(),
            journal,
            log,
            settings: state,
            telemetry: telemetry.clone(),
            clock: clock.clone(),
            rng: Arc::new(CountingRng::default()),
            pipeline,
            consumers: None,
            reader: Default::default(),
        });
        Self { events, settings, telemetry, clock, disk }
    }

    /// Changes a setting, as an operator does.
    pub(super) async fn set(&self, path: &str, value: impl serde::Serialize) {
        self.settings.set(path, value).await.expect("it may be set");
        self.events.apply_settings(&self.settings.get());
    }

    /// What was settled, of which nothing is left open.
    pub(super) fn settled(&self) -> EventStoreStats {
        let stats = self.events.stats();
        let EventStoreStats { offered, stored, repeated, rejected, dropped, .. } = stats;
        assert_eq!(offered, stored + repeated + rejected + dropped, "the ledger is exact");
        assert_eq!((stats.in_flight, self.events.0.claims.len()), (0, 0));
        assert_eq!(self.events.0.intake.on_the_way(), Default::default());
        let (rows, other) = self.events.0.intake.by_stream();
        let rows: Vec<_> = rows.into_values().chain([other]).collect();
        assert!(rows.iter().all(|row| row.in_flight() == 0), "each stream's ledger is exact");
        let sum = |of: fn(&IntakeCounts) -> u64| rows.iter().map(of).sum::<u64>();
        assert_eq!(sum(|row| row.offered), offered);
        assert_eq!(sum(|row| row.stored), stored);
        assert_eq!(sum(|row| row.repeated), repeated);
        assert_eq!(sum(|row| row.rejected), rejected);
        assert_eq!(sum(|row| row.dropped), dropped);
        assert!(
            rows.iter().all(|row| {
                row.offered == row.stored + row.repeated + row.rejected + row.dropped
            })
        );
        let ends = stats.stages;
        assert_eq!(ends.invalid + ends.failed + ends.storage_failed, rejected, "each has its end");
        let counted = |name: &str| self.telemetry.counter(name).sum();
        assert_eq!(counted("foundation.events.stored"), stored);
        assert_eq!(counted("foundation.events.repeated"), repeated);
        assert_eq!(counted("foundation.events.rejected"), rejected);
        assert_eq!(counted("foundation.events.dropped"), dropped);
        stats
    }

    /// Stored, repeated, rejected, dropped.
    pub(super) fn ledger(&self) -> [u64; 4] {
        let stats = self.settled();
        [stats.stored, stats.repeated, stats.rejected, stats.dropped]
    }

    /// Everything that answers the query, page by page.
    pub(super) async fn all(&self, query: EventQuery) -> Vec<Recorded> {
        let mut pages = self.events.pages(query);
        let mut all = Vec::new();
        while let Some(page) = pages.next().await.expect("it can be answered") {
            all.extend(page);
        }
        all
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A writer that is held back would hold up its journal for ever.
        self.disk.let_go();
    }
}

/// Settings over a journal of their own.
fn settings(clock: Arc<StepClock>) -> (Arc<ConfigState<Settings>>, ConfigServer<Settings>) {
    let state = Arc::new(ConfigState::new().expect("defaults are a tree"));
    let mut documents = Documents::default();
    documents.link(Arc::clone(&state)).expect("the first of its name");
    let documents = Arc::new(documents);
    let bytes = MemoryJournal::BYTES_MAX;
    let journal = Arc::new(MemoryJournal::new(STORE, bytes, clock.clone(), documents));
    let server = ConfigServer::open(journal, Arc::clone(&state), settings_rules(), clock);
    (state, server.expect("the defaults are valid"))
}

/// Asks a future once.
pub(super) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The kind of the error.
pub(super) fn kind_of<T: std::fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.expect_err("it may not succeed").kind()
}

pub(super) fn tick(id: &str) -> Event {
    Event::new("tick").id(id)
}

pub(super) fn ids(events: &[Recorded]) -> Vec<&str> {
    events.iter().filter_map(|event| event.event.id.as_ref().map(|id| id.as_str())).collect()
}
