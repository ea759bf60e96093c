//! Recording measurements and reading them.

use std::hint::black_box;

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
    group.bench_function("by name, 2 labels", |b| {
        let labels = [("route", "/orders"), ("method", "GET")];
        b.iter(|| telemetry.execute("bench.named.count", black_box(&labels), Measurement::Add(1)));
    });
    group.finish();
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
