//! The state layer that a service stands on: live typed configuration, an event store and
//! telemetry, over one durable journal, in a directory.
//!
//! ```
//! use foundation::{Document, Event, Foundation, Shaped, Sources, lens};
//! use serde::{Deserialize, Serialize};
//! use validator::Validate;
//!
//! #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
//! #[serde(default, deny_unknown_fields)]
//! struct Shop {
//!     /// Requests that one client may send each second.
//!     #[validate(range(min = 0, max = 10_000))]
//!     rate_limit: u32,
//!     #[validate(nested)]
//!     payment: Payment,
//! }
//!
//! #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Shaped)]
//! #[serde(default, deny_unknown_fields)]
//! struct Payment {
//!     /// Who is paid through.
//!     provider: String,
//!     /// Tries before a payment is given up.
//!     retry_limit: u32,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> foundation::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory");
//! # let path = directory.path().join("shop-data");
//! let foundation = Foundation::builder(path).document::<Shop>(Sources::defaults()).start().await?;
//!
//! // Configuration: wait-free to read, checked, versioned and durable to write.
//! let shop = foundation.config::<Shop>()?;
//! let mut changes = shop.subscribe(lens!(Shop, payment))?;
//! let updated = shop.set(lens!(Shop, rate_limit), 250).reason("launch day").await?;
//! assert_eq!(shop.get().rate_limit, 250);
//! assert_eq!(shop.at(updated.version.previous()).await?.document.rate_limit, 0);
//! assert!(shop.set(lens!(Shop, rate_limit), 99_999).await.is_err());
//!
//! // What is typed by a person has the same names, and the same checks when it is done.
//! shop.set("payment.retry_limit", 3).await?;
//! assert!(changes.next().await?.is_some(), "of its own part it hears, and of nothing else");
//!
//! // Events: appended once, found by what they are about.
//! let placed = Event::new("order.placed").correlation("req-7").data(&("book", 3))?;
//! let receipt = foundation.events().append(placed).await?;
//! assert_eq!(foundation.events().get(&receipt.id).await?.position, receipt.position);
//! let story = foundation.events().trace("req-7").await?;
//! assert_eq!(story.spans.len(), 1);
//! let mail = foundation.events().consumer("mail").open().await?;
//! mail.next().await?.ack()?;
//!
//! // Telemetry: bound handles that never wait.
//! let latency = foundation.telemetry().histogram("shop.checkout.latency_seconds");
//! latency.record(0.042);
//!
//! foundation.shutdown(std::time::Duration::from_secs(5)).await.into_result()
//! # }
//! ```
//!
//! One directory is one store, owned by one process at a time. Everything durable is a record of
//! its journal; the record of a change of configuration is the event that tells of it. Nothing is
//! global: a process may start as many as it has directories.
//!
//! This crate is a door: each module below re-exports, name by name, what the crates behind it
//! offer to applications.

#![forbid(unsafe_code)]

mod builder;
mod declared_projections;
mod erasing;
pub mod events;
mod evolving;
mod intake;
mod keeping;
pub mod limits;
mod linked;
mod linked_tables;
#[cfg(feature = "log-level")]
mod log_level;
mod running;

pub use builder::Builder;
pub use foundation_services::config::{SealingKey, Sources};
pub use foundation_types::{
    CorrelationId, Document, Durability, Error, ErrorKind, Event, EventData, EventId, EventQuery,
    EventType, ExpectedVersion, HIDDEN, Keep, Order, Path, Position, Recorded, Result, Secret,
    Segment, Settings, Shaped, StreamName, Timestamp, Value, Version, lens,
};
pub use keeping::{backup_directory, check_fold, repair, restore, verify_directory};
pub use running::Foundation;

