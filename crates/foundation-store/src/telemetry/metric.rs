//! What a metric and its series are to the registry.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use foundation_types::telemetry::{Labels, Measurement, Metric, MetricKind, MetricValue};
use foundation_types::{Error, ErrorKind, Result};
use foundation_validate::telemetry as rules;

use super::counter::CounterSeries;
use super::gauge::GaugeSeries;
use super::histogram::{HistogramSeries, Tally};

/// What happens to a measurement that cannot be kept: it is counted, once for the registry.
#[derive(Clone)]
pub(super) struct Fate {
    drops: Arc<AtomicU64>,
    all: bool,
}

impl Fate {
    /// Keeps what can be kept.
    pub(super) fn keep(drops: &Arc<AtomicU64>) -> Self {
        Self { drops: Arc::clone(drops), all: false }
    }

    /// Keeps nothing.
    pub(super) fn drop_all(drops: &Arc<AtomicU64>) -> Self {
        Self { drops: Arc::clone(drops), all: true }
    }

    #[inline]
    pub(super) fn is_dropped(&self) -> bool {
        self.all
    }

    #[cold]
    pub(super) fn count_drop(&self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// All series of one name.
pub(super) struct Family {
    pub(super) name: Arc<str>,
    pub(super) kind: MetricKind,
    /// Label sets that have a series of their own.
    pub(super) label_sets: AtomicU64,
    /// The series of all other label sets, made when there is the first of them.
    pub(super) overflow: OnceLock<Arc<Series>>,
    /// Times that a label set was refused a series of its own.
    pub(super) refused: AtomicU64,
    /// The first one refused.
    pub(super) example: OnceLock<Labels>,
}

impl Family {
    pub(super) fn new(name: &str, kind: MetricKind) -> Self {
        Self {
            name: name.into(),
            kind,
            label_sets: AtomicU64::new(0),
            overflow: OnceLock::new(),
            refused: AtomicU64::new(0),
            example: OnceLock::new(),
        }
    }
}

/// One label set of a metric, and what records it.
pub(super) struct Series {
    pub(super) name: Arc<str>,
    pub(super) labels: Labels,
    pub(super) instrument: Instrument,
}

/// What records, by kind.
pub(super) enum Instrument {
    Counter(Arc<CounterSeries>),
    Gauge(Arc<GaugeSeries>),
    Histogram(Arc<HistogramSeries>),
}

impl Series {
    pub(super) fn new(family: &Family, labels: Labels, fate: Fate) -> Self {
        let instrument = match family.kind {
            MetricKind::Counter => Instrument::Counter(Arc::new(CounterSeries::new(fate))),
            MetricKind::Gauge => Instrument::Gauge(Arc::new(GaugeSeries::new(fate))),
            MetricKind::Histogram => Instrument::Histogram(Arc::new(HistogramSeries::new(fate))),
        };
        Self { name: Arc::clone(&family.name), labels, instrument }
    }

    /// Whether it has this name and these labels, given in any order.
    #[inline]
    pub(super) fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        let ours = self.labels.pairs();
        let mut pairs = ours.iter().zip(labels);
        *self.name == *name
            && ours.len() == labels.len()
            && (pairs.all(|(ours, theirs)| *ours.0 == *theirs.0 && *ours.1 == *theirs.1)
                || self.has_all(labels))
    }

    /// Whether as many labels as it has, in another order, are its own.
    fn has_all(&self, labels: &[(&str, &str)]) -> bool {
        let mut unmatched: Vec<_> = self.labels.pairs().iter().collect();
        labels.iter().all(|(label, value)| {
            let at = unmatched.iter().position(|ours| *ours.0 == **label && *ours.1 == **value);
            at.map(|at| unmatched.swap_remove(at)).is_some()
        })
    }

    /// Records the measurement.
    ///
    /// # Errors
    /// If it is for another kind of metric, or not finite; the latter is counted as dropped.
    pub(super) fn apply(&self, measurement: Measurement) -> Result<()> {
        match (&self.instrument, measurement) {
            (Instrument::Counter(counter), Measurement::Add(more)) => counter.add(more),
            (Instrument::Gauge(gauge), Measurement::Set(value)) => gauge.set(value),
            (Instrument::Histogram(histogram), Measurement::Record(value)) => {
                histogram.record(value);
            }
            _ => return Err(wrong_kind(&self.name, self.instrument.kind(), measurement.kind())),
        }
        rules::measurement(measurement)
    }

    /// Its value now; `None` of a gauge that was never set.
    pub(super) fn read(&self, tally: &mut Option<Tally>) -> Option<Metric> {
        let value = match &self.instrument {
            Instrument::Counter(counter) => MetricValue::Counter(counter.sum()),
            Instrument::Gauge(gauge) => MetricValue::Gauge(gauge.value()?),
            Instrument::Histogram(histogram) => {
                let tally = tally.get_or_insert_with(Tally::new);
                MetricValue::Histogram(histogram.distribution(tally))
            }
        };
        Some(Metric { name: Arc::clone(&self.name), labels: self.labels.clone(), value })
    }
}

impl Instrument {
    pub(super) fn kind(&self) -> MetricKind {
        match self {
            Self::Counter(_) => MetricKind::Counter,
            Self::Gauge(_) => MetricKind::Gauge,
            Self::Histogram(_) => MetricKind::Histogram,
        }
    }
}

#[cold]
pub(super) fn wrong_kind(name: &str, is: MetricKind, asked: MetricKind) -> Error {
    let word = |kind| match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    };
    let message = format!("metric {name:?} is a {}, not a {}", word(is), word(asked));
    Error::new(ErrorKind::Invalid, message).with("metric", name)
}
