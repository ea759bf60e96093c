//! Foundation's own settings: a document like any other, named `foundation`.

use serde::{Deserialize, Serialize};
use validator::Validate;

use std::collections::BTreeMap;

use super::event_rules::{EventRule, ExpirySettings, StreamSettings, TtlRule};
use super::{Document, Shaped};

/// How Foundation itself behaves. Every field can be changed while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "foundation", crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What is written to the log of the process.
    #[validate(nested)]
    pub log: LogSettings,
    /// How much of configuration documents is kept.
    #[validate(nested)]
    pub config: ConfigSettings,
    /// How events are kept in memory.
    #[validate(nested)]
    pub events: EventSettings,
    /// How metrics are bounded and sampled.
    #[validate(nested)]
    pub telemetry: TelemetrySettings,
    /// How much of the log is kept.
    #[validate(nested)]
    pub journal: JournalSettings,
    /// How queries are answered.
    #[validate(nested)]
    pub interface: InterfaceSettings,
}

/// What is written to the log of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// The least important level that is written to the log.
    pub level: LogLevel,
}

/// Importance of a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Failures only.
    Error,
    /// And what may become one.
    Warn,
    /// And what an operator wants to know.
    #[default]
    Info,
    /// And what a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// How much of configuration documents is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct ConfigSettings {
    /// What of the history of each document is kept whatever becomes of the log.
    #[validate(nested)]
    pub history: HistorySettings,
}

/// What of the history of each document is kept beside the log, so that it can be read after the log
/// has let go of it. A change stays while one of the two says so, up to 4 MiB a document; what is in
/// the log can be read anyway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// So many of the newest changes of each document stay, rounded up to whole groups of 64; 0 is none.
    #[validate(range(max = 100_000))]
    pub versions: u64,
    /// Changes stay that were recorded no more than this many seconds before the newest one; 0 is none.
    #[validate(range(max = 315_360_000))]
    pub age_s: u64,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { versions: 1_000, age_s: 0 }
    }
}

/// How events are kept in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// The buffer of recent events.
    #[validate(nested)]
    pub buffer: BufferSettings,
    /// What is done to events on their way in, each rule under a name. What hides or removes comes
    /// first; beside that they go by their names.
    #[validate(nested)]
    pub rules: BTreeMap<String, EventRule>,
    /// What happens to new events of some streams when there is no room for them, each under a name;
    /// the first that is for the stream counts, then `events.buffer`.
    #[validate(nested)]
    pub streams: BTreeMap<String, StreamSettings>,
    /// How long events live, each rule under a name; of those that are for an event the shortest counts.
    #[validate(nested)]
    pub ttl: BTreeMap<String, TtlRule>,
    /// A tag by which an event says itself how long it lives, in seconds: with `ttl` here one that has the
    /// tag `ttl:60` lives for a minute, and shorter if a rule says so. Empty, no tag says that.
    #[validate(length(max = 64))]
    pub ttl_tag: String,
    /// When the place of those is given back whose time is over.
    #[validate(nested)]
    pub expiry: ExpirySettings,
    /// One in so many of the events that are read is noted, so that it is known how often each stream is
    /// read, about; 0 has none noted. Nothing is written for it.
    #[validate(range(max = 1_000_000))]
    pub access_sampling: u64,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            buffer: BufferSettings::default(),
            rules: BTreeMap::new(),
            streams: BTreeMap::new(),
            ttl: BTreeMap::new(),
            ttl_tag: String::new(),
            expiry: ExpirySettings::default(),
            access_sampling: 64,
        }
    }
}

/// Bounds of the buffer of recent events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct BufferSettings {
    /// Events kept in memory.
    #[validate(range(min = 1, max = 10_000_000))]
    pub max_events: u64,
    /// Bytes of events kept in memory, as encoded.
    #[validate(range(min = 65_536, max = 17_179_869_184_u64))]
    pub max_bytes: u64,
    /// Seconds that an event is kept in memory; 0 is no bound. What leaves the buffer is still in the
    /// log, as far as that is kept.
    #[validate(range(max = 315_360_000))]
    pub max_age_s: u64,
    /// What happens to a new event when the buffer is full of what the journal does not hold.
    pub overflow: Overflow,
}