/// Configuration: documents, their changes and history.
///
/// Values come from the defaults of the type, then from files and the environment ([`Sources`]), then
/// from what is set at run time. Reading is a pointer load of one immutable version. A change is checked, validated as a whole
/// document, logged, published and told, in this order, and is refused as a whole or not at all.
///
/// ```
/// use foundation::config::{HistoryQuery, Notice, OnConflict, Reference};
/// use foundation::{ErrorKind, Foundation, Settings, lens};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// let foundation = Foundation::in_memory().start().await?;
/// let settings = foundation.settings();
/// let mut changes = settings.subscribe("interface")?;
///
/// // Several paths at once, only if nobody was quicker, with who and why.
/// let updated = settings
///     .transaction()
///     .set(lens!(Settings, interface.max_results), 250)
///     .set("log.level", "debug")
///     .expect_version(settings.version())
///     .actor("ops")
///     .reason("launch day")
///     .await?;
/// assert_eq!(updated.changes.len(), 2);
///
/// // A subscriber hears of its own part only: old, new, and the cause.
/// let Some(Notice::Changed(change)) = changes.next().await? else { panic!("it was told") };
/// assert_eq!(change.version, updated.version);
///
/// // Who was later keeps both changes, if they are of different places.
/// let seen = updated.version.previous();
/// let late = settings.set("interface.query_timeout_ms", 500).expect_version(seen);
/// late.on_conflict(OnConflict::Merge).await?;
///
/// // What may not enter is told with path, value, expectation and nearest key.
/// let error = settings.set("interface.max_resluts", 10).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::UnknownKey);
/// assert_eq!(error.problems()[0].hint.as_deref(), Some("interface.max_results"));
///
/// // Patches as other tools write them: RFC 7396, or RFC 6902 if it is a list.
/// settings.patch(serde_json::json!({"log": {"level": null}})).await?;
/// assert_eq!(settings.value("log.level")?, "info".into());
///
/// // Any version whose records are kept, what led to it, and back: a rollback is a new version.
/// settings.rollback(updated.version.previous()).reason("too much").await?;
/// assert_eq!(settings.get().interface.max_results, 1_000);
/// let history = settings.history(HistoryQuery::newest(10)).await?;
/// assert_eq!(history[0].reason.as_deref(), Some("too much"));
///
/// let minute = std::time::Duration::from_secs(60);
/// settings.set("log.level", "debug").lasting(minute).reason("a closer look").await?;
///
/// // Who says what a value is, and whom that one overrules: here what was set, then the default.
/// let told = settings.explain("log.level").await?;
/// assert_eq!(told.given[0].value, Some("debug".into()));
/// assert_eq!(told.given[1].value, Some("info".into()));
///
/// // What a struct says of itself is a schema for editors, a file to begin with, and a page.
/// let reference = Reference::of::<Settings>()?;
/// assert!(reference.schema().to_json().contains(r#""minimum":1"#));
/// assert!(reference.template().contains("#max_results = 1000"));
/// assert!(reference.markdown().contains("| `interface.max_results` |"));
/// # Ok(())
/// # }
/// ```
///
/// Who has to agree is asked before a change is made, and what cannot be merged can wait for a
/// person to decide:
///
/// ```
/// use foundation::config::{OnConflict, Proposed, Resolution, VetoTerms};
/// use foundation::{ErrorKind, Foundation, Settings, Version, lens};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// let foundation = Foundation::in_memory().start().await?;
/// let settings = foundation.settings();
/// let results = lens!(Settings, interface.max_results);
///
/// // Asked only of what changes there; its guard ends it.
/// let fits = |proposed: &Proposed<Settings>| {
///     match proposed.after.document.interface.max_results {
///         5_000.. => Err("the page would not fit".to_owned()),
///         _ => Ok(()),
///     }
/// };
/// let veto = settings.veto(&results, VetoTerms::default(), fits)?;
/// let error = settings.set(&results, 9_000).actor("ann").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Vetoed);
/// drop(veto);
///
/// // What is usual here if a change says nothing itself: what clashes waits.
/// settings.on_conflict(&results, OnConflict::Park)?;
/// settings.set(&results, 250).await?;
/// let late = settings.set(&results, 500).actor("bo").expect_version(Version::NONE).await;
/// assert_eq!(late.unwrap_err().kind(), ErrorKind::Parked);
///
/// // All sides are there to be looked at, also after a restart; each is decided once.
/// let waiting = settings.conflicts();
/// let clash = &waiting[0].clashes[0];
/// assert_eq!((&clash.ours, &clash.theirs), (&Some(500.into()), &Some(250.into())));
/// settings.resolve(waiting[0].id.clone(), Resolution::Ours).actor("cy").await?;
/// assert_eq!(settings.get().interface.max_results, 500);
/// assert!(settings.conflicts().is_empty());
/// # Ok(())
/// # }
/// ```
pub mod config {
    pub use foundation_logic::config::{Migration, Migrations, Reference};
    pub use foundation_services::config::{
        Accepts, AnyConfig, Aside, ConfigChange, ConfigServer, Explanation, FieldChange,
        FieldNotice, FieldRow, FieldWatch, Finding, Given, HistoryQuery, KeyGiven, MigrationReport,
        Notice, OnSilence, Place, Proposed, RefusedChange, Resolution, Resolve, Sources,
        Subscription, Unknown, Update, Updated, VetoGuard, VetoTerms,
    };
    pub use foundation_store::config::{Current, Snapshot};
    pub use foundation_types::config::{
        ArchiveSettings, Bound, BufferSettings, Change, ConfigSettings, Document, Edit, EventRule,
        EventSettings, ExpirySettings, Field, HistorySettings, InterfaceSettings, JournalSettings,
        Layer, Leaf, Lens, LogLevel, LogSettings, Merge, OnConflict, OnInvalid, Operation, Origin,
        Overflow, ParkedConflict, Patch, Pointer, RetentionSettings, RuleAction, Settings, Shape,
        Shaped, StreamSettings, TelemetrySettings, TtlRule, Unchanged,
    };
    pub use foundation_validate::{BusinessRule, ChangeRequest};
}

