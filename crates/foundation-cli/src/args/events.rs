//! The verbs of `events`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::archive::ArchiveArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsVerb {
    /// Append the events of a file, one JSON object a line
    Import(ImportArgs),
    /// Append one event
    Append(AppendArgs),
    /// Show the event with an id
    Get {
        /// Id of the event
        id: String,
    },
    /// Find events: one JSON object a line
    Query(QueryArgs),
    /// Who caused what in a story
    Trace {
        /// Correlation id of the story
        correlation: String,
    },
    /// What the event store holds
    Stats,
    /// Move the oldest full files of the log to the archive, where they are read as before
    Archive(ArchiveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; - reads standard input
    pub(crate) file: PathBuf,
    /// Print the position of each event on standard output as it is acked
    #[arg(long)]
    pub(crate) acks: bool,
}

#[derive(Debug, Args)]
#[group(id = "fields", multiple = true, conflicts_with = "event")]
pub(crate) struct FieldArgs {
    /// What happened, for example order.placed
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "event")]
    pub(crate) kind: Option<String>,
    /// Identity and idempotency key; drawn if absent
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// When it happened, RFC 3339; the time of recording if absent
    #[arg(long)]
    pub(crate) time: Option<String>,
    /// Who says so
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// What it is about
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Correlation id of the story that it belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) correlation: Option<String>,
    /// Id of the event that caused it
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// Whatever else there is to say: the data of the event. (--data is the directory.)
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) payload: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The event as a JSON object; - reads it from standard input
    #[arg(id = "event", value_name = "EVENT")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) fields: FieldArgs,
    /// Stream to append to
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// Only if the stream is at this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only events of this story
    #[arg(long, value_name = "ID")]
    pub(crate) correlation: Option<String>,
    /// Only events of this stream
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// Only what happened at this time or later, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what happened before this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Oldest or newest first
    #[arg(long, value_enum, default_value_t = Direction::Asc)]
    pub(crate) order: Direction,
    /// At most this many; all if absent
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Only past this position in the direction of the order
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// Oldest first
    Asc,
    /// Newest first
    Desc,
}
