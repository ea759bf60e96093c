//! Starting: the store is opened, what was declared is served over it, tasks begin.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use foundation_services::config::{AnyConfig, ConfigServer, MigrationReport, SealingKey};
use foundation_services::control::ControlSocket;
use foundation_services::dump::{DumpParts, Dumper};
use foundation_services::event::{ConsumerStates, EventStore, EventStoreParts, Reader, Vault};
use foundation_services::export::Exports;
use foundation_services::node::Node;
use foundation_services::opening::Opening;
use foundation_services::projection::ProjectionStates;
use foundation_services::tasks::Tasks;
use foundation_services::telemetry::{MetricKeeper, TelemetryService, kept_metrics};
use foundation_store::config::{ConfigState, Documents, Seals};
use foundation_store::event::EventLog;
use foundation_store::journal::{Follower, Journal, MemoryJournal, Mode, Recovered};
use foundation_store::table::Tables;
use foundation_store::telemetry::KeptMetrics;
use foundation_store::together::Together;
use foundation_types::{Document, Error, ErrorKind, Event, Result, Settings, StoreId, Value};

use foundation_validate::settings::rules as settings_rules;

use super::{Builder, DeclaredExport};
use crate::linked::{Declared, Linked, Served};
use crate::linked_tables::LinkedTables;
use crate::running::{Foundation, Handles, Life};

/// The states of all that was declared, which follow the journal once it is open.
struct Links {
    settings: Arc<ConfigState<Settings>>,
    seals: Arc<Seals>,
    linked: Vec<Box<dyn Linked>>,
    documents: Arc<Documents>,
    consumers: ConsumerStates,
    projections: ProjectionStates,
    tables: LinkedTables,
    log: Arc<EventLog>,
    together: Arc<Together>,
}

type Configs = BTreeMap<String, Arc<dyn AnyConfig>>;
type Typed = HashMap<TypeId, Box<dyn std::any::Any + Send + Sync>>;