/// Secrets in documents: passwords, keys, tokens.
///
/// A field of the type [`Secret`] is kept with its document and shown to nobody who does not ask the
/// field itself: not by `Debug`, not in any serde format, not in an error, a history, a notice, a dump
/// or an answer of the program. What is set at run time is logged encrypted under a key that is not in
/// the store; a default, or what the application puts into its struct, needs none.
///
/// - Without a key, setting a secret is refused (`NoSealingKey`), and so is the start once one was
///   kept (`SecretSealed`, with document and path). A lost key is lost secrets.
/// - Where a secret would be shown is a mark, `{"$secret":"hidden"}` or one with the sealed bytes. A
///   mark that is written back to its place stands for what is there, so that a document can be
///   read, edited and put back as a whole. In a list a place is a number.
/// - In the tree it is one leaf: a patch can put, copy and move it, to another secret only, and
///   cannot test it.
/// - What a field had before its type became `Secret` is encrypted with the next change of the
///   document, which needs a key. What was logged before stays in the log as it is, and in its events,
///   until retention lets go of it.
/// - What the log tells without the key: where a secret was changed and when, how long it is, and
///   whether two versions of it are the same.
///
/// ```
/// use foundation::{Document, ErrorKind, Foundation, Secret, SealingKey, Sources, lens};
/// use serde::{Deserialize, Serialize};
/// use validator::Validate;
///
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
/// #[serde(default, deny_unknown_fields)]
/// struct Payment {
///     /// What the provider knows us by.
///     #[validate(length(max = 64))]
///     api_key: Secret<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// // An application takes it from SealingKey::from_env or SealingKey::from_file.
/// let key = SealingKey::parse(&"5a".repeat(32))?;
/// let builder = Foundation::in_memory().document::<Payment>(Sources::defaults());
/// let foundation = builder.sealing_key(key).start().await?;
/// let payment = foundation.config::<Payment>()?;
/// let updated = payment.set(lens!(Payment, api_key), "hunter2").await?;
///
/// assert_eq!(payment.get().api_key.expose(), "hunter2");
/// assert_eq!(format!("{:?}", *payment.get()), "Payment { api_key: [secret] }");
/// assert!(!format!("{:?}", updated.changes).contains("hunter2"));
///
/// let error = payment.set("api_key", "hunter2 ".repeat(9)).await.unwrap_err();
/// assert_eq!((error.kind(), error.to_string().contains("hunter2")), (ErrorKind::OutOfRange, false));
/// # Ok(())
/// # }
/// ```
pub mod secrets {
    pub use foundation_services::config::SealingKey;
    pub use foundation_types::value::{Seal, SecretValue};
    pub use foundation_types::{HIDDEN, Secret};
}

pub mod exports;

pub mod tables;

/// Telemetry: metrics and their values.
///
/// A bound handle is found once and never fails; recording by name makes the series as needed, up
/// to `telemetry.max_series_per_metric` label sets of a metric. What is beyond shares one series.
///
/// ```
/// use foundation::Foundation;
/// use foundation::telemetry::{Measurement, MetricValue};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// let foundation = Foundation::in_memory().start().await?;
/// let telemetry = foundation.telemetry();
///
/// let orders = telemetry.counter_with("shop.orders", &[("country", "nl")]);
/// orders.add(2);
/// telemetry.execute("shop.orders", &[("country", "nl")], Measurement::Add(1));
/// let total = telemetry.measure("shop.sum_seconds", || (1..=10).sum::<u32>());
/// assert_eq!(total, 55);
///
/// let shop = telemetry.snapshot_of("shop");
/// assert_eq!(shop[0].value, MetricValue::Counter(3));
/// let MetricValue::Histogram(seconds) = shop[1].value else { panic!("a distribution") };
/// assert_eq!(seconds.count, 1);
/// # Ok(())
/// # }
/// ```
pub mod telemetry {
    pub use foundation_logic::telemetry::{NamespaceTotals, roll_up};
    pub use foundation_services::telemetry::TelemetryService;
    pub use foundation_store::telemetry::{
        Counter, Gauge, Histogram, KeptMetrics, Offender, RegistryStatus,
    };
    pub use foundation_types::telemetry::{
        Distribution, Labels, Measurement, Metric, MetricKind, MetricValue,
    };
}

