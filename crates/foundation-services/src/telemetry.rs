//! Telemetry as a service: what is measured, by handle or by name, and what it adds up to.
//!
//! Recording never fails its caller: what cannot be kept is counted as dropped. Metrics live as
//! long as the process; a node keeps a snapshot of them beside the log, which the next one finds.

mod host;
mod keeping;
mod observe;
mod proc_files;
#[cfg(test)]
mod tests;
mod timer;

pub use host::HostSampler;
pub use keeping::{MetricKeeper, kept_metrics};
pub use observe::{Observed, Observer};
pub use timer::Timer;

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_logic::telemetry::{NamespaceTotals, roll_up};
use foundation_store::clock::Clock;
use foundation_store::telemetry::{
    Counter, Gauge, Histogram, MetricRegistry, Offender, RegistryStatus,
};
use foundation_types::telemetry::{Measurement, Metric};
use foundation_types::{ErrorKind, Result, Settings};
use observe::Observers;

/// Counts, gauges and histograms of a process. Clones are cheap and are the same service.
///
/// A handle is bound once to its series and costs a few nanoseconds a call. A name that may not
/// enter gives a handle that keeps nothing: each call on it is counted in
/// [`RegistryStatus::dropped`], and the `try_` variants say why.
///
/// ```
/// # use std::sync::Arc;
/// # use foundation_services::TelemetryService;
/// # use foundation_store::clock::SystemClock;
/// let telemetry = TelemetryService::new(2_000, Arc::new(SystemClock::default()));
/// let orders = telemetry.counter_with("shop.orders", &[("country", "nl")]);
/// orders.add(2);
/// let total = telemetry.measure("shop.sum_seconds", || 40 + 2);
/// assert_eq!((total, orders.sum()), (42, 2));
/// assert_eq!(telemetry.snapshot_of("shop").len(), 2);
/// telemetry.counter("no name").increment();
/// assert_eq!(telemetry.status().dropped, 1);
/// ```
#[derive(Clone, Debug)]
pub struct TelemetryService(Arc<Core>);

struct Core {
    registry: MetricRegistry,
    clock: Arc<dyn Clock>,
    /// Takes what has no series.
    nowhere: Counter,
    observers: Observers,
}

impl TelemetryService {
    /// A service without metrics; each metric may have this many label sets.
    #[must_use]
    pub fn new(max_series_per_metric: u64, clock: Arc<dyn Clock>) -> Self {
        let registry = MetricRegistry::new(max_series_per_metric);
        let nowhere = registry.dropping_counter();
        Self(Arc::new(Core { registry, clock, nowhere, observers: Observers::default() }))
    }

    /// The counter with this name, made if it does not exist.
    #[must_use]
    pub fn counter(&self, name: &str) -> Counter {
        self.counter_with(name, &[])
    }

    /// The counter with this name and these labels, made if it does not exist.
    #[must_use]
    pub fn counter_with(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        self.try_counter(name, labels).unwrap_or_else(|_| self.0.registry.dropping_counter())
    }

    /// As [`Self::counter_with`], saying why it may not be.
    ///
    /// # Errors
    /// As [`MetricRegistry::counter`].
    pub fn try_counter(&self, name: &str, labels: &[(&str, &str)]) -> Result<Counter> {
        self.0.registry.counter(name, labels)
    }

    /// The gauge with this name, made if it does not exist.
    #[must_use]
    pub fn gauge(&self, name: &str) -> Gauge {
        self.gauge_with(name, &[])
    }

    /// The gauge with this name and these labels, made if it does not exist.
    #[must_use]
    pub fn gauge_with(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        self.try_gauge(name, labels).unwrap_or_else(|_| self.0.registry.dropping_gauge())
    }

    /// As [`Self::gauge_with`], saying why it may not be.
    ///
    /// # Errors
    /// As [`MetricRegistry::counter`].
    pub fn try_gauge(&self, name: &str, labels: &[(&str, &str)]) -> Result<Gauge> {
        self.0.registry.gauge(name, labels)
    }

    /// The histogram with this name, made if it does not exist.
    #[must_use]
    pub fn histogram(&self, name: &str) -> Histogram {
        self.histogram_with(name, &[])
    }

    /// The histogram with this name and these labels, made if it does not exist.
    #[must_use]
    pub fn histogram_with(&self, name: &str, labels: &[(&str, &str)]) -> Histogram {
        self.try_histogram(name, labels).unwrap_or_else(|_| self.0.registry.dropping_histogram())
    }

    /// As [`Self::histogram_with`], saying why it may not be.
    ///
    /// # Errors
    /// As [`MetricRegistry::counter`].
    pub fn try_histogram(&self, name: &str, labels: &[(&str, &str)]) -> Result<Histogram> {
        self.0.registry.histogram(name, labels)
    }

    /// Records one measurement by name. What may not enter is counted as dropped.
    pub fn execute(&self, name: &str, labels: &[(&str, &str)], measurement: Measurement) {
        if let Err(error) = self.try_execute(name, labels, measurement)
            && error.kind() != ErrorKind::OutOfRange
        {
            // A number out of range has been counted by its series.
            self.0.nowhere.increment();
        }
    }

    /// As [`Self::execute`], saying why it may not be.
    ///
    /// # Errors
    /// As [`MetricRegistry::execute`].
    pub fn try_execute(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        measurement: Measurement,
    ) -> Result<()> {
        self.0.registry.execute(name, labels, measurement)?;
        self.0.observers.tell(name, labels, measurement);
        Ok(())
    }

    /// Follows the measurements that are recorded by name from now on, until it is dropped.
    ///
    /// It is a bounded queue beside the recording: an observer that is slow, stuck or panics
    /// misses measurements, which it is told of, and nobody else notices.
    #[must_use]
    pub fn observe(&self) -> Observer {
        self.0.observers.add()
    }

    /// Every series with its value, sorted by name and labels.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Metric> {
        self.0.registry.snapshot()
    }

    /// The series of a namespace: of the metric with this name and of all below it.
    #[must_use]
    pub fn snapshot_of(&self, namespace: &str) -> Vec<Metric> {
        self.0.registry.snapshot_under(namespace)
    }

    /// The totals of every namespace.
    #[must_use]
    pub fn roll_up(&self) -> BTreeMap<String, NamespaceTotals> {
        roll_up(&self.snapshot())
    }

    /// From now on each metric may have this many label sets; series that exist stay.
    pub fn set_max_series_per_metric(&self, max: u64) {
        self.0.registry.set_max_series_per_metric(max);
    }

    /// Takes what the settings say of telemetry.
    pub fn apply_settings(&self, settings: &Settings) {
        self.set_max_series_per_metric(settings.telemetry.max_series_per_metric);
    }

    /// How full it is, and what was dropped.
    #[must_use]
    pub fn status(&self) -> RegistryStatus {
        self.0.registry.status()
    }

    /// The metrics that were given more label sets than they may have, the worst first.
    #[must_use]
    pub fn offenders(&self) -> Vec<Offender> {
        self.0.registry.offenders()
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.registry.fmt(out)
    }
}
