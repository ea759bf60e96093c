//! What a node says of itself: to people, to tools and to whoever watches it.

use foundation_store::journal::{Finding, Journal, Verification, VerifyOptions};
use foundation_store::telemetry::RegistryStatus;
use foundation_types::error::ErrorReport;
use foundation_types::event::Halt;
use foundation_types::{Error, ErrorKind, Position, Result, Timestamp, Version};
use serde::{Deserialize, Serialize};

use super::Node;
use super::tables::TableStatus;
use crate::event::{ConsumerStatus, EventStoreStats};
use crate::export::ExportStatus;
use crate::projection::ProjectionStatus;

/// How a store and its services are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a node is serving the directory.
    pub serving: bool,
    /// How well it is.
    pub health: Health,
    /// The process that says so.
    pub pid: u32,
    /// Version of Foundation in that process.
    pub version: String,
    /// When it started.
    pub started: Timestamp,
    /// Seconds since then.
    pub uptime_s: u64,
    /// The store.
    pub store: StoreReport,
    /// The journal.
    pub journal: JournalReport,
    /// Every document, by name.
    pub documents: Vec<DocumentStatus>,
    /// Every table, by name.
    #[serde(default)]
    pub tables: Vec<TableStatus>,
    /// Events.
    pub events: EventStoreStats,
    /// Every durable consumer, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ConsumerStatus>,
    /// Every export, by name.
    #[serde(default)]
    pub exports: Vec<ExportStatus>,
    /// Every version of every projection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<ProjectionStatus>,
    /// Names of metrics.
    pub metrics: u64,
    /// Series of all metrics.
    pub series: u64,
    /// Measurements that were not kept.
    pub measurements_dropped: u64,
}

/// Which store it is and what opening it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReport {
    /// Its identity.
    pub id: String,
    /// Its directory; absent in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Records that were there.
    pub recovered_records: u64,
    /// Bytes of a write that was never acked.
    pub torn_bytes: u64,
}

/// How the journal is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalReport {
    /// Records that are kept.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Files.
    pub segments: u64,
    /// Files of them that are in the archive.
    #[serde(default)]
    pub archived_segments: u64,
    /// Bytes that these take there.
    #[serde(default)]
    pub archived_bytes: u64,
    /// Files that should be in the archive and are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archive_missing: Vec<String>,
    /// Before the first record that is kept.
    #[serde(default)]
    pub before_first: Position,
    /// The last durable record.
    pub last: Position,
    /// Records that were acked at a lower level than the disk and wait for a sync.
    #[serde(default)]
    pub unsynced: u64,
    /// The last record of the newest snapshot: opening reads what comes after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Position>,
    /// Records that wait for the disk.
    pub waiting: u64,
    /// Syncs since it was opened.
    pub syncs: u64,
    /// Whether it outlives the process.
    pub durable: bool,
    /// Why it takes no more writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fenced: Option<ErrorReport>,
    /// Why the last write was not applied, if that was for want of space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<ErrorReport>,
    /// Why indices or snapshots could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neglected: Option<ErrorReport>,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentStatus {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether the program has its type and can change it.
    pub linked: bool,
    /// Why what was logged of it is not in force, if it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
    /// Changes of it that wait for somebody to decide about them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub waiting: u64,
    /// Whether it once had files or an environment that are not given here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_sources: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Whether a node does its work, and what stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst of the checks.
    pub state: CheckState,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// Why, and what to do; empty if it is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Degraded,
    /// It does not work.
    Failed,
}

impl std::fmt::Display for CheckState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        })
    }
}

/// What reading the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Whether acked data is damaged or missing.
    pub damaged: bool,
    /// Files read.
    pub segments: u64,
    /// Records whose checksum and chain are right.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, or worth knowing.
    pub findings: Vec<VerifyFinding>,
}

/// A place in a file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyFinding {
    /// File in the store's directory.
    pub file: String,
    /// First offset concerned.
    pub from: u64,
    /// Offset after the last one.
    pub to: u64,
    /// What is wrong.
    pub what: String,
    /// Whether acked data is concerned.
    pub damage: bool,
}

