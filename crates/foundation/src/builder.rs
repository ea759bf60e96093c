//! What a [`Foundation`] is started with.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foundation_logic::config::Migrations;
use foundation_services::config::{AnyConfig, ConfigServer, MigrationReport, SealingKey, Sources};
use foundation_services::control::ControlSocket;
use foundation_services::dump::{DumpParts, Dumper, Dumps};
use foundation_services::event::{
    ConsumerStates, EventDurability, EventStore, EventStoreParts, Pipeline,
};
use foundation_services::node::Node;
use foundation_services::opening::Opening;
use foundation_services::projection::{Projection, ProjectionStates};
use foundation_services::tasks::Tasks;
use foundation_services::telemetry::{MetricKeeper, TelemetryService, kept_metrics};
use foundation_store::clock::{Clock, SystemClock};
use foundation_store::config::{ConfigState, Documents, Seals};
use foundation_store::event::EventLog;
use foundation_store::journal::{Follower, Journal, MemoryJournal, Mode, Recovered};
use foundation_store::random::{Rng, SystemRng};
use foundation_store::table::Tables;
use foundation_store::together::Together;
use foundation_types::config::OnInvalid;
use foundation_types::{
    Document, Error, ErrorKind, Event, Keep, Result, Settings, StoreId, TableKey, TableValue, Value,
};
use foundation_validate::BusinessRule;
use foundation_validate::settings::rules as settings_rules;

use crate::declared_projections::DeclaredProjections;
use crate::linked::{Declaration, Declared, Evolutions, Linked, Served};
use crate::linked_tables::DeclaredTables;
use crate::running::{Foundation, Handles, Life};

/// Where a store is, which documents and tables it has, and what runs beside it.
///
/// Nothing is opened before [`Builder::start`].
pub struct Builder {
    directory: Option<PathBuf>,
    mode: Mode,
    lock_timeout: Duration,
    documents: Vec<Box<dyn Declared>>,
    evolutions: Evolutions,
    on_invalid: OnInvalid,
    settings: Sources,
    tables: DeclaredTables,
    projections: DeclaredProjections,
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
            mode: Mode::Write,
            lock_timeout: Duration::ZERO,
            documents: Vec::new(),
            evolutions: Evolutions::new(),
            on_invalid: OnInvalid::default(),
            settings: Sources::defaults(),
            tables: DeclaredTables::default(),
            projections: DeclaredProjections::default(),
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
        self.evolutions.insert(TypeId::of::<T>(), migrations.evolution());
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

    /// How long to wait for another process that owns the directory; not at all by default.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
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

