//! Reading and changing configuration, beside a bare pointer load and a bare durable append.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use criterion::{Criterion, criterion_group, criterion_main};
use foundation::config::ConfigServer;
use foundation::{Document, Path, Settings, Value, lens};
use foundation_benches::{Bench, Sixty, Wide, bare_appends, criterion};
use foundation_logic::{diff, lens as trees};
use foundation_types::value::to_value;
use foundation_validate::config::stored;

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
    let (settings, results) = (bench.foundation.settings(), lens!(Settings, interface.max_results));
    group.bench_function("by lens", |b| b.iter(|| black_box(*results.get(&settings.get()))));
    let writer = bench.runtime.spawn(write_each_millisecond(config.clone()));
    group.bench_function("typed, with a writer at 1,000/s", |b| {
        b.iter(|| black_box(config.get().first.c));
    });
    writer.abort();
    group.finish();
}

async fn write_each_millisecond(config: ConfigServer<Sixty>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    for value in 0_u64.. {
        ticks.tick().await;
        config.set("first.c", value % 1_000_000).await.expect("may enter");
    }
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

/// An update of a large document, and what of it is of the tree and of the struct.
fn large_updates(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let config = bench.foundation.config::<Wide>().expect("is known");
    let mut group = criterion.benchmark_group("Config.update");
    let mut value = 0;
    group.bench_function("memory, 10000 leaves", |b| {
        b.iter_custom(|count| {
            bench.time(count, |_| {
                value += 1;
                let update = config.set("groups.g50.l50", value);
                async move {
                    update.await.expect("may enter");
                }
            })
        });
    });
    let (sixty, wide) = (to_value(&Sixty::default()), to_value(&Wide::default()));
    let (sixty, wide) = (sixty.expect("a tree"), wide.expect("a tree"));
    for (name, tree, path) in [("60", &sixty, "first.c"), ("10000", &wide, "groups.g50.l50")] {
        let path: Path = path.parse().expect("a path");
        group.bench_function(format!("tree part, {name} leaves"), |b| {
            b.iter(|| black_box(changed(black_box(tree), &path)));
        });
    }
    group.bench_function("struct part, 60 leaves", |b| {
        b.iter(|| black_box(judged::<Sixty>(&sixty)))
    });
    group.bench_function("struct part, 10000 leaves", |b| {
        b.iter(|| black_box(judged::<Wide>(&wide)));
    });
    group.finish();
}

/// The tree with another number at a path, and what differs.
fn changed(tree: &Value, path: &Path) -> (Value, usize) {
    let after = trees::set(tree, path, 7_u64.into()).expect("is there");
    let edits = diff::diff(tree, &after);
    (after, edits.len())
}

/// Whether a tree may be stored: it is read as its type, checked and written again.
fn judged<T: Document>(tree: &Value) -> bool {
    stored::<T>(tree, &[]).is_ok()
}

criterion_group! { name = benches; config = criterion(); targets = reads, updates, large_updates }
criterion_main!(benches);
