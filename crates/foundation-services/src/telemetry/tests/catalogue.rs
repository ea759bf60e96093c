//! Bad names, labels and numbers: none fails its caller, each is counted, `try_` says why.

use foundation_types::ErrorKind;
use foundation_types::telemetry::{Measurement, MetricValue};

use super::sample::service;

#[test]
fn every_bad_name_and_label_of_the_catalogue_is_counted_and_explained() {
    let long = "x".repeat(65_536);
    let many: Vec<(String, &str)> = (0..1_000).map(|at| (format!("l{at}"), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, *value)).collect();
    let rows: [(&str, &[(&str, &str)], ErrorKind); 14] = [
        ("", &[], ErrorKind::Invalid),
        (&long, &[], ErrorKind::TooLarge),
        ("naïve", &[], ErrorKind::Invalid),
        ("9lives", &[], ErrorKind::Invalid),
        ("a..b", &[], ErrorKind::Invalid),
        ("a b", &[], ErrorKind::Invalid),
        ("a\n# HELP forged", &[], ErrorKind::Invalid),
        ("a{b=\"c\"}", &[], ErrorKind::Invalid),
        ("ok", &[("", "v")], ErrorKind::Invalid),
        ("ok", &[("__name__", "v")], ErrorKind::Invalid),
        ("ok", &[("a", "1"), ("a", "2")], ErrorKind::Invalid),
        ("ok", &[(&long, "v")], ErrorKind::TooLarge),
        ("ok", &[("a", &long)], ErrorKind::TooLarge),
        ("ok", &many, ErrorKind::TooLarge),
    ];
    let (telemetry, _) = service();
    for (at, (name, labels, kind)) in rows.into_iter().enumerate() {
        let dropped = at as u64 * 4;
        assert_eq!(telemetry.status().dropped, dropped);
        let why = telemetry.try_counter(name, labels).expect_err("it may not be").kind();
        assert_eq!(why, kind, "{}", &name[..name.len().min(40)]);
        telemetry.counter_with(name, labels).increment();
        telemetry.gauge_with(name, labels).set(1.0);
        telemetry.histogram_with(name, labels).record(1.0);
        telemetry.execute(name, labels, Measurement::Add(1));
        assert_eq!(telemetry.status().dropped, dropped + 4);
    }
    assert_eq!(telemetry.snapshot(), []);
}

#[test]
fn a_number_that_is_none_leaves_its_metric_as_it_was() {
    let (telemetry, _) = service();
    telemetry.execute("level", &[], Measurement::Set(3.0));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        telemetry.execute("level", &[], Measurement::Set(bad));
        telemetry.execute("seconds", &[], Measurement::Record(bad));
        let why = telemetry.try_execute("level", &[], Measurement::Set(bad));
        assert_eq!(why.expect_err("no number").kind(), ErrorKind::OutOfRange);
    }
    assert_eq!(telemetry.status().dropped, 9);
    assert_eq!(telemetry.gauge("level").value(), Some(3.0));
    assert_eq!(telemetry.histogram("seconds").distribution().count, 0);
}

#[test]
fn a_name_has_one_kind_and_another_kind_is_counted() {
    let (telemetry, _) = service();
    telemetry.counter("orders").add(2);
    telemetry.gauge("orders").set(9.0);
    telemetry.execute("orders", &[], Measurement::Record(1.0));
    assert_eq!(telemetry.status().dropped, 2);
    assert_eq!(telemetry.snapshot()[0].value, MetricValue::Counter(2));
}

#[test]
fn a_counter_at_its_end_stays_there_and_values_of_labels_are_any_text() {
    let (telemetry, _) = service();
    telemetry.execute("all", &[("quote", "a\"b\\c\nd")], Measurement::Add(u64::MAX));
    telemetry.execute("all", &[("quote", "a\"b\\c\nd")], Measurement::Add(1));
    assert_eq!(telemetry.snapshot()[0].value, MetricValue::Counter(u64::MAX));
}

#[test]
fn a_label_with_a_value_for_each_user_is_bounded_and_named() {
    let (telemetry, _) = service();
    telemetry.set_max_series_per_metric(10);
    for user in 0..5_000 {
        telemetry.execute("visits", &[("user", &user.to_string())], Measurement::Add(1));
    }
    let series = telemetry.snapshot_of("visits");
    assert_eq!(series.len(), 11);
    let total: u64 = series
        .iter()
        .map(|metric| match metric.value {
            MetricValue::Counter(sum) => sum,
            _ => 0,
        })
        .sum();
    assert_eq!(total, 5_000);
    assert_eq!(telemetry.offenders()[0].refused, 4_990);
}

#[test]
fn a_namespace_is_read_by_itself_and_names_that_are_prefixes_do_not_clash() {
    let (telemetry, _) = service();
    for name in ["shop", "shop.orders", "shop.orders.late", "shop2", "shopping.carts", "a"] {
        telemetry.counter(name).increment();
    }
    let names = |namespace: &str| {
        let metrics = telemetry.snapshot_of(namespace);
        metrics.iter().map(|metric| metric.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("shop"), ["shop", "shop.orders", "shop.orders.late"]);
    assert_eq!(names("shop.orders"), ["shop.orders", "shop.orders.late"]);
    assert_eq!(names("nothing"), Vec::<String>::new());
    assert_eq!(telemetry.roll_up()[""].counted, 6);
    assert_eq!(telemetry.roll_up()["shop"].counted, 2);
}
