//! What can be asked of a node, and what each question is answered with.

use std::path::PathBuf;

use foundation_logic::event::{Aggregated, Trace};
use foundation_store::telemetry::KeptMetrics;
use foundation_types::config::{OnConflict, ParkedConflict, Patch, Unchanged};
use foundation_types::error::ErrorReport;
use foundation_types::event::{Aggregation, ParkedEvent};
use foundation_types::lifecycle::Stage;
use foundation_types::telemetry::Metric;
use foundation_types::{
    Change, CorrelationId, Data, Edit, Event, EventId, EventQuery, ExpectedVersion, Path, Position,
    Recorded, StreamName, Timestamp, TypePattern, Value, Version,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::archive::{ArchiveReport, ArchivedRow};
use crate::backup::BackupReport;
use crate::config::{Explanation, FieldRow, HistoryQuery, Updated};
use crate::dump::DumpReport;
use crate::event::{
    ConsumerAction, ConsumerStatus, EventPage, EventStoreStats, ExplainedQuery, Followed,
    Forgetting, Forgotten, HistoryPage, ParkedFilter, Receipt,
};
use crate::export::{ExportAction, ExportPage, ExportStatus};
use crate::node::{
    DocumentMigration, IfMissing, PruneReport, ReplayPage, ReplayShape, Status, TableStatus,
    VerifyReport,
};
use crate::projection::{ProjectionAction, ProjectionChanged, ProjectionShown, ProjectionStatus};
use crate::table::TableRow;

/// A question with the type of its answer.
pub trait Call: Into<Request> + Send {
    /// What it is answered with.
    type Answer: DeserializeOwned + Serialize;

    /// Whether it may change something, so that a lost answer is not the same as no call.
    const WRITES: bool = false;
}

/// What was appended, event by event.
pub type AppendOutcome = std::result::Result<Receipt, Box<ErrorReport>>;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }
        -> $answer:ty $(, writes $writes:literal)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
            }

            impl Call for $name {
                type Answer = $answer;
                $(const WRITES: bool = $writes;)?
            }

            impl From<$name> for Request {
                fn from(call: $name) -> Self {
                    Self::$name(call)
                }
            }
        )*

        /// Any question, as it goes over the socket.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Request {
            $($(#[$doc])* $name($name),)*
        }
    };
}