impl Builder {
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
        let reader = std::mem::take(&mut self.evolution).reader()?;
        let links = self.link()?;
        let (journal, recovered) = self.open(links.together.clone()).await?;
        let reader = reader.with_vault(self.vault(&links, &*journal).await?);
        let (clock, settings) = (self.clock.clone(), links.settings);
        let settings_server = self.serve_settings(&journal, &settings)?;
        let serve =
            |one: Box<dyn Linked>| one.serve(journal.clone(), clock.clone(), self.on_invalid);
        let served = links.linked.into_iter().map(serve).collect::<Result<_>>()?;
        let (configs, typed) = by_name_and_type(served, &settings_server);
        let table_states = links.tables.all.clone();
        let dumps = self.dumper(&*journal, links.together, &links.documents, &table_states)?;
        let tables = links.tables.serve(&journal)?;
        let projections = links.projections.open(&journal)?;
        let folded = self.projections.open(&projections)?;
        let max_series = settings.current().telemetry.max_series_per_metric;
        let telemetry = TelemetryService::new(max_series, clock.clone());
        let events = EventStore::new(EventStoreParts {
            consumers: Some(links.consumers.open(&journal)?),
            reader,
            ..self.event_parts(&journal, links.log, &settings, &telemetry)
        });
        let started = clock.wall();
        let metrics_before = self.metrics_before().await;
        let keeper = |directory| Arc::new(MetricKeeper::new(directory, telemetry.clone(), started));
        let metric_keeper = self.kept_in().map(keeper);
        let node = Arc::new(Node {
            journal,
            recovered,
            directory: self.directory.clone(),
            documents: links.documents,
            configs,
            table_states,
            tables: tables.any,
            exports: Exports::new(events.clone()),
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
        let exports = self.declared_exports();
        self.start_tasks(&foundation, settings, exports).await?;
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
        let links = self.link()?;
        let (journal, _) = self.open(links.documents).await?;
        let reports = links.linked.iter().map(|one| one.check()).collect::<Result<_>>()?;
        journal.close().await?;
        Ok(reports)
    }

    /// Makes the states of everything that was declared.
    fn link(&mut self) -> Result<Links> {
        let declared = std::mem::take(&mut self.documents);
        let mut migrations = std::mem::take(&mut self.migrations);
        let mut documents = Documents::default();
        let settings = Arc::new(ConfigState::<Settings>::new()?);
        documents.link(settings.clone())?;
        let seals = self.seals();
        let link =
            |one: Box<dyn Declared>| one.link(&mut documents, seals.clone(), &mut migrations);
        let linked: Vec<Box<dyn Linked>> = declared.into_iter().map(link).collect::<Result<_>>()?;
        if let Some(evolution) = migrations.into_values().next() {
            let document = evolution?.document();
            let message = format!(
                "migrations of document {document:?} were given, and the builder was not told of it"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let documents = Arc::new(documents);
        let mut own = Tables::default();
        let consumers = ConsumerStates::link(&mut own)?;
        let projections = ProjectionStates::link(&mut own)?;
        let tables = std::mem::take(&mut self.tables).link(own)?;
        let log = Arc::new(EventLog::new(settings.current().events.buffer.clone()));
        // Whoever hears of a change finds the event of it.
        let together = Together::new(vec![log.clone(), documents.clone(), tables.all.clone()]);
        let together = Arc::new(together);
        Ok(Links {
            settings,
            seals,
            linked,
            documents,
            consumers,
            projections,
            tables,
            log,
            together,
        })
    }

    /// What an event store is made of, but for its consumers and what personal fields are opened with.
    fn event_parts(
        &mut self,
        journal: &Arc<dyn Journal>,
        log: Arc<EventLog>,
        settings: &Arc<ConfigState<Settings>>,
        telemetry: &TelemetryService,
    ) -> EventStoreParts {
        EventStoreParts {
            journal: journal.clone(),
            log,
            durability: std::mem::take(&mut self.durability),
            settings: settings.clone(),
            telemetry: telemetry.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            consumers: None,
            reader: Reader::default(),
            pipeline: std::mem::take(&mut self.pipeline),
        }
    }

    /// What seals and opens personal fields.
    async fn vault(&mut self, links: &Links, journal: &dyn Journal) -> Result<Option<Arc<Vault>>> {
        let (seals, directory) = (links.seals.clone(), self.directory.as_deref());
        let personal = std::mem::take(&mut self.personal);
        personal.open(directory, self.mode, seals, journal, &links.log).await
    }

    fn serve_settings(
        &mut self,
        journal: &Arc<dyn Journal>,
        settings: &Arc<ConfigState<Settings>>,
    ) -> Result<ConfigServer<Settings>> {
        let (journal, sources) = (journal.clone(), std::mem::take(&mut self.settings));
        let (rules, clock) = (settings_rules(), self.clock.clone());
        let state = settings.clone();
        ConfigServer::open_or(journal, state, rules, clock, sources, self.on_invalid)
    }

    fn declared_exports(&mut self) -> Vec<DeclaredExport> {
        let exports = std::mem::take(&mut self.exports);
        exports.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the process before had kept of its metrics.
    async fn metrics_before(&self) -> Option<KeptMetrics> {
        match &self.directory {
            Some(directory) => kept_metrics(directory.clone()).await,
            None => None,
        }
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
            missing: self.missing,
            lock_timeout: self.lock_timeout,
            archive: self.archive.clone(),
        };
        let (journal, recovered) = opening.open(clock, rng, followers).await?;
        Ok((Arc::new(journal), recovered))
    }

    async fn start_tasks(
        &self,
        foundation: &Foundation,
        settings: Arc<ConfigState<Settings>>,
        exports: Vec<DeclaredExport>,
    ) -> Result<()> {
        let node = foundation.node();
        if self.mode == Mode::Write {
            node.events.tell_forgotten().await?;
            node.log_migrations().await?;
            node.log_sources().await?;
            node.watch_sources();
            node.end_passing();
            self.projections.start(node, foundation.projection_handles());
            for (name, sink, rules) in exports {
                node.exports.start(name, sink, rules, &node.tasks).await?;
            }
        }
        node.bound_histories(&settings.current().config.history);
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