    /// Opens the store, verifies it, reads it and starts the services. Needs a tokio runtime.
    ///
    /// # Errors
    /// `Locked` if another process owns the directory; a kind of corruption if what is there is
    /// not what was written, `UnknownFormat` if a newer program wrote it, in both of which cases
    /// nothing is changed; `NewerSchema` and `MigrationFailed` if what was logged of a document cannot be
    /// brought to the schema of its type; `Invalid` and its like, with every path, if a document as logged
    /// breaks a rule of its type and is not to be parked; every problem of its files and variables at once, each with its place;
    /// `SecretSealed`, with document and path, if a secret was kept under another key; `Malformed`,
    /// with the key, if an entry of a table as logged does not fit
    /// its types; `NotFound` if it is for reading and there is no store; `Disk`.
    pub async fn start(mut self) -> Result<Foundation> {
        self.pipeline.check()?;
        let (documents, settings, linked) = self.link()?;
        let mut own = Tables::default();
        let consumers = ConsumerStates::link(&mut own)?;
        let projections = ProjectionStates::link(&mut own)?;
        let tables = std::mem::take(&mut self.tables).link(own)?;
        let log = Arc::new(EventLog::new(settings.current().events.buffer.clone()));
        // Whoever hears of a change finds the event of it.
        let together = Together::new(vec![log.clone(), documents.clone(), tables.all.clone()]);
        let together = Arc::new(together);
        let (journal, recovered) = self.open(together.clone()).await?;

        let clock = self.clock.clone();
        let settings_server = ConfigServer::open_or(
            journal.clone(),
            settings.clone(),
            settings_rules(),
            clock.clone(),
            std::mem::take(&mut self.settings),
            self.on_invalid,
        )?;
        let serve =
            |one: Box<dyn Linked>| one.serve(journal.clone(), clock.clone(), self.on_invalid);
        let served = linked.into_iter().map(serve).collect::<Result<_>>()?;
        let (configs, typed) = by_name_and_type(served, &settings_server);
        let table_states = tables.all.clone();
        let dumps = self.dumper(&*journal, together, &documents, &table_states)?;
        let tables = tables.serve(&journal)?;
        let projections = projections.open(&journal)?;
        let folded = self.projections.open(&projections)?;
        let max_series = settings.current().telemetry.max_series_per_metric;
        let telemetry = TelemetryService::new(max_series, clock.clone());
        let events = self.events((&journal, log), &settings, &telemetry, consumers)?;
        let started = clock.wall();
        let metrics_before = match &self.directory {
            Some(directory) => kept_metrics(directory.clone()).await,
            None => None,
        };
        let metric_keeper = self
            .kept_in()
            .map(|directory| Arc::new(MetricKeeper::new(directory, telemetry.clone(), started)));
        let node = Arc::new(Node {
            journal,
            recovered,
            directory: self.directory.clone(),
            documents,
            configs,
            table_states,
            tables: tables.any,
            events,
            projections,
            dumps,
            telemetry,
            metric_keeper,
            metrics_before,
            tasks: Tasks::default(),
            started,
            started_at: clock.monotonic(),
            clock,
        });
        let handles = Handles { typed, tables: tables.typed, projections: folded };
        let foundation = Foundation::new(node, handles, settings_server, self.life);
        self.start_tasks(&foundation, settings).await?;
        Ok(foundation)
    }

    /// What would come of each document at [`Builder::start`], in the order in which the builder was told
    /// of them: what its migration would log, and every problem that would refuse or park it. Nothing is
    /// changed, and the store is opened for reading.
    ///
    /// # Errors
    /// As [`Builder::start`], for reasons of the store.
    pub async fn check_migrations(mut self) -> Result<Vec<MigrationReport>> {
        if self.mode == Mode::Write && self.directory.is_some() {
            self.mode = Mode::Read;
        }
        let (documents, _, linked) = self.link()?;
        let (journal, _) = self.open(documents).await?;
        let reports = linked.iter().map(|one| one.check()).collect::<Result<_>>()?;
        journal.close().await?;
        Ok(reports)
    }

