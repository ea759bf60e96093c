//! The local door to a running node: a socket in its directory, for the same user only.
//!
//! What a tool asks is a [`Call`]; [`answer`] answers it, in the process that owns the store or
//! through the socket, by the same code. A connection carries one call after the other, each a
//! frame of JSON in either direction.
//!
//! A socket is reached only by processes of the user who runs the node: its mode is 0600, and the
//! peer's user is asked of the system at every connection.

mod answer;
mod calls;
mod client;
mod frame;
mod place;
mod server;

pub use answer::{answer, answer_typed};
pub use calls::{
    Append, AppendEach, AppendOutcome, ArchiveEvents, ArchiveList, ArchiveRestore, ArchiveVerify,
    Call, ConfigCheck, ConfigConflicts, ConfigDiff, ConfigExplain, ConfigFields, ConfigFollow,
    ConfigGet, ConfigHistory, ConfigMigrations, ConfigResolve, ConfigRollback, ConfigSchema,
    ConfigTemplate, ConfigUpdate, ConfigVersionAt, ConsumerChange, ConsumerList, EventGet,
    EventStage, EventsAggregate, EventsCheck, EventsExplain, EventsFollow, EventsForget,
    EventsForgotten, EventsPrune, EventsQuery, EventsStats, EventsTrace, ExportChange,
    ExportCursor, ExportList, ExportRead, GetKeptMetrics, GetMetrics, GetStatus, ParkedDrop,
    ParkedList, ParkedRetry, ProjectionChange, ProjectionList, ProjectionShow, Put, Replay,
    Request, TableGet, TableList, TablePut, TableRemove, TableRows, Take, TakeBackup,
    TakeCheckpoint, TakeDump, Verify,
};
pub use client::Client;
pub use server::ControlSocket;