/// The log under everything: what an ack means, how much is kept, and what opening reads.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> foundation::Result<()> {
/// # let directory = std::env::temp_dir().join(format!("foundation-doc-log-{}", std::process::id()));
/// use std::time::Duration;
///
/// use foundation::log::Retention;
/// use foundation::{Durability, Event, Foundation};
///
/// let foundation = Foundation::builder(&directory)
///     .stream_durability("clicks", Durability::Os)
///     .start()
///     .await?;
/// let order = foundation.events().append(Event::new("order.placed")).await?;
/// assert_eq!(order.durability, Durability::Disk);
/// let click = foundation.events().append(Event::new("page.seen")).stream("clicks").await?;
/// assert_eq!(click.durability, Durability::Os);
/// foundation.flush().await?;
///
/// // The next start reads nothing that came before.
/// let position = foundation.checkpoint().await?;
/// assert!(position >= click.position);
///
/// // Whole files of the log go, here none: there is only one.
/// let keep = Retention { age: Some(Duration::from_secs(86_400)), ..Retention::default() };
/// assert_eq!(foundation.retain(keep).await?.records, 0);
/// foundation.shutdown(Duration::from_secs(5)).await.into_result()?;
/// # let _ = std::fs::remove_dir_all(&directory);
/// # Ok(())
/// # }
/// ```
pub mod log {
    pub use foundation_store::journal::{
        ArchiveMode, ArchivePolicy, ArchiveStore, Dropped, Hold, Holding, Prune, PruneMode,
        Recovered, Retention,
    };
    pub use foundation_types::Durability;
}

/// Errors: one type, one table of kinds.
pub mod error {
    pub use foundation_types::error::{
        Category, Clash, Conflict, Error, ErrorKind, ErrorReport, KindRow, Problem, Result, Retry,
        Severity,
    };
}

/// The state of a node, and the door to a running one.
pub mod node {
    pub use foundation_services::archive::{ArchiveReport, ArchivedRow};
    pub use foundation_services::backup::{BackupReport, RestoreReport};
    pub use foundation_services::control::{
        Append, AppendEach, AppendOutcome, ArchiveEvents, ArchiveList, ArchiveRestore,
        ArchiveVerify, Call, Client, ConfigCheck, ConfigConflicts, ConfigDiff, ConfigExplain,
        ConfigFields, ConfigFollow, ConfigGet, ConfigHistory, ConfigMigrations, ConfigResolve,
        ConfigRollback, ConfigSchema, ConfigTemplate, ConfigUpdate, ConfigVersionAt,
        ConsumerChange, ConsumerList, EventGet, EventStage, EventsAggregate, EventsCheck,
        EventsExplain, EventsFollow, EventsForget, EventsForgotten, EventsPrune, EventsQuery,
        EventsStats, EventsTrace, ExportChange, ExportCursor, ExportList, ExportRead,
        GetKeptMetrics, GetMetrics, GetStatus, ParkedDrop, ParkedList, ParkedRetry,
        ProjectionChange, ProjectionList, ProjectionShow, Put, Replay, Request, TableGet,
        TableList, TablePut, TableRemove, TableRows, Take, TakeBackup, TakeCheckpoint, TakeDump,
        Verify,
    };
    pub use foundation_services::dump::{DumpReport, Dumps};
    pub use foundation_services::fold::{FoldReport, FoldRow};
    pub use foundation_services::node::{
        Check, CheckState, DocumentMigration, DocumentStatus, Health, HeldBy, HolderKind,
        IfMissing, JournalReport, Missed, PruneReport, ReplayPage, ReplayShape, ShutdownReport,
        Status, StoreReport, TableStatus, VerifyFinding, VerifyReport,
    };
    pub use foundation_services::repair::{RepairRemedy, RepairReport, RepairStep};
    pub use foundation_store::journal::{
        MissingArchived, RepairMode, RepairOptions, RestoreOptions, VerifyOptions,
    };
}

/// What may be swapped under a store, for tests: clocks and randomness.
pub mod seams {
    pub use foundation_store::clock::{Clock, SystemClock};
    pub use foundation_store::random::{Rng, SystemRng};
}

/// From text to data, as the program reads it.
pub mod parse {
    pub use foundation_services::config::file_bytes;
    pub use foundation_validate::parse::{
        cloud_events, event_line, exported_line, value, value_or_text,
    };
}
