//! Telemetry: what is measured, under which name and labels, and what it adds up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a metric does with its measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Adds them up; never goes back.
    Counter,
    /// Keeps the last one.
    Gauge,
    /// Keeps their distribution in fixed memory.
    Histogram,
}

/// Labels of a series, sorted by name, without repeats. In JSON they are an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "BTreeMap<Arc<str>, Arc<str>>")]
pub struct Labels(Vec<(Arc<str>, Arc<str>)>);

impl Labels {
    /// Sorts the pairs by name; of a repeated name the first pair stays.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut pairs: Vec<_> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        pairs.sort_by(|(ours, _), (theirs, _)| ours.cmp(theirs));
        pairs.dedup_by(|(later, _), (first, _)| later == first);
        Self(pairs)
    }

    /// The pairs in order of names.
    #[must_use]
    pub fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl From<BTreeMap<Arc<str>, Arc<str>>> for Labels {
    fn from(pairs: BTreeMap<Arc<str>, Arc<str>>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// One measurement: what `execute` takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measurement {
    /// Adds to a counter.
    Add(u64),
    /// Sets a gauge.
    Set(f64),
    /// Records into a histogram.
    Record(f64),
}

impl Measurement {
    /// The kind of metric that takes this measurement.
    #[must_use]
    pub fn kind(self) -> MetricKind {
        match self {
            Self::Add(_) => MetricKind::Counter,
            Self::Set(_) => MetricKind::Gauge,
            Self::Record(_) => MetricKind::Histogram,
        }
    }
}

/// What a histogram says of its measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Smallest, 0 if there is none.
    pub min: f64,
    /// Largest, 0 if there is none.
    pub max: f64,
    /// True mean, 0 if there is none.
    pub mean: f64,
    /// Median, within the relative error that the registry states.
    pub p50: f64,
    /// 95th percentile, within the same error.
    pub p95: f64,
    /// 99th percentile, within the same error.
    pub p99: f64,
}

/// The value of a series at the moment of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricValue {
    /// Sum of a counter.
    Counter(u64),
    /// Last value of a gauge.
    Gauge(f64),
    /// Distribution of a histogram.
    Histogram(Distribution),
}

/// One series at the moment of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Dotted name, for example `shop.checkout.latency_seconds`.
    pub name: Arc<str>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Its value.
    pub value: MetricValue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_an_object_in_json() {
        let labels = Labels::new([("zone", "a"), ("kind", "free")]);
        let text = serde_json::to_string(&labels).expect("writes");
        assert_eq!(text, r#"{"kind":"free","zone":"a"}"#);
        assert_eq!(serde_json::from_str::<Labels>(&text).expect("reads"), labels);
    }
}
