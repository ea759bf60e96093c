//! A hundred subscribers, one of whom never looks and one of whom panics: the others miss nothing,
//! and the writer is not held up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foundation_services::ConfigServer;
use foundation_services::config::{Notice, Subscription};
use foundation_store::clock::SystemClock;
use foundation_store::config::ConfigState;
use foundation_store::journal::MemoryJournal;
use foundation_types::limits::CONFIG_CHANGES_BUFFERED;
use foundation_types::{Path, Settings, StoreId};
use tokio::task::JoinHandle;

const WELL: usize = 98;
const CHANGES: u64 = 2_000;

fn settings() -> ConfigServer<Settings> {
    let clock = Arc::new(SystemClock::default());
    let state = Arc::new(ConfigState::<Settings>::new().expect("defaults are a tree"));
    let (store, bytes_max) = (StoreId::from_bits(7), MemoryJournal::BYTES_MAX);
    let journal = MemoryJournal::new(store, bytes_max, clock.clone(), state.clone());
    ConfigServer::open(Arc::new(journal), state, Vec::new(), clock).expect("defaults are valid")
}

fn subscribed(settings: &ConfigServer<Settings>) -> Subscription {
    settings.subscribe(Path::root()).expect("a path")
}

/// Follows until the document is closed; gives the versions that it was told of.
fn follow(settings: &ConfigServer<Settings>) -> JoinHandle<Vec<u64>> {
    let mut well = subscribed(settings);
    tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some(notice) = well.next().await.expect("readable") {
            match notice {
                Notice::Changed(change) => told.push(change.version.number()),
                lagged @ Notice::Lagged { .. } => panic!("{lagged:?} after {}", told.len()),
            }
        }
        told
    })
}

/// How long each of the changes took, shortest first.
async fn write(settings: &ConfigServer<Settings>) -> Vec<Duration> {
    let mut times = Vec::new();
    for value in 1..=CHANGES {
        let began = Instant::now();
        settings.set("interface.max_results", value).await.expect("in range");
        times.push(began.elapsed());
        // Those who follow are on the same thread.
        tokio::task::yield_now().await;
    }
    times.sort_unstable();
    times
}

#[tokio::test]
async fn of_a_hundred_subscribers_the_stuck_and_the_panicking_one_harm_nobody() {
    let alone = write(&settings()).await;
    let settings = settings();
    let mut stuck = subscribed(&settings);
    let mut panicking = subscribed(&settings);
    let panics = tokio::spawn(async move {
        panicking.next().await.expect("readable");
        panic!("a subscriber of the application gave up");
    });
    let well: Vec<_> = (0..WELL).map(|_| follow(&settings)).collect();
    let among_all = write(&settings).await;
    settings.close();
    for one in well {
        let told = one.await.expect("goes on");
        assert_eq!(told, (1..=CHANGES).collect::<Vec<_>>(), "in order, nothing missed or twice");
    }
    assert!(panics.await.expect_err("it did").is_panic());

    let mut lags = Vec::new();
    let mut told = Vec::new();
    while let Some(notice) = stuck.next().await.expect("readable") {
        match notice {
            Notice::Lagged { missed } => lags.push(missed),
            Notice::Changed(change) => told.push(change.version.number()),
        }
    }
    let kept = CONFIG_CHANGES_BUFFERED as u64;
    assert_eq!(lags, [CHANGES - kept], "one notice of all that went by");
    assert_eq!(told, (CHANGES - kept + 1..=CHANGES).collect::<Vec<_>>());

    let p99 = |times: &[Duration]| times[times.len() * 99 / 100].as_secs_f64() * 1e6;
    let (alone, among_all) = (p99(&alone), p99(&among_all));
    println!(
        "a change in memory with {} subscribers: p99 {among_all:.0} µs, {:.2} of that without ({alone:.0} µs)",
        WELL + 2,
        among_all / alone
    );
    // Waking a hundred tasks is all that they may cost; more than this is a writer that waits.
    assert!(among_all < alone * 20.0 + 20_000.0, "{among_all} µs, {alone} µs without them");
}
