//! Scenarios of the registry: what the guarantees T1 to T5 say, from eight threads at once.

use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use foundation_logic::telemetry::RELATIVE_ERROR;
use foundation_types::ErrorKind;
use foundation_types::limits::METRICS_MAX;
use foundation_types::telemetry::{Distribution, Labels, Measurement, Metric, MetricValue};

use super::MetricRegistry;
use super::slot::SLOTS;

const THREADS: usize = 8;

fn registry() -> MetricRegistry {
    MetricRegistry::new(2_000)
}

fn counted(metrics: &[Metric], name: &str) -> u64 {
    let of_name = metrics.iter().filter(|metric| *metric.name == *name);
    of_name
        .map(|metric| match metric.value {
            MetricValue::Counter(sum) => sum,
            other => panic!("{name} is {other:?}"),
        })
        .sum()
}

fn distribution(metrics: &[Metric], name: &str) -> Distribution {
    match metrics.iter().find(|metric| *metric.name == *name).map(|metric| metric.value) {
        Some(MetricValue::Histogram(said)) => said,
        other => panic!("{name} is {other:?}"),
    }
}

/// Runs `record` on eight threads while `watch` runs on this one until they are done, at least
/// once after that.
fn recorded_while_watched(record: impl Fn(usize) + Sync, mut watch: impl FnMut()) {
    let (start, running) = (Barrier::new(THREADS + 1), AtomicUsize::new(THREADS));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (record, start, running) = (&record, &start, &running);
            scope.spawn(move || {
                start.wait();
                record(thread);
                running.fetch_sub(1, Ordering::Release);
            });
        }
        start.wait();
        while running.load(Ordering::Acquire) > 0 {
            watch();
        }
        watch();
    });
}

#[test]
fn t1_counters_and_counts_never_go_back_between_snapshots() {
    let registry = registry();
    let counter = registry.counter("hits", &[]).expect("a valid name");
    let histogram = registry.histogram("sizes", &[]).expect("a valid name");
    let (mut hits, mut sizes) = (0, 0);
    recorded_while_watched(
        |_| {
            for at in 0..20_000_u32 {
                counter.add(2);
                histogram.record(f64::from(at % 100) - 20.0);
            }
        },
        || {
            let metrics = registry.snapshot();
            let (hits_now, sizes_now) =
                (counted(&metrics, "hits"), distribution(&metrics, "sizes").count);
            assert!(hits_now >= hits && sizes_now >= sizes, "went back");
            (hits, sizes) = (hits_now, sizes_now);
        },
    );
    assert_eq!((hits, sizes), (8 * 40_000, 8 * 20_000));
}

#[test]
fn t2_a_snapshot_includes_what_was_recorded_before_it_by_any_path() {
    let registry = registry();
    let total = registry.counter("total", &[]).expect("a valid name");
    recorded_while_watched(
        |thread| {
            let own = ["a", "b", "c", "d", "e", "f", "g", "h"][thread];
            for round in 1..=200_u32 {
                total.increment();
                let labels = [("thread", own)];
                registry.execute("own", &labels, Measurement::Add(1)).expect("a valid name");
                registry.execute("last", &labels, Measurement::Set(round.into())).expect("valid");
                registry.execute("spread", &labels, Measurement::Record(-1.0)).expect("valid");
                let metrics = registry.snapshot();
                let mine: Vec<_> = metrics
                    .iter()
                    .filter(|metric| metric.labels == Labels::new(labels))
                    .map(|metric| metric.value)
                    .collect();
                let [
                    MetricValue::Gauge(last),
                    MetricValue::Counter(own),
                    MetricValue::Histogram(spread),
                ] = mine[..]
                else {
                    panic!("three series of this thread, not {mine:?}");
                };
                assert_eq!((last, own, spread.count), (round.into(), round.into(), round.into()));
                assert!(counted(&metrics, "total") >= round.into());
            }
        },
        || {},
    );
    assert_eq!(counted(&registry.snapshot(), "total"), 8 * 200);
}

#[test]
fn t3_the_parts_of_a_histogram_agree_within_every_snapshot() {
    let registry = registry();
    let histogram = registry.histogram("latency", &[]).expect("a valid name");
    recorded_while_watched(
        |thread| {
            for at in 0..20_000_usize {
                histogram.record(((at * 31 + thread) % 1000) as f64 / 1000.0);
            }
        },
        || {
            let said = distribution(&registry.snapshot(), "latency");
            assert!(said.min <= said.p50 && said.p50 <= said.p95 && said.p95 <= said.p99);
            assert!(said.p99 <= said.max && said.min <= said.mean && said.mean <= said.max);
            assert_eq!(said.count == 0, said == Distribution::default());
        },
    );
    let said = histogram.distribution();
    assert_eq!(said.count, 160_000);
    assert!((said.sum - 160.0 * 499.5).abs() < 1e-6, "{}", said.sum);
    for (told, exact) in [(said.p50, 0.499), (said.p95, 0.949), (said.p99, 0.989)] {
        assert!((told - exact).abs() <= exact * RELATIVE_ERROR, "{told} for {exact}");
    }
}

