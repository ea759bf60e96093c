//! Reading and changing configuration, beside a bare pointer load and a bare durable append.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::ArcSwap;
use criterion::{Criterion, criterion_group, criterion_main};
use foundation::Path;
use foundation_benches::{Bench, Sixty, bare_appends, criterion};

fn reads(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let config = bench.foundation.config::<Sixty>().expect("is known");
    let bare = ArcSwap::new(Arc::new(Sixty::default()));
    let path: Path = "first.c".parse().expect("a path");
    let mut group = criterion.benchmark_group("Config.get");
    group.bench_function("ArcSwap::load", |b| b.iter(|| black_box(bare.load().first.c)));
    group.bench_function("typed", |b| b.iter(|| black_box(config.get().first.c)));
    group.bench_function("by parsed path", |b| b.iter(|| black_box(config.value(&path))));
    group.bench_function("by text path", |b| b.iter(|| black_box(config.value("first.c"))));
    group.finish();
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Config.update");
    for (name, bench) in [("memory, 60 leaves", Bench::in_memory()), ("durable", Bench::durable())]
    {
        let config = bench.foundation.config::<Sixty>().expect("is known");
        let mut value = 0;
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                bench.time(count, |_| {
                    value += 1;
                    let update = config.set("first.c", value);
                    async move {
                        update.await.expect("may enter");
                    }
                })
            });
        });
    }
    group.bench_function("bare append and sync", |b| b.iter_custom(bare_appends));
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = reads, updates }
criterion_main!(benches);
