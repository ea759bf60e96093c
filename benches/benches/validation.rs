//! Validating data: a document beside its `validator` rules alone, and an event.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use foundation::Value;
use foundation_benches::{Sixty, criterion, event};
use foundation_validate::{Origin, config, event as rules};
use validator::Validate;

fn documents(criterion: &mut Criterion) {
    let plain = Sixty::default();
    let json = serde_json::to_string(&plain).expect("plain numbers");
    let tree: Value = foundation::parse::value(&json).expect("is JSON");
    let mut group = criterion.benchmark_group("Validation of 60 fields");
    group.bench_function("validator", |b| b.iter(|| black_box(&plain).validate()));
    group.bench_function("tree to document, all stages", |b| {
        b.iter(|| config::document::<Sixty>(black_box(&tree), &[]));
    });
    group.finish();
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Validation of an event");
    group.bench_function("event", |b| {
        b.iter_batched(
            || event(7),
            |event| rules::event(event, Origin::Application),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = documents, events }
criterion_main!(benches);
