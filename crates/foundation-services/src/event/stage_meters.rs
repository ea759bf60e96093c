//! What the stages of the intake tell of themselves as metrics.

use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::telemetry::{Counter, Histogram};

use super::pipeline::Pipeline;
use crate::telemetry::TelemetryService;

/// One in this many appends is timed in the stage that every event passes.
const SAMPLED_ONE_IN: u32 = 64;

/// The meters of all stages, bound once.
pub(super) struct StageMeters {
    pub(super) validate: StageMeter,
    pub(super) config: StageMeter,
    pub(super) rules: Vec<StageMeter>,
    pub(super) enrich: Vec<StageMeter>,
    pub(super) routes: Vec<StageMeter>,
}

/// What is told of one stage, or of one part of it.
pub(super) struct StageMeter {
    events: Counter,
    refused: Counter,
    seconds: Histogram,
}

impl StageMeters {
    pub(super) fn new(pipeline: &Pipeline, telemetry: &TelemetryService) -> Self {
        let part = |stage: &str, name: &str| StageMeter::new(&format!("{stage}/{name}"), telemetry);
        Self {
            validate: StageMeter::new("validate", telemetry),
            config: StageMeter::new("rules", telemetry),
            rules: pipeline.rules.iter().map(|one| part("rule", &one.name)).collect(),
            enrich: pipeline.enrich.iter().map(|one| part("enrich", &one.name)).collect(),
            routes: pipeline.routes.iter().map(|one| part("route", &one.name)).collect(),
        }
    }
}

impl StageMeter {
    fn new(stage: &str, telemetry: &TelemetryService) -> Self {
        let labels = &[("stage", stage)];
        Self {
            events: telemetry.counter_with("foundation.events.stage_events", labels),
            refused: telemetry.counter_with("foundation.events.stage_refused", labels),
            seconds: telemetry.histogram_with("foundation.events.stage_seconds", labels),
        }
    }

    pub(super) fn refused(&self) {
        self.refused.increment();
    }

    /// Runs and times a stage.
    pub(super) fn measured<T>(&self, clock: &dyn Clock, run: impl FnOnce() -> T) -> T {
        let before = clock.monotonic();
        let out = run();
        self.events.increment();
        self.seconds.record(clock.monotonic().saturating_sub(before).as_secs_f64());
        out
    }

    /// Runs a stage that every event passes; the time of few of them is taken, for looking at the clock
    /// takes as long as the stage.
    pub(super) fn sampled<T>(
        &self,
        clock: &dyn Clock,
        started: Duration,
        run: impl FnOnce() -> foundation_types::Result<T>,
    ) -> foundation_types::Result<T> {
        // Appends begin at any microsecond: those of each 64th are a fair sample, and none is counted for it.
        let out = if started.subsec_micros().is_multiple_of(SAMPLED_ONE_IN) {
            self.measured(clock, run)
        } else {
            self.events.increment();
            run()
        };
        if out.is_err() {
            self.refused();
        }
        out
    }
}
