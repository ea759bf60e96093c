//! Events on their ways: in with a condition and from files, out to readers and to files, from the archive.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foundation::events::{EventQuery, Start};
use foundation::exports::{ExportAction, ExportRules, FileSink, Layout};
use foundation::log::{ArchiveMode, ArchivePolicy};
use foundation::{Event, Foundation, parse};
use foundation_benches::{Bench, criterion, event};

/// Lines of the file that is imported.
const LINES: usize = 100_000;
/// Events that the program sends together.
const GROUP_EVENTS: usize = 500;
/// Events of a store that a query looks through.
const STORED: u64 = 100_000;

/// Events that an export passes on.
const EXPORTED: u64 = 20_000;
/// Deliveries of which a lag is told.
const DELIVERED: usize = 1_000;
/// Stories of which it is sure that they are archived: the first of a store.
const ARCHIVED_STORIES: u64 = 5_000;

/// Fills a store with `count` events, each with a tag that ten have.
fn fill(bench: &Bench, count: u64) {
    let tagged = |number: u64| event(number).tag(format!("order:{}", number / 10));
    bench.runtime.block_on(async {
        for start in (0..count).step_by(1_000) {
            let batch = (start..start + 1_000).map(tagged).collect();
            bench.foundation.events().append_batch(batch).await.expect("may enter");
        }
    });
}

fn conditions(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    fill(&bench, STORED);
    let events = bench.foundation.events();
    let mut group = criterion.benchmark_group("Events.append");
    group.bench_function("unless", |b| {
        b.iter_custom(|count| {
            let mut made: Vec<_> = (0..count).map(event).collect();
            bench.time(count, |number| {
                let event = made.pop().expect("one for each");
                let unless = EventQuery::all().tag(format!("taken:{number}"));
                async move {
                    events.append(event).unless(unless).await.expect("nobody was first");
                }
            })
        });
    });
    group.finish();
}

fn queries(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    fill(&bench, STORED);
    let events = bench.foundation.events();
    let mut group = criterion.benchmark_group("Events.query by tag, 10 hits");
    group.bench_function(STORED.to_string(), |b| {
        b.iter_custom(|count| {
            bench.time(count, |number| {
                let query = EventQuery::all().tag(format!("order:{}", number % 10_000));
                async {
                    let page = events.query(query).await.expect("is answered");
                    assert_eq!(page.events.len(), 10);
                }
            })
        });
    });
    group.finish();
}

/// The lines of the real input, where this machine has them, or made ones of the same kind.
fn lines() -> (&'static str, Vec<Vec<u8>>) {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let real: Option<PathBuf> = above
        .map(|folder| folder.join("shared/data/openstack_2k.ndjson"))
        .find(|path| path.is_file());
    let made = || (0..2_000).map(|at| serde_json::to_vec(&event(at)).expect("is JSON")).collect();
    let (name, lines): (_, Vec<Vec<u8>>) = match real {
        Some(path) => {
            let text = std::fs::read_to_string(path).expect("reads");
            ("NDJSON lines", text.lines().map(|line| line.as_bytes().to_vec()).collect())
        }
        None => ("NDJSON lines, made", made()),
    };
    (name, lines.into_iter().cycle().take(LINES).collect())
}

fn imports(criterion: &mut Criterion) {
    let (name, lines) = lines();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lines.ndjson");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("is made"));
    for line in &lines {
        file.write_all(line).and_then(|()| file.write_all(b"\n")).expect("writes");
    }
    file.flush().expect("writes");
    let mut group = criterion.benchmark_group("Events.import");
    group.throughput(Throughput::Elements(LINES as u64)).sample_size(10);
    group.bench_function(name, |b| {
        b.iter_custom(|count| (0..count).map(|_| imported(&path)).sum());
    });
    group.finish();
}

/// Time that the file takes into a new store in a directory, in groups as the program sends them.
fn imported(path: &Path) -> Duration {
    let bench = Bench::durable();
    let start = Instant::now();
    let text = std::fs::read(path).expect("reads");
    let events: Vec<Event> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| parse::exported_line(line).expect("is an event"))
        .collect();
    bench.runtime.block_on(async {
        for group in events.chunks(GROUP_EVENTS) {
            let outcomes = bench.foundation.events().append_each(group.to_vec()).await;
            assert!(outcomes.iter().all(Result::is_ok), "all may enter");
        }
    });
    start.elapsed()
}

