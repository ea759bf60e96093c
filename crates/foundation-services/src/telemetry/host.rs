//! How the host and this process are: sampled into gauges.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foundation_store::config::ConfigState;
use foundation_store::journal::Journal;
use foundation_store::telemetry::Gauge;
use foundation_types::Settings;

use super::TelemetryService;
use super::proc_files::{CpuTicks, cpu_seconds, cpu_ticks, row_bytes};

/// Reads the text of a file, `None` if it cannot be read.
type ReadText = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Samples processor, memory and disk into gauges under `foundation.`.
///
/// What a host does not tell has no gauge.
pub struct HostSampler {
    read: ReadText,
    /// Where the store is; absent in memory.
    directory: Option<PathBuf>,
    journal: Arc<dyn Journal>,
    earlier: Option<CpuTicks>,
    gauges: Gauges,
}

struct Gauges {
    cpu_ratio: Gauge,
    memory_total: Gauge,
    memory_available: Gauge,
    resident_bytes: Gauge,
    process_cpu_seconds: Gauge,
    disk_total: Gauge,
    disk_available: Gauge,
    store_bytes: Gauge,
}

impl HostSampler {
    /// A sampler of this host, of the disk that holds `directory`, and of this process.
    #[must_use]
    pub fn new(
        telemetry: &TelemetryService,
        journal: Arc<dyn Journal>,
        directory: Option<PathBuf>,
    ) -> Self {
        let read: ReadText = Box::new(|path| std::fs::read_to_string(path).ok());
        Self { directory, ..Self::reading(telemetry, journal, read) }
    }

    /// A sampler that gets the text of files from `read`.
    pub(super) fn reading(
        telemetry: &TelemetryService,
        journal: Arc<dyn Journal>,
        read: ReadText,
    ) -> Self {
        let memory = |kind| telemetry.gauge_with("foundation.host.memory_bytes", &[("kind", kind)]);
        let disk = |kind| telemetry.gauge_with("foundation.host.disk_bytes", &[("kind", kind)]);
        let gauges = Gauges {
            cpu_ratio: telemetry.gauge("foundation.host.cpu_ratio"),
            memory_total: memory("total"),
            memory_available: memory("available"),
            resident_bytes: telemetry.gauge("foundation.process.resident_bytes"),
            process_cpu_seconds: telemetry.gauge("foundation.process.cpu_seconds"),
            disk_total: disk("total"),
            disk_available: disk("available"),
            store_bytes: telemetry.gauge("foundation.store.bytes"),
        };
        Self { read, directory: None, journal, earlier: None, gauges }
    }

    /// Takes one sample. The share of busy time is known from the second one on.
    pub fn sample(&mut self) {
        let read = |path: &str| (self.read)(path).unwrap_or_default();
        let ticks = cpu_ticks(&read("/proc/stat"));
        let since = ticks.zip(self.earlier).and_then(|(now, earlier)| now.ratio_since(earlier));
        let memory = read("/proc/meminfo");
        let bytes = |text: &str, row: &str| row_bytes(text, row).map(|bytes| bytes as f64);
        set(&self.gauges.cpu_ratio, since);
        set(&self.gauges.memory_total, bytes(&memory, "MemTotal"));
        set(&self.gauges.memory_available, bytes(&memory, "MemAvailable"));
        set(&self.gauges.resident_bytes, bytes(&read("/proc/self/status"), "VmRSS"));
        set(&self.gauges.process_cpu_seconds, cpu_seconds(&read("/proc/self/stat")));
        let space = self.directory.as_deref().and_then(|path| rustix::fs::statvfs(path).ok());
        let space = space.as_ref();
        let total = space.map(|one| one.f_blocks.saturating_mul(one.f_frsize) as f64);
        let available = space.map(|one| one.f_bavail.saturating_mul(one.f_frsize) as f64);
        set(&self.gauges.disk_total, total);
        set(&self.gauges.disk_available, available);
        set(&self.gauges.store_bytes, Some(self.journal.extent().bytes as f64));
        self.earlier = ticks.or(self.earlier);
    }

    /// Samples again and again, `telemetry.host_interval_ms` apart as it is set at each moment.
    /// It ends only when it is dropped.
    pub async fn run(&mut self, settings: &ConfigState<Settings>) {
        self.run_with(settings, tokio::time::sleep).await;
    }

    /// As [`Self::run`], with the pause between two samples given.
    pub async fn run_with<P: Future<Output = ()>>(
        &mut self,
        settings: &ConfigState<Settings>,
        mut pause: impl FnMut(Duration) -> P,
    ) {
        loop {
            self.sample();
            let millis = settings.current().telemetry.host_interval_ms;
            pause(Duration::from_millis(millis)).await;
        }
    }
}

impl std::fmt::Debug for HostSampler {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HostSampler").field("earlier", &self.earlier).finish_non_exhaustive()
    }
}

/// Sets what is known.
fn set(gauge: &Gauge, value: Option<f64>) {
    if let Some(value) = value {
        gauge.set(value);
    }
}
