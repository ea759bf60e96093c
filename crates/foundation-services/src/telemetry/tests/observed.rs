//! Observers see what is recorded by name and hold nobody up.

use foundation_types::limits::OBSERVER_MEASUREMENTS_MAX;
use foundation_types::telemetry::{Labels, Measurement};

use super::sample::service;

#[tokio::test]
async fn an_observer_sees_what_was_recorded_and_not_what_was_refused() {
    let (telemetry, _) = service();
    telemetry.execute("before", &[], Measurement::Add(1));
    let mut observer = telemetry.observe();
    telemetry.execute("no name", &[], Measurement::Add(1));
    telemetry.execute("level", &[("room", "hall")], Measurement::Set(21.5));
    let seen = observer.next().await.expect("the service lives");
    assert_eq!((&*seen.name, seen.measurement), ("level", Measurement::Set(21.5)));
    assert_eq!(seen.labels, Labels::new([("room", "hall")]));
    drop(telemetry);
    assert_eq!(observer.next().await, None);
}

#[tokio::test]
async fn one_that_is_stuck_misses_measurements_and_nobody_else_does() {
    let (telemetry, _) = service();
    let (stuck, mut quick) = (telemetry.observe(), telemetry.observe());
    let count = OBSERVER_MEASUREMENTS_MAX as u64 + 100;
    for _ in 0..count {
        telemetry.execute("orders", &[], Measurement::Add(1));
        assert!(quick.next().await.is_some());
    }
    assert_eq!((stuck.missed(), quick.missed()), (100, 0));
    assert_eq!(telemetry.counter("orders").sum(), count);
    drop((stuck, quick));
    telemetry.execute("orders", &[], Measurement::Add(1));
    assert_eq!(telemetry.counter("orders").sum(), count + 1);
}
