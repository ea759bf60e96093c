//! Many who change one document, and many who follow it.
//!
//! A row that says p99 is no median of its operations: each of its samples is the 99th percentile
//! of at least a thousand of them.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use foundation::Path;
use foundation::config::{ConfigServer, Subscription};
use foundation_benches::{Bench, Sixty, criterion};
use tokio::task::JoinHandle;

const TIMES_MIN: u64 = 1_000;

fn updaters(criterion: &mut Criterion) {
    let bench = Bench::durable();
    let config = bench.foundation.config::<Sixty>().expect("is known");
    let mut group = criterion.benchmark_group("Config.update");
    group.bench_function("durable, 64 updaters", |b| {
        b.iter_custom(|count| {
            let (config, base) = (config.clone(), config.version().number());
            bench.time_at_once(64, count, move |task, number| {
                // No two values are the same, for a change that changes nothing is not logged.
                let update = config.set("first.c", (base + number * 64 + task) % 1_000_000_000);
                async move {
                    update.await.expect("may enter");
                }
            })
        });
    });
    group.finish();
}

fn followers(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let config = bench.foundation.config::<Sixty>().expect("is known");
    let mut group = criterion.benchmark_group("Config.change to subscriber");
    group.bench_function("p99", |b| {
        b.iter_custom(|count| p99(count, bench.runtime.block_on(told(&config, count))));
    });
    group.finish();

    let bench = Bench::durable();
    let config = bench.foundation.config::<Sixty>().expect("is known");
    let mut group = criterion.benchmark_group("Config.update");
    group.bench_function("durable, p99", |b| {
        b.iter_custom(|count| p99(count, bench.runtime.block_on(changed(&config, count))));
    });
    let stuck = subscribed(&config);
    let panicking = panicking(&bench, subscribed(&config));
    let well: Vec<_> = (0..98).map(|_| followed(&bench, subscribed(&config))).collect();
    group.bench_function("durable, p99 with 100 subscribers", |b| {
        b.iter_custom(|count| p99(count, bench.runtime.block_on(changed(&config, count))));
    });
    well.iter().for_each(JoinHandle::abort);
    drop((stuck, panicking));
    group.finish();
}

fn subscribed(config: &ConfigServer<Sixty>) -> Subscription {
    config.subscribe(Path::root()).expect("a path")
}

fn followed(bench: &Bench, mut subscription: Subscription) -> JoinHandle<()> {
    bench.runtime.spawn(async move { while let Ok(Some(_)) = subscription.next().await {} })
}

fn panicking(bench: &Bench, mut subscription: Subscription) -> JoinHandle<()> {
    bench.runtime.spawn(async move {
        subscription.next().await.expect("readable");
        // As a panic, without its text between the rows.
        std::panic::resume_unwind(Box::new("a subscriber of the application gave up"));
    })
}

/// How long each change took.
async fn changed(config: &ConfigServer<Sixty>, count: u64) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count.max(TIMES_MIN) {
        let next = config.get().first.c + 1;
        let began = Instant::now();
        config.set("first.c", next).await.expect("may enter");
        times.push(began.elapsed());
    }
    times
}

/// How long after each change was begun a subscriber in another task knew of it.
async fn told(config: &ConfigServer<Sixty>, count: u64) -> Vec<Duration> {
    let count = count.max(TIMES_MIN);
    let mut subscription = subscribed(config);
    let (sender, mut seen) = tokio::sync::mpsc::channel(1);
    let follower = tokio::spawn(async move {
        for _ in 0..count {
            subscription.next().await.expect("readable");
            sender.send(Instant::now()).await.expect("is waited for");
        }
    });
    let mut times = Vec::new();
    for _ in 0..count {
        let next = config.get().first.c + 1;
        let began = Instant::now();
        config.set("first.c", next).await.expect("may enter");
        times.push(seen.recv().await.expect("was told").saturating_duration_since(began));
    }
    follower.await.expect("ends well");
    times
}

/// The 99th percentile, as the time that `count` of them take.
fn p99(count: u64, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100].mul_f64(count as f64)
}

criterion_group! { name = benches; config = criterion(); targets = updaters, followers }
criterion_main!(benches);
