//! A duration is recorded in seconds, whatever way the work ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use super::sample::service;

#[test]
fn work_that_ends_fails_or_panics_is_measured() {
    let (telemetry, clock) = service();
    let work = || clock.advance(Duration::from_millis(250));
    telemetry.measure("work.seconds", work);
    let failed: Result<(), &str> = telemetry.measure("work.seconds", || {
        work();
        Err("no")
    });
    assert_eq!(failed, Err("no"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        telemetry.measure("work.seconds", || {
            work();
            panic!("planted");
        });
    }));
    assert!(panicked.is_err());
    let said = telemetry.histogram("work.seconds").distribution();
    assert_eq!((said.count, said.min, said.max), (3, 0.25, 0.25));
}

#[tokio::test]
async fn work_that_is_awaited_or_given_up_is_measured() {
    let (telemetry, clock) = service();
    let answer = telemetry
        .measure_async("work.seconds", async {
            clock.advance(Duration::from_millis(500));
            42
        })
        .await;
    assert_eq!(answer, 42);
    {
        let mut given_up =
            pin!(telemetry.measure_async("work.seconds", std::future::pending::<()>()));
        assert!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        clock.advance(Duration::from_millis(1_500));
    }
    let said = telemetry.histogram("work.seconds").distribution();
    assert_eq!((said.count, said.min, said.max), (2, 0.5, 1.5));
}

#[test]
fn work_under_a_bad_name_is_done_all_the_same() {
    let (telemetry, _) = service();
    assert_eq!(telemetry.measure("no name", || 42), 42);
    assert_eq!(telemetry.status().dropped, 1);
}
