//! The registry of metrics: finds a series by name and labels, makes it within bounds, reads all.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foundation_types::limits::METRICS_MAX;
use foundation_types::telemetry::{Labels, Measurement, Metric, MetricKind};
use foundation_types::{Error, ErrorKind, Result};
use foundation_validate::telemetry as rules;

use super::counter::{Counter, CounterSeries};
use super::directory::Directory;
use super::gauge::{Gauge, GaugeSeries};
use super::histogram::{Histogram, HistogramSeries};
use super::metric::{Family, Fate, Instrument, Series, wrong_kind};
use crate::key_hash::KeyHasher;

/// Label of the series that takes every label set beyond the bound of a metric.
const OVERFLOW: (&str, &str) = ("overflow", "true");
/// Offenders that a report names.
const OFFENDERS_MAX: usize = 100;

/// All metrics of a process, or of a part of it.
///
/// A metric has one kind and one series for each label set, up to a bound; the label sets beyond
/// it share the series labelled `overflow="true"`, so that totals stay exact. A caller may name
/// that series itself. Series are never removed.
///
/// ```
/// use foundation_store::telemetry::MetricRegistry;
/// let registry = MetricRegistry::new(2_000);
/// let orders = registry.counter("shop.orders", &[("country", "nl")])?;
/// orders.add(2);
/// assert_eq!(registry.snapshot().len(), 1);
/// assert_eq!(orders.sum(), 2);
/// # Ok::<(), foundation_types::Error>(())
/// ```
pub struct MetricRegistry {
    hasher: KeyHasher,
    families: Directory<Family>,
    series: Directory<Series>,
    /// What was made, in order; the lock under which it is made.
    made: Mutex<Made>,
    /// All series by name and labels, as of some moment; the lock is for making it anew.
    sorted: ArcSwap<Vec<Arc<Series>>>,
    sorting: Mutex<()>,
    label_sets_max: AtomicU64,
    drops: Arc<AtomicU64>,
}

#[derive(Default)]
struct Made {
    families: Vec<Arc<Family>>,
    series: Vec<Arc<Series>>,
}

/// A metric that was given more label sets than it may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Offender {
    /// Its name.
    pub name: Arc<str>,
    /// Times that a label set without a series of its own was named, be it for a handle or for
    /// one measurement. The same label set counts each time.
    pub refused: u64,
    /// The first label set refused.
    pub example: Labels,
}

/// How full a registry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryStatus {
    /// Names.
    pub metrics: u64,
    /// Series of all names, overflow series included.
    pub series: u64,
    /// Label sets that one metric may have.
    pub max_series_per_metric: u64,
    /// Measurements that were not kept: not finite, or recorded by a handle that keeps nothing.
    pub dropped: u64,
}

impl MetricRegistry {
    /// An empty registry; each metric may have this many label sets.
    #[must_use]
    pub fn new(max_series_per_metric: u64) -> Self {
        Self {
            hasher: KeyHasher::new(),
            families: Directory::new(),
            series: Directory::new(),
            made: Mutex::default(),
            sorted: ArcSwap::default(),
            sorting: Mutex::default(),
            label_sets_max: AtomicU64::new(max_series_per_metric),
            drops: Arc::default(),
        }
    }

    /// From now on each metric may have this many label sets; series that exist stay.
    pub fn set_max_series_per_metric(&self, max: u64) {
        self.label_sets_max.store(max, Ordering::Relaxed);
    }

