//! On the embedded journal, whose sync takes its time or fails: nothing is read before it is
//! durable, and head goes back to what is.

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use foundation_store::clock::SystemClock;
use foundation_store::config::ConfigState;
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal};
use foundation_store::random::SystemRng;
use foundation_types::{ErrorKind, Path, Result, Settings, Version};
use foundation_validate::BusinessRule;

use crate::config::{ConfigServer, Updated};
use crate::moody_disk::{Mood, MoodyDisk};

struct Slow {
    disk: MoodyDisk,
    state: Arc<ConfigState<Settings>>,
    settings: ConfigServer<Settings>,
}

fn open(disk: &MoodyDisk) -> Slow {
    open_with(disk, Vec::new(), &OnceLock::new())
}

/// Opens with rules; the journal is shown to whoever holds `seen`.
fn open_with(
    disk: &MoodyDisk,
    rules: Vec<BusinessRule<Settings>>,
    seen: &OnceLock<Arc<dyn Journal>>,
) -> Slow {
    let clock = Arc::new(SystemClock::default());
    let state = Arc::new(ConfigState::new().expect("defaults are a tree"));
    let options = EmbeddedOptions::default();
    let (files, rng) = (Arc::new(disk.clone()), SystemRng::default());
    let (journal, _) = Embedded::open(files, options, clock.clone(), &rng, state.clone())
        .expect("the store is whole");
    let journal: Arc<dyn Journal> = Arc::new(journal);
    let settings = ConfigServer::open(journal.clone(), state.clone(), rules, clock)
        .expect("what was logged is valid");
    // Only one that asks keeps the journal open beside its server.
    let _ = seen.set(journal);
    Slow { disk: disk.clone(), state, settings }
}

/// A node whose disk works until it is told otherwise.
fn slow() -> Slow {
    open(&MoodyDisk::default())
}

impl Drop for Slow {
    /// A test that fails while a sync waits ends all the same: closing waits for the sync.
    fn drop(&mut self) {
        self.disk.is(Mood::Works);
    }
}

impl Slow {
    fn set(&self, results: u64) -> impl Future<Output = Result<Updated>> + Unpin + use<> {
        self.settings.set("interface.max_results", results).into_future()
    }

    fn head(&self) -> u64 {
        self.state.head().snapshot.version.number()
    }

    fn read(&self) -> u64 {
        self.settings.get().interface.max_results
    }
}

