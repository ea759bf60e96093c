//! What the series of each namespace come to.

use std::collections::BTreeMap;

use foundation_types::telemetry::{Metric, MetricValue};

/// What the series of one namespace, and of those below it, come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamespaceTotals {
    /// Series of every kind.
    pub series: u64,
    /// Sum of all counters.
    pub counted: u64,
    /// Values recorded into all histograms.
    pub recorded: u64,
}

/// The totals of every namespace: of each dotted prefix of a name, without its last segment.
///
/// `shop.checkout.orders` counts for `shop.checkout`, for `shop` and for the empty namespace,
/// which therefore holds the totals of all series.
///
/// ```
/// use foundation_logic::telemetry::roll_up;
/// use foundation_types::telemetry::{Labels, Metric, MetricValue};
/// let orders = Metric {
///     name: "shop.checkout.orders".into(),
///     labels: Labels::default(),
///     value: MetricValue::Counter(7),
/// };
/// let totals = roll_up(&[orders]);
/// assert_eq!(totals.keys().map(String::as_str).collect::<Vec<_>>(), ["", "shop", "shop.checkout"]);
/// assert_eq!(totals["shop"].counted, 7);
/// ```
#[must_use]
pub fn roll_up(metrics: &[Metric]) -> BTreeMap<String, NamespaceTotals> {
    let mut totals: BTreeMap<String, NamespaceTotals> = BTreeMap::new();
    for metric in metrics {
        for namespace in namespaces(&metric.name) {
            match totals.get_mut(namespace) {
                Some(known) => known.add(metric.value),
                None => totals.entry(namespace.to_owned()).or_default().add(metric.value),
            }
        }
    }
    totals
}

impl NamespaceTotals {
    fn add(&mut self, value: MetricValue) {
        self.series += 1;
        match value {
            MetricValue::Counter(sum) => self.counted = self.counted.saturating_add(sum),
            MetricValue::Gauge(_) => {}
            MetricValue::Histogram(said) => {
                self.recorded = self.recorded.saturating_add(said.count);
            }
        }
    }
}

fn namespaces(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(name.match_indices('.').map(|(at, _)| &name[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use foundation_types::telemetry::{Distribution, Labels};

    fn metric(name: &str, value: MetricValue) -> Metric {
        Metric { name: name.into(), labels: Labels::default(), value }
    }

    #[test]
    fn a_name_counts_for_each_namespace_above_it() {
        let recorded = Distribution { count: 3, ..Distribution::default() };
        let totals = roll_up(&[
            metric("up", MetricValue::Gauge(1.0)),
            metric("shop.orders", MetricValue::Counter(2)),
            metric("shop.checkout.orders", MetricValue::Counter(5)),
            metric("shop.checkout.latency", MetricValue::Histogram(recorded)),
            metric("shopping.carts", MetricValue::Counter(u64::MAX)),
        ]);
        let rows: Vec<_> = totals
            .iter()
            .map(|(name, totals)| (name.as_str(), totals.series, totals.counted, totals.recorded))
            .collect();
        assert_eq!(
            rows,
            [
                ("", 5, u64::MAX, 3),
                ("shop", 3, 7, 3),
                ("shop.checkout", 2, 5, 3),
                ("shopping", 1, u64::MAX, 0),
            ]
        );
    }

    #[test]
    fn names_that_are_prefixes_of_one_another_do_not_clash() {
        let totals = roll_up(&[
            metric("a", MetricValue::Counter(1)),
            metric("a.b", MetricValue::Counter(1)),
            metric("a.b.c", MetricValue::Counter(1)),
        ]);
        assert_eq!((totals["a"].series, totals["a.b"].series), (2, 1));
    }
}
