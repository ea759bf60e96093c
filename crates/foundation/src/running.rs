//! A store that is open, with its services.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foundation_services::config::{AnyConfig, ConfigServer};
use foundation_services::control::{Call, answer_typed};
use foundation_services::event::EventStore;
use foundation_services::export::Exports;
use foundation_services::node::{Health, Node, PruneReport, ShutdownReport, Status};
use foundation_services::projection::{
    KeyedHandle, KeyedProjection, Projection, ProjectionHandle, Projections,
};
use foundation_services::table::{AnyTable, Table};
use foundation_services::telemetry::TelemetryService;
use foundation_store::journal::{Dropped, Hold, Holder, Prune, Retention};
use foundation_store::telemetry::KeptMetrics;
use foundation_types::{
    Document, Error, ErrorKind, Event, Position, Result, Settings, TableKey, TableValue,
};
use foundation_validate::table::no_such_table;

use crate::builder::Builder;
use crate::declared_projections::ServedProjections;

/// Configuration, events and telemetry over one journal, running.
///
/// Handles are cheap to clone and may outlive it; they then answer `Unavailable` to writes.
/// Dropping it without [`Foundation::shutdown`] stops its tasks, loses nothing that was acked, and
/// lets go of the directory as soon as the disk is done, without waiting for it.
pub struct Foundation {
    node: Arc<Node>,
    handles: Handles,
    settings: ConfigServer<Settings>,
    life: Life,
}

/// What has a type that only the application knows.
pub(crate) struct Handles {
    /// Documents, by their type.
    pub(crate) typed: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// Tables, by name.
    pub(crate) tables: HashMap<String, Box<dyn Any + Send + Sync>>,
    /// Projections, by their type.
    pub(crate) projections: ServedProjections,
}

/// Whether a node tells of its own life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// By events.
    Recorded,
    /// Not at all.
    Silent,
}

impl Foundation {
    pub(crate) fn new(
        node: Arc<Node>,
        handles: Handles,
        settings: ConfigServer<Settings>,
        life: Life,
    ) -> Self {
        Self { node, handles, settings, life }
    }

    /// What to start with, over the store in this directory; it is made if it is missing.
    pub fn builder(directory: impl Into<PathBuf>) -> Builder {
        Builder::new(Some(directory.into()))
    }

    /// What to start with, over a store in memory that is gone with the process.
    #[must_use]
    pub fn in_memory() -> Builder {
        Builder::new(None)
    }

    /// The document of this type.
    ///
    /// # Errors
    /// `NotFound` if the builder was not told of it.
    pub fn config<T: Document>(&self) -> Result<ConfigServer<T>> {
        let typed = self.handles.typed.get(&TypeId::of::<T>());
        typed.and_then(|server| server.downcast_ref::<ConfigServer<T>>()).cloned().ok_or_else(
            || {
                let message = format!(
                    "document {:?} is not known: tell the builder of it with .document::<T>(Sources::defaults())",
                    T::NAME
                );
                Error::new(ErrorKind::NotFound, message)
            },
        )
    }

    /// The document with this name, without its type.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known name.
    pub fn config_named(&self, name: &str) -> Result<Arc<dyn AnyConfig>> {
        self.node.config(name)
    }

