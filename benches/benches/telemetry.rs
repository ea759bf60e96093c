//! Recording measurements and reading them.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use foundation::telemetry::Measurement;
use foundation_benches::{Bench, criterion};

fn records(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let telemetry = bench.foundation.telemetry();
    let counter = telemetry.counter("bench.bound.count");
    let histogram = telemetry.histogram("bench.bound.seconds");
    let mut group = criterion.benchmark_group("Telemetry.execute");
    group.bench_function("bound counter", |b| b.iter(|| counter.add(1)));
    group.bench_function("bound histogram", |b| b.iter(|| histogram.record(black_box(0.042))));
    let labels = [("route", "/orders"), ("method", "GET")];
    let by_name =
        || telemetry.execute("bench.named.count", black_box(&labels), Measurement::Add(1));
    group.bench_function("by name, 2 labels", |b| b.iter(by_name));
    group.bench_function("bound counter, 2 threads", |b| {
        b.iter_custom(|count| on_two_threads(count, || counter.add(1)));
    });
    group.bench_function("bound histogram, 2 threads", |b| {
        b.iter_custom(|count| on_two_threads(count, || histogram.record(black_box(0.042))));
    });
    group.bench_function("by name, 2 labels, 2 threads", |b| {
        b.iter_custom(|count| on_two_threads(count, by_name));
    });
    group.finish();
}

/// Time that `count` operations take on each of two threads at once: the slower one's.
fn on_two_threads(count: u64, operation: impl Fn() + Sync) -> Duration {
    let barrier = Barrier::new(2);
    let timed = || {
        // What a thread makes once is not what is measured.
        operation();
        barrier.wait();
        let start = Instant::now();
        (0..count).for_each(|_| operation());
        start.elapsed()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(timed);
        let ours = timed();
        ours.max(other.join().expect("does not panic"))
    })
}

fn reads(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let telemetry = bench.foundation.telemetry();
    for number in 0..100 {
        telemetry.counter(&format!("bench.series_{number}.count")).add(1);
    }
    let mut group = criterion.benchmark_group("Telemetry.get_metrics");
    group.bench_function("100 series", |b| b.iter(|| black_box(telemetry.snapshot())));
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = records, reads }
criterion_main!(benches);