calls! {
    /// How everything is.
    GetStatus {} -> Status;
    /// The value at a path of a document.
    ConfigGet {
        /// Name of the document.
        document: String,
        /// Where; the root for the whole document.
        path: Path,
        /// As of which version; absent for the newest one.
        at: Option<Version>,
    } -> Value;
    /// The fields of a document.
    ConfigFields {
        /// Name of the document.
        document: String,
    } -> Vec<FieldRow>;
    /// Why the value at a path of a document is what it is.
    ConfigExplain {
        /// Name of the document.
        document: String,
        /// Where.
        path: Path,
    } -> Explanation;
    /// What a file makes of the defaults of a document; every problem of it otherwise.
    ConfigCheck {
        /// Name of the document.
        document: String,
        /// Name of the file, by which its format is known.
        file: String,
        /// What it says.
        text: String,
    } -> Vec<Edit>;
    /// The schemas of all documents, and what their migrations would log.
    ConfigMigrations {} -> Vec<DocumentMigration>;
    /// The JSON Schema of a document.
    ConfigSchema {
        /// Name of the document.
        document: String,
    } -> Value;
    /// A document as a commented TOML file.
    ConfigTemplate {
        /// Name of the document.
        document: String,
    } -> String;
    /// Changes a document, as a whole or not at all.
    ConfigUpdate {
        /// Name of the document.
        document: String,
        /// Patches, made before the edits.
        patches: Vec<Patch>,
        /// What to put where.
        edits: Vec<(Path, Put)>,
        /// The version that the writer has seen.
        expected: ExpectedVersion,
        /// What happens if the document is at another one; absent for what is usual there.
        on_conflict: Option<OnConflict>,
        /// What may not have changed since.
        unchanged: Vec<Unchanged>,
        /// Milliseconds after which what was there before is there again; absent for good.
        lasts_ms: Option<u64>,
        /// Who.
        actor: Option<String>,
        /// Why.
        reason: Option<String>,
        /// Whether what is taken away may leave defaults in a document whose sources are not known here.
        defaults: bool,
        /// Only says what would change.
        dry_run: bool,
    } -> Updated, writes true;
    /// Makes a document what it was at an earlier version, as a new version.
    ConfigRollback {
        /// Name of the document.
        document: String,
        /// The earlier version.
        version: Version,
        /// The version that the writer has seen.
        expected: ExpectedVersion,
        /// Who.
        actor: Option<String>,
        /// Why.
        reason: Option<String>,
    } -> Updated, writes true;
    /// The changes of a document that wait for somebody to decide about them.
    ConfigConflicts {
        /// Name of the document.
        document: String,
    } -> Vec<ParkedConflict>;
    /// Decides about a change that waits.
    ConfigResolve {
        /// Name of the document.
        document: String,
        /// What it waits as.
        id: EventId,
        /// What becomes of it.
        take: Take,
        /// The version that whoever decides has seen.
        expected: ExpectedVersion,
        /// Who.
        actor: Option<String>,
        /// Why.
        reason: Option<String>,
    } -> Updated, writes true;
    /// The changes of a document after a version; if there are none yet, those that come within
    /// this time, or nothing.
    ConfigFollow {
        /// Name of the document.
        document: String,
        /// The version after which they come.
        after: Version,
        /// How long to wait at most, in milliseconds; no more than 30,000 count.
        wait_ms: u64,
    } -> Vec<Change>;
    /// The version of a document that was current at a time.
    ConfigVersionAt {
        /// Name of the document.
        document: String,
        /// When, by the time of recording.
        time: Timestamp,
    } -> Version;
    /// The changes of a document.
    ConfigHistory {
        /// Name of the document.
        document: String,
        /// Which of them.
        query: HistoryQuery,
    } -> Vec<Change>;
    /// What leads from one version of a document to another.
    ConfigDiff {
        /// Name of the document.
        document: String,
        /// From this version.
        from: Version,
        /// To this version.
        to: Version,
    } -> Vec<Edit>;
    /// Every table.
    TableList {} -> Vec<TableStatus>;
    /// The value under a key of a table; nothing if there is none.
    TableGet {
        /// Name of the table.
        table: String,
        /// The key.
        key: Value,
    } -> Option<Data>;
    /// Entries of a table, in the order of keys.
    TableRows {
        /// Name of the table.
        table: String,
        /// The key after which they come; absent for the first ones.
        after: Option<Value>,
        /// How many at most.
        limit: usize,
    } -> Vec<TableRow>;
    /// Puts a value under a key of a table; answered with the one that was there.
    TablePut {
        /// Name of the table.
        table: String,
        /// The key.
        key: Value,
        /// The value.
        value: Data,
        /// Whether the table may be made.
        missing: IfMissing,
    } -> Option<Data>, writes true;
    /// Removes what is under a key of a table; answered with what was there.
    TableRemove {
        /// Name of the table.
        table: String,
        /// The key.
        key: Value,
    } -> Option<Data>, writes true;
    /// Appends one event.
    Append {
        /// The event.
        event: Event,
        /// The stream; absent for the usual one.
        stream: Option<StreamName>,
        /// The version that the stream is expected to have.
        expected: ExpectedVersion,
    } -> Receipt, writes true;
    /// Appends events, each by itself.
    AppendEach {
        /// The events.
        events: Vec<Event>,
    } -> Vec<AppendOutcome>, writes true;
    /// The event with an id.
    EventGet {
        /// The id.
        id: EventId,
    } -> Recorded;
    /// The stage of its life at which the event with an id is.
    EventStage {
        /// The id.
        id: EventId,
    } -> Stage;
    /// One page of the events that answer a query.
    EventsQuery {
        /// The query.
        query: EventQuery,
    } -> EventPage;
    /// Who caused what in a story.
    EventsTrace {
        /// The story.
        correlation_id: CorrelationId,
    } -> Trace;
    /// What the events that answer a query come to.
    EventsAggregate {
        /// The query.
        query: EventQuery,
        /// What to compute of them.
        aggregation: Aggregation,
    } -> Aggregated;
    /// Whether the node can read the events that are stored: a part of the history.
    EventsCheck {
        /// Of these types; of all if there are none.
        types: Vec<TypePattern>,
        /// The position after which the part begins.
        after: Position,
    } -> HistoryPage;
    /// Destroys the key of a subject: nobody reads its personal fields any more.
    EventsForget {
        /// The subject.
        subject: String,
        /// Who asks for it.
        actor: Option<String>,
        /// Why.
        reason: String,
    } -> Forgetting, writes true;
    /// The certificates of what was forgotten.
    EventsForgotten {} -> Vec<Forgotten>;
    /// What the event store holds.
    EventsStats {} -> EventStoreStats;
    /// Which way a query goes, and what it looks at for its first page.
    EventsExplain {
        /// The query.
        query: EventQuery,
    } -> ExplainedQuery;
    /// The next events that answer a filter; waits for one if there is none.
    EventsFollow {
        /// Which events: no order, limit or cursor.
        filter: EventQuery,
        /// After this position; from now on if absent.
        after: Option<Position>,
        /// How long to wait at most, in milliseconds; no more than 30,000 count.
        wait_ms: u64,
    } -> Followed;
    /// Every durable consumer.
    ConsumerList {} -> Vec<ConsumerStatus>;
    /// Does something about a consumer.
    ConsumerChange {
        /// Its name.
        consumer: String,
        /// What.
        action: ConsumerAction,
    } -> (), writes true;
    /// Events that consumers could not take.
    ParkedList {
        /// Which of them.
        filter: ParkedFilter,
    } -> Vec<ParkedEvent>;
    /// Has parked events handed out once more; answered with them.
    ParkedRetry {
        /// Which of them.
        filter: ParkedFilter,
        /// Only says which.
        dry_run: bool,
    } -> Vec<ParkedEvent>, writes true;
    /// Gives parked events up; answered with them.
    ParkedDrop {
        /// Which of them.
        filter: ParkedFilter,
        /// Only says which.
        dry_run: bool,
    } -> Vec<ParkedEvent>, writes true;
    /// Every export.
    ExportList {} -> Vec<ExportStatus>;
    /// Does something about an export.
    ExportChange {
        /// Its name.
        export: String,
        /// What.
        action: ExportAction,
    } -> (), writes true;
    /// Where an export is whose sink is with whoever asks; it is made if there is none.
    ExportCursor {
        /// Its name.
        export: String,
        /// Everything up to here is settled; absent to only ask.
        settled: Option<Position>,
        /// Which events it passes on; absent where that was said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<EventQuery>,
    } -> Position, writes true;
    /// One page of the events that answer a query, to be exported; if there are none yet, those
    /// that come within this time, or nothing.
    ExportRead {
        /// The export that has to have all that is kept, also events whose time to live is over; absent
        /// for one that is written once and sees what every reader sees.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        export: Option<String>,
        /// The query.
        query: EventQuery,
        /// How long to wait at most, in milliseconds; no more than 30,000 count.
        wait_ms: u64,
    } -> ExportPage;
    /// Every version of every projection.
    ProjectionList {} -> Vec<ProjectionStatus>;
    /// What readers of a projection by name get.
    ProjectionShow {
        /// Its name.
        projection: String,
        /// The key, if it is one by key and one state is meant.
        key: Option<String>,
        /// The key after which a page of keys begins.
        after: Option<String>,
        /// Keys in that page at most; no more than 1,000 count.
        limit: usize,
    } -> ProjectionShown;
    /// Does something about a projection; answered with the versions that there are.
    ProjectionChange {
        /// Its name.
        projection: String,
        /// What.
        action: ProjectionAction,
    } -> Vec<ProjectionChanged>, writes true;
    /// Moves the oldest files of the log to the archive, as long as one bound is exceeded.
    ArchiveEvents {
        /// A file goes once its newest record is older than this many seconds.
        older_than_s: Option<u64>,
        /// A file goes while more full ones than this are in the store.
        keep_segments: Option<u64>,
        /// Only says what would go.
        dry_run: bool,
    } -> ArchiveReport, writes true;
    /// Lets go of the oldest files of the log, as long as one bound is exceeded.
    EventsPrune {
        /// A file goes once its newest record is older than this many seconds.
        older_than_s: Option<u64>,
        /// A file goes once this many records come after it.
        keep: Option<u64>,
        /// A file goes once nothing in it lives any more by `events.ttl`.
        #[serde(default)]
        expired: bool,
        /// Whether consumers and exports are gone past that have not had all of it.
        force: bool,
        /// Only says what would go, and who holds it.
        dry_run: bool,
    } -> PruneReport, writes true;
    /// What is in the archive.
    ArchiveList {} -> Vec<ArchivedRow>;
    /// Reads all that is in the archive and compares it with its checksums.
    ArchiveVerify {} -> VerifyReport;
    /// Brings everything back from the archive.
    ArchiveRestore {} -> ArchiveReport, writes true;
    /// Every series with its value.
    GetMetrics {} -> Vec<Metric>;
    /// What the process before had kept of its metrics.
    GetKeptMetrics {} -> Option<KeptMetrics>;
    /// Keeps documents and tables as of now in a snapshot.
    TakeCheckpoint {} -> Position, writes true;
    /// Writes documents and tables as they are now into a file of a directory.
    TakeDump {
        /// The directory, as the node finds it.
        directory: PathBuf,
    } -> DumpReport;
    /// Reads everything and compares it with its checksums.
    Verify {
        /// How many bytes are read in a second; absent for as many as the disk gives.
        bytes_per_second: Option<u64>,
    } -> VerifyReport;
    /// Copies the store as of now into a directory, which is made, or is empty.
    TakeBackup {
        /// The directory, as the node finds it.
        directory: PathBuf,
    } -> BackupReport;
    /// The next records of the log, of every kind.
    Replay {
        /// The position after which they come.
        after: Position,
        /// The last position that is wanted; absent for the end of the log.
        until: Option<Position>,
        /// In which shape.
        #[serde(default)]
        shape: ReplayShape,
    } -> ReplayPage;
}

/// What becomes of a change that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// It is made, on the document as it is by then.
    Ours,
    /// It is given up.
    Theirs,
    /// This is made in its place.
    Edited(Vec<(Path, Put)>),
}

/// What to put at a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Put {
    /// This value.
    Value(Value),
    /// Nothing: what is there is removed.
    Nothing,
    /// The default of the document.
    Default,
}
