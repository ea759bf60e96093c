//! Series and their values, one a line.

use foundation::telemetry::{Labels, Metric, MetricValue};

use super::table::{Align, table};
use super::text::thousands;

/// One row a series.
pub(crate) fn metrics(metrics: &[Metric]) -> Vec<String> {
    let rows: Vec<_> = metrics
        .iter()
        .map(|metric| [format!("{}{}", metric.name, labels(&metric.labels)), value(metric.value)])
        .collect();
    table([Align::Left, Align::Left], &rows)
}

fn labels(labels: &Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let pairs: Vec<_> =
        labels.pairs().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(","))
}

fn value(value: MetricValue) -> String {
    match value {
        MetricValue::Counter(sum) => sum.to_string(),
        MetricValue::Gauge(last) => number(last),
        MetricValue::Histogram(said) => format!(
            "count {}  mean {}  p50 {}  p95 {}  p99 {}  max {}",
            thousands(said.count),
            number(said.mean),
            number(said.p50),
            number(said.p95),
            number(said.p99),
            number(said.max)
        ),
    }
}

/// A measured number with four digits that count; whole numbers as they are.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let magnitude = value.abs().log10().floor();
    if !(-9.0..15.0).contains(&magnitude) {
        return format!("{value:e}");
    }
    let places = (3.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use foundation::telemetry::Distribution;

    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_count() {
        let numbers = [0.0, -3.0, 17_179_869_184.0, 0.25, 0.000_042_19, 1234.56, 99.996, 1e300];
        let shown = numbers.map(number);
        assert_eq!(shown, ["0", "-3", "17179869184", "0.25", "0.00004219", "1235", "100", "1e300"]);
        assert_eq!(number(f64::NAN), "NaN");
    }

    #[test]
    fn series_stand_under_one_another() {
        let series =
            |name: &str, value| Metric { name: name.into(), labels: Labels::default(), value };
        let said = Distribution { count: 2_000, mean: 0.5, max: 1.0, ..Distribution::default() };
        let shown = metrics(&[
            series("shop.orders", MetricValue::Counter(7)),
            Metric {
                name: "up".into(),
                labels: Labels::new([("zone", "a\"b")]),
                value: MetricValue::Gauge(1.0),
            },
            series("took", MetricValue::Histogram(said)),
        ]);
        insta::assert_snapshot!(shown.join("\n"), @r#"
        shop.orders      7
        up{zone="a\"b"}  1
        took             count 2,000  mean 0.5  p50 0  p95 0  p99 0  max 1
        "#);
    }
}
