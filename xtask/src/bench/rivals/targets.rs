//! The rows of the comparison, and what each is to reach.

/// The engines that are measured against the others.
pub(super) const OWN: [&str; 2] = ["foundation-journal", "foundation-store"];
/// The engines that they are measured against.
pub(super) const RIVALS: [&str; 3] = ["fjall", "redb", "sqlite"];

/// Whether more or less of a metric is better.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Better {
    More,
    Less,
}

/// A metric, how it is called, and which way is better.
pub(super) const ROWS: &[(&str, &str, Better)] = &[
    ("append_bare_us", "bare append and sync in the same minute, p50 µs", Better::Less),
    ("append_alone_us", "append alone, p50 µs", Better::Less),
    ("append_64x1_per_s", "64 producers × 1, events/s", Better::More),
    ("append_64x16_per_s", "64 producers × 16, events/s", Better::More),
    ("bulk_per_s", "bulk, events/s", Better::More),
    ("append_64x1_cpu_us", "64 × 1, CPU µs an event", Better::Less),
    ("append_64x16_cpu_us", "64 × 16, CPU µs an event", Better::Less),
    ("bulk_cpu_us", "bulk, CPU µs an event", Better::Less),
    ("disk_bytes", "bytes on disk an event, with indices", Better::Less),
    ("write_peak_mib", "peak memory while writing, MiB", Better::Less),
    ("reopen_kill_ms", "reopen after a kill, ms", Better::Less),
    ("reopen_clean_ms", "reopen after a clean stop, ms", Better::Less),
    ("query_corr10_p50_us", "query by correlation, 10 hits, p50 µs", Better::Less),
    ("query_corr10_p99_us", "the same, p99 µs", Better::Less),
    ("query_corr100_p50_us", "query by correlation, 100 hits, p50 µs", Better::Less),
    ("query_corr100_p99_us", "the same, p99 µs", Better::Less),
    ("query_type100_p50_us", "query by type, newest 100, p50 µs", Better::Less),
    ("query_type100_p99_us", "the same, p99 µs", Better::Less),
    ("query_time100_p50_us", "query by time, 100 hits, p50 µs", Better::Less),
    ("query_time100_p99_us", "the same, p99 µs", Better::Less),
    ("scan_per_s", "scan of everything, events/s", Better::More),
    ("read_peak_mib", "peak memory while reading, MiB", Better::Less),
    ("drop_ms", "drop the oldest half, ms", Better::Less),
    ("give_back_ms", "give its space back, ms", Better::Less),
    ("disk_bytes_after_drop", "bytes on disk an event afterwards", Better::Less),
];

/// What a metric is to reach.
#[derive(Clone, Copy)]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// This multiple of the best rival, at least.
    BestRival(f64),
    /// This multiple of another metric of the same engine, at most.
    Own(f64, &'static str),
}

/// A metric, its target, and the target in words.
pub(super) const TARGETS: &[(&str, Target, &str)] = &[
    (
        "append_alone_us",
        Target::Own(1.2, "append_bare_us"),
        "append alone ≤ 1.2 × bare append and sync",
    ),
    ("append_64x1_per_s", Target::BestRival(1.0), "64 producers × 1 ≥ the best rival"),
    ("append_64x16_per_s", Target::BestRival(2.5), "64 producers × 16 ≥ 2.5 × the best rival"),
    ("bulk_per_s", Target::AtLeast(1.5e6), "bulk ≥ 1.5 M events/s"),
    ("disk_bytes", Target::AtMost(260.0), "≤ 260 bytes on disk an event, with indices"),
    ("reopen_kill_ms", Target::AtMost(300.0), "reopen after a kill ≤ 300 ms"),
    ("reopen_clean_ms", Target::AtMost(20.0), "reopen after a clean stop ≤ 20 ms"),
    ("query_corr100_p50_us", Target::AtMost(100.0), "query by correlation, 100 hits ≤ 100 µs"),
    ("query_type100_p50_us", Target::AtMost(100.0), "query by type, newest 100 ≤ 100 µs"),
    ("query_time100_p50_us", Target::AtMost(100.0), "query by time, 100 hits ≤ 100 µs"),
    ("scan_per_s", Target::AtLeast(5e6), "scan ≥ 5 M events/s"),
];