    /// The table with this name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known name, if the builder was not told of it;
    /// `InvalidArgument` if it was told of other types.
    pub fn table<K: TableKey, V: TableValue>(&self, name: &str) -> Result<Table<K, V>> {
        let Some(table) = self.handles.tables.get(name) else {
            let known = self.handles.tables.keys().map(String::as_str);
            return Err(no_such_table(name, known));
        };
        table.downcast_ref::<Table<K, V>>().cloned().ok_or_else(|| {
            let types = self.node.table(name).map(|table| table.types());
            let (key, value) = types.unwrap_or(("other types", "other types"));
            let message = format!(
                "table {name:?} leads from {key} to {value}, not from {} to {}",
                std::any::type_name::<K>(),
                std::any::type_name::<V>()
            );
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }

    /// The table with this name, without its types.
    ///
    /// # Errors
    /// `NotFound`, with the nearest known name.
    pub fn table_named(&self, name: &str) -> Result<Arc<dyn AnyTable>> {
        self.node.table(name)
    }

    /// How Foundation itself behaves: a document like any other, named `foundation`.
    #[must_use]
    pub fn settings(&self) -> &ConfigServer<Settings> {
        &self.settings
    }

    /// Events.
    #[must_use]
    pub fn events(&self) -> &EventStore {
        &self.node.events
    }

    /// What passes events on to other systems: how it is, and what is done about it.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        &self.node.exports
    }

    /// The projection of this type.
    ///
    /// # Errors
    /// `NotFound` if the builder was not told of it.
    pub fn projection<P: Projection>(&self) -> Result<ProjectionHandle<P>> {
        let handle = self.handles.projections.get(&TypeId::of::<P>());
        handle.and_then(|one| one.downcast_ref::<ProjectionHandle<P>>()).cloned().ok_or_else(|| {
            let message = format!(
                "projection {:?} is not known: tell the builder of it with .projection::<P>()",
                P::NAME
            );
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// The projection by key of this type.
    ///
    /// # Errors
    /// `NotFound` if the builder was not told of it.
    pub fn keyed_projection<P: KeyedProjection>(&self) -> Result<KeyedHandle<P>> {
        let handle = self.handles.projections.get(&TypeId::of::<KeyedHandle<P>>());
        handle.and_then(|one| one.downcast_ref::<KeyedHandle<P>>()).cloned().ok_or_else(|| {
            let message = format!(
                "projection {:?} is not known: tell the builder of it with .keyed_projection::<P>()",
                P::NAME
            );
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// All projections, by name and without their types.
    #[must_use]
    pub fn projections(&self) -> &Projections {
        &self.node.projections
    }

    /// Metrics.
    #[must_use]
    pub fn telemetry(&self) -> &TelemetryService {
        &self.node.telemetry
    }

    /// What the process before had kept of its metrics: its last snapshot.
    #[must_use]
    pub fn metrics_before(&self) -> Option<&KeptMetrics> {
        self.node.metrics_before.as_ref()
    }

    /// How everything is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.node.status(false)
    }

    /// Whether everything does its work.
    #[must_use]
    pub fn health(&self) -> Health {
        self.node.health()
    }

    /// Makes everything that was acked, at whatever level, survive a power cut.
    ///
    /// # Errors
    /// `Fenced`, `ReadOnly`, `Unavailable` or `Disk`.
    pub async fn flush(&self) -> Result<()> {
        self.node.journal.flush().await
    }

    /// Keeps documents and tables as of now in a snapshot, so that the next start reads only what
    /// comes later; gives the position of that. It is also done every `journal.checkpoint_s`, when
    /// a file of the log is full, and at the end.
    ///
    /// # Errors
    /// `ReadOnly` or `Unavailable` if the store is not open for writing, `Fenced`, `DiskFull` or
    /// `Disk`; nothing that was stored is harmed.
    pub async fn checkpoint(&self) -> Result<Position> {
        self.node.checkpoint().await
    }

    /// Lets go of the oldest records, whole files of the log, as far as this says, and records the
    /// event `foundation.log.dropped`. The settings `journal.retention` do so all the time.
    ///
    /// Documents and tables stay as they are: what is let go of is in two snapshots. What a
    /// [`Hold`] holds stays.
    ///
    /// # Errors
    /// As [`Foundation::checkpoint`].
    pub async fn retain(&self, keep: Retention) -> Result<Dropped> {
        self.node.retain(keep).await
    }

    /// Lets go of the oldest records as [`Foundation::retain`] does, with more choice; or says what would
    /// go, and who holds it back. With [`Holding::PastConsumers`](crate::log::Holding) it goes past
    /// consumers and exports that have not had all of it: a consumer is told of by the event
    /// `foundation.consumer.skipped`, an export tells of itself (`foundation.export.skipped`).
    ///
    /// ```
    /// use foundation::Foundation;
    /// use foundation::log::{Holding, Prune, PruneMode, Retention};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory");
    /// # let path = directory.path().join("data");
    /// let foundation = Foundation::builder(path).start().await?;
    /// let keep = Retention { records: Some(1_000), ..Retention::default() };
    /// let plan = Prune { holding: Holding::PastConsumers, mode: PruneMode::Plan, ..Prune::keeping(keep) };
    /// // Only full files go, and there is none yet.
    /// assert_eq!(foundation.prune(plan).await?.records, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Foundation::checkpoint`].
    pub async fn prune(&self, prune: Prune) -> Result<PruneReport> {
        self.node.prune(prune).await
    }

    /// Lets go of the oldest files of the log in which nothing lives any more by the setting `events.ttl`,
    /// at most `events.expiry.max_files` of them and nothing that somebody holds. It is counted
    /// (`foundation.events.ttl_expired`) and recorded (`foundation.events.cleanup_complete`). With
    /// `events.expiry.free` a node does so by itself, each `events.expiry.every_s`.
    ///
    /// What was answered is recorded, and what is recorded was done. If the process ends before it answers,
    /// files may be gone of which no event tells; nothing that lives is among them.
    ///
    /// # Errors
    /// As [`Foundation::checkpoint`].
    pub async fn free_expired(&self) -> Result<PruneReport> {
        self.node.free_expired().await
    }

    /// Keeps what comes after a position from being let go of, until the hold is dropped.
    #[must_use]
    pub fn hold(&self, position: Position) -> Hold {
        self.node.journal.hold(position, Holder::Application)
    }

    /// Takes a dump now, to where the planned ones go; gives the file.
    ///
    /// # Errors
    /// `InvalidArgument` if the builder was not told of dumps; `DiskFull`, `Denied` or `Disk`, with
    /// the file, in which case the dumps that were there are there.
    pub async fn dump(&self) -> Result<PathBuf> {
        self.node.dumps.dump().await.map(|report| report.path)
    }

    /// Answers what a tool asks as the control socket would.
    ///
    /// # Errors
    /// Those of the service that is asked.
    pub async fn call<C: Call>(&self, call: C) -> Result<C::Answer> {
        answer_typed(&self.node, call).await
    }

    /// Stops intake, drains, syncs and lets go of the directory, within the deadline.
    pub async fn shutdown(self, deadline: Duration) -> ShutdownReport {
        let begun = Instant::now();
        if self.life == Life::Recorded {
            let stopping = Event::new("foundation.node.stopping").source("foundation");
            self.node.record_last(stopping, deadline / 4).await;
        }
        self.node.shutdown(deadline.saturating_sub(begun.elapsed())).await
    }

    pub(crate) fn projection_handles(&self) -> &ServedProjections {
        &self.handles.projections
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }
}

impl Drop for Foundation {
    fn drop(&mut self) {
        // The control socket's task holds the node, so that it would never end by itself.
        self.node.abandon();
    }
}

impl std::fmt::Debug for Foundation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Foundation").field("node", &self.node).finish_non_exhaustive()
    }
}