/// Time that an export takes to pass on what a store in memory has, to a file with a sync for each batch.
fn exported() -> Duration {
    let directory = tempfile::tempdir().expect("a directory");
    let sink = FileSink::file(directory.path().join("out.ndjson"), Layout::Ndjson).expect("opens");
    let rules = ExportRules { filter: EventQuery::all().kind("order.*"), ..ExportRules::default() };
    let bench = Bench::of(Foundation::in_memory().export("file", sink, rules));
    let exports = bench.foundation.exports();
    bench.runtime.block_on(exports.change("file", ExportAction::Pause)).expect("rests");
    fill(&bench, EXPORTED);
    let delivered = || exports.list().first().map_or(0, |one| one.delivered);
    assert_eq!(delivered(), 0);
    bench.runtime.block_on(async {
        let start = Instant::now();
        exports.change("file", ExportAction::Resume).await.expect("goes on");
        while delivered() < EXPORTED {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        start.elapsed()
    })
}

fn exports(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Events.export");
    group.throughput(Throughput::Elements(EXPORTED)).sample_size(10);
    group.bench_function("NDJSON file", |b| {
        b.iter_custom(|count| (0..count).map(|_| exported()).sum());
    });
    group.finish();
}

/// Times from before an append to a reader that has the event, one after the other, sorted.
fn lags(bench: &Bench) -> Vec<Duration> {
    let events = bench.foundation.events().clone();
    let mut reader = events.subscribe(Start::Now, EventQuery::all()).expect("may follow");
    let (say, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let reading = bench.runtime.spawn(async move {
        while let Ok(read) = reader.next().await {
            if say.send((Instant::now(), read.position)).is_err() {
                break;
            }
        }
    });
    let mut lags = Vec::with_capacity(DELIVERED);
    bench.runtime.block_on(async {
        for number in 0..DELIVERED as u64 {
            let event = event(number);
            let start = Instant::now();
            let receipt = events.append(event).await.expect("may enter");
            let (came, position) = heard.recv().await.expect("is read");
            assert_eq!(position, receipt.position);
            lags.push(came.saturating_duration_since(start));
        }
    });
    reading.abort();
    lags.sort_unstable();
    lags
}

fn deliveries(criterion: &mut Criterion) {
    let bench = Bench::in_memory();
    let mut group = criterion.benchmark_group("Events.subscribe");
    group.sample_size(10);
    for (name, percent) in [("append to delivery, p50", 50), ("append to delivery, p99", 99)] {
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                (0..count).map(|_| lags(&bench)[DELIVERED * percent / 100]).sum()
            });
        });
    }
    group.finish();
}

/// A query for a story whose ten events are in a segment of the archive.
fn archives(criterion: &mut Criterion) {
    let bench = Bench::durable();
    // More than a full file.
    fill(&bench, 2 * STORED);
    bench.runtime.block_on(async {
        for _ in 0..2 {
            bench.foundation.events().append(event(STORED * 20)).await.expect("may enter");
            bench.foundation.checkpoint().await.expect("is made");
        }
        let policy = ArchivePolicy { keep_segments: Some(0), ..ArchivePolicy::default() };
        // A full file can go once its index is made, which goes on beside this.
        let archive = || bench.foundation.archive(policy, ArchiveMode::Move);
        while archive().await.expect("goes").segments.is_empty() {
            tokio::task::yield_now().await;
        }
        let before = bench.foundation.settings().set("events.buffer.max_events", 1_000).await;
        before.expect("may be set");
    });
    let events = bench.foundation.events();
    let mut group = criterion.benchmark_group("Events.archive");
    group.bench_function("query of a story archived", |b| {
        b.iter_custom(|count| {
            bench.time(count, |number| {
                // Far apart, so that most blocks are read anew.
                let story = number * 977 % ARCHIVED_STORIES;
                let query = EventQuery::all().correlation(format!("req-{story:07}"));
                async {
                    let page = events.query(query).await.expect("is answered");
                    assert_eq!(page.events.len(), 10);
                }
            })
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = criterion();
    targets = conditions, queries, imports, exports, deliveries, archives
}
criterion_main!(benches);