impl Default for BufferSettings {
    fn default() -> Self {
        Self {
            max_events: 100_000,
            max_bytes: 64 * 1024 * 1024,
            max_age_s: 0,
            overflow: Overflow::default(),
        }
    }
}

/// What happens to a new event when the buffer is full.
///
/// What *full* means depends on the journal. With a durable one, events that leave the buffer are
/// still in the log: that is no drop, and the buffer always takes the newest. Full then is what is
/// on its way: events that the journal does not hold yet, as many or as large as the bounds, or
/// a journal that has no room for more. A single append larger than the bounds goes in alone.
///
/// With a journal in memory only, the buffer is all there is: it is full when the new event does
/// not fit beside those that are in it. A change of configuration is never refused for it: it
/// takes the place of the oldest event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The oldest event makes room. With a durable journal nothing is lost by it: what is on its
    /// way cannot be taken back, so the writer waits as with [`Overflow::Backpressure`].
    #[default]
    DropOldest,
    /// The new event is not stored, is counted as dropped, and its writer is told.
    DropNewest,
    /// The new event is refused with an error that says so.
    Reject,
    /// The writer waits for room, up to `interface.query_timeout_ms`, and is refused then.
    Backpressure,
}

/// How metrics are bounded and sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Label sets of one metric before the rest is counted in one overflow series.
    #[validate(range(min = 1, max = 100_000))]
    pub max_series_per_metric: u64,
    /// Milliseconds between two samples of this host's processor, memory and disk.
    #[validate(range(min = 100, max = 3_600_000))]
    pub host_interval_ms: u64,
    /// Milliseconds between two snapshots of all metrics that are kept beside the log.
    #[validate(range(min = 100, max = 3_600_000))]
    pub snapshot_interval_ms: u64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { max_series_per_metric: 2_000, host_interval_ms: 1_000, snapshot_interval_ms: 10_000 }
    }
}

/// How much of the log is kept, and how often what is derived from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct JournalSettings {
    /// Seconds between two snapshots of documents and tables. One is also taken when a file of the
    /// log is full and when the store is closed.
    #[validate(range(min = 1, max = 86_400))]
    pub checkpoint_s: u64,
    /// What of the log is kept; without any bound all of it is.
    #[validate(nested)]
    pub retention: RetentionSettings,
    /// What of the log goes to the archive, where it is read as before.
    #[validate(nested)]
    pub archive: ArchiveSettings,
}

impl Default for JournalSettings {
    fn default() -> Self {
        let (retention, archive) = (RetentionSettings::default(), ArchiveSettings::default());
        Self { checkpoint_s: 300, retention, archive }
    }
}

/// When a full file of the log goes to the archive, and when it goes from there for good. What is in
/// the archive is under no bound of `journal.retention`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveSettings {
    /// A full file goes to the archive once its newest record is older than this many seconds; 0 has
    /// none go.
    pub after_s: u64,
    /// An archived file goes for good once its newest record is older than this many seconds; 0 has
    /// it stay.
    pub keep_s: u64,
}

/// Bounds of the log, each of which counts if it is not 0. The oldest file goes, as a whole, as soon
/// as one bound is exceeded, whatever the others say; what an exporter or a reader holds stays, and
/// so does the state that came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// The oldest file goes once this many records come after it; 0 is no bound.
    pub records: u64,
    /// The oldest file goes while the full files take more than this many bytes; 0 is no bound.
    pub bytes: u64,
    /// The oldest file goes once its newest record is older than this many seconds; 0 is no bound.
    pub age_s: u64,
}

/// How queries are answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
pub struct InterfaceSettings {
    /// Milliseconds that one query or one waiting append may take.
    #[validate(range(min = 1, max = 3_600_000))]
    pub query_timeout_ms: u64,
    /// Rows in one page of a query.
    #[validate(range(min = 1, max = 100_000))]
    pub max_results: u64,
}

impl Default for InterfaceSettings {
    fn default() -> Self {
        Self { query_timeout_ms: 10_000, max_results: 1_000 }
    }
}
