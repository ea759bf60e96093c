//! Appending and finding events, in memory and on disk.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use foundation::EventQuery;
use foundation::events::{Aggregation, By, Recorded};
use foundation_benches::{Bench, Naive, bare_appends, criterion, event};
use foundation_logic::event::{Aggregator, trace};

fn stores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Events.store");
    let memory = Bench::in_memory();
    let durable = Bench::durable();
    for (name, bench) in [("memory", &memory), ("durable, alone", &durable)] {
        let events = bench.foundation.events();
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let mut made: Vec<_> = (0..count).map(event).collect();
                bench.time(count, |_| {
                    let event = made.pop().expect("one for each");
                    async move {
                        events.append(event).await.expect("may enter");
                    }
                })
            });
        });
    }
    group.bench_function("naive ring with 3 maps", |b| {
        let naive = Naive::default();
        b.iter_custom(|count| {
            let made: Vec<_> = (0..count).map(event).collect();
            let start = Instant::now();
            made.into_iter().for_each(|event| naive.store(event));
            start.elapsed()
        });
    });
    group.bench_function("bare append and sync", |b| b.iter_custom(bare_appends));
    for producers in [8, 64] {
        group.bench_function(format!("durable, {producers} producers"), |b| {
            b.iter_custom(|count| produce(&durable, producers, count));
        });
    }
    group.throughput(Throughput::Elements(100));
    for (name, bench) in [("memory, batch of 100", &memory), ("durable, batch of 100", &durable)] {
        let events = bench.foundation.events();
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let mut made: Vec<Vec<_>> = (0..count)
                    .map(|nth| (nth * 100..nth * 100 + 100).map(event).collect())
                    .collect();
                bench.time(count, |_| {
                    let batch = made.pop().expect("one for each");
                    async move {
                        events.append_batch(batch).await.expect("may enter");
                    }
                })
            });
        });
    }
    group.finish();
}

/// Time that `count` appends take by so many producers, each of which waits for its acks.
fn produce(bench: &Bench, producers: u64, count: u64) -> Duration {
    let each = count.div_ceil(producers);
    let start = Instant::now();
    let tasks: Vec<_> = (0..producers)
        .map(|_| {
            let events = bench.foundation.events().clone();
            bench.runtime.spawn(async move {
                for number in 0..each {
                    events.append(event(number)).await.expect("may enter");
                }
            })
        })
        .collect();
    for task in tasks {
        bench.runtime.block_on(task).expect("a producer ends well");
    }
    start.elapsed().mul_f64(count as f64 / (each * producers) as f64)
}

fn queries(criterion: &mut Criterion) {
    let by_correlation = EventQuery::all().correlation("req-0000500");
    query(criterion, "Events.query by correlation, 10 hits", &by_correlation);
    let newest = EventQuery::all().kind("order.paid").newest_first().limit(10);
    query(criterion, "Events.query by type, newest 10", &newest);
}

fn query(criterion: &mut Criterion, name: &str, query: &EventQuery) {
    let mut group = criterion.benchmark_group(name);
    for stored in [10_000_u64, 100_000] {
        let bench = Bench::in_memory();
        let events = bench.foundation.events();
        bench.runtime.block_on(async {
            for start in (0..stored).step_by(1_000) {
                let batch = (start..start + 1_000).map(event).collect();
                events.append_batch(batch).await.expect("may enter");
            }
        });
        group.bench_with_input(BenchmarkId::from_parameter(stored), query, |b, query| {
            b.iter_custom(|count| {
                bench.time(count, |_| {
                    let query = query.clone();
                    async {
                        let page = events.query(query).await.expect("is answered");
                        assert_eq!(page.events.len(), 10);
                    }
                })
            });
        });
    }
    group.finish();
}

/// Events as the store keeps them, 100,000 at most.
fn recorded(bench: &Bench, count: u64) -> Vec<Recorded> {
    let events = bench.foundation.events();
    bench.runtime.block_on(async {
        for start in (0..count).step_by(100) {
            let batch = (start..start + 100).map(event).collect();
            events.append_batch(batch).await.expect("may enter");
        }
        let mut pages = events.pages(EventQuery::all());
        let mut recorded = Vec::new();
        while let Some(page) = pages.next().await.expect("is answered") {
            recorded.extend(page);
        }
        recorded
    })
}

fn traces(criterion: &mut Criterion) {
    let mut chain = recorded(&Bench::in_memory(), 100);
    let ids: Vec<_> = chain.iter().map(|one| one.event.id.clone().expect("has one")).collect();
    for (nth, one) in chain.iter_mut().enumerate().skip(1) {
        // Three caused by each, and all by the first.
        one.event = one.event.clone().parent(&ids[(nth - 1) / 3]);
    }
    let mut group = criterion.benchmark_group("Events.trace");
    group.bench_function("100 events", |b| {
        b.iter_batched(|| chain.clone(), trace, criterion::BatchSize::SmallInput);
    });
    let told = trace(chain);
    group.bench_function("100 events, as text", |b| b.iter(|| told.to_text()));
    group.finish();
}

fn aggregations(criterion: &mut Criterion) {
    const EVENTS: u64 = 1_000_000;
    let bench = Bench::in_memory();
    let kept = recorded(&bench, 100_000);
    let percentile = || "p95:data[0]".parse().expect("a measure");
    let minute = foundation::events::Window::tumbling(Duration::from_secs(60));
    let mut group = criterion.benchmark_group("Events.aggregate");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    for (name, asked) in [
        ("count by type, 1 M events", Aggregation::count().by(By::Type)),
        (
            "p95 by type and minute, 1 M events",
            Aggregation::of(percentile()).by(By::Type).window(minute),
        ),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut aggregator = Aggregator::new(asked.clone());
                for event in kept.iter().cycle().take(EVENTS as usize) {
                    aggregator.add(event).expect("few rows");
                }
                aggregator.answer().expect("few rows")
            });
        });
    }
    group.throughput(Throughput::Elements(kept.len() as u64));
    group.bench_function("count by type, 100,000 of a store in memory", |b| {
        b.iter_custom(|count| {
            bench.time(count, |_| async {
                let asked = Aggregation::count().by(By::Type);
                let events = bench.foundation.events();
                events.aggregate(EventQuery::all(), asked).await.expect("is answered");
            })
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = criterion();
    targets = stores, queries, traces, aggregations
}
criterion_main!(benches);
