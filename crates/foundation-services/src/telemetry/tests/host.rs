//! Readings of a host, from the text of its files.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_store::config::ConfigState;
use foundation_store::journal::{Journal, MemoryJournal};
use foundation_types::telemetry::MetricValue;
use foundation_types::{Settings, StoreId};

use super::sample::{HandClock, service};
use crate::telemetry::proc_files::{CpuTicks, cpu_seconds, cpu_ticks, row_bytes};
use crate::telemetry::{HostSampler, TelemetryService};

const STAT: &str = "cpu  200 10 90 600 100 0 0 0 50 0\ncpu0 200 10 90 600 100 0 0 0 50 0\nintr 1\n";
const LATER: &str = "cpu  260 10 110 640 180 0 0 0 50 0\n";
const MEMINFO: &str = "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    8192 kB\n";
const STATUS: &str = "Name:\tshop\nVmHWM:\t 9 kB\nVmRSS:\t    512 kB\n";
const SELF_STAT: &str = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 150 75 0 0 20 0 4 0 100 0 0";

#[test]
fn a_reading_is_what_the_text_says() {
    let (before, after) = (cpu_ticks(STAT).expect("a line"), cpu_ticks(LATER).expect("a line"));
    assert_eq!(before, CpuTicks { busy: 300, all: 1_000 });
    assert_eq!(after.ratio_since(before), Some(0.4));
    assert_eq!(before.ratio_since(before), None);
    assert_eq!(before.ratio_since(after), None);
    assert_eq!(row_bytes(MEMINFO, "MemTotal"), Some(16_777_216));
    assert_eq!(row_bytes(MEMINFO, "MemAvailable"), Some(8_388_608));
    assert_eq!(row_bytes(STATUS, "VmRSS"), Some(524_288));
    assert_eq!(cpu_seconds(SELF_STAT), Some(2.25));
}

#[test]
fn text_that_says_nothing_is_no_reading() {
    let texts =
        ["", "cpu", "cpu  ", "cpu  x", "cpu  1 2", "MemTotal:", "MemTotal: 1 GB", "1 (a", ")"];
    for text in texts {
        assert_eq!(cpu_ticks(text), None, "{text:?}");
        assert_eq!(row_bytes(text, "MemTotal"), None, "{text:?}");
        assert_eq!(cpu_seconds(text), None, "{text:?}");
    }
    let full = format!("cpu  {0} {0} {0} {0}", u64::MAX);
    assert!(cpu_ticks(&full).is_some_and(|ticks| ticks.all == u64::MAX));
}

fn journal() -> Arc<dyn Journal> {
    let clock = Arc::new(HandClock::default());
    Arc::new(MemoryJournal::new(StoreId::from_bits(1), 1 << 20, clock, Arc::new(())))
}

fn values(telemetry: &TelemetryService) -> HashMap<String, f64> {
    let value = |metric: foundation_types::telemetry::Metric| {
        let kind = metric.labels.pairs().first().map(|(_, kind)| format!(" {kind}"));
        match metric.value {
            MetricValue::Gauge(value) => {
                (format!("{}{}", metric.name, kind.unwrap_or_default()), value)
            }
            other => panic!("{other:?} is no gauge"),
        }
    };
    telemetry.snapshot().into_iter().map(value).collect()
}

#[tokio::test]
async fn samples_are_taken_as_often_as_the_settings_say() {
    let (telemetry, _) = service();
    let stat = Arc::new(Mutex::new(STAT));
    let text = Arc::clone(&stat);
    let read = move |path: &str| {
        let text = match path {
            "/proc/stat" => *text.lock().expect("no panic"),
            "/proc/meminfo" => MEMINFO,
            "/proc/self/status" => STATUS,
            "/proc/self/stat" => SELF_STAT,
            _ => return None,
        };
        Some(text.to_owned())
    };
    let mut sampler = HostSampler::reading(&telemetry, journal(), Box::new(read));
    let settings = ConfigState::<Settings>::new().expect("defaults are a tree");
    let pauses = Cell::new(0);
    let pause = |interval: Duration| {
        assert_eq!(interval, Duration::from_millis(1_000));
        pauses.set(pauses.get() + 1);
        *stat.lock().expect("no panic") = LATER;
        let is_last = pauses.get() == 2;
        async move {
            if is_last {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut run = Box::pin(sampler.run_with(&settings, pause));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(run.as_mut().poll(&mut context).is_pending());
    drop(run);
    assert_eq!(pauses.get(), 2);
    let expected = [
        ("foundation.host.cpu_ratio", 0.4),
        ("foundation.host.memory_bytes available", 8_388_608.0),
        ("foundation.host.memory_bytes total", 16_777_216.0),
        ("foundation.process.cpu_seconds", 2.25),
        ("foundation.process.resident_bytes", 524_288.0),
        ("foundation.store.bytes", 0.0),
    ];
    assert_eq!(values(&telemetry), expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn a_host_that_tells_nothing_has_no_gauges_but_the_store() {
    let (telemetry, _) = service();
    let mut sampler = HostSampler::reading(&telemetry, journal(), Box::new(|_| None));
    sampler.sample();
    sampler.sample();
    assert_eq!(values(&telemetry), HashMap::from([("foundation.store.bytes".to_owned(), 0.0)]));
}

#[test]
fn this_host_is_sampled() {
    let (telemetry, _) = service();
    let mut sampler = HostSampler::new(&telemetry, journal(), Some(".".into()));
    sampler.sample();
    if cfg!(target_os = "linux") {
        let values = values(&telemetry);
        assert!(values["foundation.process.resident_bytes"] > 100_000.0);
        assert!(values["foundation.host.memory_bytes total"] > 1_000_000.0);
        assert!(values["foundation.host.disk_bytes total"] > 1_000_000.0);
    }
}
