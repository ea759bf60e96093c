//! What a [`Foundation`](crate::Foundation) is started with.

mod start;

use std::any::TypeId;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation_logic::config::Migrations;
use foundation_services::archive::ArchiveAt;
use foundation_services::config::{SealingKey, Sources};
use foundation_services::dump::Dumps;
use foundation_services::event::{EventDurability, Pipeline};
use foundation_services::export::{ExportRules, Sink};
use foundation_services::node::IfMissing;
use foundation_services::projection::{KeyedProjection, Projection};
use foundation_store::clock::{Clock, SystemClock};
use foundation_store::journal::{ArchiveStore, Mode};
use foundation_store::random::{Rng, SystemRng};
use foundation_types::config::OnInvalid;
use foundation_types::{Document, Keep, TableKey, TableValue};
use foundation_validate::BusinessRule;

use crate::declared_projections::DeclaredProjections;
use crate::erasing::Personal;
use crate::evolving::Evolution;
use crate::linked::{Declaration, Declared, Evolutions};
use crate::linked_tables::DeclaredTables;
use crate::running::Life;

/// Where a store is, which documents and tables it has, and what runs beside it.
///
/// Nothing is opened before [`Builder::start`].
pub struct Builder {
    directory: Option<PathBuf>,
    archive: Option<ArchiveAt>,
    mode: Mode,
    missing: IfMissing,
    lock_timeout: Duration,
    documents: Vec<Box<dyn Declared>>,
    migrations: Evolutions,
    pub(crate) evolution: Evolution,
    pub(crate) personal: Personal,
    on_invalid: OnInvalid,
    settings: Sources,
    tables: DeclaredTables,
    projections: DeclaredProjections,
    /// Behind a lock only since a sink need not be shared by threads, as whoever starts is.
    exports: Mutex<Vec<DeclaredExport>>,
    dumps: Option<Dumps>,
    control_socket: bool,
    host_metrics: bool,
    metrics_kept: bool,
    pub(crate) durability: EventDurability,
    pub(crate) pipeline: Pipeline,
    life: Life,
    sealing_key: Option<SealingKey>,
    former_sealing_keys: Vec<SealingKey>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Builder {
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            archive: None,
            mode: Mode::Write,
            missing: IfMissing::Make,
            lock_timeout: Duration::ZERO,
            documents: Vec::new(),
            migrations: Evolutions::new(),
            evolution: Evolution::default(),
            personal: Personal::default(),
            on_invalid: OnInvalid::default(),
            settings: Sources::defaults(),
            tables: DeclaredTables::default(),
            projections: DeclaredProjections::default(),
            exports: Mutex::default(),
            dumps: None,
            control_socket: false,
            host_metrics: false,
            metrics_kept: true,
            durability: EventDurability::default(),
            pipeline: Pipeline::default(),
            life: Life::Silent,
            sealing_key: None,
            former_sealing_keys: Vec::new(),
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(SystemRng::default()),
        }
    }

    /// With this document, whose values come from these sources under what is set at run time.
    #[must_use]
    pub fn document<T: Document>(self, sources: Sources) -> Self {
        self.document_with::<T>(sources, Vec::new())
    }

    /// With this document, whose every version has to pass these rules beside its own.
    #[must_use]
    pub fn document_with<T: Document>(
        mut self,
        sources: Sources,
        rules: Vec<BusinessRule<T>>,
    ) -> Self {
        self.documents.push(Box::new(Declaration { sources, rules }));
        self
    }

    /// With what leads from earlier schemas of a document to that of its type: see [`Migrations`].
    #[must_use]
    pub fn migrations<T: Document>(mut self, migrations: Migrations<T>) -> Self {
        self.migrations.insert(TypeId::of::<T>(), migrations.evolution());
        self
    }

    /// What becomes of a document whose logged state its type does not take any more; the start is
    /// refused by default.
    #[must_use]
    pub fn on_invalid(mut self, on_invalid: OnInvalid) -> Self {
        self.on_invalid = on_invalid;
        self
    }

    /// With these sources of Foundation's own settings.
    #[must_use]
    pub fn settings(mut self, sources: Sources) -> Self {
        self.settings = sources;
        self
    }

    /// With this table, of which this is kept. Its name is 1 to 64 bytes of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn table<K: TableKey, V: TableValue>(mut self, name: &str, keep: Keep) -> Self {
        self.tables.add::<K, V>(name.to_owned(), keep);
        self
    }

    /// With this projection, which goes on where it was kept.
    #[must_use]
    pub fn projection<P: Projection>(mut self) -> Self {
        self.projections.add::<P>();
        self
    }

    /// With this projection by key, which goes on where it was kept.
    ///
    /// ```
    /// use foundation::events::{KeyedProjection, Recorded};
    /// use foundation::{Event, Foundation};
    ///
    /// /// How many events each stream has.
    /// struct PerStream;
    ///
    /// impl KeyedProjection for PerStream {
    ///     const NAME: &'static str = "per_stream";
    ///     const VERSION: u32 = 1;
    ///     type State = u64;
    ///
    ///     fn keys(event: &Recorded) -> foundation::Result<Vec<String>> {
    ///         Ok(vec![event.stream.to_string()])
    ///     }
    ///
    ///     fn apply(_: &str, count: &mut Option<u64>, _: &Recorded) -> foundation::Result<()> {
    ///         *count.get_or_insert(0) += 1;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let foundation = Foundation::in_memory().keyed_projection::<PerStream>().start().await?;
    /// let placed = foundation.events().append(Event::new("order.placed")).stream("order-1").await?;
    /// let counts = foundation.keyed_projection::<PerStream>()?;
    /// let seen = counts.wait_for(placed.position).await?;
    /// assert_eq!(seen.get("order-1")?.as_deref(), Some(&1));
    /// assert_eq!(seen.page(None, 10)?.entries.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keyed_projection<P: KeyedProjection>(mut self) -> Self {
        self.projections.add_keyed::<P>();
        self
    }

    /// With this export: events that answer its rules are passed on to the sink until it says that
    /// it has them. Its name is 1 to 64 bytes of `[A-Za-z0-9_-]`, and that of its durable consumer.
    #[must_use]
    pub fn export(mut self, name: &str, sink: impl Sink, rules: ExportRules) -> Self {
        self.exports.get_mut().unwrap_or_else(PoisonError::into_inner).push((
            name.to_owned(),
            Box::new(sink),
            rules,
        ));
        self
    }

    /// With the archive of the log in this directory instead of `archive` in that of the store. Where
    /// it is, is noted with what goes there, so that the program finds it.
    #[must_use]
    pub fn archive_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        self.archive = Some(ArchiveAt::Directory(directory));
        self
    }

    /// With the archive of the log behind these calls, for example in an object store: see
    /// [`ArchiveStore`](crate::log::ArchiveStore). The program knows directories alone, so what is in
    /// such an archive is read, verified and brought back by the application.
    #[must_use]
    pub fn archive_store(mut self, store: impl ArchiveStore) -> Self {
        self.archive = Some(ArchiveAt::Store(Arc::new(store)));
        self
    }

    /// How long to wait for another process that owns the directory; not at all by default.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// For a store that is there: a directory without one is refused, and nothing is made.
    #[must_use]
    pub fn existing(mut self) -> Self {
        self.missing = IfMissing::Refuse;
        self
    }

    /// For reading only: nothing in the directory is changed, and it is not made.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.mode = Mode::Read;
        self
    }

    /// For a look beside an owner: reading, without the lock. What is seen may be out of date.
    #[must_use]
    pub fn peek(mut self) -> Self {
        self.mode = Mode::Peek;
        self
    }

    /// With dumps: each interval, if anything was recorded since the last one, documents and tables
    /// as of one position are written into a file of plain JSON. One that fails is a log line and
    /// a failed check of the node's health, and harms nothing else.
    #[must_use]
    pub fn dumps(mut self, dumps: Dumps) -> Self {
        self.dumps = Some(dumps);
        self
    }

    /// With the control socket, through which the `foundation` program and other tools of the
    /// same user operate the running application. It is a file in the directory, mode 0600.
    #[must_use]
    pub fn control_socket(mut self) -> Self {
        self.control_socket = true;
        self
    }

    /// With gauges of this host and this process, sampled each `telemetry.host_interval_ms`.
    #[must_use]
    pub fn host_metrics(mut self) -> Self {
        self.host_metrics = true;
        self
    }

    /// Whether a snapshot of all metrics is kept in the directory each
    /// `telemetry.snapshot_interval_ms` and at the end, where the next process finds it; it is by
    /// default. A counter begins anew with each process: what is kept says since when and as of
    /// when.
    #[must_use]
    pub fn metrics_kept(mut self, kept: bool) -> Self {
        self.metrics_kept = kept;
        self
    }

    /// With events of its own life: `foundation.node.started` and `foundation.node.stopping`.
    #[must_use]
    pub fn life_events(mut self) -> Self {
        self.life = Life::Recorded;
        self
    }

    /// With a key under which the secrets of documents are kept that are set at run time. Without it
    /// setting one is refused, and so is the start if one was kept: see [`crate::Secret`].
    #[must_use]
    pub fn sealing_key(mut self, key: SealingKey) -> Self {
        self.sealing_key = Some(key);
        self
    }

    /// With a key that secrets were kept under before. It opens what the other one does not; a secret
    /// that is changed is kept under the other one.
    #[must_use]
    pub fn former_sealing_key(mut self, key: SealingKey) -> Self {
        self.former_sealing_keys.push(key);
        self
    }

    /// With another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With other randomness, for tests.
    #[must_use]
    pub fn rng(mut self, rng: Arc<dyn Rng>) -> Self {
        self.rng = rng;
        self
    }
}

/// An export on its way from the builder to its start.
type DeclaredExport = (String, Box<dyn Sink>, ExportRules);

impl std::fmt::Debug for Builder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Builder")
            .field("directory", &self.directory)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