    /// The counter with this name and these labels, made if it does not exist.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] or another kind of its category if the name or a label breaks the
    /// grammar, or if the name is that of a gauge or a histogram; [`ErrorKind::TooLarge`] if the
    /// registry holds [`METRICS_MAX`] names.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Result<Counter> {
        match &self.series(name, labels, MetricKind::Counter)?.instrument {
            Instrument::Counter(series) => Ok(Counter::of(Arc::clone(series))),
            other => Err(wrong_kind(name, other.kind(), MetricKind::Counter)),
        }
    }

    /// The gauge with this name and these labels, made if it does not exist.
    ///
    /// # Errors
    /// As for [`Self::counter`].
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Result<Gauge> {
        match &self.series(name, labels, MetricKind::Gauge)?.instrument {
            Instrument::Gauge(series) => Ok(Gauge::of(Arc::clone(series))),
            other => Err(wrong_kind(name, other.kind(), MetricKind::Gauge)),
        }
    }

    /// The histogram with this name and these labels, made if it does not exist.
    ///
    /// # Errors
    /// As for [`Self::counter`].
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Result<Histogram> {
        match &self.series(name, labels, MetricKind::Histogram)?.instrument {
            Instrument::Histogram(series) => Ok(Histogram::of(Arc::clone(series))),
            other => Err(wrong_kind(name, other.kind(), MetricKind::Histogram)),
        }
    }

    /// A counter that keeps nothing: each call on it is counted as dropped.
    #[must_use]
    pub fn dropping_counter(&self) -> Counter {
        Counter::of(Arc::new(CounterSeries::new(Fate::drop_all(&self.drops))))
    }

    /// A gauge that keeps nothing: each call on it is counted as dropped.
    #[must_use]
    pub fn dropping_gauge(&self) -> Gauge {
        Gauge::of(Arc::new(GaugeSeries::new(Fate::drop_all(&self.drops))))
    }

    /// A histogram that keeps nothing: each call on it is counted as dropped.
    #[must_use]
    pub fn dropping_histogram(&self) -> Histogram {
        Histogram::of(Arc::new(HistogramSeries::new(Fate::drop_all(&self.drops))))
    }

    /// Records one measurement by name. The kind of the measurement is that of the metric.
    ///
    /// Where the series exists nothing is allocated and no lock is taken.
    ///
    /// # Errors
    /// As for [`Self::counter`], and [`ErrorKind::OutOfRange`] for a number that is not finite,
    /// which is counted as dropped besides.
    pub fn execute(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        measurement: Measurement,
    ) -> Result<()> {
        self.series(name, labels, measurement.kind())?.apply(measurement)
    }

    /// Every series with its value, sorted by name and labels, without gauges that were never set.
    ///
    /// It holds everything recorded before the call. Recording goes on meanwhile: each series is
    /// read at one moment during the call. The percentiles and the count of a histogram are of
    /// the same values; its sum may be ahead of them by values being recorded at that moment.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Metric> {
        read(&self.sorted())
    }

    /// The series of one metric with their values, sorted by labels; empty for an unknown name.
    #[must_use]
    pub fn snapshot_of(&self, name: &str) -> Vec<Metric> {
        let sorted = self.sorted();
        let start = sorted.partition_point(|series| *series.name < *name);
        let end = start + sorted[start..].partition_point(|series| *series.name == *name);
        read(&sorted[start..end])
    }

    /// The series of a namespace with their values: of the metric with this name and of all whose
    /// names go on after it with a dot.
    #[must_use]
    pub fn snapshot_under(&self, namespace: &str) -> Vec<Metric> {
        let mut metrics = self.snapshot_of(namespace);
        let sorted = self.sorted();
        let inner = format!("{namespace}.");
        let start = sorted.partition_point(|series| *series.name < *inner);
        let end = start + sorted[start..].partition_point(|series| series.name.starts_with(&inner));
        metrics.extend(read(&sorted[start..end]));
        metrics
    }

    /// The metrics with the most refusals, most first, at most 100.
    #[must_use]
    pub fn offenders(&self) -> Vec<Offender> {
        let mut offenders: Vec<_> = lock(&self.made)
            .families
            .iter()
            .filter_map(|family| {
                Some(Offender {
                    name: Arc::clone(&family.name),
                    refused: family.refused.load(Ordering::Relaxed),
                    example: family.example.get()?.clone(),
                })
            })
            .collect();
        offenders.sort_by(|one, two| {
            (Reverse(one.refused), &one.name).cmp(&(Reverse(two.refused), &two.name))
        });
        offenders.truncate(OFFENDERS_MAX);
        offenders
    }

    /// How full it is.
    #[must_use]
    pub fn status(&self) -> RegistryStatus {
        RegistryStatus {
            metrics: self.families.len() as u64,
            series: self.series.len() as u64,
            max_series_per_metric: self.label_sets_max.load(Ordering::Relaxed),
            dropped: self.drops.load(Ordering::Relaxed),
        }
    }

    #[inline]
    fn series(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        kind: MetricKind,
    ) -> Result<&Arc<Series>> {
        let hash = self.hasher.series(name, labels);
        match self.series.find(hash, |series| series.is(name, labels)) {
            Some(series) => Ok(series),
            None => self.make(name, labels, hash, kind),
        }
    }

    /// Makes the series, or finds the one that takes its place.
    #[cold]
    fn make(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        hash: u64,
        kind: MetricKind,
    ) -> Result<&Arc<Series>> {
        rules::metric_name(name)?;
        let valid = rules::labels(labels)?.into_inner();
        let name_hash = self.hasher.name(name.as_bytes());
        let known = self.families.find(name_hash, |family| *family.name == *name);
        if let Some(family) = known.filter(|family| self.is_full(family) && family.kind == kind)
            && let Some(overflow) = self.refuse(family, labels, &valid)
        {
            return Ok(overflow);
        }

        let mut made = lock(&self.made);
        let family = self.family(&mut made, name, name_hash, kind)?;
        let found = |hash| self.series.find(hash, |series| series.is(name, labels));
        if let Some(series) = found(hash) {
            return Ok(series);
        }
        if labels == [OVERFLOW] || self.is_full(family) {
            self.make_overflow(&mut made, family);
            let overflow = self.refuse(family, labels, &valid);
            return overflow.ok_or_else(|| lost(name));
        }
        family.label_sets.fetch_add(1, Ordering::Release);
        self.put(&mut made, hash, Series::new(family, valid, Fate::keep(&self.drops)));
        found(hash).ok_or_else(|| lost(name))
    }

    fn family(
        &self,
        made: &mut Made,
        name: &str,
        hash: u64,
        kind: MetricKind,
    ) -> Result<&Arc<Family>> {
        let found = || self.families.find(hash, |family| *family.name == *name);
        if found().is_none() {
            if made.families.len() >= METRICS_MAX {
                let message = format!(
                    "cannot add metric {name:?}: the registry holds its most, {METRICS_MAX} names"
                );
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            let family = Arc::new(Family::new(name, kind));
            made.families.push(Arc::clone(&family));
            self.families.insert(hash, family);
        }
        let family = found().ok_or_else(|| lost(name))?;
        if family.kind == kind { Ok(family) } else { Err(wrong_kind(name, family.kind, kind)) }
    }

    /// The overflow series in place of one that may not be made; `None` if it is not made yet.
    fn refuse<'a>(
        &self,
        family: &'a Family,
        labels: &[(&str, &str)],
        valid: &Labels,
    ) -> Option<&'a Arc<Series>> {
        let overflow = family.overflow.get()?;
        if labels != [OVERFLOW] {
            family.refused.fetch_add(1, Ordering::Relaxed);
            family.example.get_or_init(|| valid.clone());
        }
        Some(overflow)
    }

    fn make_overflow(&self, made: &mut Made, family: &Family) {
        family.overflow.get_or_init(|| {
            let series = Series::new(family, Labels::new([OVERFLOW]), Fate::keep(&self.drops));
            self.put(made, self.hasher.series(&family.name, &[OVERFLOW]), series)
        });
    }

    fn put(&self, made: &mut Made, hash: u64, series: Series) -> Arc<Series> {
        let series = Arc::new(series);
        made.series.push(Arc::clone(&series));
        self.series.insert(hash, Arc::clone(&series));
        series
    }

    fn is_full(&self, family: &Family) -> bool {
        let max = self.label_sets_max.load(Ordering::Relaxed);
        family.label_sets.load(Ordering::Acquire) >= max
    }

    /// Every series there is, sorted; made anew if series came since.
    fn sorted(&self) -> Arc<Vec<Arc<Series>>> {
        let there = self.series.len();
        let sorted = self.sorted.load();
        if sorted.len() >= there {
            return Arc::clone(&sorted);
        }
        let _one_at_a_time = lock(&self.sorting);
        let sorted = self.sorted.load();
        let newer = lock(&self.made).series[sorted.len()..].to_vec();
        let mut all: Vec<_> = sorted.iter().cloned().chain(newer).collect();
        all.sort_by(|one, two| (&one.name, &one.labels).cmp(&(&two.name, &two.labels)));
        let all = Arc::new(all);
        self.sorted.store(Arc::clone(&all));
        all
    }
}

impl std::fmt::Debug for MetricRegistry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.status().fmt(out)
    }
}

fn read(series: &[Arc<Series>]) -> Vec<Metric> {
    let mut tally = None;
    let mut metrics = Vec::with_capacity(series.len());
    metrics.extend(series.iter().filter_map(|series| series.read(&mut tally)));
    metrics
}

/// The lock; a panic of an earlier holder left nothing half done that matters.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn lost(name: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("a series of metric {name:?} was made and not found"))
}
