//! What goes on beside the callers: settings that are followed, a host that is sampled.

use std::sync::Arc;

use foundation_store::config::ConfigState;
use foundation_types::{Path, Settings};

use super::Node;
use crate::config::ConfigServer;
use crate::telemetry::HostSampler;

impl Node {
    /// Starts following the settings: whatever depends on one is told of each change.
    pub fn follow_settings(&self, settings: &ConfigServer<Settings>) {
        let (events, telemetry) = (self.events.clone(), self.telemetry.clone());
        let settings = settings.clone();
        self.tasks.spawn_until_stopped("settings", async move {
            let Ok(mut changes) = settings.subscribe(Path::root()) else { return };
            loop {
                {
                    let current = settings.get();
                    events.apply_settings(&current);
                    telemetry.apply_settings(&current);
                }
                match changes.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(error) => tracing::error!(%error, "following the settings failed"),
                }
            }
        });
    }

    /// Starts taking the dumps that are planned.
    pub fn take_dumps(&self) {
        let (dumps, stop) = (self.dumps.clone(), self.tasks.stop_signal());
        self.tasks.spawn("dumps", async move { dumps.run(stop).await });
    }

    /// Starts sampling this host and this process, each `telemetry.host_interval_ms`.
    pub fn sample_host(&self, settings: Arc<ConfigState<Settings>>) {
        let mut sampler =
            HostSampler::new(&self.telemetry, self.journal.clone(), self.directory.clone());
        self.tasks.spawn_until_stopped("host metrics", async move { sampler.run(&settings).await });
    }
}