#[test]
fn t4_label_sets_beyond_the_bound_share_one_series_and_the_total_is_exact() {
    let registry = MetricRegistry::new(100);
    recorded_while_watched(
        |thread| {
            for at in 0..12_500 {
                let id = format!("{thread}-{at}");
                let labels = [("user", id.as_str())];
                registry.execute("logins", &labels, Measurement::Add(1)).expect("a valid name");
            }
        },
        || {
            let _ = registry.snapshot();
        },
    );
    let metrics = registry.snapshot();
    assert_eq!(metrics.len(), 101);
    assert_eq!(counted(&metrics, "logins"), 100_000);
    let overflow =
        metrics.iter().find(|metric| metric.labels == Labels::new([("overflow", "true")]));
    assert_eq!(overflow.map(|metric| metric.value), Some(MetricValue::Counter(99_900)));
    let status = registry.status();
    assert_eq!((status.metrics, status.series, status.dropped), (1, 101, 0));

    let offenders = registry.offenders();
    assert_eq!(offenders.len(), 1);
    assert_eq!((&*offenders[0].name, offenders[0].refused), ("logins", 99_900));
    assert_eq!(&*offenders[0].example.pairs()[0].0, "user");
}

#[test]
fn t4_the_bound_can_be_raised_and_lowered_while_it_runs() {
    let registry = MetricRegistry::new(1);
    let add = |id: &str| registry.execute("m", &[("id", id)], Measurement::Add(1)).expect("valid");
    let _ = ["a", "b", "c"].map(add);
    registry.set_max_series_per_metric(3);
    let _ = ["a", "b", "c"].map(add);
    registry.set_max_series_per_metric(1);
    let _ = ["a", "b", "c", "d"].map(add);
    let values: Vec<_> = registry.snapshot().iter().map(|metric| metric.value).collect();
    let expected = [3, 2, 2, 3].map(MetricValue::Counter);
    assert_eq!(values, expected, "a, b and c keep their series, overflow took three");
    assert_eq!(registry.offenders()[0].refused, 3);
}

#[test]
fn t4_the_overflow_series_can_be_named_and_is_no_offence() {
    let registry = MetricRegistry::new(1);
    for labels in [[("overflow", "true")], [("id", "a")], [("id", "b")]] {
        registry.counter("m", &labels).expect("valid").increment();
    }
    assert_eq!(registry.status().series, 2);
    assert_eq!(registry.offenders()[0].refused, 1);
    assert_eq!(counted(&registry.snapshot(), "m"), 3);
}

#[test]
fn t5_numbers_that_are_not_finite_change_nothing_and_are_counted() {
    let registry = registry();
    let gauge = registry.gauge("temperature", &[]).expect("a valid name");
    let histogram = registry.histogram("latency", &[]).expect("a valid name");
    gauge.set(f64::NAN);
    assert_eq!((gauge.value(), registry.snapshot().len()), (None, 1), "a gauge is not there unset");
    gauge.set(21.5);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        gauge.set(bad);
        histogram.record(bad);
        let answer = registry.execute("latency", &[], Measurement::Record(bad));
        assert_eq!(answer.expect_err("not finite").kind(), ErrorKind::OutOfRange);
    }
    assert_eq!((gauge.value(), histogram.distribution().count), (Some(21.5), 0));
    assert_eq!(registry.status().dropped, 10);
}

#[test]
fn t5_a_handle_that_keeps_nothing_counts_what_it_was_given() {
    let registry = registry();
    registry.dropping_counter().add(7);
    registry.dropping_gauge().set(1.0);
    let histogram = registry.dropping_histogram();
    histogram.record(1.0);
    histogram.clone().record(1.0);
    assert_eq!((registry.status().dropped, registry.snapshot().len()), (4, 0));
}

#[test]
fn a_name_keeps_the_kind_that_it_was_first_used_with() {
    let registry = registry();
    registry.counter("m", &[]).expect("a valid name");
    for labels in [&[][..], &[("new", "series")]] {
        let answers = [
            registry.gauge("m", labels).err(),
            registry.histogram("m", labels).err(),
            registry.execute("m", labels, Measurement::Set(1.0)).err(),
        ];
        for error in answers.map(|answer| answer.expect("another kind")) {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains("\"m\" is a counter, not a "), "{error}");
        }
    }
    assert_eq!(registry.status().series, 1);
}

#[test]
fn names_and_labels_that_may_not_enter_make_nothing() {
    let registry = registry();
    for (name, labels) in
        [("", &[][..]), ("a b", &[]), ("m", &[("", "x")]), ("m", &[("a", "x"), ("a", "x")])]
    {
        assert!(registry.counter(name, labels).is_err(), "{name:?} {labels:?}");
        assert!(registry.execute(name, labels, Measurement::Add(1)).is_err());
    }
    assert_eq!((registry.status().metrics, registry.status().series), (0, 0));
}

