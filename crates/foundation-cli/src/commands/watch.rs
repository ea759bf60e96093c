//! The status line under the log of a serving node: what it holds and how fast it grows.

use std::time::Duration;

use foundation::Foundation;
use foundation::telemetry::MetricValue;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::program::Program;
use crate::render;

/// How often the line is drawn.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// The status line, where a person watches.
pub(super) struct StatusLine {
    bar: Option<ProgressBar>,
    /// Events at the last drawing.
    events: Option<u64>,
}

impl StatusLine {
    pub(super) fn new(program: &Program) -> Self {
        let bar = program.is_watched().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            match ProgressStyle::with_template("{msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { bar, events: None }
    }

    /// What log lines have to get out of the way.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        self.bar.clone()
    }

    /// Does something above the line.
    pub(super) fn above(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Draws it anew; called each [`INTERVAL`].
    pub(super) fn draw(&mut self, foundation: &Foundation) {
        let Some(bar) = &self.bar else { return };
        let events = foundation.events().stats().recorded;
        let rate = self.events.map_or(0, |before| events.saturating_sub(before));
        self.events = Some(events);
        bar.set_message(format!(
            "{} ({}/s)  config version {}  {} of memory  {}",
            render::counted(events, "event"),
            render::thousands(rate),
            foundation.settings().version(),
            render::bytes(resident_bytes(foundation)),
            foundation.health().state
        ));
        bar.tick();
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn resident_bytes(foundation: &Foundation) -> u64 {
    let metrics = foundation.telemetry().snapshot();
    let resident = metrics.iter().find(|one| &*one.name == "foundation.process.resident_bytes");
    match resident.map(|metric| metric.value) {
        Some(MetricValue::Gauge(bytes)) => bytes as u64,
        _ => 0,
    }
}
