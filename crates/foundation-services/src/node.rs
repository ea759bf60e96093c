//! All services of one store together: what the facade hands out and the control socket works on.

mod evolving;
mod expiry;
mod migrations;
mod prune;
mod replay;
mod shutdown;
mod sources;
mod status;
mod tables;
mod told;
mod upkeep;

pub use migrations::DocumentMigration;
pub use prune::{HeldBy, HolderKind, Missed, PruneReport};
pub use replay::{ReplayPage, ReplayShape};
pub use shutdown::ShutdownReport;
pub use status::{
    Check, CheckState, DocumentStatus, Health, JournalReport, Status, StoreReport, VerifyFinding,
    VerifyReport,
};
pub use tables::{IfMissing, TableStatus};
pub(crate) use upkeep::beside;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::config::Documents;
use foundation_store::journal::{Journal, Recovered};
use foundation_store::table::Tables;
use foundation_store::telemetry::KeptMetrics;
use foundation_types::{Error, ErrorKind, Result, Timestamp};
use foundation_validate::nearest::nearest;

use crate::config::{AnyConfig, UnlinkedConfig};
use crate::dump::Dumper;
use crate::event::EventStore;
use crate::export::Exports;
use crate::projection::Projections;
use crate::table::AnyTable;
use crate::tasks::Tasks;
use crate::telemetry::{MetricKeeper, TelemetryService};

/// The services of one store, and the tasks that keep them going.
pub struct Node {
    /// The log under everything.
    pub journal: Arc<dyn Journal>,
    /// What opening it found.
    pub recovered: Recovered,
    /// Where the store is; absent in memory.
    pub directory: Option<PathBuf>,
    /// Every document of the store, linked or not.
    pub documents: Arc<Documents>,
    /// The documents whose types the program has, by name.
    pub configs: BTreeMap<String, Arc<dyn AnyConfig>>,
    /// What every table of the store is, linked or not.
    pub table_states: Arc<Tables>,
    /// The tables whose types the program has, by name.
    pub tables: BTreeMap<String, Arc<dyn AnyTable>>,
    /// Events.
    pub events: EventStore,
    /// What passes events on to other systems.
    pub exports: Exports,
    /// Folds over the events.
    pub projections: Projections,
    /// What takes dumps of documents and tables.
    pub dumps: Arc<Dumper>,
    /// Metrics.
    pub telemetry: TelemetryService,
    /// Keeps them beside the log; absent where they are not kept.
    pub metric_keeper: Option<Arc<MetricKeeper>>,
    /// What the process before had kept of its metrics.
    pub metrics_before: Option<KeptMetrics>,
    /// What runs beside the callers.
    pub tasks: Tasks,
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// When the node started.
    pub started: Timestamp,
    /// Monotonic time of the start.
    pub started_at: Duration,
}

impl Node {
    /// The document with this name, for tools.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known name, if the store has none.
    pub fn config(&self, name: &str) -> Result<Arc<dyn AnyConfig>> {
        if let Some(linked) = self.configs.get(name) {
            return Ok(linked.clone());
        }
        if let Some(timeline) = self.documents.timeline(name) {
            return Ok(Arc::new(UnlinkedConfig::new(timeline, self.journal.clone())));
        }
        let shown: String = name.chars().take(64).collect();
        let names = self.documents.names();
        let meant = nearest(name, names.iter().map(String::as_str))
            .map_or_else(String::new, |meant| format!(", did you mean {meant}?"));
        Err(Error::new(ErrorKind::NotFound, format!("there is no document {shown:?}{meant}")))
    }

    /// Time since the start.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.started_at)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Node").field("directory", &self.directory).finish_non_exhaustive()
    }
}