#[test]
fn the_number_of_names_is_bounded() {
    let registry = registry();
    for at in 0..METRICS_MAX {
        registry.gauge(&format!("m{at}"), &[]).expect("room for it");
    }
    let error = registry.gauge("one_more", &[]).expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(registry.gauge("m0", &[("a", "b")]).is_ok(), "known names still get series");
}

#[test]
fn labels_in_any_order_are_one_series_and_snapshots_are_sorted() {
    let registry = registry();
    for (name, labels) in [
        ("b", [("x", "1"), ("y", "2")]),
        ("a", [("x", "2"), ("y", "1")]),
        ("b", [("y", "2"), ("x", "1")]),
        ("a", [("x", "1"), ("y", "2")]),
    ] {
        registry.execute(name, &labels, Measurement::Add(1)).expect("valid");
        let metrics = registry.snapshot();
        assert!(metrics.is_sorted_by_key(|metric| (metric.name.clone(), metric.labels.clone())));
    }
    let found: Vec<_> = registry.snapshot_of("b");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].value, counted(&found, "b")), (MetricValue::Counter(2), 2));
    assert!(registry.snapshot_of("aa").is_empty() && registry.snapshot_of("z").is_empty());
}

#[test]
fn names_that_are_prefixes_of_one_another_are_different_metrics() {
    let registry = registry();
    for name in ["a", "a.count", "a.count.x"] {
        registry.counter(name, &[]).expect("valid").increment();
    }
    assert_eq!(registry.snapshot().len(), 3);
    assert_eq!(registry.snapshot_of("a.count").len(), 1);
}

#[test]
fn many_short_threads_take_over_each_others_slots_and_lose_nothing() {
    let registry = registry();
    let counter = registry.counter("runs", &[]).expect("a valid name");
    let histogram = registry.histogram("sizes", &[]).expect("a valid name");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for at in 0..200_u32 {
                    thread::scope(|inner| {
                        inner.spawn(|| {
                            for _ in 0..10 {
                                counter.increment();
                                histogram.record(f64::from(at) - 100.0);
                            }
                        });
                    });
                }
            });
        }
    });
    assert_eq!(counter.sum(), 16_000);
    let said = histogram.distribution();
    assert_eq!((said.count, said.min, said.max, said.sum), (16_000, -100.0, 99.0, -8_000.0));
}

#[test]
fn more_threads_than_slots_share_and_lose_nothing() {
    let registry = registry();
    let counter = registry.counter("runs", &[]).expect("a valid name");
    let histogram = registry.histogram("sizes", &[]).expect("a valid name");
    let threads = SLOTS * 2;
    let all_own_or_share = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                counter.increment();
                all_own_or_share.wait();
                for at in 0..1_000_u32 {
                    counter.increment();
                    histogram.record(f64::from(at % 3) - 1.0);
                }
            });
        }
    });
    assert_eq!(counter.sum(), threads as u64 * 1_001);
    let said = histogram.distribution();
    assert_eq!((said.count, said.min, said.max), (threads as u64 * 1_000, -1.0, 1.0));
    assert_eq!(said.sum, -(threads as f64));
}

#[test]
fn recording_goes_on_while_a_thread_ends() {
    struct RecordsLast(super::Counter);
    impl Drop for RecordsLast {
        fn drop(&mut self) {
            self.0.increment();
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<RecordsLast>> = const { std::cell::RefCell::new(None) };
    }
    let registry = registry();
    let counter = registry.counter("runs", &[]).expect("a valid name");
    for first_own_then_last in [true, false] {
        let counter = counter.clone();
        let thread = thread::spawn(move || {
            if first_own_then_last {
                counter.increment();
                LAST.set(Some(RecordsLast(counter)));
            } else {
                LAST.set(Some(RecordsLast(counter.clone())));
                counter.increment();
            }
        });
        thread.join().expect("it ends well");
    }
    assert_eq!(counter.sum(), 4);
}

#[test]
fn series_made_by_many_threads_at_once_are_made_once() {
    let registry = registry();
    recorded_while_watched(
        |_| {
            for at in 0..500 {
                let id = format!("{}", at % 50);
                let labels = [("id", id.as_str()), ("zone", "a")];
                registry.execute("made", &labels, Measurement::Record(1.0)).expect("valid");
            }
        },
        || {
            let metrics = registry.snapshot();
            let mut seen = HashMap::new();
            for metric in &metrics {
                assert!(seen.insert(metric.labels.clone(), ()).is_none(), "a series twice");
            }
        },
    );
    let metrics = registry.snapshot();
    assert_eq!(metrics.len(), 50);
    let counts = metrics.iter().map(|metric| match metric.value {
        MetricValue::Histogram(said) => said.count,
        other => panic!("{other:?}"),
    });
    assert_eq!(counts.sum::<u64>(), 4_000);
}