impl From<Verification> for VerifyReport {
    fn from(all: Verification) -> Self {
        let damaged = all.is_damaged();
        Self {
            damaged,
            segments: all.segments,
            records: all.records,
            bytes: all.bytes,
            findings: all.findings.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Finding> for VerifyFinding {
    fn from(one: Finding) -> Self {
        let Finding { file, range, what, damage } = one;
        Self { file, from: range.start, to: range.end, what, damage }
    }
}

impl JournalReport {
    /// How this journal is.
    #[must_use]
    pub fn of(journal: &dyn Journal) -> Self {
        let status = journal.status();
        Self {
            records: status.extent.records,
            bytes: status.extent.bytes,
            segments: status.segments,
            archived_segments: status.archive.segments,
            archived_bytes: status.archive.stored,
            archive_missing: status.archive.missing,
            before_first: status.extent.before_first,
            last: status.extent.last,
            unsynced: status.unsynced,
            snapshot: status.snapshot,
            waiting: status.waiting,
            syncs: status.syncs,
            durable: status.extent.durable,
            fenced: status.fenced.as_ref().map(ErrorReport::from),
            full: status.full.as_ref().map(ErrorReport::from),
            neglected: status.neglected.as_ref().map(ErrorReport::from),
        }
    }
}

impl Node {
    /// How everything is. `serving` is whether others reach it.
    #[must_use]
    pub fn status(&self, serving: bool) -> Status {
        let metrics: RegistryStatus = self.telemetry.status();
        Status {
            serving,
            health: self.health(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            uptime_s: self.uptime().as_secs(),
            store: StoreReport {
                id: self.journal.store_id().to_string(),
                directory: self.directory.as_ref().map(|path| path.display().to_string()),
                recovered_records: self.recovered.records,
                torn_bytes: self.recovered.torn_bytes,
            },
            journal: JournalReport::of(&*self.journal),
            documents: self.document_rows(),
            tables: self.table_rows(),
            events: self.events.stats(),
            consumers: self.events.consumers(),
            exports: self.exports.list(),
            projections: self.projections.list(self.events.published()),
            metrics: metrics.metrics,
            series: metrics.series,
            measurements_dropped: metrics.dropped,
        }
    }

    fn document_rows(&self) -> Vec<DocumentStatus> {
        let row = |name: String| {
            let version = self.documents.timeline(&name).map_or(Version::NONE, |one| one.last().0);
            let linked = self.documents.is_linked(&name);
            let config = self.configs.get(&name);
            let parked = config.and_then(|config| config.parked_document());
            let parked = parked.as_ref().map(all_problems);
            let timeline = self.documents.timeline(&name);
            let waiting = timeline.map_or(0, |one| one.parked().list().len() as u64);
            let lacks_sources = config.is_some_and(|config| config.lacks_sources());
            DocumentStatus { name, version, linked, parked, waiting, lacks_sources }
        };
        self.documents.names().into_iter().map(row).collect()
    }

    /// Whether everything does its work.
    #[must_use]
    pub fn health(&self) -> Health {
        let mut checks = vec![
            self.check_journal(),
            self.check_documents(),
            self.check_tables(),
            self.check_tasks(),
        ];
        checks.push(match self.events.stats().unreadable {
            0 => well("events"),
            count => ill("events", CheckState::Degraded, format!("{count} records are unreadable")),
        });
        checks.push(self.check_consumers());
        checks.push(self.check_exports());
        checks.push(self.check_projections());
        checks.extend(self.check_dumps());
        checks.extend(self.metric_keeper.as_ref().map(|keeper| match keeper.failure() {
            None => well("metrics"),
            Some(cause) => {
                let message = format!("they could not be kept: {cause:?}");
                ill("metrics", CheckState::Degraded, message)
            }
        }));
        let state = checks.iter().map(|check| check.state).max().unwrap_or(CheckState::Ok);
        Health { state, checks }
    }

    fn check_journal(&self) -> Check {
        let status = self.journal.status();
        if let Some(cause) = status.fenced {
            let advice = cause.kind().row().advice;
            let message = format!("it is fenced: {cause:?}; {advice}");
            return ill("journal", CheckState::Failed, message);
        }
        if let Some(cause) = status.full {
            let message = format!("the last write found no space: {cause:?}");
            return ill("journal", CheckState::Degraded, message);
        }
        if let Some(first) = status.archive.missing.first() {
            let (count, advice) =
                (status.archive.missing.len(), ErrorKind::ArchiveMissing.row().advice);
            let message = format!("{count} files are not in the archive, {first} first: {advice}");
            return ill("journal", CheckState::Degraded, message);
        }
        match status.neglected {
            None => well("journal"),
            Some(cause) => {
                let message = format!("indices or snapshots could not be made: {cause:?}");
                ill("journal", CheckState::Degraded, message)
            }
        }
    }

    fn check_documents(&self) -> Check {
        let timelines = self.documents.names().into_iter();
        let faults = timelines.filter_map(|name| {
            let fault = self.documents.timeline(&name)?.fault()?;
            Some(format!("document {name} stopped following the log: {fault}"))
        });
        let refused = || {
            let refused = self.configs.iter().filter_map(|(name, config)| {
                let error = config.refused_sources()?;
                Some(format!("the files of document {name} are not in force: {error}"))
            });
            let parked = self.configs.iter().filter_map(|(name, config)| {
                let error = config.parked_document()?;
                let problems = all_problems(&error);
                Some(format!(
                    "document {name} is parked, its defaults and sources count: {problems}"
                ))
            });
            parked.chain(refused).collect::<Vec<_>>()
        };
        match (faults.collect::<Vec<_>>(), self.documents.unfollowed()) {
            (faults, 0) if faults.is_empty() => match refused() {
                refused if refused.is_empty() => well("documents"),
                refused => ill("documents", CheckState::Degraded, refused.join("; ")),
            },
            (faults, 0) => ill("documents", CheckState::Failed, faults.join("; ")),
            (_, count) => {
                let message = format!("{count} changes belong to no document that is followed");
                ill("documents", CheckState::Degraded, message)
            }
        }
    }

    fn check_tables(&self) -> Check {
        let faults: Vec<String> = self
            .table_states
            .faults()
            .iter()
            .map(|fault| format!("a table stopped following the log: {fault}"))
            .collect();
        match self.table_states.unfollowed() {
            _ if !faults.is_empty() => ill("tables", CheckState::Failed, faults.join("; ")),
            0 => well("tables"),
            count => {
                let message = format!("{count} records belong to no table that is followed");
                ill("tables", CheckState::Degraded, message)
            }
        }
    }

    fn check_consumers(&self) -> Check {
        let told = |one: ConsumerStatus| {
            let stands = one.halted.map(|halt| {
                let Halt { position, cause } = halt;
                format!("consumer {} stands before position {position}: {cause}", one.name)
            });
            let failure = one.failure.map(|cause| format!("consumer {}: {cause:?}", one.name));
            stands.or(failure)
        };
        let faults: Vec<String> = self.events.consumers().into_iter().filter_map(told).collect();
        if faults.is_empty() {
            return well("consumers");
        }
        ill("consumers", CheckState::Degraded, faults.join("; "))
    }

    fn check_exports(&self) -> Check {
        let faults = self.exports.faults();
        if faults.is_empty() {
            return well("exports");
        }
        ill("exports", CheckState::Degraded, faults.join("; "))
    }

    fn check_projections(&self) -> Check {
        let all = self.projections.list(self.events.published());
        let told = |one: ProjectionStatus| {
            let cause = one.halted?;
            Some(format!("projection {} version {} stands: {cause}", one.name, one.version))
        };
        let faults: Vec<String> = all.into_iter().filter_map(told).collect();
        if faults.is_empty() {
            return well("projections");
        }
        ill("projections", CheckState::Degraded, faults.join("; "))
    }

    /// Absent if no dumps are planned.
    fn check_dumps(&self) -> Option<Check> {
        let check = match self.dumps.failure() {
            None => well("dumps"),
            Some(cause) => {
                ill("dumps", CheckState::Degraded, format!("the last dump failed: {cause:?}"))
            }
        };
        self.dumps.is_planned().then_some(check)
    }

    fn check_tasks(&self) -> Check {
        let ended = self.tasks.ended_early();
        if ended.is_empty() {
            return well("tasks");
        }
        let message = format!("ended although nobody told them to: {}", ended.join(", "));
        ill("tasks", CheckState::Degraded, message)
    }

    /// Reads the whole store and compares it with its checksums and chain, and what is derived with
    /// what it was derived from. Writes nothing.
    ///
    /// # Errors
    /// Only if it could not be read at all: damage is part of the answer.
    pub async fn verify(&self, options: VerifyOptions) -> Result<VerifyReport> {
        // It takes as long as the disk and the rate make it take, which holds nobody up.
        let (journal, runtime) = (self.journal.clone(), tokio::runtime::Handle::current());
        let verify = move || runtime.block_on(journal.verify_with(options));
        let verified = tokio::task::spawn_blocking(verify).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Internal, "verifying the store panicked").caused_by(cause))
        });
        verified.map(VerifyReport::from)
    }
}

fn well(name: &str) -> Check {
    Check { name: name.to_owned(), state: CheckState::Ok, message: String::new() }
}

fn ill(name: &str, state: CheckState, message: String) -> Check {
    Check { name: name.to_owned(), state, message }
}

/// Every problem of an error, one after the other.
fn all_problems(error: &Error) -> String {
    let all: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    all.join("; ")
}