/// Polls once; the future is expected to wait.
async fn begin<F: Future + Unpin>(future: &mut F) {
    poll_fn(|context| {
        assert!(Pin::new(&mut *future).poll(context).is_pending(), "it waits");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_read_before_it_is_durable() {
    let slow = slow();
    let mut all = slow.settings.subscribe(Path::root()).expect("the root");
    slow.disk.is(Mood::SyncsWait);
    let (mut first, mut second) = (slow.set(1), slow.set(2));
    begin(&mut first).await;
    begin(&mut second).await;
    assert_eq!((slow.head(), slow.read()), (2, 1_000));
    slow.disk.is(Mood::Works);
    assert_eq!(first.await.expect("durable").version, Version::new(1));
    assert_eq!(second.await.expect("durable").version, Version::new(2));
    assert_eq!((slow.head(), slow.read()), (2, 2));
    for _ in 0..2 {
        assert!(all.next().await.expect("readable").is_some());
    }
}

#[tokio::test]
async fn a_failed_sync_sets_head_back_and_nobody_saw_the_value() {
    let slow = slow();
    slow.set(5).await.expect("durable");
    let mut all = slow.settings.subscribe(Path::root()).expect("the root");
    slow.disk.is(Mood::SyncsWait);
    let (mut first, mut second) = (slow.set(6), slow.set(7));
    begin(&mut first).await;
    begin(&mut second).await;
    assert_eq!(slow.head(), 3);
    slow.disk.is(Mood::SyncsFail);
    let lost = [second.await.expect_err("lost"), first.await.expect_err("lost")];
    assert!(lost.iter().any(|error| error.kind() == ErrorKind::Indeterminate), "{lost:?}");
    assert_eq!((slow.head(), slow.read()), (1, 5));
    assert_eq!(slow.set(8).await.expect_err("fenced").kind(), ErrorKind::Fenced);
    assert_eq!((slow.head(), slow.read()), (1, 5));
    slow.settings.close();
    assert!(all.next().await.expect("readable").is_none(), "nothing was told");
}

#[tokio::test]
async fn who_stops_waiting_for_the_sync_lets_the_change_go_on() {
    let slow = slow();
    slow.disk.is(Mood::SyncsWait);
    let mut first = slow.set(1);
    begin(&mut first).await;
    drop(first);
    slow.disk.is(Mood::Works);
    assert_eq!(slow.set(2).await.expect("durable").version, Version::new(2));
    assert_eq!(slow.settings.history(Default::default()).await.expect("kept").len(), 2);
    let disk = slow.disk.clone();
    drop(slow);
    assert_eq!(open(&disk).read(), 2);
}

#[tokio::test]
async fn a_failure_that_nobody_waits_for_is_noticed_by_the_next_one() {
    let slow = slow();
    slow.disk.is(Mood::SyncsWait);
    let mut gone: Vec<_> = (1..=3).map(|results| slow.set(results)).collect();
    let mut waits = slow.set(4);
    for update in gone.iter_mut().chain([&mut waits]) {
        begin(update).await;
    }
    assert_eq!(slow.head(), 4);
    drop(gone);
    slow.disk.is(Mood::SyncsFail);
    waits.await.expect_err("lost");
    assert_eq!(slow.set(5).await.expect_err("fenced").kind(), ErrorKind::Fenced);
    assert_eq!((slow.head(), slow.read()), (0, 1_000));
}

#[tokio::test]
async fn a_conflict_waits_until_what_it_reveals_is_durable() {
    let slow = slow();
    slow.disk.is(Mood::SyncsWait);
    let mut first = slow.set(1);
    begin(&mut first).await;
    let stale = slow.settings.set("log.level", "warn").expect_version(Version::NONE);
    let mut stale = stale.into_future();
    begin(&mut stale).await;
    slow.disk.is(Mood::Works);
    let error = stale.await.expect_err("the first was first");
    assert_eq!(error.conflict().expect("it is one").missed.len(), 1);
    first.await.expect("durable");
}

#[tokio::test]
async fn a_conflict_with_what_is_lost_is_none() {
    let slow = slow();
    slow.disk.is(Mood::SyncsWait);
    let mut first = slow.set(1);
    begin(&mut first).await;
    let second = slow.settings.set("log.level", "warn").expect_version(Version::NONE);
    let mut second = second.into_future();
    begin(&mut second).await;
    slow.disk.is(Mood::SyncsFail);
    assert_eq!(second.await.expect_err("no conflict").kind(), ErrorKind::Fenced);
    first.await.expect_err("lost");
}

#[tokio::test]
async fn who_changes_nothing_waits_until_what_says_the_same_is_durable() {
    let slow = slow();
    slow.disk.is(Mood::SyncsWait);
    let (mut first, mut same) = (slow.set(1), slow.set(1));
    begin(&mut first).await;
    begin(&mut same).await;
    slow.disk.is(Mood::Works);
    let same = same.await.expect("durable");
    assert_eq!((same.version, same.position), (Version::new(1), None));
    first.await.expect("durable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn head_never_goes_back_while_the_writer_publishes() {
    const EACH: u64 = 200;
    let slow = slow();
    let places =
        ["interface.max_results", "interface.query_timeout_ms", "events.buffer.max_events"];
    let mut tasks = tokio::task::JoinSet::new();
    for place in places {
        let settings = slow.settings.clone();
        tasks.spawn(async move {
            for value in 1..=EACH {
                let updated = settings.set(place, value).await.expect("no conflict with itself");
                assert!(settings.version() >= updated.version, "an acked one is read");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(slow.settings.version().number(), EACH * places.len() as u64);
    let tree = slow.settings.get().tree().clone();
    let disk = slow.disk.clone();
    drop(slow);
    assert_eq!(open(&disk).settings.get().tree(), &tree);
}

#[tokio::test]
async fn a_change_computed_on_one_that_found_no_space_is_computed_anew() {
    let disk = MoodyDisk::default();
    let journal: Arc<OnceLock<Arc<dyn Journal>>> = Arc::default();
    // Judging the second change, after head was looked at, is the moment at which the first fails.
    let (full, seen) = (disk.clone(), journal.clone());
    let rule: BusinessRule<Settings> = Arc::new(move |settings: &Settings| {
        if settings.interface.max_results == 2 {
            full.is(Mood::Full);
            let is_waiting = || seen.get().is_some_and(|journal| journal.status().waiting > 0);
            while is_waiting() {
                std::thread::yield_now();
            }
            full.is(Mood::Works);
        }
        Vec::new()
    });
    let slow = open_with(&disk, vec![rule], &journal);
    slow.set(5).await.expect("there is space");
    disk.is(Mood::WritesWait);
    let mut first = slow.set(1);
    begin(&mut first).await;
    let second = slow.set(2).await.expect("nobody expected a version");
    assert_eq!((second.version, slow.read()), (Version::new(2), 2));
    assert_eq!(first.await.expect_err("found no space").kind(), ErrorKind::DiskFull);
}
