//! What each row is to reach.

/// The row whose time scales absolute targets, and what it took where they were set.
pub(crate) const SCALE_ROW: &str = "Config.get / ArcSwap::load";
/// Nanoseconds of that row where the targets were set.
pub(crate) const SCALE_NS: f64 = 12.7;

/// What a row is to reach at most.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Nanoseconds, scaled by [`SCALE_ROW`].
    Scaled(f64),
    /// A multiple of another row of the same run.
    Ratio(f64, &'static str),
}

/// The targets, by row.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("Config.get / typed", Target::Ratio(1.2, SCALE_ROW)),
    ("Config.get / by parsed path", Target::Scaled(30.0)),
    ("Config.get / by text path", Target::Scaled(100.0)),
    ("Config.update / memory, 60 leaves", Target::Scaled(10_000.0)),
    (
        "Config.update / tree part, 10000 leaves",
        Target::Ratio(10.0, "Config.update / tree part, 60 leaves"),
    ),
    ("Config.update / durable, 64 updaters", Target::Ratio(0.125, "Config.update / durable")),
    (
        "Config.update / durable, p99 with 100 subscribers",
        Target::Ratio(1.1, "Config.update / durable, p99"),
    ),
    ("Config.change to subscriber / p99", Target::Scaled(100_000.0)),
    ("Config.update / durable", Target::Ratio(1.2, "Config.update / bare append and sync")),
    ("Events.store / memory", Target::Scaled(400.0)),
    ("Events.store / memory, batch of 100", Target::Scaled(250.0)),
    ("Events.store / durable, alone", Target::Ratio(1.2, "Events.store / bare append and sync")),
    ("Events.query by correlation, 10 hits / 100000", Target::Scaled(3_000.0)),
    ("Telemetry.execute / bound counter", Target::Scaled(2.5)),
    ("Telemetry.execute / bound histogram", Target::Scaled(4.0)),
    ("Telemetry.execute / by name, 2 labels", Target::Scaled(40.0)),
    ("Telemetry.get_metrics / 100 series", Target::Scaled(5_000.0)),
];
