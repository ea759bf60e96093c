//! What goes on beside the callers: settings that are followed, a host that is sampled.

use foundation_types::{Path, Settings};

use super::Node;
use crate::config::ConfigServer;

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
                    telemetry.set_max_series_per_metric(current.telemetry.max_series_per_metric);
                }
                match changes.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(error) => tracing::error!(%error, "following the settings failed"),
                }
            }
        });
    }
}