    /// The states of all documents, which follow the journal once it is open.
    fn link(&mut self) -> Result<States> {
        let declared = std::mem::take(&mut self.documents);
        let mut evolutions = std::mem::take(&mut self.evolutions);
        let mut documents = Documents::default();
        let settings = Arc::new(ConfigState::<Settings>::new()?);
        documents.link(settings.clone())?;
        let seals = self.seals();
        let link =
            |one: Box<dyn Declared>| one.link(&mut documents, seals.clone(), &mut evolutions);
        let linked: Vec<Box<dyn Linked>> = declared.into_iter().map(link).collect::<Result<_>>()?;
        if let Some(evolution) = evolutions.into_values().next() {
            let document = evolution?.document();
            let message = format!(
                "migrations of document {document:?} were given, and the builder was not told of it"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok((Arc::new(documents), settings, linked))
    }

    fn events(
        &mut self,
        (journal, log): (&Arc<dyn Journal>, Arc<EventLog>),
        settings: &Arc<ConfigState<Settings>>,
        telemetry: &TelemetryService,
        consumers: ConsumerStates,
    ) -> Result<EventStore> {
        Ok(EventStore::new(EventStoreParts {
            journal: journal.clone(),
            log,
            durability: std::mem::take(&mut self.durability),
            settings: settings.clone(),
            telemetry: telemetry.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            pipeline: std::mem::take(&mut self.pipeline),
            consumers: Some(consumers.open(journal)?),
        }))
    }

    fn seals(&mut self) -> Arc<Seals> {
        let key = self.sealing_key.take().map(SealingKey::into_inner);
        let former = std::mem::take(&mut self.former_sealing_keys);
        let former = former.into_iter().map(SealingKey::into_inner).collect();
        Arc::new(Seals::new(key, former, self.rng.clone()))
    }

    /// Where metrics are kept, if they are.
    fn kept_in(&self) -> Option<PathBuf> {
        let kept = self.metrics_kept && self.mode == Mode::Write;
        self.directory.clone().filter(|_| kept)
    }

    fn dumper(
        &mut self,
        journal: &dyn Journal,
        together: Arc<Together>,
        documents: &Arc<Documents>,
        tables: &Arc<Tables>,
    ) -> Result<Arc<Dumper>> {
        let parts = DumpParts {
            store: journal.store_id(),
            together,
            documents: documents.clone(),
            tables: tables.clone(),
            clock: self.clock.clone(),
        };
        Dumper::new(parts, self.dumps.take()).map(Arc::new)
    }

    async fn open<F: Follower>(&self, followers: Arc<F>) -> Result<(Arc<dyn Journal>, Recovered)> {
        let (clock, rng) = (self.clock.clone(), self.rng.clone());
        let Some(directory) = &self.directory else {
            let id = u128::from(rng.bits()) << 64 | u128::from(rng.bits());
            let store = StoreId::from_bits(id);
            let journal = MemoryJournal::new(store, MemoryJournal::BYTES_MAX, clock, followers);
            return Ok((Arc::new(journal), Recovered::default()));
        };
        let opening = Opening {
            directory: directory.clone(),
            mode: self.mode,
            lock_timeout: self.lock_timeout,
        };
        let (journal, recovered) = opening.open(clock, rng, followers).await?;
        Ok((Arc::new(journal), recovered))
    }

    async fn start_tasks(
        &self,
        foundation: &Foundation,
        settings: Arc<ConfigState<Settings>>,
    ) -> Result<()> {
        let node = foundation.node();
        if self.mode == Mode::Write {
            node.log_migrations().await?;
            node.log_sources().await?;
            node.watch_sources();
            node.end_passing();
            self.projections.start(node, foundation.projection_handles());
        }
        node.follow_settings(foundation.settings());
        if node.dumps.is_planned() {
            node.take_dumps();
        }
        if self.directory.is_some() && self.mode == Mode::Write {
            node.keep_log(settings.clone());
        }
        node.age_buffer();
        node.keep_metrics(settings.clone());
        if self.host_metrics {
            node.sample_host(settings);
        }
        if self.life == Life::Recorded {
            let started = Event::new("foundation.node.started").source("foundation");
            let started = started.data(&BTreeMap::from([
                ("pid", Value::from(std::process::id())),
                ("version", Value::from(env!("CARGO_PKG_VERSION"))),
                ("recovered_records", Value::from(node.recovered.records)),
            ]))?;
            node.events.record_own(started).await?;
        }
        // Last: whoever connects finds everything there.
        if let (true, Some(directory)) = (self.control_socket, &self.directory) {
            let socket = ControlSocket::bind(directory)?;
            let stop = node.tasks.stop_signal();
            node.tasks.spawn("control socket", socket.serve(node.clone(), stop));
        }
        Ok(())
    }
}

/// All documents, Foundation's own settings, and the others on their way to their servers.
type States = (Arc<Documents>, Arc<ConfigState<Settings>>, Vec<Box<dyn Linked>>);
type Configs = BTreeMap<String, Arc<dyn AnyConfig>>;
type Typed = HashMap<TypeId, Box<dyn std::any::Any + Send + Sync>>;

/// Every document by name without its type and by its type.
fn by_name_and_type(served: Vec<Served>, settings: &ConfigServer<Settings>) -> (Configs, Typed) {
    let (mut configs, mut typed) = (Configs::new(), Typed::new());
    configs.insert(Settings::NAME.to_owned(), Arc::new(settings.clone()));
    typed.insert(TypeId::of::<Settings>(), Box::new(settings.clone()));
    for one in served {
        configs.insert(one.any.name().to_owned(), one.any);
        typed.insert(one.type_id, one.typed);
    }
    (configs, typed)
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Builder")
            .field("directory", &self.directory)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
